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

// Detector finds faces in a picture (BGR, 8 bit, upright): boxes in its pixels and scores of 0 to
// 1. A Finder is one, a YuNet another.
type Detector interface {
	Detect(img gocv.Mat) ([]face.Face, error)
}

// Options say how hard a Finder looks. DefaultOptions gives what was measured to be good.
type Options struct {
	SmallestFace float64 // pixels of the picture: the smallest face that must be found
	Least        float64 // pixels of the picture: smaller boxes are dropped, since nobody can be told from them
	SeenAt       float64 // pixels: how large the network must see it; at 13, 94 % of 110 pasted faces were found, at 15, 99 %
	Budget       int     // pixels: a smaller picture is enlarged until its finest level has so many…
	Enlarge      float64 // …but never by more than this
	Coarsest     int     // pixels: the longer side of the last level
	Tile         int     // pixels: longest side of what goes through the network at once, a multiple of 16
	Candidate    float64 // the detector's own score from which on a box is considered
	Crowd        int     // so many small faces call for one level more, at twice the finest scale
	Threshold    float64 // final score, 0 to 1, from which on it is a face
}

// DefaultOptions are those that the measurements were made with.
func DefaultOptions() Options {
	return Options{
		SmallestFace: 20, Least: 10, SeenAt: 15, Budget: 1 << 20, Enlarge: 2, Coarsest: 320, Tile: 1088,
		Candidate: 0.15, Crowd: 8, Threshold: 0.39,
	}
}

func (o Options) check() error {
	if !(o.SmallestFace > 0 && o.SeenAt > 0 && o.Enlarge > 0) || o.Budget <= 0 || o.Coarsest < stride {
		return errors.New("finder options: sizes must be positive")
	}
	if o.Tile < 2*overlap || o.Tile%stride != 0 {
		return fmt.Errorf("finder options: a tile of %d pixels is not a multiple of %d of at least %d", o.Tile, stride, 2*overlap)
	}
	if !(o.Candidate > 0 && o.Candidate < 1 && o.Threshold > 0 && o.Threshold < 1) {
		return errors.New("finder options: scores must be between 0 and 1")
	}
	return nil
}

// Finder finds every face of a picture and fits landmarks to it. It is not safe for use by two
// goroutines at a time.
type Finder struct {
	options   Options
	detector  *rfb
	landmarks *landmarker
	look      gocv.Mat // reused for second looks
}

// OpenFinder opens the weights of the detector (RFB-320, as shipped or as cut by
// models.CutDetector) and of the landmarks.
func OpenFinder(detectorONNX, landmarksONNX string, o Options) (*Finder, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	d, err := openRFB(detectorONNX)
	if err != nil {
		return nil, err
	}
	l, err := openLandmarker(landmarksONNX)
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return &Finder{options: o, detector: d, landmarks: l, look: gocv.NewMat()}, nil
}

// Close frees the networks. The Finder must not be used afterwards.
func (f *Finder) Close() error {
	return errors.Join(f.detector.close(), f.landmarks.close(), f.look.Close())
}

// Detect is Find without a context.
func (f *Finder) Detect(img gocv.Mat) ([]face.Face, error) {
	return f.Find(context.Background(), img)
}

// Find gives every face of an upright picture (BGR, 8 bit), left to right: box in its pixels,
// score of 0 to 1, 68 landmarks. The same picture always gives the same faces.
func (f *Finder) Find(ctx context.Context, img gocv.Mat) ([]face.Face, error) {
	return f.FindIn(ctx, img, image.Rect(0, 0, img.Cols(), img.Rows()))
}

// FindIn looks only at a part of the picture and gives every face whose box touches it, in
// coordinates of the whole picture. The part is seen at the scales at which Find sees it.
func (f *Finder) FindIn(ctx context.Context, img gocv.Mat, area image.Rectangle) ([]face.Face, error) {
	if img.Empty() || img.Type() != gocv.MatTypeCV8UC3 {
		return nil, errors.New("find faces: the picture is empty or not BGR with 8 bits")
	}
	whole := image.Rect(0, 0, img.Cols(), img.Rows())
	area = area.Intersect(whole)
	if area.Empty() {
		return nil, nil
	}
	found, err := f.findAround(ctx, img, whole, area)
	if err != nil {
		return nil, fmt.Errorf("find faces: %w", err)
	}
	found = slices.DeleteFunc(found, func(x face.Face) bool { return !touches(x.Box, area) })
	slices.SortFunc(found, byPlace)
	return found, nil
}

// findAround searches the area and so much around it that its faces are seen with their surroundings.
func (f *Finder) findAround(ctx context.Context, img gocv.Mat, whole, area image.Rectangle) ([]face.Face, error) {
	plan := planLevels(whole.Size(), f.options)
	margin := int(math.Ceil(overlap / plan[0].scale))
	p := buildPyramid(img, area.Inset(-margin).Intersect(whole), plan)
	defer p.close()
	raw, finest, err := f.search(ctx, img, p)
	if err != nil {
		return nil, err
	}
	return f.settle(ctx, img, p, raw, finest)
}

func touches(b face.Box, r image.Rectangle) bool {
	return b.Intersection(rectBox(r)) > 0
}

func rectBox(r image.Rectangle) face.Box {
	return face.Box{X: float64(r.Min.X), Y: float64(r.Min.Y), W: float64(r.Dx()), H: float64(r.Dy())}
}
