package track

import (
	"fmt"
	"math"

	"github.com/consentry/consentry/internal/face"
)

// carried is where motion has brought a face on one frame.
type carried struct {
	box   face.Box
	sure  float64 // of the step to this frame
	trust float64 // running mean of that
	grow  float64 // uncertainty so far, share of the size
	met   int     // frames in a row on which another face was seen in this place
}

func (c carried) position(frame int, roll float64) Position {
	return Position{Frame: frame, Box: c.box, Roll: roll, Grow: c.grow}
}

// How uncertainty grows in a frame at 25 a second, as shares of the size. A face carried for half a second by a flow that is sure
// has its region grown by a tenth, by one that is not, by the most.
const (
	growSure   = 0.004
	growUnsure = 0.04
	growMost   = 0.4
	trustTime  = 5.0 // frames at 25 a second over which sureness is averaged
	trusted    = 0.6 // average from which on a face is carried longer than half a second
	halfSure   = 0.5 // below this a step is partly guessed from how the face moved before
	sharesWith = 0.3 // IoU from which on a carried box lies where another face is seen
	gone       = 0.03
)

// step goes on from c (or from a sighting, with trust 1) by what the flow says and how the face moved before.
func (c carried) step(m Moved, d drift, pan face.Point, met bool, pace float64) carried {
	believed := min(1, m.Sure/halfSure)
	weight := min(1, pace/trustTime)
	next := carried{box: mix(d.move(c.box, pan), m.Box, believed), sure: m.Sure, trust: c.trust + weight*(m.Sure-c.trust)}
	next.grow = min(growMost, c.grow+pace*(growSure+growUnsure*(1-m.Sure)))
	if met {
		next.met = c.met + 1
	}
	return next
}

// mix is a for w = 0 and b for w = 1.
func mix(a, b face.Box, w float64) face.Box {
	return face.Box{X: a.X + w*(b.X-a.X), Y: a.Y + w*(b.Y-a.Y), W: a.W + w*(b.W-a.W), H: a.H + w*(b.H-a.H)}
}

// over says that a box is carried no further: long enough, or out of the picture.
func (c carried) over(length int, o Options) bool {
	if length > o.frames(longest) || o.left(c.box) {
		return true
	}
	return length > o.frames(shortest) && c.trust < trusted
}

// holds says that all of the box is in the picture.
func (o Options) holds(b face.Box) bool {
	return b.X >= 0 && b.Y >= 0 && b.X+b.W <= float64(o.Width) && b.Y+b.H <= float64(o.Height)
}

// left says that hardly anything of the box is in the picture.
func (o Options) left(b face.Box) bool {
	picture := face.Box{W: float64(o.Width), H: float64(o.Height)}
	return b.Intersection(picture) < gone*b.Area() || math.IsNaN(b.X+b.Y+b.W+b.H)
}

// kept is how much of a way is covered if the face is never seen at its other end: less than all where another face is seen in
// its place, since that has a track of its own.
func kept(way []carried, o Options) int {
	for i, c := range way {
		if c.met > o.frames(handover) {
			return i
		}
	}
	return len(way)
}

// carry brings all live tracks from the frame before to this one.
func (b *Builder) carry() error {
	if len(b.live) == 0 {
		return nil
	}
	before := b.past[len(b.past)-1]
	boxes := make([]face.Box, len(b.live))
	for i, s := range b.live {
		boxes[i] = s.visible(before.boxes)
	}
	moved, err := b.follow(b.frame-1, b.frame, boxes)
	if err != nil {
		return err
	}
	pan := minus(b.panned, before.panned)
	live := b.live[:0]
	for i, s := range b.live {
		if s.carry(boxes[i], moved[i], pan, before.boxes, b.options) {
			live = append(live, s)
		} else {
			b.dormant = append(b.dormant, s)
		}
	}
	b.live = live
	b.forget()
	return nil
}

