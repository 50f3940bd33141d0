package obscure

import (
	"image"
	"math"

	"github.com/consentry/consentry/internal/face"
)

const (
	// featherShare is the feather's width as a share of the region's mean diameter: wide enough to
	// look soft at contact-sheet and at full size, chosen by eye on the sample photographs.
	featherShare = 0.06
	// minFeather in image pixels: below it a small face's edge looks cut out.
	minFeather = 2
	// minRadius in image pixels. Thinner regions are taken to be this thick, which errs towards
	// hiding and keeps fourth powers of reciprocals finite.
	minRadius = 0.5
)

// shape is a region as one plane's grid of samples sees it. A sample counts by its whole area and
// not by its centre: its rectangle, turned into the head's axes, lies in a rectangle of half sides
// hu × hv, and the least level of the superellipse over that is exact and cheap.
type shape struct {
	centre     face.Point
	sin, cos   float64
	hu, hv     float64
	inU, inV   float64 // reciprocal radii of the region
	outU, outV float64 // and of the feather's outer rim
	rx, ry     float64
	feather    float64 // width, image pixels
	subX, subY float64
	rim        face.Point      // half sides of the upright box around the outer rim, in samples
	bounds     image.Rectangle // samples within the outer rim, cut to the plane
	inners     []run           // for each row of bounds
	outers     []run
}

func makeShapes(regions []face.Region, p *Plane) []shape {
	out := make([]shape, len(regions))
	for i, r := range regions {
		out[i] = makeShape(r, p)
	}
	return out
}

func makeShape(r face.Region, p *Plane) shape {
	sin, cos := math.Sincos(r.Angle)
	s := shape{
		centre: r.Centre, sin: sin, cos: cos,
		rx: math.Max(r.RX, minRadius), ry: math.Max(r.RY, minRadius),
		subX: float64(p.SubX), subY: float64(p.SubY),
	}
	// Chroma is widened by one sample: see the package comment.
	halfX, halfY := reach(p.SubX), reach(p.SubY)
	s.hu = math.Abs(cos)*halfX + math.Abs(sin)*halfY
	s.hv = math.Abs(sin)*halfX + math.Abs(cos)*halfY
	s.feather = math.Max(minFeather, featherShare*2*math.Sqrt(s.rx*s.ry))
	s.inU, s.inV = 1/s.rx, 1/s.ry
	s.outU, s.outV = 1/(s.rx+s.feather), 1/(s.ry+s.feather)
	s.rim = s.halfSides(s.rx+s.feather, s.ry+s.feather)
	s.bounds = s.boundsWithin(p)
	s.findRuns()
	return s
}

// reach is how far from its centre, in image pixels, a sample takes part in what is hidden.
func reach(sub int) float64 {
	if sub == 1 {
		return 0.5
	}
	return 1.5 * float64(sub)
}

// halfSides are those of the upright box, in samples, that holds all samples which touch the turned
// superellipse with these radii. The half width of |x/a|⁴+|y/b|⁴ ≤ 1 in direction (c, s) is the dual
// norm (|ac|^4/3+|bs|^4/3)^3/4.
func (s *shape) halfSides(rx, ry float64) face.Point {
	sin, cos := math.Abs(s.sin), math.Abs(s.cos)
	return face.Point{
		X: (dualNorm(rx*cos, ry*sin) + s.hu*cos + s.hv*sin) / s.subX,
		Y: (dualNorm(rx*sin, ry*cos) + s.hu*sin + s.hv*cos) / s.subY,
	}
}

// boundsWithin is the rectangle of the plane's samples within the outer rim.
func (s *shape) boundsWithin(p *Plane) image.Rectangle {
	x0, x1 := span(s.centre.X/s.subX, s.rim.X)
	y0, y1 := span(s.centre.Y/s.subY, s.rim.Y)
	r := image.Rect(x0, y0, x1, y1).Intersect(image.Rect(0, 0, p.Width, p.Height))
	if r.Empty() {
		return image.Rectangle{}
	}
	return r
}

func dualNorm(a, b float64) float64 {
	return math.Pow(math.Pow(a, 4.0/3)+math.Pow(b, 4.0/3), 0.75)
}

// span gives the samples whose centres lie within half of c, one to be safe on each side left out
// by no rounding.
func span(c, half float64) (from, to int) {
	return int(math.Floor(c - half - 0.5)), int(math.Ceil(c+half+0.5)) + 1
}

// near gives the place nearest to the head's centre, in its axes, of the area of sample (x, y).
func (s *shape) near(x, y int) (u, v float64) {
	dx := (float64(x)+0.5)*s.subX - s.centre.X
	dy := (float64(y)+0.5)*s.subY - s.centre.Y
	u = max(0, math.Abs(dx*s.cos+dy*s.sin)-s.hu)
	v = max(0, math.Abs(dy*s.cos-dx*s.sin)-s.hv)
	return u, v
}

// inner is at most 1 for samples inside of the region. It is convex along each row.
func (s *shape) inner(x, y int) float64 {
	u, v := s.near(x, y)
	return fourth(u*s.inU) + fourth(v*s.inV)
}

