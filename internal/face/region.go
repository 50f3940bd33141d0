package face

import "math"

// Region is the part of a picture that hides one head: a superellipse
//
//	|u/RX|⁴ + |v/RY|⁴ ≤ 1
//
// in the axes (u, v) of the head, which are turned by Angle about Centre. The fourth power keeps
// the corners of the detected box covered, which a plain ellipse leaves bare.
type Region struct {
	Centre Point   `json:"centre"`
	RX     float64 `json:"rx"`    // half the width across the head, pixels
	RY     float64 `json:"ry"`    // half the height along the head, pixels
	Angle  float64 `json:"angle"` // radians, positive clockwise as seen
}

// Measured on the six sample photographs: the detector's box runs from the brows' upper edge to
// the chin and from cheek to cheek, so that 1.4 times its width takes in both ears and 1.4 times
// its height, moved up by a twentieth, runs from the hairline to below the chin.
const (
	headScale = 1.4
	headLift  = 0.05
)

// HeadRegion is the region that covers the whole head of a face, hairline to chin and ear to ear,
// turned with it. All four corners of the detected box lie inside at every angle.
func HeadRegion(f Face) Region { return TurnedRegion(f.Box, f.Landmarks.Roll()) }

// TurnedRegion is [HeadRegion] for a box and the angle by which its head is turned, as [Landmarks.Roll] gives it.
func TurnedRegion(b Box, roll float64) Region {
	sin, cos := math.Sincos(roll)
	c := b.Centre()
	lift := headLift * b.H
	r := Region{
		Centre: Point{c.X + sin*lift, c.Y - cos*lift},
		RX:     b.W * headScale / 2,
		RY:     b.H * headScale / 2,
		Angle:  roll,
	}
	return r.grownToCover(b)
}

// grownToCover scales the region about its centre until the box's corners are inside.
func (r Region) grownToCover(b Box) Region {
	worst := 1.0
	for _, p := range []Point{{b.X, b.Y}, {b.X + b.W, b.Y}, {b.X, b.Y + b.H}, {b.X + b.W, b.Y + b.H}} {
		worst = math.Max(worst, r.level(p))
	}
	grow := math.Pow(worst, 0.25)
	r.RX *= grow
	r.RY *= grow
	return r
}

// level is the left side of the superellipse's inequality: at most 1 inside.
func (r Region) level(p Point) float64 {
	sin, cos := math.Sincos(r.Angle)
	dx, dy := p.X-r.Centre.X, p.Y-r.Centre.Y
	u, v := (dx*cos+dy*sin)/r.RX, (dy*cos-dx*sin)/r.RY
	u, v = u*u, v*v
	return u*u + v*v
}

// Contains says whether the point is inside.
func (r Region) Contains(p Point) bool { return r.level(p) <= 1 }

// Bounds is the smallest axis-aligned box known to hold the whole region (that of its turned
// circumscribed rectangle, so up to a fifth too large).
func (r Region) Bounds() Box {
	sin, cos := math.Sincos(r.Angle)
	hw := math.Abs(r.RX*cos) + math.Abs(r.RY*sin)
	hh := math.Abs(r.RX*sin) + math.Abs(r.RY*cos)
	return Box{X: r.Centre.X - hw, Y: r.Centre.Y - hh, W: 2 * hw, H: 2 * hh}
}
