package track

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/consentry/consentry/internal/face"
)

// still is a flow in which nothing moves.
type still struct{}

func (still) Follow(_, _ int, boxes []face.Box) ([]Moved, error) {
	moved := make([]Moved, len(boxes))
	for i, b := range boxes {
		moved[i] = Moved{Box: b, Sure: 1}
	}
	return moved, nil
}

// blind is a flow that can follow nothing.
type blind struct{}

func (blind) Follow(_, _ int, boxes []face.Box) ([]Moved, error) {
	moved := make([]Moved, len(boxes))
	for i, b := range boxes {
		moved[i] = Moved{Box: b}
	}
	return moved, nil
}

var errFlow = errors.New("no flow")

// broken fails, or forgets a box.
type broken struct{ err error }

func (b broken) Follow(_, _ int, boxes []face.Box) ([]Moved, error) {
	return make([]Moved, len(boxes)-1), b.err
}

func small() Options { return Options{Rate: 25, Every: 3, Width: 640, Height: 360} }

func faceAt(x, y, score float64) face.Face {
	return face.Face{Box: face.Box{X: x, Y: y, W: 50, H: 50}, Score: score}
}

// reel plays frames; found says what the search of a frame finds, and every third frame is searched.
type reel struct {
	t *testing.T
	b *Builder
	n int
}

func newReel(t *testing.T, flow Flow) *reel { return &reel{t: t, b: New(small(), flow)} }

func (r *reel) frame(m Motion) {
	r.t.Helper()
	if err := r.b.Next(r.n, m); err != nil {
		r.t.Fatal(err)
	}
	r.n++
}

// search goes three frames on and finds the faces on the last.
func (r *reel) search(faces ...face.Face) {
	r.t.Helper()
	for range 3 {
		r.frame(Motion{})
	}
	r.found(faces...)
}

func (r *reel) found(faces ...face.Face) {
	r.t.Helper()
	if err := r.b.Found(faces); err != nil {
		r.t.Fatal(err)
	}
}

func TestOneFaceStandsStill(t *testing.T) {
	for _, test := range []struct {
		name  string
		flow  Flow
		carry int
	}{
		{"and is followed surely", still{}, 30},
		{"and cannot be followed", blind{}, 13},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newReel(t, test.flow)
			for range 14 {
				r.search()
			}
			for range 10 {
				r.search(faceAt(100, 100, 0.95))
			}
			for range 14 {
				r.search()
			}
			tracks := r.b.Finish()
			if len(tracks) != 1 {
				t.Fatalf("%d tracks, want one", len(tracks))
			}
			got := tracks[0]
			if got.First() != 44-test.carry || got.Last() != 71+test.carry || got.Seen != 10 || !slices.Equal(got.Runs, [][2]int{{44, 71}}) {
				t.Errorf("from %d to %d, seen on %d frames in %v; want %d frames on either side of 44 to 71", got.First(), got.Last(), got.Seen, got.Runs, test.carry)
			}
			if len(got.Path) > 12 {
				t.Errorf("%d positions for a face that stands still", len(got.Path))
			}
			if last := got.Path[len(got.Path)-1]; last.Seen || last.Grow <= 0 {
				t.Errorf("the last position is %+v", last)
			}
		})
	}
}

func TestMomentsOfFalseDetection(t *testing.T) {
	for _, test := range []struct {
		name          string
		before, after int // searches
		score         float64
		again         bool
		want          int
	}{
		{"weak, and never again", 5, 5, 0.6, false, 0},
		{"sure, and never again", 5, 5, 0.95, false, 1},
		{"weak, and seen again", 5, 5, 0.6, true, 1},
		{"weak, in a short shot", 0, 1, 0.5, false, 1},
		{"weak, on the last frame of a long shot", 5, 0, 0.5, false, 0},
		{"less weak, on the last frame of a long shot", 5, 0, 0.7, false, 1},
		{"weak, on the last frame of a short shot", 2, 0, 0.5, false, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newReel(t, still{})
			for range test.before {
				r.search()
			}
			r.search(faceAt(100, 100, test.score))
			for i := range test.after {
				if test.again && i == 1 {
					r.search(faceAt(101, 100, test.score))
				} else {
					r.search()
				}
			}
			if tracks := r.b.Finish(); len(tracks) != test.want {
				t.Errorf("%d tracks, want %d", len(tracks), test.want)
			}
		})
	}
}

