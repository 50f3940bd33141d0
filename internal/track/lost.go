package track

import (
	"fmt"

	"github.com/consentry/consentry/internal/face"
)

// Expected is where a track should be.
type Expected struct {
	Track int
	Box   face.Box
}

// Lost lists the places on the current frame where a live track is expected and was not found: there a second, more patient
// look is worth its time. Call it after Found; without a search of this frame there are none.
func (b *Builder) Lost() []Expected {
	if !b.searched {
		return nil
	}
	var all []Expected
	seen := b.sightings()
	for _, s := range b.live {
		if s.retired || s.missed == 0 || meets(s.id, s.box(), seen) {
			continue
		}
		if s.looked < s.last.Frame || b.frame-s.looked >= b.options.every() {
			s.looked = b.frame
			all = append(all, Expected{s.id, s.box()})
		}
	}
	return all
}

// sightings are the places of the faces seen on this very frame.
func (b *Builder) sightings() []occupant {
	var all []occupant
	for _, s := range b.live {
		if s.last.Frame == b.frame {
			all = append(all, occupant{s.id, s.last.Box})
		}
	}
	return all
}

// Again tells that the second look found the track's face here after all. A face that is somewhere else, or another track's, is
// passed over.
func (b *Builder) Again(id int, f face.Face) error {
	s := b.find(id)
	if s == nil || !b.searched {
		return fmt.Errorf("track faces: track %d was not lost on frame %d", id, b.frame)
	}
	near := nearness(s.box(), f.Box)
	if s.last.Frame == b.frame || near < s.gate(b.options) || !b.options.usable(f.Box) || meets(id, f.Box, b.sightings()) {
		return nil
	}
	if b.contested(s, f.Box, nil) {
		return nil
	}
	for _, o := range b.live {
		if o != s && o.last.Frame != b.frame && nearness(o.box(), f.Box) >= max(near-clearly, o.gate(b.options)) {
			return nil // two lost tracks, and it may be either's
		}
	}
	b.join(s, f, nil)
	return nil
}
