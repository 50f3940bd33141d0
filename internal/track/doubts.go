package track

import "math"

// doubts are what a more thorough detector has said of a track of which the searches were never certain.
type doubts struct {
	asked    int // frame of the last question
	refused  int // times that no face was seen there
	accepted bool
}

// Intervals in seconds at which a track is asked about that was always refused: the first times soon, as its shot may be over, and then
// more and more seldom, as long as it lasts.
const (
	askSoon  = 0.2
	askRarer = 3
)

// Doubts lists the faces seen on the current frame whose tracks no search was certain of. Whoever has a more thorough detector says with
// [Builder.Confirm] what that sees there. Call it after Found and Again, and before Wants.
func (b *Builder) Doubts() []Expected {
	var all []Expected
	for _, s := range b.live {
		if s.last.Frame == b.frame && s.score < certain && s.doubts.due(b.frame, b.options) {
			s.doubts.asked = b.frame
			all = append(all, Expected{s.id, s.wants.now.Box})
		}
	}
	return all
}

func (d *doubts) due(frame int, o Options) bool {
	if d.accepted {
		return false
	}
	since := float64(frame-d.asked) / o.rate()
	return d.refused == 0 || since >= askSoon*math.Pow(askRarer, float64(d.refused-1))
}

// Confirm says whether the face of a track of the current frame is one. A track that was refused each time is not described, and is
// none in the end; one sighting that is accepted makes it one for good.
func (b *Builder) Confirm(id int, ok bool) {
	s := b.find(id)
	switch {
	case s == nil:
	case ok:
		s.doubts.accepted = true
	default:
		s.doubts.refused++
	}
}

// refused says that nothing speaks for the track: no search was certain, and the thorough detector saw nothing, whenever it was asked.
func (s *strand) refused() bool {
	return s.score < certain && !s.doubts.accepted && s.doubts.refused > 0
}
