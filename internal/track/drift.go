package track

import (
	"math"

	"github.com/consentry/consentry/internal/face"
)

// drift is how a face moves from one frame to the next, apart from what the whole picture does, for when nothing better is known:
// pixels, and the logarithm of its growth.
type drift struct {
	x, y, zoom float64
	known      bool
}

const (
	driftWeight = 0.4  // of one frame in the running mean
	driftFade   = 0.92 // of speed that is left after a frame at 25 a second without anything to go by
	mostGrowth  = 0.05 // logarithm of growth in one frame
)

// over takes note of a way over so many frames, on which the picture moved by pan.
func (d *drift) over(from, to face.Box, pan face.Point, frames float64) {
	a, b := from.Centre(), to.Centre()
	x, y := (b.X-a.X-pan.X)/frames, (b.Y-a.Y-pan.Y)/frames
	zoom := min(mostGrowth, max(-mostGrowth, math.Log(to.Size()/from.Size())/frames))
	w := 1 - math.Pow(1-driftWeight, frames)
	if !d.known {
		w, d.known = 1, true
	}
	d.x, d.y, d.zoom = d.x+w*(x-d.x), d.y+w*(y-d.y), d.zoom+w*(zoom-d.zoom)
}

// fade slows down.
func (d *drift) fade(pace float64) {
	left := math.Pow(driftFade, pace)
	d.x, d.y, d.zoom = d.x*left, d.y*left, d.zoom*left
}

// move goes one frame on, on which the picture moves by pan.
func (d drift) move(b face.Box, pan face.Point) face.Box {
	c, grow := b.Centre(), math.Exp(d.zoom)
	w, h := b.W*grow, b.H*grow
	return face.Box{X: c.X + d.x + pan.X - w/2, Y: c.Y + d.y + pan.Y - h/2, W: w, H: h}
}

// backwards is the drift of a face whose way before it was found is known. The nearest frame comes first; pan says how the picture
// moved in the last so many frames.
func backwards(now face.Box, way []carried, pan func(frames int) face.Point) drift {
	const frames = 4
	var d drift
	if n := min(frames, len(way)); n > 0 && way[n-1].trust >= trusted {
		d.over(way[n-1].box, now, pan(n), float64(n))
	}
	return d
}

// note takes a step that the flow is sure of, or slows down.
func (d *drift) note(from face.Box, m Moved, pan face.Point, pace float64) {
	if m.Sure < halfSure {
		d.fade(pace)
	} else {
		d.over(from, m.Box, pan, 1)
	}
}

func minus(a, b face.Point) face.Point { return face.Point{X: a.X - b.X, Y: a.Y - b.Y} }
