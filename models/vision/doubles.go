package vision

import (
	"fmt"
	"math"
	"slices"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
)

// Two boxes that share less than sameFace can still be one head: the detector names a face with
// chin and hair, and the same one without, at two scales. Fitted to either, the landmarks then
// settle on the same eyes, nose and mouth. Measured on 75 pairs of overlapping boxes in the crowds and
// 34 portraits, at two sizes each: no two faces that YuNet tells apart had landmarks nearer than
// 0.33 of their size.
const (
	// sharedHead is the share of the smaller box that both boxes of one head cover at least.
	sharedHead = 0.5
	// sameLandmarks is the mean distance of landmarks, against the size, below which they are of one head.
	sameLandmarks = 0.3
	// sameLargeLandmarks is the same for faces of unsteady pixels and more. They cover each other less
	// than people in a crowd do, and a box of another scale moves their landmarks more: 13 of 14
	// pairs of boxes on one head were nearer, no pair on two.
	sameLargeLandmarks = 0.48
)

// dropDoubles keeps of several faces that are one head the one whose landmarks hold better.
func (f *Finder) dropDoubles(img gocv.Mat, found []face.Face, finest float64) ([]face.Face, error) {
	gone := make([]bool, len(found))
	for i := range found {
		for j := range i {
			if gone[i] || gone[j] || !oneHead(found[i], found[j], finest) {
				continue
			}
			first, err := f.landmarks.unrest(img, found[i].Box)
			if err != nil {
				return nil, fmt.Errorf("compare two boxes of a head: %w", err)
			}
			second, err := f.landmarks.unrest(img, found[j].Box)
			if err != nil {
				return nil, fmt.Errorf("compare two boxes of a head: %w", err)
			}
			gone[i], gone[j] = first >= second, first < second
		}
	}
	kept := make([]face.Face, 0, len(found))
	for i, x := range found {
		if !gone[i] {
			kept = append(kept, x)
		}
	}
	return slices.Clip(kept), nil
}

// oneHead says whether two faces overlap and their landmarks lie in the same place. Finest is the
// finest scale searched.
func oneHead(a, b face.Face, finest float64) bool {
	if a.Box.Intersection(b.Box) < sharedHead*math.Min(a.Box.Area(), b.Box.Area()) {
		return false
	}
	size := math.Sqrt(a.Box.Size() * b.Box.Size())
	near := sameLandmarks
	if size*finest >= unsteady {
		near = sameLargeLandmarks
	}
	return len(a.Landmarks) == len(b.Landmarks) && apart(a.Landmarks, b.Landmarks) < near*size
}

// apart is the mean distance between the points of two faces, pixels.
func apart(a, b face.Landmarks) float64 {
	sum := 0.0
	for i, p := range a {
		sum += math.Hypot(p.X-b[i].X, p.Y-b[i].Y)
	}
	return sum / float64(max(1, len(a)))
}
