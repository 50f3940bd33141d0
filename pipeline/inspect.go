package pipeline

import (
	"context"
	"fmt"
	"slices"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
)

// inspect looks at the finished file as a stranger would. It returns the fault that keeps it from
// being released, in words for the person who has to decide, or "".
func (l *Line) inspect(ctx context.Context, derivative Derivative, photo photograph, result Result, order Order) (string, error) {
	l.Step("inspect")
	seen, err := l.Vision.Inspect(ctx, derivative)
	if err != nil {
		return "", fmt.Errorf("inspecting the derivative: %w", err)
	}
	if seen.Info.Width != photo.info.Width || seen.Info.Height != photo.info.Height {
		return fmt.Sprintf("the derivative is %d × %d pixels, the original %d × %d",
			seen.Info.Width, seen.Info.Height, photo.info.Width, photo.info.Height), nil
	}
	if !seen.Outside.Within {
		return "the derivative differs from the original outside of the obscured regions", nil
	}
	if stillFound(seen.Faces, result.Faces) {
		return "a face can still be found where one was obscured", nil
	}
	return stillMatched(photo.asset.Digest, unjudged(seen.Faces, result.Faces), order), nil
}

// surelyFace is the detector's score from which on a face that is seen again counts. Measured on 54
// photographs with every face obscured: what the detector takes for a face in a smooth head above
// real shoulders scored 0.75 at most; faces left bare on purpose score more than 0.9 or are not seen.
const surelyFace = 0.9

// stillFound says whether a face's centre lies where a face was obscured. The middle half of the
// obscured box is asked, so that a neighbour's face is not mistaken for the one that is gone.
func stillFound(seen []face.Face, verdicts []FaceResult) bool {
	for _, f := range seen {
		for _, v := range verdicts {
			if f.Score >= surelyFace && v.Outcome != consent.Show && middle(v.Box).contains(f.Box.Centre()) {
				return true
			}
		}
	}
	return false
}

type area face.Box

func middle(b face.Box) area {
	return area{X: b.X + b.W/4, Y: b.Y + b.H/4, W: b.W / 2, H: b.H / 2}
}

func (a area) contains(p face.Point) bool {
	return p.X >= a.X && p.X < a.X+a.W && p.Y >= a.Y && p.Y < a.Y+a.H
}

// SameFace is the overlap from which on two boxes are one face seen twice, as usual for detectors.
const SameFace = 0.5

// unjudged are the faces that were not decided to be shown in the original. Those that were stand
// beside an obscured one and are seen again; judged anew, without the face whose subject cannot be
// two people of one photograph, they could only be judged worse.
func unjudged(seen []face.Face, verdicts []FaceResult) []face.Face {
	return slices.DeleteFunc(slices.Clone(seen), func(f face.Face) bool {
		return slices.ContainsFunc(verdicts, func(v FaceResult) bool {
			return v.Outcome == consent.Show && v.Box.IoU(f.Box) >= SameFace
		})
	})
}

// stillMatched names a subject that must not be shown and yet matches in any band.
func stillMatched(asset string, seen []face.Face, order Order) string {
	for _, m := range match(asset, seen, order) {
		if m.Band == gallery.None || m.Subject == "" {
			continue
		}
		if order.decisionOn(m.Subject).Outcome != consent.Show {
			return fmt.Sprintf("a face in the derivative still looks like %s", m.Subject)
		}
	}
	return ""
}
