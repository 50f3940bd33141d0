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
	tried   int     // attempts at describing, asked for
	lastTry int     // frame of the last
	bestTry float64 // worth of the best attempt
}

const (
	mostViews  = 6
	mostTries  = 8
	enough     = 160.0 // pixels: larger faces are not described better
	better     = 1.25  // by so much must a face be better than the best tried, to be tried again soon
	soon       = 0.2   // seconds between two attempts at least
	later      = 1.0   // seconds after the first attempt at which another is due; the interval doubles each time
	comparable = 0.7   // of the best tried, from which on a face is tried when one is due
	poor       = 0.2   // worth below which a face is tried only if nothing better was for a second
	sideways   = 0.9   // of yaw, the share that is lost in full profile
)

// worthOf says how well a face is shown: 0 to 1, by size, frontality and the detector's score.
func worthOf(f face.Face) float64 {
	size := min(1, f.Box.Size()/enough)
	frontal := 1 - sideways*math.Abs(yawOf(f))
	return math.Sqrt(size) * frontal * min(1, max(0.05, f.Score))
}

// yawOf is the quality's, or by the nose's place between the eyes; without landmarks a face is taken to look half aside.
func yawOf(f face.Face) float64 {
	if f.Quality.Yaw != 0 {
		return min(1, math.Abs(f.Quality.Yaw))
	}
	left, right, ok := f.Landmarks.Eyes()
	if !ok {
		return 0.5
	}
	ex, ey := right.X-left.X, right.Y-left.Y
	nose := f.Landmarks[30]
	yaw := 2 * math.Abs((nose.X-(left.X+right.X)/2)*ex+(nose.Y-(left.Y+right.Y)/2)*ey) / (ex*ex + ey*ey)
	if math.IsNaN(yaw) {
		return 1
	}
	return min(1, yaw)
}

// note takes a sighting.
func (w *wants) note(frame int, f face.Face) {
	w.now, w.frame, w.worth = f, frame, worthOf(f)
	if w.worth > w.bestAt || w.best.Face.Box.W == 0 {
		w.best, w.bestAt = View{Frame: frame, Face: f}, w.worth
		w.best.Face.Templates = nil
	}
}

// due says whether the sighting on this frame is worth describing.
func (w *wants) due(frame int, rejoined bool, o Options) bool {
	if w.frame != frame || w.tried >= mostTries || len(w.views) >= mostViews {
		return false
	}
	if w.tried == 0 {
		return true
	}
	since := float64(frame-w.lastTry) / o.rate()
	if since < soon {
		return false
	}
	if w.worth >= better*w.bestTry || rejoined {
		return true
	}
	return since >= w.interval() && w.worth >= comparable*w.bestTry
}

// interval until the next attempt without a better face: it doubles each time.
func (w *wants) interval() float64 { return later * math.Pow(2, float64(w.tried-1)) }

// Wants lists the faces of the current frame that are worth describing: few for each track, its best moments, spread over time.
func (b *Builder) Wants() []Want {
	var all []Want
	for _, s := range b.live {
		if s.last.Frame == b.frame && s.wants.due(b.frame, s.rejoined, b.options) {
			s.rejoined = false
			s.wants.try()
			all = append(all, Want{s.id, s.wants.now})
		}
	}
	return all
}

func (w *wants) try() {
	w.tried++
	w.lastTry = w.frame
	w.bestTry = max(w.bestTry, w.worth)
}

// Described adds a described face; without templates it counts as a failed attempt.
func (b *Builder) Described(id int, f face.Face) {
	s := b.find(id)
	if s == nil || len(f.Templates) == 0 {
		return
	}
	s.wants.views = append(s.wants.views, View{Frame: b.frame, Face: f})
}

// result is what is kept: views, best first, and the best moment.
func (w *wants) result() ([]View, View) {
	slices.SortStableFunc(w.views, func(x, y View) int { return cmp.Compare(worthOf(y.Face), worthOf(x.Face)) })
	return w.views, w.best
}