// A face that enters just before a cut is traced out of the picture and stays, however weakly it is seen.
func TestEnteringJustBeforeACut(t *testing.T) {
	r := newReel(t, shove{20})
	for range 6 {
		r.search()
	}
	r.search(faceAt(10, 100, 0.45))
	r.frame(Motion{Cut: true})
	if tracks := r.b.Finish(); len(tracks) != 1 || tracks[0].Last() != 20 {
		t.Errorf("%+v", tracks)
	}
}

// shove moves all by so many pixels to the right on each frame.
type shove struct{ by float64 }

func (s shove) Follow(from, to int, boxes []face.Box) ([]Moved, error) {
	moved := make([]Moved, len(boxes))
	for i, b := range boxes {
		b.X += s.by * float64(to-from)
		moved[i] = Moved{Box: b, Sure: 1}
	}
	return moved, nil
}

// Where the flow says nothing, a face goes on as it went, and with the picture.
func TestWithoutFlow(t *testing.T) {
	r := newReel(t, blind{})
	for i := range 6 {
		r.search(faceAt(60+30*float64(i), 100, 0.99))
	}
	for range 3 {
		r.frame(Motion{Pan: face.Point{X: 0.02}})
	}
	s := r.b.live[0]
	if c := s.box().Centre().X; c < 60+150+25+20+38 || c > 60+150+25+30+39 {
		t.Errorf("carried to %.0f", c)
	}
}

func TestACutEndsAll(t *testing.T) {
	r := newReel(t, still{})
	r.search(faceAt(100, 100, 0.99))
	r.frame(Motion{Cut: true})
	r.found(faceAt(100, 100, 0.99))
	tracks := r.b.Finish()
	if len(tracks) != 2 || tracks[0].Last() != 2 || tracks[1].First() != 3 || tracks[0].Shot != 0 || tracks[1].Shot != 1 {
		t.Errorf("%+v", tracks)
	}
	if Overlap(tracks[0], tracks[1]) || len(Bridges(tracks, 25)) > 0 {
		t.Error("tracks of two shots have to do with each other")
	}
}

// A face that is lost for longer than it is carried, and found where it must have been, is the same.
func TestFoundAgainAfterTwoSeconds(t *testing.T) {
	r := newReel(t, still{})
	r.search(faceAt(100, 100, 0.99))
	for range 15 {
		r.search()
	}
	r.search(faceAt(102, 100, 0.99))
	if tracks := r.b.Finish(); len(tracks) != 1 || len(tracks[0].Runs) != 2 {
		t.Errorf("%+v", tracks)
	}
}

// Of two tracks that a face is near to, both end: their identities may have been swapped.
func TestCrossingTracksAreSplit(t *testing.T) {
	r := newReel(t, still{})
	r.search(faceAt(100, 100, 0.99), faceAt(150, 100, 0.99))
	r.search(faceAt(115, 100, 0.99), faceAt(136, 100, 0.99))
	r.search(faceAt(125, 100, 0.99))
	for range 3 {
		r.search(faceAt(125, 100, 0.99))
	}
	tracks := r.b.Finish()
	if len(tracks) != 3 {
		t.Fatalf("%d tracks, want 3", len(tracks))
	}
	if !Overlap(tracks[0], tracks[1]) || Overlap(tracks[0], tracks[2]) {
		t.Error("two that were seen beside each other are two; one that follows may be either")
	}
	bridged := Bridges(tracks, 25)
	if !slices.Contains(bridged, [2]int{1, 3}) || !slices.Contains(bridged, [2]int{2, 3}) || len(bridged) != 2 {
		t.Errorf("bridges %v", bridged)
	}
}

