package vision

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
)

// similarity is a turn, a uniform scale and a shift of the plane, without mirroring:
// (x, y) → (a·x − b·y + tx, b·x + a·y + ty).
type similarity struct{ a, b, tx, ty float64 }

func (s similarity) apply(p face.Point) face.Point {
	return face.Point{X: s.a*p.X - s.b*p.Y + s.tx, Y: s.b*p.X + s.a*p.Y + s.ty}
}

// inverse undoes the similarity, which must not collapse the plane.
func (s similarity) inverse() similarity {
	n := s.a*s.a + s.b*s.b
	a, b := s.a/n, -s.b/n
	return similarity{a, b, -a*s.tx + b*s.ty, -b*s.tx - a*s.ty}
}

// finite says whether the similarity maps to real places and does not collapse everything.
func (s similarity) finite() bool {
	sum := s.a + s.b + s.tx + s.ty
	return !math.IsNaN(sum) && !math.IsInf(sum, 0) && s.a*s.a+s.b*s.b > 0
}

// bestSimilarity maps the points of from onto those of to with the least sum of squared errors.
// In the plane the general solution (Umeyama 1991) reduces to these few sums.
func bestSimilarity(from, to []face.Point) similarity {
	mf, mt := centroid(from), centroid(to)
	var dot, cross, spread float64
	for i := range from {
		fx, fy := from[i].X-mf.X, from[i].Y-mf.Y
		tx, ty := to[i].X-mt.X, to[i].Y-mt.Y
		dot += fx*tx + fy*ty
		cross += fx*ty - fy*tx
		spread += fx*fx + fy*fy
	}
	a, b := dot/spread, cross/spread
	return similarity{a, b, mt.X - a*mf.X + b*mf.Y, mt.Y - b*mf.X - a*mf.Y}
}

func centroid(ps []face.Point) face.Point {
	var c face.Point
	for _, p := range ps {
		c.X += p.X / float64(len(ps))
		c.Y += p.Y / float64(len(ps))
	}
	return c
}

// ErrNoPixels says that a face's box is not a real box or covers no pixel of the picture.
var ErrNoPixels = errors.New("face box covers no pixels")

const (
	// cutReach is the side of the cut in box sides: a crop with margin 0.3 on each side is 1.6
	// boxes wide, 2.26 when it is turned by 45°, and MobileFaceNet's chip is smaller.
	cutReach = 2.3
	// cutFace is the largest side in pixels that a box keeps in the cut: twice what it has in
	// either describer's crop, so that the bilinear warp that follows does not alias.
	cutFace = 188
)

// cut is the neighbourhood of a face, shrunk where the face is large. It holds all pixels that
// the describers look at and must be closed.
type cut struct {
	pixels   gocv.Mat
	fromFull similarity // coordinates of the whole picture → of the cut
}

func (c cut) close() error { return c.pixels.Close() }

// cutFaceOut takes the neighbourhood of the box out of the picture.
func cutFaceOut(img gocv.Mat, b face.Box) (cut, error) {
	side := math.Max(b.W, b.H)
	if !(b.W > 0 && b.H > 0) || math.IsInf(side, 0) || math.IsNaN(b.X+b.Y) || math.IsInf(b.X+b.Y, 0) {
		return cut{}, ErrNoPixels
	}
	c := b.Centre()
	reach := side * cutReach / 2
	bounds := image.Rect(0, 0, img.Cols(), img.Rows())
	r := image.Rect(clampInt(math.Floor(c.X-reach)), clampInt(math.Floor(c.Y-reach)),
		clampInt(math.Ceil(c.X+reach)), clampInt(math.Ceil(c.Y+reach))).Intersect(bounds)
	if r.Empty() {
		return cut{}, ErrNoPixels
	}
	region := img.Region(r)
	defer region.Close()
	return shrink(region, r.Min, math.Max(1, side/cutFace))
}

// clampInt keeps wild coordinates within what an int holds on every machine.
func clampInt(x float64) int { return int(math.Max(-1e6, math.Min(1e6, x))) }

func shrink(region gocv.Mat, origin image.Point, by float64) (cut, error) {
	w := max(1, int(math.Round(float64(region.Cols())/by)))
	h := max(1, int(math.Round(float64(region.Rows())/by)))
	small := gocv.NewMat()
	gocv.Resize(region, &small, image.Pt(w, h), 0, 0, gocv.InterpolationArea)
	if small.Empty() {
		return cut{}, errors.Join(fmt.Errorf("shrinking a face: %w", ErrNoPixels), small.Close())
	}
	// Rounding makes the two axes differ by less than a pixel in the whole cut; the mean serves.
	scale := (float64(w)/float64(region.Cols()) + float64(h)/float64(region.Rows())) / 2
	return cut{small, similarity{scale, 0, -float64(origin.X) * scale, -float64(origin.Y) * scale}}, nil
}

// warp fills a w×h crop through a similarity from the whole picture's coordinates to the crop's.
// Beyond the picture's edge the last pixel is repeated: black corners look like an edge to HOG.
// The caller closes the crop.
func (c cut) warp(to similarity, w, h int) gocv.Mat {
	// to ∘ fromFull⁻¹: fromFull has no turn, so that its inverse is a division.
	s := c.fromFull.a
	m := similarity{a: to.a / s, b: to.b / s}
	m.tx = to.tx - m.a*c.fromFull.tx + m.b*c.fromFull.ty
	m.ty = to.ty - m.b*c.fromFull.tx - m.a*c.fromFull.ty
	// OpenCV counts from the middle of the first pixel, this program from its corner.
	m.tx += (m.a-m.b)/2 - 0.5
	m.ty += (m.a+m.b)/2 - 0.5
	matrix := gocv.NewMatWithSize(2, 3, gocv.MatTypeCV64F)
	defer matrix.Close()
	for i, v := range []float64{m.a, -m.b, m.tx, m.b, m.a, m.ty} {
		matrix.SetDoubleAt(i/3, i%3, v)
	}
	crop := gocv.NewMat()
	gocv.WarpAffineWithParams(c.pixels, &crop, matrix, image.Pt(w, h),
		gocv.InterpolationLinear, gocv.BorderReplicate, color.RGBA{})
	return crop
}
