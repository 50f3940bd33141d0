package track

import (
	"sort"

	"github.com/consentry/consentry/internal/face"
)

// Cover is the part of a film that has to be obscured on account of one track.
type Cover struct {
	Track int        `json:"track"`
	Path  []Position `json:"path"`
	here  int        // where the last call found its frame
}

// CoverOf is the cover of the whole track.
func CoverOf(t Track) Cover {
	c := Cover{Track: t.ID, Path: make([]Position, len(t.Path))}
	for i, p := range t.Path {
		p.Seen = false
		c.Path[i] = p
	}
	return c
}

// At is the region of the cover on a frame; ok is false where it has none. Successive calls with rising frames are fast.
func (c *Cover) At(frame int) (r face.Region, ok bool) {
	n := len(c.Path)
	if n == 0 || frame < c.Path[0].Frame || frame > c.Path[n-1].Frame {
		return face.Region{}, false
	}
	i := c.here
	if i >= n || c.Path[i].Frame > frame || (i+2 < n && c.Path[i+2].Frame <= frame) {
		i = sort.Search(n, func(k int) bool { return c.Path[k].Frame > frame }) - 1
	}
	if i+1 < n && c.Path[i+1].Frame <= frame {
		i++
	}
	c.here = i
	return regionOf(on(c.Path, i, frame)), true
}

// on is the position on a frame, which is that of i or lies between it and the next.
func on(path []Position, i, frame int) Position {
	if path[i].Frame == frame || i+1 >= len(path) {
		return path[i]
	}
	return along(path[i], path[i+1], frame)
}

// scatter is by how much every region is larger than that of a face in a photograph: the boxes that are found in frames, with less
// patience, lie a few hundredths of their size off on the average.
const scatter = 0.05

// regionOf hides the head at a position, with its uncertainty.
func regionOf(p Position) face.Region {
	r := face.TurnedRegion(p.Box, p.Roll)
	r.RX *= 1 + scatter + p.Grow
	r.RY *= 1 + scatter + p.Grow
	return r
}

// boxAt is where a track's face is on a frame, or at its nearest end.
func boxAt(t *Track, frame int) face.Box {
	p, _ := t.On(min(t.Last(), max(t.First(), frame)))
	return p.Box
}