func (b *Builder) follow(from, to int, boxes []face.Box) ([]Moved, error) {
	moved, err := b.flow.Follow(from, to, boxes)
	if err != nil {
		return nil, fmt.Errorf("carry faces from frame %d to %d: %w", from, to, err)
	}
	if len(moved) != len(boxes) {
		return nil, fmt.Errorf("carry faces from frame %d to %d: %d of %d came back", from, to, len(moved), len(boxes))
	}
	return moved, nil
}

// visible is what of the track is to be followed.
func (s *strand) visible(seen []occupant) face.Box {
	if s.missed == 0 && !s.retired {
		return s.box()
	}
	return visible(s.id, s.box(), seen)
}

// carry takes one step, on which part of the face moved by m; false: the track is carried no further.
func (s *strand) carry(part face.Box, m Moved, pan face.Point, seen []occupant, o Options) bool {
	at := carried{box: s.last.Box, trust: 1}
	if n := len(s.tail); n > 0 {
		at = s.tail[n-1]
	}
	m = whole(at.box, part, m)
	s.speed.note(at.box, m, pan, o.pace())
	met := (s.missed > 0 || s.retired) && meets(s.id, at.box, seen)
	next := at.step(m, s.speed, pan, met, o.pace())
	if next.over(len(s.tail)+1, o) {
		return false
	}
	s.tail = append(s.tail, next)
	return true
}

// meets says whether another face than the track's is seen in the box's place.
func meets(id int, box face.Box, seen []occupant) bool {
	for _, o := range seen {
		if o.id != id && o.box.IoU(box) >= sharesWith {
			return true
		}
	}
	return false
}

// forget ends the dormant tracks that nothing can be joined to any more.
func (b *Builder) forget() {
	kept := b.dormant[:0]
	for _, s := range b.dormant {
		if s.retired || b.frame-s.last.Frame > b.options.frames(2*longest+shortGap) {
			b.end(s)
		} else {
			kept = append(kept, s)
		}
	}
	b.dormant = kept
}

// trace carries faces that were just found backwards through the shot, all together; the nearest frame comes first.
func (b *Builder) trace(faces []face.Face) ([][]carried, error) {
	ways := make([][]carried, len(faces))
	speeds := make([]drift, len(faces))
	going := make([]int, len(faces))
	for i := range faces {
		going[i] = i
	}
	panned := b.panned
	for at := len(b.past) - 1; at >= 0 && len(going) > 0; at-- {
		frame, pan := b.past[at].frame, minus(b.past[at].panned, panned)
		panned = b.past[at].panned
		seen := b.past[min(at+1, len(b.past)-1)].boxes
		boxes := make([]face.Box, len(going))
		for k, i := range going {
			boxes[k] = visible(0, lastOf(ways[i], faces[i]).box, seen)
		}
		moved, err := b.follow(frame+1, frame, boxes)
		if err != nil {
			return nil, err
		}
		var on []int
		for k, i := range going {
			if stepBack(&ways[i], &speeds[i], faces[i], boxes[k], moved[k], pan, b.past[at].boxes, b.options) {
				on = append(on, i)
			}
		}
		going = on
	}
	return ways, nil
}

func lastOf(way []carried, f face.Face) carried {
	if len(way) == 0 {
		return carried{box: f.Box, trust: 1}
	}
	return way[len(way)-1]
}

// stepBack lengthens the way backwards by one frame; false: it ends here.
func stepBack(way *[]carried, speed *drift, f face.Face, part face.Box, m Moved, pan face.Point, seen []occupant, o Options) bool {
	at := lastOf(*way, f)
	m = whole(at.box, part, m)
	speed.note(at.box, m, pan, o.pace())
	met := meets(0, at.box, seen)
	next := at.step(m, *speed, pan, met, o.pace())
	if next.over(len(*way)+1, o) {
		return false
	}
	*way = append(*way, next)
	return true
}
