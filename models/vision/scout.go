package vision

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"slices"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
)

// Sizes at which a Scout looks at a frame: on a fine level, and on one of half its size, which alone is asked for
// large faces, because on the fine level anything round and bright is one. Measured on frames of two clips, portraits, samples and
// crowds, all of 1920 pixels' width, against what a Finder is sure of (0.6): of faces of 40 pixels and more it finds
// 366 of 376, of 24 to 40 pixels 117 of 139, and on the coarse level alone 327 and 68. Of 24 pixels and more, 27 are not the
// Finder's, most of them true faces in crowds.
const (
	scoutPixels = 848 * 480   // of the fine level of a frame of scoutFrame
	scoutFrame  = 1920 * 1080 // the fine level of larger frames grows with the root of their size
	scoutScale  = 0.7         // the finest level: a face of 16 pixels is seen at 11
	scoutLarge  = 64.0        // pixels of the fine level from which on a face is taken from the coarse one
	scoutClear  = 32.0        // pixels of the fine level from which on a face must be seen in a second look too…
	scoutCoarse = 32.0        // …and the coarse level is believed: it takes small ones side by side for one between them
)

// Scores of the network, 0 to 1, of what a Scout finds. A film shows a face again a moment later, so
// that one frame may miss it; what one frame takes for a face, a track must confirm.
const (
	scoutSure   = 0.5  // taken as it is
	scoutUnsure = 0.25 // from here on it is looked at again
	scoutLooks  = 8    // so many of a frame at most, best first
	scoutHolds  = 0.3  // what a large face must have in the second look
	glanceSure  = 0.3  // taken where a face is expected
	glanceSame  = 0.3  // intersection over union with what was expected from which on it is that face
)

// Scout finds faces in the frames of a film: faster than a Finder by ten times, and less thorough.
// It is not safe for use by two goroutines at a time.
type Scout struct {
	detector                  *rfb
	landmarks                 *landmarker
	half, fine, coarse, again gocv.Mat // reused
}

// OpenScout opens the weights that a Finder takes too.
func OpenScout(detectorONNX, landmarksONNX string) (*Scout, error) {
	d, err := openRFB(detectorONNX)
	if err != nil {
		return nil, err
	}
	l, err := openLandmarker(landmarksONNX)
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return &Scout{detector: d, landmarks: l, half: gocv.NewMat(), fine: gocv.NewMat(), coarse: gocv.NewMat(), again: gocv.NewMat()}, nil
}

// Close frees the networks. The Scout must not be used afterwards.
func (s *Scout) Close() error {
	return errors.Join(s.detector.close(), s.landmarks.close(), s.half.Close(), s.fine.Close(), s.coarse.Close(), s.again.Close())
}

// scoutSize is the size of the level on which a frame is searched, pixels, a multiple of the
// network's stride.
func scoutSize(frame image.Point) image.Point {
	pixels := float64(frame.X) * float64(frame.Y)
	budget := scoutPixels * math.Max(1, math.Sqrt(pixels/scoutFrame))
	scale := math.Min(scoutScale, math.Sqrt(budget/pixels))
	return onStride(frame, scale)
}

// onStride is a size times the scale, in multiples of the network's stride.
func onStride(size image.Point, scale float64) image.Point {
	round := func(n int) int { return max(stride, int(math.Round(float64(n)*scale/stride))*stride) }
	return image.Pt(round(size.X), round(size.Y))
}

// Find gives the faces of a frame (BGR, 8 bit, upright), left to right, without landmarks. Unless it looks finely it
// sees only those from 72 pixels of 1080p on, in a fifth of the time. The same frame always gives the same faces.
func (s *Scout) Find(ctx context.Context, img gocv.Mat, finely bool) ([]face.Face, error) {
	if img.Empty() || img.Type() != gocv.MatTypeCV8UC3 {
		return nil, errors.New("find faces in a frame: it is empty or not BGR with 8 bits")
	}
	raw, err := s.search(img, finely)
	if err != nil {
		return nil, fmt.Errorf("find faces in a frame: %w", err)
	}
	found, err := s.sift(ctx, img, mergeDuplicates(raw))
	if err != nil {
		return nil, fmt.Errorf("find faces in a frame: %w", err)
	}
	found = dropParts(found)
	slices.SortFunc(found, byPlace)
	return found, nil
}

// Fit gives the faces of a frame their landmarks, in place.
func (s *Scout) Fit(img gocv.Mat, faces []face.Face) (err error) {
	for i := range faces {
		if faces[i].Landmarks, err = s.fit(img, faces[i].Box); err != nil {
			return err
		}
	}
	return nil
}

// fit shrinks the surroundings of a large face by a whole number first, which is several times faster than to do it in one step.
func (s *Scout) fit(img gocv.Mat, b face.Box) (face.Landmarks, error) {
	by := int(b.Size() / landmarkSide)
	part := image.Rect(int(b.X)-2*by, int(b.Y)-2*by, int(b.X+b.W)+3*by, int(b.Y+b.H)+3*by)
	if by < 2 || !part.In(image.Rect(0, 0, img.Cols(), img.Rows())) {
		return s.landmarks.fit(img, b)
	}
	size := part.Size().Div(by)
	part.Max = part.Min.Add(size.Mul(by))
	region := img.Region(part)
	gocv.Resize(region, &s.half, size, 0, 0, gocv.InterpolationArea)
	if err := region.Close(); err != nil {
		return nil, err
	}
	scale := float64(by)
	x, y := float64(part.Min.X), float64(part.Min.Y)
	l, err := s.landmarks.fit(s.half, face.Box{X: (b.X - x) / scale, Y: (b.Y - y) / scale, W: b.W / scale, H: b.H / scale})
	for i, p := range l {
		l[i] = face.Point{X: p.X*scale + x, Y: p.Y*scale + y}
	}
	return l, err
}

