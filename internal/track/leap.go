package track

import (
	"math"
	"slices"

	"github.com/consentry/consentry/internal/face"
)

// A head that runs through the picture is somewhere else from one frame to the next, and too blurred to be followed: no flow leads from
// one sighting to the next, and each would be a track of its own, seen once.
const (
	lostFlow = 0.4 // sureness of a step below which the flow has lost a face
	leapEach = 1.5 // sizes that a head goes in one frame at most…
	leapMost = 3.0 // …and between two searches
	running  = 0.2 // sizes a frame from which on a track is known to run
)

// leap joins faces to tracks that were seen by the last search, then lost by the flow, and that no other face of this frame can belong to.
// It gives those that are left.
func (b *Builder) leap(faces []face.Face) []face.Face {
	var pairs []pair
	for i, s := range b.live {
		for j, f := range faces {
			if s.mayLeap(b.frame) && s.reaches(f.Box, b.frame) {
				pairs = append(pairs, pair{i, j, 0})
			}
		}
	}
	taken := make([]bool, len(faces))
	for _, p := range pairs {
		alone := !slices.ContainsFunc(pairs, func(q pair) bool { return q != p && (q.track == p.track || q.face == p.face) })
		if alone {
			s, f := b.live[p.track], faces[p.face]
			s.rehead(f.Box, b.frame, b.options)
			b.join(s, f, nil)
			taken[p.face] = true
		}
	}
	return leftOver(faces, taken)
}

// mayLeap says that the track was just seen, that the flow has lost it since, and that it is new or known to run.
func (s *strand) mayLeap(frame int) bool {
	if s.retired || s.missed != 1 || s.last.Frame == frame || len(s.tail) == 0 {
		return false
	}
	lost := slices.ContainsFunc(s.tail, func(c carried) bool { return c.sure < lostFlow })
	return lost && (s.seen == 1 || math.Hypot(s.speed.x, s.speed.y) >= running*s.last.Box.Size())
}

// reaches says that a face is of the same size and no farther from the last sighting than a head goes.
func (s *strand) reaches(b face.Box, frame int) bool {
	sizes := min(leapMost, leapEach*float64(frame-s.last.Frame))
	p, q := s.last.Box.Centre(), b.Centre()
	small, large := math.Min(s.last.Box.Size(), b.Size()), math.Max(s.last.Box.Size(), b.Size())
	return small >= leastSize*large && math.Hypot(p.X-q.X, p.Y-q.Y) <= sizes*(small+large)/2
}

// rehead sets the way before the first sighting anew, now that the second says how fast the face goes, where the flow could say nothing.
func (s *strand) rehead(now face.Box, frame int, o Options) {
	if s.seen > 1 || !s.blurred {
		return
	}
	first, frames := s.last, float64(frame-s.last.Frame)
	a, b := first.Box.Centre(), now.Centre()
	s.trail = trail{}
	for i := s.lead; i > 0; i-- {
		box, back := first.Box, float64(i)/frames
		box.X, box.Y = box.X-(b.X-a.X)*back, box.Y-(b.Y-a.Y)*back
		if !o.left(box) {
			s.trail.add(Position{Frame: first.Frame - i, Box: box, Roll: first.Roll, Grow: min(growMost, growUnsure*float64(i)*o.pace())})
		}
	}
	s.trail.add(first)
}
