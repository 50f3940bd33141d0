package track

import (
	"math"

	"github.com/consentry/consentry/internal/face"
)

// drift is how a face moves from one frame to the next, for when nothing better is known: pixels, and the logarithm of its growth.
type drift struct {
	x, y, zoom float64
	known      bool
}

const (
	driftWeight = 0.4  // of a new step in the running mean
	driftFade   = 0.92 // of speed that is left after a frame at 25 a second without anything to go by
	mostGrowth  = 0.05 // logarithm of growth in one frame
)

// follow takes note of a step.
func (d *drift) follow(from, to face.Box) { d.over(from, to, 1) }

// learn takes note of the way between two sightings.
func (d *drift) learn(from, to Position) {
	if n := to.Frame - from.Frame; n > 0 && from.Seen {
		d.over(from.Box, to.Box, float64(n))
	}
}

func (d *drift) over(from, to face.Box, frames float64) {
	a, b := from.Centre(), to.Centre()
	x, y := (b.X-a.X)/frames, (b.Y-a.Y)/frames
	zoom := min(mostGrowth, max(-mostGrowth, math.Log(to.Size()/from.Size())/frames))
	w := driftWeight
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

// move goes one frame on.
func (d drift) move(b face.Box) face.Box {
	c, grow := b.Centre(), math.Exp(d.zoom)
	w, h := b.W*grow, b.H*grow
	return face.Box{X: c.X + d.x - w/2, Y: c.Y + d.y - h/2, W: w, H: h}
}

// backwards learns from the way that a face took before it was found; the nearest frame comes first.
func (d *drift) backwards(now face.Box, way []carried) {
	const frames = 4
	if n := min(frames, len(way)); n > 0 && way[n-1].trust >= trusted {
		d.over(way[n-1].box, now, float64(n))
	}
}
