package footage

import (
	"math"

	"github.com/consentry/consentry/internal/face"
)

// Pose is how a picture lies in the frame.
type Pose struct {
	X, Y    float64 // where the picture's centre is, pixels of the frame
	Scale   float64 // pixels of the frame for one of the picture, > 0
	Angle   float64 // radians, positive clockwise as seen
	Squeeze float64 // share of the width that is left when it is turned away like a card: 0 means 1
}

// Path says how a picture lies at a time, counted in frames. Frame 3 is exposed around the time 3.
type Path func(t float64) Pose

// affine is the map (x, y) → (a·x + b·y + tx, c·x + d·y + ty).
type affine struct{ a, b, c, d, tx, ty float64 }

func (m affine) apply(x, y float64) face.Point {
	return face.Point{X: m.a*x + m.b*y + m.tx, Y: m.c*x + m.d*y + m.ty}
}

func (m affine) scale() float64 { return math.Sqrt(math.Abs(m.a*m.d - m.b*m.c)) }

// after is the map that applies first and then m.
func (m affine) after(first affine) affine {
	t := m.apply(first.tx, first.ty)
	return affine{
		a: m.a*first.a + m.b*first.c, b: m.a*first.b + m.b*first.d,
		c: m.c*first.a + m.d*first.c, d: m.c*first.b + m.d*first.d,
		tx: t.X, ty: t.Y,
	}
}

// inverse undoes the map, which must not collapse the plane.
func (m affine) inverse() affine {
	n := m.a*m.d - m.b*m.c
	i := affine{a: m.d / n, b: -m.b / n, c: -m.c / n, d: m.a / n}
	t := i.apply(m.tx, m.ty)
	i.tx, i.ty = -t.X, -t.Y
	return i
}

// place maps a picture of w × h pixels into the frame.
func (p Pose) place(w, h int) affine {
	squeeze := p.Squeeze
	if squeeze == 0 {
		squeeze = 1
	}
	sin, cos := math.Sincos(p.Angle)
	m := affine{a: p.Scale * squeeze * cos, b: -p.Scale * sin, c: p.Scale * squeeze * sin, d: p.Scale * cos}
	at := m.apply(float64(w)/2, float64(h)/2)
	m.tx, m.ty = p.X-at.X, p.Y-at.Y
	return m
}

// Key is a pose that a path goes through.
type Key struct {
	At float64 // frames
	Pose
}

// Through goes from key to key. Smooth paths come to rest at each; others keep an even speed between two.
// Before the first and after the last key nothing moves.
func Through(smooth bool, keys ...Key) Path {
	return func(t float64) Pose {
		if t <= keys[0].At {
			return keys[0].Pose
		}
		for i := 1; i < len(keys); i++ {
			if t >= keys[i].At {
				continue
			}
			k := (t - keys[i-1].At) / (keys[i].At - keys[i-1].At)
			if smooth {
				k = k * k * (3 - 2*k)
			}
			return between(keys[i-1].Pose, keys[i].Pose, k)
		}
		return keys[len(keys)-1].Pose
	}
}

func between(p, q Pose, k float64) Pose {
	mix := func(a, b float64) float64 { return a + k*(b-a) }
	whole := func(s float64) float64 {
		if s == 0 {
			return 1
		}
		return s
	}
	return Pose{
		X: mix(p.X, q.X), Y: mix(p.Y, q.Y), Angle: mix(p.Angle, q.Angle),
		Scale:   p.Scale * math.Pow(q.Scale/p.Scale, k), // a lens zooms by factors
		Squeeze: mix(whole(p.Squeeze), whole(q.Squeeze)),
	}
}

// Still does not move.
func still(p Pose) Path { return func(float64) Pose { return p } }

// Sway adds swings to a path: pixels across and down, radians, and frames for one swing.
func Sway(p Path, across, down, turn, period float64) Path {
	return func(t float64) Pose {
		q := p(t)
		phase := 2 * math.Pi * t / period
		q.X += across * math.Sin(phase)
		q.Y += down * math.Sin(2*phase+1)
		q.Angle += turn * math.Sin(phase+0.5)
		return q
	}
}

// Nod squeezes a path's picture down to least of its width and back, as if it were turned away, once in a period of frames.
func Nod(p Path, least, period float64) Path {
	return func(t float64) Pose {
		q := p(t)
		q.Squeeze = 1 - (1-least)*(1-math.Cos(2*math.Pi*t/period))/2
		return q
	}
}
