package motion

import (
	"image"
	"math"

	"github.com/consentry/consentry/internal/face"
)

// tiny is a frame at which parts are looked for, and the same at half the size.
type tiny struct {
	plane
	half      plane
	white     plane   // 1 where the picture is white
	whiteness float64 // share of it that is
	low, high []float32
}

// plane is a grey picture with its sums, for means and deviations of any part in constant time.
type plane struct {
	w, h   int
	grey   []float32
	sum    []float64 // of (w+1) × (h+1)
	square []float64
}

func newTiny(grey []uint8, size image.Point) *tiny {
	p, blank := make([]float32, len(grey)), make([]float32, len(grey))
	for i, g := range grey {
		p[i] = float32(g)
		if p[i] >= white {
			blank[i] = 1
		}
	}
	t := &tiny{plane: newPlane(p, size.X, size.Y), white: newPlane(blank, size.X, size.Y)}
	t.whiteness = t.white.sum[len(t.white.sum)-1] / float64(len(grey))
	t.half = t.halved()
	t.low, t.high = t.around(func(a, b float32) float32 { return min(a, b) }), t.around(func(a, b float32) float32 { return max(a, b) })
	return t
}

// around is the extreme of what is within nearby pixels of each.
func (p *plane) around(extreme func(a, b float32) float32) []float32 {
	rows, all := make([]float32, len(p.grey)), make([]float32, len(p.grey))
	for i := range p.grey {
		x := i % p.w
		rows[i] = p.grey[i]
		for k := max(-nearby, -x); k <= min(nearby, p.w-1-x); k++ {
			rows[i] = extreme(rows[i], p.grey[i+k])
		}
	}
	for i := range rows {
		y := i / p.w
		all[i] = rows[i]
		for k := max(-nearby, -y); k <= min(nearby, p.h-1-y); k++ {
			all[i] = extreme(all[i], rows[i+k*p.w])
		}
	}
	return all
}

// fresh is the share of the picture in which nothing that was near there on the frame before is seen, if the picture moved by
// shift: what came there moves fast.
func (t *tiny) fresh(before *tiny, shift image.Point) float64 {
	n, all := 0, 0
	brighter := float32((t.sum[len(t.sum)-1] - before.sum[len(before.sum)-1]) / float64(len(t.grey)))
	for i, g := range t.grey {
		x, y := i%t.w-shift.X, i/t.w-shift.Y
		if x < 0 || y < 0 || x >= t.w || y >= t.h {
			continue
		}
		all++
		k := y*t.w + x
		if d := g - brighter; d < before.low[k]-differs || d > before.high[k]+differs {
			n++
		}
	}
	return float64(n) / float64(max(1, all))
}

func newPlane(grey []float32, w, h int) plane {
	p := plane{w: w, h: h, grey: grey, sum: make([]float64, (w+1)*(h+1)), square: make([]float64, (w+1)*(h+1))}
	for y := range h {
		var s, q float64
		for x := range w {
			g := float64(grey[y*w+x])
			s, q = s+g, q+g*g
			i := (y+1)*(w+1) + x + 1
			p.sum[i], p.square[i] = p.sum[i-w-1]+s, p.square[i-w-1]+q
		}
	}
	return p
}

func (p *plane) halved() plane {
	w, h := p.w/2, p.h/2
	grey := make([]float32, w*h)
	for y := range h {
		for x := range w {
			i := 2*y*p.w + 2*x
			grey[y*w+x] = (p.grey[i] + p.grey[i+1] + p.grey[i+p.w] + p.grey[i+p.w+1]) / 4
		}
	}
	return newPlane(grey, w, h)
}

// spread is the mean and the standard deviation of the square part at x, y.
func (p *plane) spread(x, y, side int) (mean, deviation float64) {
	n := float64(side * side)
	mean = p.over(p.sum, x, y, side) / n
	return mean, math.Sqrt(max(0, p.over(p.square, x, y, side)/n-mean*mean))
}

func (p *plane) over(sums []float64, x, y, side int) float64 {
	w := p.w + 1
	return sums[(y+side)*w+x+side] - sums[y*w+x+side] - sums[(y+side)*w+x] + sums[y*w+x]
}