func TestOneHeadFoundTwice(t *testing.T) {
	r := newReel(t, still{})
	for range 3 {
		r.search(faceAt(100, 100, 0.99), faceAt(104, 106, 0.7))
	}
	if tracks := r.b.Finish(); len(tracks) != 1 {
		t.Errorf("%d tracks, want one", len(tracks))
	}
}

func TestUnusableBoxes(t *testing.T) {
	r := newReel(t, still{})
	for _, b := range []face.Box{
		{X: 10, Y: 10},
		{X: 10, Y: 10, W: -5, H: 20},
		{X: math.NaN(), Y: 10, W: 5, H: 5},
		{X: math.Inf(1), Y: 10, W: 5, H: 5},
		{X: 5000, Y: 10, W: 50, H: 50},
	} {
		r.search(face.Face{Box: b, Score: 1})
	}
	if tracks := r.b.Finish(); len(tracks) != 0 {
		t.Errorf("%+v", tracks)
	}
}

func TestPatientLooks(t *testing.T) {
	r := newReel(t, still{})
	if len(r.b.Lost()) > 0 {
		t.Error("something is lost before the film begins")
	}
	r.search(faceAt(100, 100, 0.99))
	if lost := r.b.Lost(); len(lost) > 0 {
		t.Errorf("%v is lost, though it was found", lost)
	}
	r.search()
	lost := r.b.Lost()
	if len(lost) != 1 || lost[0].Box != faceAt(100, 100, 0).Box {
		t.Fatalf("lost: %v", lost)
	}
	id := lost[0].Track
	if err := r.b.Again(id, faceAt(300, 100, 0.9)); err != nil || r.b.live[0].seen != 1 {
		t.Errorf("a face elsewhere: %v, seen %d times", err, r.b.live[0].seen)
	}
	for range 2 { // the second time it is not lost any more
		if err := r.b.Again(id, faceAt(105, 100, 0.3)); err != nil || r.b.live[0].seen != 2 {
			t.Errorf("%v, seen %d times", err, r.b.live[0].seen)
		}
	}
	if lost := r.b.Lost(); len(lost) > 0 {
		t.Errorf("%v is still lost", lost)
	}
	if err := r.b.Again(17, faceAt(0, 0, 1)); err == nil {
		t.Error("an unknown track is found again")
	}
	r.frame(Motion{})
	if err := r.b.Again(id, faceAt(105, 100, 0.3)); err == nil {
		t.Error("a face is found on a frame that was not searched")
	}
}

