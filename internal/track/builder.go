package track

import (
	"fmt"
	"slices"

	"github.com/consentry/consentry/internal/face"
)

// Builder makes tracks of a film's frames, which it is told one after the other. Its memory grows with the number and
// length of tracks only, and slowly. It is not safe for use by two goroutines at a time.
type Builder struct {
	options  Options
	flow     Flow
	frame    int // the current one, −1 before the first
	shot     int
	start    int // first frame of the shot
	searched bool
	ids      int
	live     []*strand
	dormant  []*strand // of this shot: no longer carried, but may be found again
	done     []Track
	panned   face.Point // where the picture has moved to since the film began, pixels
	past     []occupied // of the last frames of this shot, oldest first
}

// occupied says where faces were seen lately on one frame, and where the picture has moved to.
type occupied struct {
	frame    int
	searched bool
	boxes    []occupant
	panned   face.Point
}

type occupant struct {
	id  int
	box face.Box
}

// New begins a film. Flow must keep the frames of at least [Options.Keep].
func New(o Options, flow Flow) *Builder { return &Builder{options: o, flow: flow, frame: -1} }

// Next goes on to the next frame, n = 0, 1, 2 …; the Flow has it already. Live tracks are carried to it.
func (b *Builder) Next(n int, m Motion) error {
	if n != b.frame+1 {
		return fmt.Errorf("track faces: frame %d comes after frame %d", n, b.frame)
	}
	b.remember()
	b.frame, b.searched = n, false
	if n == 0 {
		return nil
	}
	if m.Cut {
		b.endShot()
		b.shot++
		b.start = n
		return nil
	}
	width := float64(b.options.Width)
	b.panned = face.Point{X: b.panned.X + m.Pan.X*width, Y: b.panned.Y + m.Pan.Y*width}
	return b.carry()
}

// pan is how the picture moved in the last so many frames, pixels.
func (b *Builder) pan(frames int) face.Point {
	if frames < 1 || frames > len(b.past) {
		return face.Point{}
	}
	return minus(b.panned, b.past[len(b.past)-frames].panned)
}

// remember notes where faces are seen on the frame that is left.
func (b *Builder) remember() {
	if b.frame < 0 {
		return
	}
	b.past = append(b.past, occupied{b.frame, b.searched, b.seenNow(), b.panned})
	if extra := len(b.past) - b.options.Keep(); extra > 0 {
		b.past = slices.Delete(b.past, 0, extra)
	}
}

// seenNow are the places of the tracks that the last search saw.
func (b *Builder) seenNow() []occupant {
	var all []occupant
	for _, s := range b.live {
		if s.missed == 0 && !s.retired {
			all = append(all, occupant{s.id, s.box()})
		}
	}
	return all
}

// endShot ends all tracks.
func (b *Builder) endShot() {
	for _, s := range append(b.live, b.dormant...) {
		b.end(s)
	}
	b.live, b.dormant, b.past = nil, nil, nil
}

// end adds a track to those that are done, unless it was a moment's false detection, or no face. What was blurred from its first sighting on
// could not be judged.
func (b *Builder) end(s *strand) {
	s.close(b.options)
	if !s.doubtful() && (!s.refused() || s.blurred) {
		b.done = append(b.done, s.track())
	}
}

// Finish ends the film and returns all tracks that were more than a moment's false detection, in order of their first frame.
// Only now they get the numbers that they keep: those of [Want] and [Expected] are the builder's own.
func (b *Builder) Finish() []Track {
	b.endShot()
	slices.SortStableFunc(b.done, func(x, y Track) int { return x.First() - y.First() })
	for i := range b.done {
		b.done[i].ID = i + 1
	}
	return b.done
}

// find is the live track of that number.
func (b *Builder) find(id int) *strand {
	for _, s := range b.live {
		if s.id == id {
			return s
		}
	}
	return nil
}