// likeness is the correlation, −1 to 1, of the part of p at a with the part of o at b, free of brightness and contrast.
func (p *plane) likeness(o *plane, a, b image.Point, side int) float64 {
	ma, da := p.spread(a.X, a.Y, side)
	mb, db := o.spread(b.X, b.Y, side)
	if da < textured/2 || db < textured/2 {
		return 0
	}
	var dot float32
	for y := range side {
		ra := p.grey[(a.Y+y)*p.w+a.X:][:side]
		rb := o.grey[(b.Y+y)*o.w+b.X:][:side]
		for x, g := range ra {
			dot += g * rb[x]
		}
	}
	return (float64(dot)/float64(side*side) - ma*mb) / (da * db)
}

// side of a part: smaller where the picture is.
func (t *tiny) side() int { return min(blockSide, t.w, t.h) &^ 1 }

// corners are the upper left corners of all parts.
func (t *tiny) corners() []image.Point {
	var all []image.Point
	side := t.side()
	if side < 4 {
		return nil
	}
	for y := 0; y+side <= t.h; y += blockStep {
		for x := 0; x+side <= t.w; x += blockStep {
			all = append(all, image.Pt(x, y))
		}
	}
	return all
}

// parts are the corners of the parts with structure.
func (t *tiny) parts() []image.Point {
	var all []image.Point
	for _, p := range t.corners() {
		_, deviation := t.spread(p.X, p.Y, t.side())
		blank, _ := t.white.spread(p.X, p.Y, t.side())
		if deviation >= textured && blank <= mostWhite {
			all = append(all, p)
		}
	}
	return all
}

const (
	nearby  = 2    // pixels within which something that moves slowly was on the frame before: a fortieth of the width
	differs = 12   // grey, of 255
	rather  = 0.02 // by so much a farther place must be more alike than a nearer one
)

// near and far are how far a part is looked for, half-size pixels: a seventh of the picture's width; and to the sides nearly a third.
func near() image.Point { return image.Pt(6, 6) }
func far() image.Point  { return image.Pt(12, 6) }

// find looks for a part of t on the frame before: by how much it moved, in tiny pixels, and how alike it is there.
func (t *tiny) find(p image.Point, before *tiny, reach image.Point) (face.Point, float64) {
	coarse, _ := search(&t.half, &before.half, p.Div(2), p.Div(2), t.side()/2, reach)
	at, z := search(&t.plane, &before.plane, p, coarse.Mul(2), t.side(), image.Pt(1, 1))
	if still := likenessAt(&t.plane, &before.plane, p, p, t.side()); still >= z-rather {
		at, z = p, still
	}
	dx, dy := summit(t, before, p, at, image.Pt(1, 0), z), summit(t, before, p, at, image.Pt(0, 1), z)
	return face.Point{X: float64(p.X-at.X) - dx, Y: float64(p.Y-at.Y) - dy}, z
}

// summit is by how much of a pixel, −½ to ½, the likeness is highest beside the place where it is z: that of the parabola
// through it and its two neighbours.
func summit(t, before *tiny, p, at, step image.Point, z float64) float64 {
	a := likenessAt(&t.plane, &before.plane, p, at.Sub(step), t.side())
	b := likenessAt(&t.plane, &before.plane, p, at.Add(step), t.side())
	bend := a - 2*z + b
	if a > z || b > z || a < 0 || b < 0 || bend >= 0 {
		return 0
	}
	return (a - b) / (2 * bend)
}

// search is an exhaustive one around start; of places nearly as alike as the best, the nearest to start wins.
func search(t, before *plane, p, start image.Point, side int, reach image.Point) (image.Point, float64) {
	width, height := 2*reach.X+1, 2*reach.Y+1
	all := make([]float64, 0, width*height)
	best := -1.0
	for i := range width * height {
		z := likenessAt(t, before, p, start.Add(image.Pt(i%width-reach.X, i/width-reach.Y)), side)
		all, best = append(all, z), max(best, z)
	}
	nearest, likeness, distance := start, -1.0, math.MaxInt
	for i, z := range all {
		x, y := i%width-reach.X, i/width-reach.Y
		if d := x*x + y*y; z >= best-rather && d < distance {
			nearest, likeness, distance = start.Add(image.Pt(x, y)), z, d
		}
	}
	return nearest, likeness
}

func likenessAt(t, before *plane, p, q image.Point, side int) float64 {
	if q.X < 0 || q.Y < 0 || q.X+side > before.w || q.Y+side > before.h || p.X+side > t.w || p.Y+side > t.h {
		return -1
	}
	return t.likeness(before, p, q, side)
}
