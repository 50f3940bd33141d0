package look

import (
	"context"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media/raster"
	"github.com/consentry/consentry/internal/track"
)

// fakeScout sees what a function says, so that tests of films need no weights.
type fakeScout struct{ see func(raster.Mat) []face.Face }

func (s fakeScout) Find(_ context.Context, picture raster.Mat, _ bool) ([]face.Face, error) {
	return s.see(picture), nil
}

func (s fakeScout) Fit(_ raster.Mat, _ []face.Face) error { return nil }

func (s fakeScout) Glance(picture raster.Mat, expected face.Box) (face.Face, bool, error) {
	for _, f := range s.see(picture) {
		if f.Box.IoU(expected) >= sameFace {
			return f, true, nil
		}
	}
	return face.Face{}, false, nil
}

func (s fakeScout) Close() error { return nil }

// Imagine makes eyes see in films what a function says; it is called by several goroutines.
func Imagine(e *Eyes, see func(raster.Mat) []face.Face) {
	e.films.open = func() (scout, error) { return fakeScout{see}, nil }
	e.films.confirm = func(_ context.Context, picture raster.Mat, box face.Box) (face.Face, bool, error) {
		return fakeScout{see}.Glance(picture, box)
	}
}

// What tests in the package's own words look at.
var (
	PlanSegments = planSegments
	OnFrame      = onFrame
)

// SegmentFrames is how long a segment is at most.
const SegmentFrames = segmentFrames

// RegionsOn counts the covers that reach each frame from 0 on.
func RegionsOn(covers []track.Cover, frames int) []int {
	s, counts := newScenes(covers), make([]int, frames)
	for n := range frames {
		counts[n] = len(s.at(n))
	}
	return counts
}

// Means are the means of a frame's grid.
func Means(y []byte, width, height int) []byte {
	var b blocks
	b.measure(y, width, height)
	return b.means(nil)
}

// Same says whether two frames are taken for the same.
func Same(one, other []byte, width, height int) bool {
	var a, b blocks
	a.measure(one, width, height)
	b.measure(other, width, height)
	return a.same(&b)
}
