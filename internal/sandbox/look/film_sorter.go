package look

import (
	"context"
	"math"
	"slices"
	"sort"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media/raster"
	"github.com/consentry/consentry/internal/track"
	"github.com/consentry/consentry/pipeline"
)

// sorter tells the faces apart that are seen in a finished film: those of tracks that are shown are described
// now and then, those in the middle of what was obscured are told with their track, and all are looked at patiently and described.
type sorter struct {
	eyes     *Eyes
	describe func(ctx context.Context, picture raster.Mat, f face.Face) (face.Face, error) // nil: nobody is compared with anybody
	near     int                                                                           // frames of a second
	hidden   *scenes
	shown    []track.Track
	told     map[int]int  // frame from which on a shown track's face is described again
	leaps    map[int]bool // frames that were searched as they look like nothing before
	ends     map[int]bool // frames on which tracks begin or end
	ofShown  []pipeline.Seen
	recent   []*sighted // what may be seen again
	all      []*sighted
	shots    []int // first frame of each
	searched []int // frames, rising
	finely   []int // those of them that were searched for small faces too
	frames   int   // how many there are
}

// sighted is a face, as it showed itself best.
type sighted struct {
	seen  pipeline.Seen
	under int // the hidden track in the middle of whose region it lies, be it surely a face or not
	worth float64
	asked int      // frame of the last patient look
	last  int      // frame on which it was seen last…
	box   face.Box // …and where
	count int      // frames on which it was seen
	path  []track.Position
}

func newSorter(e *Eyes, s pipeline.Screening) *sorter {
	o := &sorter{
		eyes: e, near: int(math.Ceil(min(240, max(1, s.Rendering.Info.Rate)))), ends: map[int]bool{},
		told: map[int]int{}, leaps: map[int]bool{},
		shots: s.Rendering.Shots, frames: len(s.Rendering.Times),
	}
	hidden := make(map[int]bool, len(s.Hidden))
	for _, id := range s.Hidden {
		hidden[id] = true
	}
	var covers []track.Cover
	for _, t := range s.Known {
		if len(t.Path) == 0 {
			continue
		}
		o.ends[t.First()], o.ends[t.Last()] = true, true
		if hidden[t.ID] {
			covers = append(covers, track.CoverOf(t))
		} else {
			o.shown = append(o.shown, t)
		}
	}
	if s.Describe {
		o.describe = e.describeOne
	}
	o.hidden = newScenes(covers)
	return o
}

// surelyFace is the score of the patient look from which on there is a face; see pipeline, where it was measured. What that look
// does not see, or only on one frame, has doubt at most.
const (
	surelyFace = 0.9
	doubt      = 0.5
)

// begin goes on to the next frame that was searched.
func (o *sorter) begin(frame int, finely, leapt bool) {
	if leapt {
		o.leaps[frame] = true
	}
	o.searched = append(o.searched, frame)
	if finely {
		o.finely = append(o.finely, frame)
	}
}

// take looks at one face of the frame.
func (o *sorter) take(ctx context.Context, picture raster.Mat, frame int, f face.Face) error {
	under := o.under(frame, f.Box.Centre())
	if shown := o.shownAt(frame, f.Box); under == 0 && shown != 0 {
		return o.askAgain(ctx, picture, frame, f, shown)
	}
	x := o.again(frame, f.Box)
	if x == nil {
		x = &sighted{}
		o.all, o.recent = append(o.all, x), append(o.recent, x)
	}
	x.see(frame, f.Box)
	clearer := x.worth == 0 || x.under != under || worth(f) >= better*x.worth
	if !clearer && !o.doubtful(x, frame) {
		return nil
	}
	seen, err := o.closer(ctx, picture, frame, f, under)
	if err != nil {
		return err
	}
	x.under, x.asked = under, frame
	if seen.Hidden != 0 || x.seen.Hidden == 0 && (clearer || seen.Face.Score > x.seen.Face.Score) {
		x.seen, x.worth = seen, worth(f)
	}
	return nil
}

// patience is how many patient looks a second are taken at most below a cover that are no better than the one before.
const patience = 4

// doubtful says that a face below a cover was not surely seen there, and was not looked at for a while: what leaks
// through may show itself any moment, and no larger or surer for the quick search.
func (o *sorter) doubtful(x *sighted, frame int) bool {
	return x.under != 0 && x.seen.Face.Score < surelyFace && frame-x.asked >= (o.near+patience-1)/patience
}

// A track that is shown is described again after so many seconds, as it may have become somebody else's, as in a cross-fade; and
// sooner where the face did not say anything.
const (
	toldEvery  = 1.5
	triedEvery = 0.5
)

// askAgain describes the face of a track that is shown, if it is time.
func (o *sorter) askAgain(ctx context.Context, picture raster.Mat, frame int, f face.Face, shown int) error {
	if next, ok := o.told[shown]; o.describe == nil || ok && frame < next {
		return nil
	}
	seen, err := o.closer(ctx, picture, frame, f, 0)
	if err != nil {
		return err
	}
	if len(seen.Face.Templates) == 0 {
		o.told[shown] = frame + int(triedEvery*float64(o.near))
		return nil
	}
	o.told[shown] = frame + int(toldEvery*float64(o.near))
	seen.Shown = shown
	o.ofShown = append(o.ofShown, seen)
	return nil
}

