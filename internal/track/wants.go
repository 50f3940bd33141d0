package track

import (
	"cmp"
	"math"
	"slices"

	"github.com/consentry/consentry/internal/face"
)

// Want is a face worth describing on the current frame.
type Want struct {
	Track int
	Face  face.Face
}

// wants keeps the moments of a track that show its face best.
type wants struct {
	now     face.Face // the sighting on frame
	frame   int
	worth   float64
	best    View
	bestAt  float64 // worth of best
	views   []View
	tried   int     // attempts asked for
	failed  int     // of the last ones, in a row, those that came to nothing
	lastTry int     // frame of the last
	reached float64 // worth of the best that was described; while there is none, of the best that was tried
}

// How often a face is described. Two describers take 30 ms together.
const (
	mostViews  = 6
	mostTries  = 8
	enough     = 160.0 // pixels: larger faces are not described better
	better     = 1.25  // by so much must a face be better than the best described, to be described again soon
	soon       = 0.2   // seconds between two attempts at least
	later      = 1.0   // seconds after the first attempt at which another is due…
	rarer      = 3     // …and by how much longer each interval is than the one before
	comparable = 0.7   // of the best described, from which on a face is tried when one is due
	sideways   = 0.9   // share of its worth that a face loses in full profile
	unknownYaw = 0.25  // yaw of a face without landmarks, for its worth
)

// worthOf says how well a face is shown: 0 to 1, by size, frontality and the detector's score.
func worthOf(f face.Face) float64 {
	size := min(1, f.Box.Size()/enough)
	frontal := 1 - sideways*math.Abs(yawOf(f))
	return math.Sqrt(size) * frontal * min(1, max(0.05, f.Score))
}

// yawOf is the quality's, or by the nose's place between the eyes; unknownYaw without landmarks.
func yawOf(f face.Face) float64 {
	left, right, ok := f.Landmarks.Eyes()
	if f.Quality != (face.Quality{}) || !ok {
		return known(f.Quality)
	}
	ex, ey := right.X-left.X, right.Y-left.Y
	nose := f.Landmarks[30]
	yaw := 2 * math.Abs((nose.X-(left.X+right.X)/2)*ex+(nose.Y-(left.Y+right.Y)/2)*ey) / (ex*ex + ey*ey)
	if math.IsNaN(yaw) {
		return 1
	}
	return min(1, yaw)
}

// known is the yaw that was measured, if any was.
func known(q face.Quality) float64 {
	if q == (face.Quality{}) {
		return unknownYaw
	}
	return min(1, math.Abs(q.Yaw))
}

// note takes a sighting.
func (w *wants) note(frame int, f face.Face) {
	w.now, w.frame, w.worth = f, frame, worthOf(f)
	w.show(frame, f)
}

// show keeps the face if none was better.
func (w *wants) show(frame int, f face.Face) {
	if worth := worthOf(f); worth > w.bestAt || w.best.Face.Box.W == 0 {
		w.best, w.bestAt = View{Frame: frame, Face: f}, worth
		w.best.Face.Templates = nil
	}
}

// due says whether the sighting on this frame is worth describing: the first; then one that is clearly better; and after a while,
// again and again at longer intervals, one that is comparable. While all attempts failed, the next sighting is tried, and then one at
// intervals that double: the shot may be over soon.
func (w *wants) due(frame int, rejoined bool, o Options) bool {
	if w.frame != frame || w.frame == w.lastTry && w.tried > 0 || w.tried >= mostTries || len(w.views) >= mostViews {
		return false
	}
	if w.tried == 0 {
		return true
	}
	since := float64(frame-w.lastTry) / o.rate()
	switch {
	case len(w.views) == 0:
		return since >= soon*(math.Pow(2, float64(w.failed-1))-1)
	case since < soon:
		return false
	case w.worth >= better*w.reached, rejoined:
		return true
	}
	return since >= later*math.Pow(rarer, float64(len(w.views)-1)) && w.worth >= comparable*w.reached
}

// Wants lists the faces of the current frame that are worth describing: few for each track, its best moments, spread over time, and none
// of a track that was only refused; see [Builder.Doubts].
func (b *Builder) Wants() []Want {
	var all []Want
	for _, s := range b.live {
		if s.last.Frame == b.frame && !s.refused() && s.wants.due(b.frame, s.rejoined, b.options) {
			s.rejoined = false
			s.wants.try()
			all = append(all, Want{s.id, s.wants.now})
		}
	}
	return all
}

// try notes an attempt, which fails until it is described.
func (w *wants) try() {
	w.tried++
	w.failed++
	w.lastTry = w.frame
	if len(w.views) == 0 {
		w.reached = max(w.reached, w.worth)
	}
}

// Described adds a described face; without templates it counts as a failed attempt.
func (b *Builder) Described(id int, f face.Face) {
	s := b.find(id)
	if s == nil || len(f.Templates) == 0 {
		return
	}
	s.wants.described(b.frame, f)
}

func (w *wants) described(frame int, f face.Face) {
	if len(w.views) == 0 {
		w.reached = 0
	}
	w.failed = 0
	w.reached = max(w.reached, worthOf(f))
	w.views = append(w.views, View{Frame: frame, Face: f})
	w.show(frame, f)
}

// result is what is kept: views, best first, and the best moment.
func (w *wants) result() ([]View, View) {
	slices.SortStableFunc(w.views, func(x, y View) int { return cmp.Compare(worthOf(y.Face), worthOf(x.Face)) })
	return w.views, w.best
}
