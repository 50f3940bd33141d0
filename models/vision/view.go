package vision

import (
	"image"
	"image/color"
	"math"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
)

// view is a box of a picture seen at a size of its own, mirrored or not. What of it lies beyond
// the picture's edge repeats the edge.
type view struct {
	box      face.Box
	size     image.Point
	mirrored bool
}

// sample draws the view of the picture. Where it is far smaller than the box the picture is
// averaged first, so that nothing aliases.
func (v view) sample(img gocv.Mat, dst *gocv.Mat) {
	sx, sy := v.box.W/float64(v.size.X), v.box.H/float64(v.size.Y)
	if sx > 2 || sy > 2 {
		v.sampleArea(img, dst)
	} else {
		m := gocv.NewMatWithSize(2, 3, gocv.MatTypeCV64F)
		defer m.Close() //nolint:errcheck // frees memory only
		// Pixel i of the view has its centre at (i + ½)·s from the box's edge; OpenCV counts from centres.
		m.SetDoubleAt(0, 0, sx)
		m.SetDoubleAt(0, 2, v.box.X+sx/2-0.5)
		m.SetDoubleAt(1, 1, sy)
		m.SetDoubleAt(1, 2, v.box.Y+sy/2-0.5)
		m.SetDoubleAt(0, 1, 0)
		m.SetDoubleAt(1, 0, 0)
		gocv.WarpAffineWithParams(img, dst, m, v.size, gocv.InterpolationLinear|gocv.WarpInverseMap,
			gocv.BorderReplicate, color.RGBA{})
	}
	if v.mirrored {
		gocv.Flip(*dst, dst, 1)
	}
}

// sampleArea draws a view of a much larger box: the part inside the picture is averaged down.
func (v view) sampleArea(img gocv.Mat, dst *gocv.Mat) {
	whole := image.Rect(int(math.Floor(v.box.X)), int(math.Floor(v.box.Y)),
		int(math.Ceil(v.box.X+v.box.W)), int(math.Ceil(v.box.Y+v.box.H)))
	inside := whole.Intersect(image.Rect(0, 0, img.Cols(), img.Rows()))
	if inside.Empty() {
		inside = image.Rect(0, 0, 1, 1)
		whole = inside
	}
	part := img.Region(inside)
	defer part.Close() //nolint:errcheck // frees memory only
	if inside == whole {
		gocv.Resize(part, dst, v.size, 0, 0, gocv.InterpolationArea)
		return
	}
	full := gocv.NewMat()
	defer full.Close() //nolint:errcheck // frees memory only
	gocv.CopyMakeBorder(part, &full, inside.Min.Y-whole.Min.Y, whole.Max.Y-inside.Max.Y,
		inside.Min.X-whole.Min.X, whole.Max.X-inside.Max.X, gocv.BorderReplicate, color.RGBA{})
	gocv.Resize(full, dst, v.size, 0, 0, gocv.InterpolationArea)
}

// back takes a place in the view to the place in the picture.
func (v view) back(x, y float64) face.Point {
	if v.mirrored {
		x = float64(v.size.X) - x
	}
	return face.Point{X: v.box.X + x*v.box.W/float64(v.size.X), Y: v.box.Y + y*v.box.H/float64(v.size.Y)}
}

// backBox takes a box in the view to the box in the picture.
func (v view) backBox(b face.Box) face.Box {
	p, q := v.back(b.X, b.Y), v.back(b.X+b.W, b.Y+b.H)
	if v.mirrored {
		p.X, q.X = q.X, p.X
	}
	return face.Box{X: p.X, Y: p.Y, W: q.X - p.X, H: q.Y - p.Y}
}
