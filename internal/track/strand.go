package track

import (
	"math"

	"github.com/consentry/consentry/internal/face"
)

// strand is a track in the making.
type strand struct {
	id, shot int
	trail    trail     // up to and including the last sighting
	last     Position  // the last sighting
	tail     []carried // one for each frame since
	speed    drift     // how it moved last
	missed   int       // searches of the whole frame since the last sighting that did not see it
	retired  bool      // given up at a crossing: carried to its end, but never found again
	looked   int       // frame of the last patient look
	rejoined bool      // found again after a while, and not described since

	seen    int
	runs    [][2]int
	blurred bool // the flow lost it before its first sighting
	lead    int  // frames of the shot before the first sighting, as far as a face is carried on at least
	before  int  // searches on the way back from the first sighting, which did not see it
	after   int  // searches after it that did not
	score   float64

	wants  wants
	doubts doubts
}

// box is where the face is now.
func (s *strand) box() face.Box {
	if n := len(s.tail); n > 0 {
		return s.tail[n-1].box
	}
	return s.last.Box
}

// sure is how far the way since the last sighting is believed, 0 to 1.
func (s *strand) sure() float64 {
	if n := len(s.tail); n > 0 {
		return s.tail[n-1].trust
	}
	return 1
}

// see adds a sighting on the frame, and the way there from the last one. Back is the way from it backwards, nearest frame
// first; it may be short or empty. Pan is how the picture moved since the last sighting;
// clear says that nothing spoilt the flow.
func (s *strand) see(frame int, f face.Face, back []carried, pan face.Point, clear bool) {
	now := Position{Frame: frame, Box: f.Box, Roll: rollOf(f, s.last.Roll), Seen: true}
	if clear && s.sure() >= trusted {
		now = s.fused(now)
	}
	for _, p := range between(s.last, now, s.tail, back) {
		s.trail.add(p)
	}
	s.speed.over(s.last.Box, now.Box, pan, float64(frame-s.last.Frame))
	s.trail.add(now)
	s.count(frame, f)
	s.last, s.tail, s.missed = now, nil, 0
}

// believes is the share of a sighting in where the face is taken to be, if it was carried there surely. The boxes of one head differ by a
// tenth of its size from one search to the next; so they do by half as much.
const believes = 0.5

// fused is a sighting together with where the face was carried to. Where the two differ by more than a region leaves room for, it
// is grown to hold both.
func (s *strand) fused(now Position) Position {
	carried := s.box()
	off := edges(carried, now.Box) / now.Box.Size()
	now.Roll = s.last.Roll + believes*turn(s.last.Roll, now.Roll)
	now.Box = mix(carried, now.Box, believes)
	now.Grow = min(growMost, max(0, believes*off-leeway))
	return now
}

// leeway is the share of a face's size by which a region reaches beyond it on each side, less some.
const leeway = 0.1

// edges is by how much the edges of two boxes lie apart at most.
func edges(a, b face.Box) float64 {
	return max(math.Abs(a.X-b.X), math.Abs(a.Y-b.Y), math.Abs(a.X+a.W-b.X-b.W), math.Abs(a.Y+a.H-b.Y-b.H))
}

// count keeps the books of sightings.
func (s *strand) count(frame int, f face.Face) {
	s.seen++
	s.score = max(s.score, f.Score)
	if n := len(s.runs); n > 0 && s.missed == 0 {
		s.runs[n-1][1] = frame
	} else {
		s.runs = append(s.runs, [2]int{frame, frame})
	}
	s.wants.note(frame, f)
}

// rollOf is the face's, or the one before where it has no landmarks.
func rollOf(f face.Face, before float64) float64 {
	if _, _, ok := f.Landmarks.Eyes(); !ok {
		return before
	}
	return f.Landmarks.Roll()
}

// close adds as much of the way after the last sighting as is to be covered.
func (s *strand) close(o Options) {
	for i, c := range s.tail[:kept(s.tail, o)] {
		s.trail.add(c.position(s.last.Frame+1+i, s.last.Roll))
	}
	s.tail = nil
	s.trail.flush()
}

// doubtful says that the track is a moment's false detection: seen by one search, and not surely, though at least two later ones and
// a patient look expected it there; or seen weakly by the last search of its shot, though several before it might have seen it as
// well. A face that is seen once because its shot is short stays, and so does one that enters just before a cut: traced back,
// it leaves the picture before it meets so many searches.
func (s *strand) doubtful() bool {
	return s.seen == 1 && !s.doubts.accepted && (s.score < certain && s.after >= searchesAfter || s.score < weak && s.before >= searchesBefore)
}

const (
	certain        = 0.9 // the detector's score from which on a single sighting is believed
	weak           = 0.6 // and below which it is not even where no later search could confirm it
	searchesAfter  = 2
	searchesBefore = 3
)

// track is the finished track.
func (s *strand) track() Track {
	views, best := s.wants.result()
	s.trail.round()
	return Track{
		ID: s.id, Shot: s.shot, Path: s.trail.kept, Views: views, Best: best, Score: s.score, Seen: s.seen, Runs: s.runs,
	}
}
