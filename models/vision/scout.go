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

// Sizes at which a Scout looks at a frame. Measured on every tenth frame of a clip and 14 crowds of the
// same width, against what a Finder is sure of (0.6) there: with one level of 0.4 megapixels 96 % of
// the faces of 80 pixels and more were found, 94 % from 40 pixels, 87 % from 24; a second and third level
// added a hundredth and half as much time again.
const (
	scoutPixels = 848 * 480   // of the level on which a frame of scoutFrame is searched
	scoutFrame  = 1920 * 1080 // larger frames are searched on a level that grows with the root of their size
	scoutScale  = 0.7         // the finest level: a face of 16 pixels is seen at 11
	// scoutHuge is the size in pixels of the level from which on a coarser one is asked, since the
	// largest anchor has 256.
	scoutHuge   = 160.0
	scoutCoarse = 0.25 // scale of that level against the other
)

// Scores of the network, 0 to 1, of what a Scout finds. A film shows a face again a moment later, so
// that one frame may miss it; what one frame takes for a face, a track must confirm.
const (
	scoutSure   = 0.5  // taken as it is
	scoutUnsure = 0.25 // from here on it is looked at again
	scoutLooks  = 8    // so many of a frame at most, best first
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

// Find gives the faces of a frame (BGR, 8 bit, upright), left to right, without landmarks.
// The same frame always gives the same faces.
func (s *Scout) Find(ctx context.Context, img gocv.Mat) ([]face.Face, error) {
	if img.Empty() || img.Type() != gocv.MatTypeCV8UC3 {
		return nil, errors.New("find faces in a frame: it is empty or not BGR with 8 bits")
	}
	raw, err := s.search(img)
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
		if faces[i].Landmarks, err = s.landmarks.fit(img, faces[i].Box); err != nil {
			return err
		}
	}
	return nil
}

// search gives all boxes, duplicates included, in the frame's pixels.
func (s *Scout) search(img gocv.Mat) ([]face.Face, error) {
	frame := image.Pt(img.Cols(), img.Rows())
	size := scoutSize(frame)
	s.reduce(img, size)
	found, err := s.detector.detect(s.fine, scoutUnsure)
	if err != nil {
		return nil, err
	}
	found = stretch(found, size, frame)
	small := onStride(size, scoutCoarse)
	resample(s.fine, &s.coarse, small)
	huge, err := s.detector.detect(s.coarse, scoutUnsure)
	if err != nil {
		return nil, err
	}
	least := scoutHuge * float64(frame.X) / float64(size.X)
	for _, f := range stretch(huge, small, frame) {
		if f.Box.Size() >= least {
			found = append(found, f)
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

// sift takes what is sure, and of the rest what a second look is sure of.
func (s *Scout) sift(ctx context.Context, img gocv.Mat, all []candidate) ([]face.Face, error) {
	var found []face.Face
	looks := 0
	for _, c := range all {
		if err := ctx.Err(); err != nil {
			return nil, err //nolint:wrapcheck // the context's own error is what callers look for
		}
		if c.Score < scoutSure {
			if looks++; looks > scoutLooks {
				break
			}
			seen, ok, err := s.look(img, c.Box, scoutSure)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
			c.Score = seen.Score
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
	f.Landmarks, err = s.landmarks.fit(img, f.Box)
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