// A patient look that finds a neighbour's face, or one that may be of either of two lost tracks, joins nothing.
func TestPatientLooksAtOthers(t *testing.T) {
	r := newReel(t, still{})
	r.search(faceAt(100, 100, 0.99), faceAt(130, 100, 0.99))
	r.search(faceAt(130, 100, 0.99))
	lost := r.b.Lost()
	for _, e := range lost {
		if err := r.b.Again(e.Track, faceAt(128, 100, 0.9)); err != nil {
			t.Fatal(err)
		}
	}
	r = newReel(t, still{})
	r.search(faceAt(100, 100, 0.99), faceAt(130, 100, 0.99))
	r.search()
	for _, e := range r.b.Lost() {
		if err := r.b.Again(e.Track, faceAt(115, 100, 0.9)); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range r.b.live {
		if s.seen != 1 {
			t.Errorf("track %d was seen %d times", s.id, s.seen)
		}
	}
}

func TestOrderOfCalls(t *testing.T) {
	b := New(small(), still{})
	if err := b.Found(nil); err == nil {
		t.Error("a search before the first frame")
	}
	if err := b.Next(1, Motion{}); err == nil {
		t.Error("the second frame comes first")
	}
	if err := errors.Join(b.Next(0, Motion{}), b.Found(nil)); err != nil {
		t.Fatal(err)
	}
	if err := b.Found(nil); err == nil {
		t.Error("a frame is searched twice")
	}
	if err := b.Next(0, Motion{}); err == nil {
		t.Error("a frame comes twice")
	}
	if tracks := New(small(), still{}).Finish(); len(tracks) != 0 {
		t.Error("tracks without frames")
	}
}

func TestFlowFails(t *testing.T) {
	for _, flow := range []broken{{errFlow}, {nil}} {
		b := New(small(), flow)
		if err := errors.Join(b.Next(0, Motion{}), b.Found([]face.Face{faceAt(10, 10, 1)})); err != nil {
			t.Fatal(err)
		}
		if err := b.Next(1, Motion{}); err == nil || !errors.Is(err, flow.err) && flow.err != nil {
			t.Errorf("forwards: %v", err)
		}
		b = New(small(), flow)
		if err := errors.Join(b.Next(0, Motion{}), b.Next(1, Motion{})); err != nil {
			t.Fatal(err)
		}
		if err := b.Found([]face.Face{faceAt(10, 10, 1)}); err == nil {
			t.Error("backwards: no error")
		}
	}
}

func TestSearch(t *testing.T) {
	for _, test := range []struct {
		name        string
		o           Options
		since       int
		m           Motion
		first, last bool
		want        bool
	}{
		{"every third", small(), 3, Motion{}, false, false, true},
		{"not every second", small(), 2, Motion{}, false, false, false},
		{"first of a shot", small(), 1, Motion{Cut: true}, true, false, true},
		{"last of a shot", small(), 1, Motion{}, false, true, true},
		{"fast", small(), 1, Motion{Speed: 0.05}, false, false, true},
		{"few frames a second", Options{Rate: 8, Every: 3}, 1, Motion{}, false, false, true},
		{"an interval of zero", Options{Rate: 25}, 1, Motion{}, false, false, true},
		{"an interval beyond all bounds", Options{Rate: 240, Every: 1000}, 12, Motion{}, false, false, true},
	} {
		if got := test.o.Search(test.since, test.m, test.first, test.last); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

// A cover goes through JSON unharmed, and without what it does not need.
func TestCoverAsJSON(t *testing.T) {
	r := newReel(t, still{})
	for i := range 10 {
		r.search(faceAt(100+float64(i*i), 100, 0.99))
	}
	c := CoverOf(r.b.Finish()[0])
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var again Cover
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	for n := range 40 {
		a, ok := c.At(n)
		b, ok2 := again.At(n)
		if a != b || ok != ok2 {
			t.Errorf("frame %d: %v and %v", n, a, b)
		}
	}
	if perPosition := len(text) / len(c.Path); perPosition > 80 {
		t.Errorf("%d bytes a position", perPosition)
	}
	if _, ok := (&Cover{}).At(0); ok {
		t.Error("an empty cover covers something")
	}
}

// A head that runs faster than the flow can follow is one track nevertheless, and covered on its way into the picture and out of it.
func TestRunningHead(t *testing.T) {
	r := newReel(t, blind{})
	for range 4 {
		r.search()
	}
	for i := range 5 {
		r.frame(Motion{Speed: 0.05})
		r.found(faceAt(110+70*float64(i), 100+float64(i), 0.8))
	}
	for range 3 {
		r.search()
	}
	tracks := r.b.Finish()
	if len(tracks) != 1 || tracks[0].Seen != 5 {
		t.Fatalf("%+v", tracks)
	}
	for n, x := range map[int]float64{11: 40, 13: 180, 17: 440, 18: 500} {
		if p, ok := tracks[0].On(n); !ok || math.Abs(p.Box.X-x) > 25 {
			t.Errorf("frame %d: %+v, want it at %v", n, p, x)
		}
	}
	if tracks[0].First() != 10 {
		t.Errorf("begins on frame %d, before it is in the picture", tracks[0].First())
	}
}

// Where it may be either of two, a face that is far away belongs to none of them.
func TestTwoThatRun(t *testing.T) {
	r := newReel(t, blind{})
	r.search(faceAt(100, 100, 0.95), faceAt(200, 100, 0.95))
	r.frame(Motion{})
	r.found(faceAt(150, 100, 0.95))
	if tracks := r.b.Finish(); len(tracks) != 3 {
		t.Errorf("%d tracks, want 3", len(tracks))
	}
}
