package footage

import (
	"math"
	"math/rand/v2"
)

// stage is where one film is put together. Places are shares of the frame's width and height, sizes of faces are pixels.
type stage struct {
	film  Film
	cast  *Cast
	rand  *rand.Rand
	heads []Still // shuffled
	drawn int     // how many of them have been on
}

func newStage(c *Cast, kind string, n int, width, height int, rate float64, seed uint64) *stage {
	r := rand.New(rand.NewPCG(seed, hash(kind)+uint64(n)))
	s := &stage{
		film: Film{Kind: kind, Name: kind, Width: width, Height: height, Rate: rate, Seed: seed},
		cast: c, rand: r, heads: make([]Still, len(c.Heads)),
	}
	for i, j := range r.Perm(len(c.Heads)) {
		s.heads[i] = c.Heads[j]
	}
	return s
}

// hash tells the kinds of films apart for the random numbers (FNV-1a).
func hash(text string) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range []byte(text) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h
}

// at is a pose of a head: its face is there, and so many pixels large.
func (s *stage) at(h Still, x, y, size, angle float64) Pose {
	box := h.Marks[0].Box
	c := box.Centre()
	return s.pinned(h.Picture, c.X, c.Y, x, y, Pose{Scale: size / box.Size(), Angle: angle})
}

// pinned moves a pose so that one place of the picture, in its pixels, lies at a place of the frame.
func (s *stage) pinned(p *Picture, atX, atY, x, y float64, pose Pose) Pose {
	w, h := p.Size()
	off := pose.place(0, 0).apply(float64(w)/2-atX, float64(h)/2-atY)
	pose.X, pose.Y = x*float64(s.film.Width)+off.X, y*float64(s.film.Height)+off.Y
	return pose
}

// next is a head that was not on before, as long as there are any.
func (s *stage) next() Still {
	h := s.heads[s.drawn%len(s.heads)]
	s.drawn++
	return h
}

// place is where a head is at a time.
type place struct{ t, x, y, size, angle float64 }

// walk is a head that goes from place to place.
func (s *stage) walk(h Still, smooth bool, places ...place) Layer {
	keys := make([]Key, len(places))
	for i, p := range places {
		keys[i] = Key{p.t, s.at(h, p.x, p.y, p.size, p.angle)}
	}
	return Layer{Picture: h.Picture, Marks: h.Marks, Path: Through(smooth, keys...)}
}

// backdrop fills the frame, with a margin for a camera that moves, and drifts a little.
func (s *stage) backdrop() Layer {
	const coarse = 2 // it is out of focus
	w, h := s.film.Width*3/2/coarse, s.film.Height*3/2/coarse
	middle := Pose{X: float64(s.film.Width) / 2, Y: float64(s.film.Height) / 2, Scale: coarse}
	return Layer{Picture: backdrop(s.rand, w, h), Path: Sway(still(middle), 20, 8, 0, 110)}
}

// group is a whole photograph. At scale 1 it just fills the frame; x and y say which place of it, in shares, lies in the frame's middle.
func (s *stage) group(g Still, smooth bool, views ...view) Layer {
	w, h := g.Picture.Size()
	fill := math.Max(float64(s.film.Width)/float64(w), float64(s.film.Height)/float64(h))
	keys := make([]Key, len(views))
	for i, v := range views {
		keys[i] = Key{v.t, s.pinned(g.Picture, v.x*float64(w), v.y*float64(h), 0.5, 0.5, Pose{Scale: fill * v.zoom, Angle: v.angle})}
	}
	return Layer{Picture: g.Picture, Marks: g.Marks, Path: Through(smooth, keys...)}
}

// view is what the camera sees of a photograph at a time.
type view struct{ t, x, y, zoom, angle float64 }

// wave is a hand that goes from place to place in front of everything; its size is the width in pixels, its place that of the palm.
func (s *stage) wave(smooth bool, places ...place) Layer {
	picture := hand(s.rand)
	keys := make([]Key, len(places))
	for i, p := range places {
		keys[i] = Key{p.t, s.pinned(picture, palmX, palmY, p.x, p.y, Pose{Scale: p.size / handWidth, Angle: p.angle})}
	}
	return Layer{Picture: picture, Path: Through(smooth, keys...)}
}

// swaying adds small movements, each layer's own, as of somebody who stands and breathes or of a camera held by hand.
func (s *stage) swaying(l Layer, pixels float64) Layer {
	l.Path = Sway(l.Path, pixels*(0.5+s.rand.Float64()), pixels*s.rand.Float64(), 0.05*(s.rand.Float64()-0.5), 30+40*s.rand.Float64())
	return l
}

func (s *stage) shot(frames int, layers ...Layer) *Shot {
	s.film.Shots = append(s.film.Shots, Shot{Frames: frames, Layers: layers})
	return &s.film.Shots[len(s.film.Shots)-1]
}
