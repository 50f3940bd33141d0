package track

import (
	"math"

	"github.com/consentry/consentry/internal/face"
)

// trail is a path that is kept thin while it grows.
type trail struct {
	kept    []Position
	pending []Position // after the last kept one, all near the line to the newest
}

// How far a position may lie off the line between two that are kept, for it to be left out: shares of the face's size, and radians.
const (
	offLine  = 0.04
	offRoll  = 0.12
	offGrow  = 0.03
	farthest = 60 // frames between two kept positions
)

// add takes the next position; frames rise.
func (t *trail) add(p Position) {
	if len(t.kept) == 0 {
		t.kept = append(t.kept, p)
		return
	}
	from := t.kept[len(t.kept)-1]
	if p.Frame-from.Frame > farthest || !onLine(from, p, t.pending) {
		t.flush()
	}
	t.pending = append(t.pending, p)
}

// flush keeps the newest position and drops those on the line to it.
func (t *trail) flush() {
	if n := len(t.pending); n > 0 {
		t.kept = append(t.kept, t.pending[n-1])
		t.pending = nil
	}
}

// onLine says whether all positions lie near the line from a to b.
func onLine(a, b Position, all []Position) bool {
	for _, p := range all {
		q := along(a, b, p.Frame)
		limit := offLine * math.Min(p.Box.W, p.Box.H)
		if edges(p.Box, q.Box) > limit || math.Abs(turn(q.Roll, p.Roll)) > offRoll || p.Grow-q.Grow > offGrow {
			return false
		}
	}
	return true
}

// along is the position on the line from a to b on a frame between them.
func along(a, b Position, frame int) Position {
	if b.Frame == a.Frame {
		return a
	}
	w := float64(frame-a.Frame) / float64(b.Frame-a.Frame)
	return Position{Frame: frame, Box: mix(a.Box, b.Box, w), Roll: a.Roll + w*turn(a.Roll, b.Roll), Grow: a.Grow + w*(b.Grow-a.Grow)}
}

// turn is the shorter way from angle a to angle b, −π to π.
func turn(a, b float64) float64 { return math.Remainder(b-a, 2*math.Pi) }

// between is the way from one sighting to the next: forwards from the first, backwards from the second (nearest frame first), and
// where both are known, between them, so that both ends meet. Without a way backwards the forward way is bent to end at the second.
func between(from, to Position, forward, back []carried) []Position {
	n := to.Frame - from.Frame - 1
	if n <= 0 {
		return nil
	}
	way := make([]Position, n)
	for i := range n {
		frame := from.Frame + 1 + i
		w := float64(i+1) / float64(n+1)
		line := along(from, to, frame)
		f, haveForward := at(forward, i)
		r, haveBack := at(back, n-1-i)
		switch {
		case haveForward && haveBack:
			line.Box = mix(f.box, r.box, w)
			line.Grow = min(f.grow, r.grow) + apart(f, r)
		case haveForward && len(forward) > n:
			line.Box = bent(f.box, forward[n].box, to.Box, w)
			line.Grow = min(f.grow, rest(forward, n, i))
		case haveForward:
			line.Box, line.Grow = mix(f.box, line.Box, w), f.grow
		case haveBack:
			line.Box, line.Grow = mix(line.Box, r.box, w), r.grow
		default:
			line.Grow = growMost / 2
		}
		line.Grow = min(growMost, line.Grow)
		if line.Grow < offGrow {
			line.Grow = 0
		}
		way[i] = line
	}
	return way
}

func at(way []carried, i int) (carried, bool) {
	if i < 0 || i >= len(way) {
		return carried{}, false
	}
	return way[i], true
}

// bent moves a box on a carried way by its share of what the way's end is off.
func bent(b, end, truth face.Box, w float64) face.Box {
	return face.Box{
		X: b.X + w*(truth.X-end.X), Y: b.Y + w*(truth.Y-end.Y),
		W: b.W * math.Pow(truth.W/end.W, w), H: b.H * math.Pow(truth.H/end.H, w),
	}
}

// rest is the uncertainty that is left until the end of a way.
func rest(way []carried, end, i int) float64 { return way[end].grow - way[i].grow }

// apart is what two ways that disagree add to the uncertainty.
func apart(a, b carried) float64 {
	p, q := a.box.Centre(), b.box.Centre()
	return math.Hypot(p.X-q.X, p.Y-q.Y) / (a.box.Size() + b.box.Size()) / 2
}

// round leaves no more digits than are needed: films have many positions, and they are passed on as text.
func (t *trail) round() {
	for i := range t.kept {
		p := &t.kept[i]
		for _, x := range []*float64{&p.Box.X, &p.Box.Y, &p.Box.W, &p.Box.H} {
			*x = math.Round(*x*10) / 10
		}
		p.Roll, p.Grow = math.Round(p.Roll*1000)/1000, math.Round(p.Grow*1000)/1000
	}
}