// outer is below 1 for samples inside of the feather's outer rim. It is convex along each row.
func (s *shape) outer(x, y int) float64 {
	u, v := s.near(x, y)
	return fourth(u*s.outU) + fourth(v*s.outV)
}

func fourth(x float64) float64 { x *= x; return x * x }

// cover is how much of the fill sample (x, y) gets: 1 inside, 0 beyond the rim, smooth between.
func (s *shape) cover(x, y int) float64 {
	u, v := s.near(x, y)
	in := fourth(u*s.inU) + fourth(v*s.inV)
	if in <= 1 {
		return 1
	}
	out := fourth(u*s.outU) + fourth(v*s.outV)
	if out >= 1 {
		return 0
	}
	fromEdge := math.Sqrt(math.Sqrt(in)) - 1
	toRim := 1 - math.Sqrt(math.Sqrt(out))
	t := toRim / (fromEdge + toRim)
	return t * t * (3 - 2*t)
}

// run is a stretch of samples in a row, from up to but not including to.
type run struct{ from, to int }

func (r run) has(x int) bool { return x >= r.from && x < r.to }

// and is what two runs have in common.
func (r run) and(o run) run { return run{max(r.from, o.from), min(r.to, o.to)} }

// innerRun gives the samples of row y that are inside.
func (s *shape) innerRun(y int) run {
	if y < s.bounds.Min.Y || y >= s.bounds.Max.Y {
		return run{}
	}
	return s.inners[y-s.bounds.Min.Y]
}

// outerRun gives the samples of row y within the feather's outer rim. It holds the inner run.
func (s *shape) outerRun(y int) run {
	if y < s.bounds.Min.Y || y >= s.bounds.Max.Y {
		return run{}
	}
	return s.outers[y-s.bounds.Min.Y]
}

// findRuns works out the runs of every row once, for they are asked for again and again by the
// fills of all regions nearby.
func (s *shape) findRuns() {
	n := s.bounds.Dy()
	s.inners, s.outers = make([]run, n), make([]run, n)
	var inner, outer run
	for i := range n {
		y := s.bounds.Min.Y + i
		inner = s.nextRun(inner, func(x int) bool { return s.inner(x, y) <= 1 }, func(x int) float64 { return s.inner(x, y) })
		outer = s.nextRun(outer, func(x int) bool { return s.outer(x, y) < 1 }, func(x int) float64 { return s.outer(x, y) })
		s.inners[i], s.outers[i] = inner, outer
	}
}

// nextRun finds the run where a level that is convex along the row is low, given the run of the row
// before: its ends have moved little, so that both are found by walking from there. Where the rows
// have nothing in common the run is searched for from the level's lowest place.
func (s *shape) nextRun(before run, low func(int) bool, level func(int) float64) run {
	first, end := s.bounds.Min.X, s.bounds.Max.X
	mid := (before.from + before.to) / 2
	if before.from >= before.to || !low(mid) {
		return runBelow(first, end, level, low)
	}
	r := before
	for r.from > first && low(r.from-1) {
		r.from--
	}
	for !low(r.from) {
		r.from++
	}
	for r.to < end && low(r.to) {
		r.to++
	}
	for !low(r.to - 1) {
		r.to--
	}
	return r
}

// runBelow finds the one run in [from, to) where a convex level is low enough: down to its lowest
// place by halving, then outwards to both ends by halving again.
func runBelow(from, to int, level func(int) float64, low func(int) bool) run {
	lo, hi := from, to-1
	for lo < hi {
		mid := (lo + hi) / 2
		if level(mid) <= level(mid+1) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	if !low(lo) {
		return run{}
	}
	return run{
		from: firstWhere(from, lo, low),
		to:   firstWhere(lo, to, func(x int) bool { return !low(x) }),
	}
}

// firstWhere is the least x in [lo, hi] for which f holds, taking f to hold at hi and to be false,
// then true.
func firstWhere(lo, hi int, f func(int) bool) int {
	for lo < hi {
		mid := (lo + hi) / 2
		if f(mid) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// pixels is the rectangle of image pixels that the shape's samples cover.
func (s *shape) pixels(p *Plane) image.Rectangle {
	b := s.bounds
	return image.Rect(b.Min.X*p.SubX, b.Min.Y*p.SubY, b.Max.X*p.SubX, b.Max.Y*p.SubY)
}

// groupsOf numbers the shapes so that those whose bounds overlap, directly or through others,
// share a number: the lowest index among them.
func groupsOf(shapes []shape) []int {
	parent := make([]int, len(shapes))
	for i := range parent {
		parent[i] = i
	}
	root := func(i int) int {
		for parent[i] != i {
			i = parent[i]
		}
		return i
	}
	for i := range shapes {
		for j := range i {
			if shapes[i].bounds.Overlaps(shapes[j].bounds) {
				a, b := root(i), root(j)
				parent[max(a, b)] = min(a, b)
			}
		}
	}
	for i := range parent {
		parent[i] = root(i)
	}
	return parent
}
