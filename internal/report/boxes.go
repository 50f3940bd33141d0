package report

import (
	"fmt"
	"math"
)

// box is one numbered box of the overlay, in pixels of the picture. The badge at its corner has a
// shape of its own for each outcome, so that nobody has to tell colours apart.
type box struct {
	Number     int
	Outcome    string
	X, Y, W, H float64
	CX, CY     float64 // centre of the badge
	R          float64 // its half size
	Font       float64
	Diamond    string // the points of the badge that means "needs a decision"
}

// manyFaces is from where on a picture gets smaller badges and the sheet's whole width.
const manyFaces = 12

// placeBoxes lays the boxes of an image's faces. Badges stay inside of the picture; they shrink
// where there are many, so that a class photograph stays readable.
func placeBoxes(a *Asset) []box {
	w, h := float64(a.Width), float64(a.Height)
	if w <= 0 || h <= 0 {
		return nil
	}
	r := math.Max(w, h) * 0.021
	if len(a.Faces) > manyFaces {
		r *= math.Max(0.6, math.Sqrt(manyFaces/float64(len(a.Faces))))
	}
	out := make([]box, len(a.Faces))
	for i, f := range a.Faces {
		b := box{Number: i + 1, Outcome: f.Outcome, X: f.Box[0], Y: f.Box[1], W: math.Max(0, f.Box[2]), H: math.Max(0, f.Box[3])}
		b.R, b.Font = r, r*1.15
		if b.Number > 99 {
			b.Font *= 0.75
		}
		b.CX = math.Max(r*1.3, math.Min(b.X, w-r*1.3))
		b.CY = math.Max(r*1.3, math.Min(b.Y, h-r*1.3))
		d := r * 1.3
		b.Diamond = fmt.Sprintf("%.1f,%.1f %.1f,%.1f %.1f,%.1f %.1f,%.1f", b.CX, b.CY-d, b.CX+d, b.CY, b.CX, b.CY+d, b.CX-d, b.CY)
		out[i] = b
	}
	return out
}

// Twice gives the side of the square badge.
func (b box) Twice() float64 { return 2 * b.R }

// Left and Top give its corner.
func (b box) Left() float64 { return b.CX - b.R }

// Top is the other coordinate.
func (b box) Top() float64 { return b.CY - b.R }