// see notes one more sighting. Two on one frame are seen in what holds both.
func (x *sighted) see(frame int, box face.Box) {
	x.count++
	if n := len(x.path); n > 0 && x.path[n-1].Frame == frame {
		x.path[n-1].Box = hull(x.path[n-1].Box, box)
	} else {
		x.path = append(x.path, track.Position{Frame: frame, Box: box, Seen: true})
	}
	x.last, x.box = frame, box
}

// hull is the smallest box that holds both.
func hull(a, b face.Box) face.Box {
	x, y := min(a.X, b.X), min(a.Y, b.Y)
	return face.Box{X: x, Y: y, W: max(a.X+a.W, b.X+b.W) - x, H: max(a.Y+a.H, b.Y+b.H) - y}
}

// closer looks patiently, and describes. The score is that of the patient look, and of no more than doubt where that sees nothing.
func (o *sorter) closer(ctx context.Context, picture raster.Mat, frame int, f face.Face, under int) (pipeline.Seen, error) {
	sure, ok, err := o.eyes.films.confirm(ctx, picture, f.Box)
	if err != nil {
		return pipeline.Seen{}, err
	}
	if ok {
		f = sure
	} else {
		one := []face.Face{f}
		if err := o.eyes.films.fit(picture, one); err != nil {
			return pipeline.Seen{}, err
		}
		f = one[0]
		f.Score = min(f.Score, doubt)
	}
	if f.Score < surelyFace {
		under = 0
	}
	if o.describe != nil {
		if f, err = o.describe(ctx, picture, f); err != nil {
			return pipeline.Seen{}, err
		}
	}
	return pipeline.Seen{Frame: frame, Face: tidyFace(f), Hidden: under}, nil
}

// under is the hidden track in the middle half of whose region the point lies; 0: none.
func (o *sorter) under(frame int, p face.Point) int {
	for _, r := range o.hidden.at(frame) {
		b := r.Bounds()
		if math.Abs(p.X-r.Centre.X) < b.W/4 && math.Abs(p.Y-r.Centre.Y) < b.H/4 {
			return r.Track
		}
	}
	return 0
}

// shownAt is the track that is shown and has its face there; 0: none.
func (o *sorter) shownAt(frame int, box face.Box) (id int) {
	most := sameFace
	for i := range o.shown {
		b, ok := onFrame(o.shown[i].Path, frame)
		if u := b.IoU(box); ok && u >= most && (id == 0 || u > most) {
			id, most = o.shown[i].ID, u
		}
	}
	return id
}

// A face is the same as one that was seen within a second where both overlap by a third; it is described again where it
// shows itself better by a quarter.
const (
	nearlyThere = 0.33
	better      = 1.25
)

// again is the face that this one was within the last second of the same shot; nil: none.
func (o *sorter) again(frame int, box face.Box) (best *sighted) {
	most := nearlyThere
	o.recent = slices.DeleteFunc(o.recent, func(x *sighted) bool { return frame-x.last > o.near })
	for _, x := range o.recent {
		if iou := x.box.IoU(box); iou >= most && o.shotOf(x.last) == o.shotOf(frame) {
			best, most = x, iou
		}
	}
	return best
}

// worth says how well a face is shown.
func worth(f face.Face) float64 { return f.Score * f.Box.Size() }

// faces are all that were seen.
func (o *sorter) faces() []pipeline.Seen {
	var seen []pipeline.Seen
	for _, x := range o.all {
		if x.seen.Hidden == 0 && o.fleeting(x) {
			x.seen.Face.Score = min(x.seen.Face.Score, doubt)
		}
		x.seen.Path = o.pathOf(x)
		seen = append(seen, x.seen)
	}
	return append(seen, o.ofShown...)
}

// pathOf is where the face was seen, on frames that were not searched too, as they were the same as the one before.
func (o *sorter) pathOf(x *sighted) []track.Position {
	roll := x.seen.Face.Landmarks.Roll()
	var path []track.Position
	for _, p := range x.path {
		p.Roll = roll
		path = append(path, p)
		if held := o.heldUntil(p.Frame); held > p.Frame {
			p.Frame = held
			path = append(path, p)
		}
	}
	return path
}

// heldUntil is the last frame that may show the same as this one, which was searched: what is due every few frames was left out, as
// nothing had happened, until the next that was searched.
func (o *sorter) heldUntil(frame int) int {
	i, _ := slices.BinarySearch(o.searched, frame+1)
	next := o.frames
	if i < len(o.searched) {
		next = o.searched[i]
	}
	shot := o.shotOf(frame)
	if shot < len(o.shots) {
		next = min(next, o.shots[shot])
	}
	if next-frame <= searchEvery {
		return frame
	}
	return next - 1
}

// fleeting says that a face was seen on one frame, and neither on the one searched finely before nor on the one after, of one
// shot that goes on. Watch takes that for a moment's deception too. What is lit for one frame only was not there to be seen before.
func (o *sorter) fleeting(x *sighted) bool {
	before, found := slices.BinarySearch(o.finely, x.last)
	after := before
	if found {
		after++
	}
	if x.count > 1 || before == 0 || after == len(o.finely) {
		return false
	}
	leapt := o.leaps[x.last] || o.leaps[o.finely[after]]
	return !leapt && o.shotOf(o.finely[before-1]) == o.shotOf(o.finely[after])
}

func (o *sorter) shotOf(frame int) int {
	return sort.Search(len(o.shots), func(k int) bool { return o.shots[k] > frame })
}
