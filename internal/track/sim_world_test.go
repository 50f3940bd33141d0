package track

import (
	"math"
	"math/rand/v2"

	"github.com/consentry/consentry/internal/face"
)

// world is a simulated film: everything that moves in it is known on every frame.
type world struct {
	o      Options
	length int
	cuts   map[int]bool
	things []*thing // farthest first
	camera func(n int) face.Point
	rng    *rand.Rand

	miss  float64 // share of faces that a search misses for no reason
	false float64 // false detections in one search
}

// thing is a head, or something that comes in front of one.
type thing struct {
	id    int // of a person from 1; 0: an object
	first int // frames on which it is there
	last  int
	at    func(n int) face.Box // of the face, or of the object
	yaw   func(n int) float64  // 0 to 1
	asked bool                 // to be obscured
}

func (t *thing) there(n int) bool { return n >= t.first && n <= t.last }

// body is what of the thing hides others: a head is larger than its face.
func (t *thing) body(n int) face.Box {
	b := t.at(n)
	if t.id == 0 {
		return b
	}
	return face.Box{X: b.X - 0.15*b.W, Y: b.Y - 0.25*b.H, W: 1.3 * b.W, H: 1.35 * b.H}
}

func inside(b face.Box, p face.Point) bool {
	return p.X >= b.X && p.X <= b.X+b.W && p.Y >= b.Y && p.Y <= b.Y+b.H
}

// top is what is seen at a point; nil is the background.
func (w *world) top(n int, p face.Point) *thing {
	for i := len(w.things) - 1; i >= 0; i-- {
		if t := w.things[i]; t.there(n) && inside(t.body(n), p) {
			return t
		}
	}
	return nil
}

func (w *world) inPicture(p face.Point) bool {
	return p.X >= 0 && p.Y >= 0 && p.X < float64(w.o.Width) && p.Y < float64(w.o.Height)
}

// grid is side × side points of a box's inner share.
func grid(b face.Box, side int, share float64) []face.Point {
	c := b.Centre()
	ps := make([]face.Point, 0, side*side)
	for i := range side * side {
		u, v := (float64(i%side)+0.5)/float64(side)-0.5, (float64(i/side)+0.5)/float64(side)-0.5
		ps = append(ps, face.Point{X: c.X + u*share*b.W, Y: c.Y + v*share*b.H})
	}
	return ps
}

// shows gives the points of a face that can be seen.
func (w *world) shows(t *thing, n int) []face.Point {
	var ps []face.Point
	for _, p := range grid(t.at(n), 9, 1) {
		if w.inPicture(p) && w.top(n, p) == t {
			ps = append(ps, p)
		}
	}
	return ps
}

// speed of a thing in its own sizes a frame.
func (t *thing) speed(n int) float64 {
	if !t.there(n - 1) {
		return 0
	}
	a, b := t.at(n-1), t.at(n)
	p, q := a.Centre(), b.Centre()
	return math.Hypot(p.X-q.X, p.Y-q.Y) / b.Size()
}

// motion is what a watcher would say of the frame.
func (w *world) motion(n int) Motion {
	if n == 0 || w.cuts[n] {
		return Motion{Cut: true}
	}
	a, b := w.camera(n-1), w.camera(n)
	fastest := math.Hypot(a.X-b.X, a.Y-b.Y)
	pan := face.Point{X: (b.X - a.X + 3*w.rng.NormFloat64()) / float64(w.o.Width), Y: (b.Y - a.Y + 3*w.rng.NormFloat64()) / float64(w.o.Width)}
	for _, t := range w.things {
		if t.there(n) && t.there(n-1) && t.at(n).Size() > 0.2*float64(w.o.Width) {
			fastest = max(fastest, t.speed(n)*t.at(n).Size())
		}
	}
	return Motion{Speed: fastest / float64(w.o.Width), Pan: pan}
}

// Follow is the flow of points: each moves with what is seen there, and is lost when something else comes in front, or in a blur.
func (w *world) Follow(from, to int, boxes []face.Box) ([]Moved, error) {
	moved := make([]Moved, len(boxes))
	for i, b := range boxes {
		moved[i] = w.follow(from, to, b)
	}
	return moved, nil
}

func (w *world) follow(from, to int, b face.Box) Moved {
	var before, after []face.Point
	all := 0
	for _, p := range grid(b, 6, 0.7) {
		if !w.inPicture(p) {
			continue
		}
		all++
		t := w.top(from, p)
		q, ok := w.carryPoint(t, from, to, p)
		if ok && w.inPicture(q) && w.top(to, q) == t {
			before, after = append(before, p), append(after, q)
		}
	}
	if len(before) < 4 {
		return Moved{Box: b}
	}
	return fitted(b, before, after, all)
}