// search gives all boxes, duplicates included, in the frame's pixels.
func (s *Scout) search(img gocv.Mat, finely bool) ([]face.Face, error) {
	frame := image.Pt(img.Cols(), img.Rows())
	fine := scoutSize(frame)
	coarse := onStride(fine, 0.5)
	s.reduce(img, fine)
	resample(s.fine, &s.coarse, coarse)
	found, err := s.detector.detect(s.coarse, scoutUnsure)
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(f face.Face) bool { return f.Box.Size() < scoutCoarse/2 })
	found = stretch(found, coarse, frame)
	if !finely {
		return found, nil
	}
	small, err := s.detector.detect(s.fine, scoutUnsure)
	if err != nil {
		return nil, err
	}
	for _, f := range small {
		if f.Box.Size() < scoutLarge {
			found = append(found, stretch([]face.Face{f}, fine, frame)...)
		}
	}
	return found, nil
}

// reduce makes the fine level. To halve a frame and to go on from there takes a fifth of the time of one step.
func (s *Scout) reduce(img gocv.Mat, size image.Point) {
	if img.Cols() < 2*size.X || img.Rows() < 2*size.Y {
		gocv.Resize(img, &s.fine, size, 0, 0, gocv.InterpolationLinear)
		return
	}
	gocv.Resize(img, &s.half, image.Pt(img.Cols()/2, img.Rows()/2), 0, 0, gocv.InterpolationArea)
	gocv.Resize(s.half, &s.fine, size, 0, 0, gocv.InterpolationLinear)
}

// stretch takes boxes from a picture of one size to the same picture in another, in place.
func stretch(found []face.Face, from, to image.Point) []face.Face {
	sx, sy := float64(to.X)/float64(from.X), float64(to.Y)/float64(from.Y)
	for i, f := range found {
		found[i].Box = face.Box{X: f.Box.X * sx, Y: f.Box.Y * sy, W: f.Box.W * sx, H: f.Box.H * sy}
	}
	return found
}

// sift takes what is sure, unless it is large and a second look does not see it; and of the rest what a second look is sure of.
func (s *Scout) sift(ctx context.Context, img gocv.Mat, all []candidate) ([]face.Face, error) {
	var found []face.Face
	clearly := scoutClear * float64(img.Cols()) / float64(scoutSize(image.Pt(img.Cols(), img.Rows())).X)
	looks := 0
	for _, c := range all {
		if err := ctx.Err(); err != nil {
			return nil, err //nolint:wrapcheck // the context's own error is what callers look for
		}
		atLeast := scoutHolds
		if c.Score < scoutSure {
			if looks++; looks > scoutLooks {
				break
			}
			atLeast = scoutSure
		}
		if c.Score < scoutSure || c.Box.Size() >= clearly {
			seen, ok, err := s.look(img, c.Box, atLeast)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
			c.Score = max(c.Score, seen.Score)
		}
		found = append(found, c.Face)
	}
	return found, nil
}

// Glance looks patiently where a face is expected, in one run of the network, and fits landmarks to
// it. ok is false where it is not seen.
func (s *Scout) Glance(img gocv.Mat, expected face.Box) (f face.Face, ok bool, err error) {
	if !(expected.W > 0 && expected.H > 0) || math.IsInf(expected.X+expected.Y+expected.W+expected.H, 0) || math.IsNaN(expected.X+expected.Y) {
		return face.Face{}, false, nil
	}
	if f, ok, err = s.look(img, expected, glanceSure); err != nil || !ok {
		return face.Face{}, false, err
	}
	f.Landmarks, err = s.fit(img, f.Box)
	return f, err == nil, err
}

// look shows the network a square of the frame around the box, and gives the best face that is the
// one in the box.
func (s *Scout) look(img gocv.Mat, b face.Box, atLeast float64) (best face.Face, ok bool, err error) {
	// Pixels, of the box and of what is shown. On 725 faces whose boxes were moved by up to a quarter, larger views saw no more:
	// 96 % from 24 pixels on. None saw a face in 729 places without one.
	const shown, side = 24.0, 64
	reach, c := b.Size()*side/shown, b.Centre()
	v := view{box: face.Box{X: c.X - reach/2, Y: c.Y - reach/2, W: reach, H: reach}, size: image.Pt(side, side)}
	v.sample(img, &s.again)
	seen, err := s.detector.detect(s.again, atLeast)
	if err != nil {
		return face.Face{}, false, fmt.Errorf("look again: %w", err)
	}
	for _, f := range seen {
		f.Box = v.backBox(f.Box)
		if f.Score > best.Score && f.Box.IoU(b) >= glanceSame {
			best, ok = f, true
		}
	}
	return best, ok, nil
}