// carryPoint moves a point with its thing; the faster, the likelier it is lost.
func (w *world) carryPoint(t *thing, from, to int, p face.Point) (face.Point, bool) {
	noise := func(size float64) float64 { return w.rng.NormFloat64() * (0.3 + 0.004*size) }
	if t == nil {
		a, b := w.camera(from), w.camera(to)
		return face.Point{X: p.X + b.X - a.X + noise(0), Y: p.Y + b.Y - a.Y + noise(0)}, w.rng.Float64() < 0.9
	}
	if !t.there(to) {
		return p, false
	}
	a, b := t.at(from), t.at(to)
	speed := t.speed(max(from, to))
	u, v := (p.X-a.X)/a.W, (p.Y-a.Y)/a.H
	turning := math.Abs(t.yaw(from) - t.yaw(to))
	kept := 0.92 - 1.5*max(0, speed-0.15) - 2*turning
	return face.Point{X: b.X + u*b.W + noise(b.W), Y: b.Y + v*b.H + noise(b.H)}, w.rng.Float64() < kept
}

func fitted(b face.Box, before, after []face.Point, all int) Moved {
	var dx, dy, zoom []float64
	n := len(before)
	for i := range before {
		dx = append(dx, after[i].X-before[i].X)
		dy = append(dy, after[i].Y-before[i].Y)
		j := (i + n/2) % n
		if d := math.Hypot(before[i].X-before[j].X, before[i].Y-before[j].Y); d > 0.25*b.Size() {
			zoom = append(zoom, math.Hypot(after[i].X-after[j].X, after[i].Y-after[j].Y)/d)
		}
	}
	mx, my, z := middle(dx, 0), middle(dy, 0), middle(zoom, 1)
	c := b.Centre()
	agree := 0
	for i, p := range before {
		if math.Hypot(after[i].X-c.X-mx-(p.X-c.X)*z, after[i].Y-c.Y-my-(p.Y-c.Y)*z) < max(2, 0.06*b.Size()) {
			agree++
		}
	}
	out := face.Box{W: b.W * z, H: b.H * z}
	out.X, out.Y = c.X+mx-out.W/2, c.Y+my-out.H/2
	return Moved{Box: out, Sure: float64(agree) / float64(all)}
}

func middle(xs []float64, none float64) float64 {
	if len(xs) == 0 {
		return none
	}
	sortFloats(xs)
	return xs[len(xs)/2]
}

// detect is a search of the whole frame; patient is a closer look at a part of it.
func (w *world) detect(n int, patient bool) []face.Face {
	var found []face.Face
	for i := len(w.things) - 1; i >= 0; i-- {
		t := w.things[i]
		if t.id == 0 || !t.there(n) {
			continue
		}
		f, ok := w.find(t, n, patient)
		if ok && !overlaps(found, f.Box) {
			found = append(found, f)
		}
	}
	if !patient && w.rng.Float64() < w.false {
		size := 30 + 60*w.rng.Float64()
		found = append(found, face.Face{Score: 0.4 + 0.4*w.rng.Float64(), Box: face.Box{
			X: w.rng.Float64() * float64(w.o.Width), Y: w.rng.Float64() * float64(w.o.Height), W: size, H: size,
		}})
	}
	return found
}

func overlaps(found []face.Face, b face.Box) bool {
	for _, f := range found {
		if f.Box.IoU(b) > 0.4 {
			return true
		}
	}
	return false
}

// find says whether a detector sees the face: enough of it, not from the side, not blurred, and not by chance.
func (w *world) find(t *thing, n int, patient bool) (face.Face, bool) {
	b := t.at(n)
	share := float64(len(w.shows(t, n))) / 81
	miss, least, aside, blur := w.miss, 0.6, 0.7, 0.5
	if patient {
		miss, least, aside, blur = w.miss*w.miss, 0.5, 0.8, 0.7
	}
	if share < least || t.yaw(n) > aside || t.speed(n) > blur || w.rng.Float64() < miss {
		return face.Face{}, false
	}
	size := b.Size()
	jitter := func(s float64) float64 { return s * size * w.rng.NormFloat64() }
	grow := 1 + 0.03*w.rng.NormFloat64()
	c := b.Centre()
	box := face.Box{W: b.W * grow, H: b.H * grow}
	box.X, box.Y = c.X+jitter(0.02)-box.W/2, c.Y+jitter(0.02)-box.H/2
	score := min(0.99, 0.75+0.25*share-0.3*t.yaw(n)+0.05*w.rng.NormFloat64())
	return face.Face{Box: box, Score: score, Quality: face.Quality{Yaw: t.yaw(n)}}, true
}

// describe gives a template that says whose face it is, if it can be told from this side.
func (w *world) describe(n int, f face.Face) face.Face {
	for i := len(w.things) - 1; i >= 0; i-- {
		t := w.things[i]
		if t.id > 0 && t.there(n) && t.at(n).IoU(f.Box) > 0.5 && t.yaw(n) < 0.5 && w.rng.Float64() < 0.95 {
			f.Templates = face.Templates{face.DlibResNet: {float32(t.id)}}
			return f
		}
	}
	return f
}
