package look

import (
	"context"
	"testing"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/media/raster"
	"github.com/consentry/consentry/internal/track"
	"github.com/consentry/consentry/pipeline"
)

// sorting is a sorter for 100 frames, 25 a second, and one track at the box from first to last. The patient look gives the scores in
// turn, and the last one from then on; looks counts them.
func sorting(box face.Box, hidden bool, looks *int, scores ...float64) *sorter {
	e := &Eyes{}
	e.films.confirm = func(_ context.Context, _ raster.Mat, box face.Box) (face.Face, bool, error) {
		score := scores[min(*looks, len(scores)-1)]
		*looks++
		return face.Face{Box: box, Score: score}, true, nil
	}
	s := pipeline.Screening{
		Rendering: pipeline.Rendering{Info: film.Info{Rate: 25}, Shots: []int{0}},
		Known:     []track.Track{{ID: 3, Path: []track.Position{{Frame: 0, Box: box}, {Frame: 99, Box: box}}}},
	}
	if hidden {
		s.Hidden = []int{3}
	}
	for range 100 {
		s.Rendering.Times = append(s.Rendering.Times, 0)
	}
	return newSorter(e, s)
}

// takeAll shows the sorter one face on every fifth frame.
func (o *sorter) takeAll(t *testing.T, box face.Box, from, to int) {
	t.Helper()
	for n := from; n <= to; n += 5 {
		o.begin(n, true, false)
		if err := o.take(t.Context(), raster.Mat{}, n, face.Face{Box: box, Score: 0.8}); err != nil {
			t.Fatal(err)
		}
	}
}

// What was not surely a face below a cover may be one a moment later.
func TestALeakIsLookedForAgain(t *testing.T) {
	box, looks := face.Box{X: 100, Y: 100, W: 40, H: 40}, 0
	o := sorting(box, true, &looks, 0.85, 0.95)
	o.takeAll(t, box, 0, 20)
	seen := o.faces()
	if len(seen) != 1 || seen[0].Hidden != 3 || seen[0].Face.Score != 0.95 || seen[0].Path[0].Frame != 0 {
		t.Errorf("%+v", seen)
	}
	if looks != 2 {
		t.Errorf("%d patient looks: one that saw a face surely is enough", looks)
	}
	looks = 0
	o = sorting(box, true, &looks, 0.85)
	o.takeAll(t, box, 0, 95)
	if seen := o.faces(); looks != 10 || len(seen) != 1 || seen[0].Hidden != 0 {
		t.Errorf("%d patient looks in four seconds, %+v", looks, seen)
	}
}

// A worse look than before takes nothing away.
func TestTheSurestLookIsKept(t *testing.T) {
	box, looks := face.Box{X: 100, Y: 100, W: 40, H: 40}, 0
	o := sorting(box, true, &looks, 0.85, 0.6, 0.88, 0.7)
	o.takeAll(t, box, 0, 95)
	if seen := o.faces(); len(seen) != 1 || seen[0].Face.Score != 0.88 {
		t.Errorf("%+v", seen)
	}
}

// Who is not compared with anybody is not looked at on a track that is shown.
func TestShownTracksAreLookedAtOnlyToBeDescribed(t *testing.T) {
	box, looks := face.Box{X: 100, Y: 100, W: 40, H: 40}, 0
	o := sorting(box, false, &looks, 0.95)
	o.takeAll(t, box, 0, 95)
	if seen := o.faces(); len(seen) != 0 || looks != 0 {
		t.Errorf("%d looks, %+v", looks, seen)
	}
}

func TestShownTracksAreDescribedNowAndThen(t *testing.T) {
	box, looks := face.Box{X: 100, Y: 100, W: 40, H: 40}, 0
	for name, test := range map[string]struct {
		templates face.Templates
		want      int // looks in four seconds
	}{
		"says who it is": {face.Templates{"a": {1}}, 3},
		"says nothing":   {nil, 7},
	} {
		looks = 0
		o := sorting(box, false, &looks, 0.95)
		o.describe = func(_ context.Context, _ raster.Mat, f face.Face) (face.Face, error) {
			f.Templates = test.templates
			return f, nil
		}
		o.takeAll(t, box, 0, 95)
		seen := o.faces()
		if looks != test.want || len(seen) != 3 && test.templates != nil || len(seen) != 0 && test.templates == nil {
			t.Fatalf("%s: %d looks, %+v", name, looks, seen)
		}
		for i, s := range seen {
			if s.Shown != 3 || s.Hidden != 0 || s.Frame != 40*i || len(s.Path) != 0 {
				t.Errorf("%s: %+v", name, s)
			}
		}
	}
}

func TestLeaps(t *testing.T) {
	black, lit := make([]byte, 320*240), make([]byte, 320*240)
	moved := make([]byte, 320*240)
	for i := range lit {
		lit[i] = byte(i%320)/2 + 60
		moved[i] = byte((i+8)%320)/2 + 60
	}
	for name, test := range map[string]struct {
		one, other []byte
		want       bool
	}{
		"lit for a moment": {black, lit, true},
		"nothing happened": {lit, lit, false},
		"it moved":         {lit, moved, false},
	} {
		var a, b blocks
		a.measure(test.one, 320, 240)
		b.measure(test.other, 320, 240)
		if a.leaps(&b) != test.want || b.leaps(&a) != test.want {
			t.Errorf("%s: leaps %t", name, !test.want)
		}
	}
	var none, some blocks
	some.measure(lit, 320, 240)
	if some.leaps(&none) {
		t.Error("it leaps from nothing: whether the first frame is searched is not asked here")
	}
}

// A face that is lit for one frame between black ones is no moment's deception.
func TestAFlashIsNotFleeting(t *testing.T) {
	box, looks := face.Box{X: 100, Y: 100, W: 40, H: 40}, 0
	for _, leapt := range []bool{false, true} {
		o := sorting(face.Box{X: 300, Y: 10, W: 40, H: 40}, true, &looks, 0.95)
		o.begin(0, true, false)
		o.begin(7, true, leapt)
		if err := o.take(t.Context(), raster.Mat{}, 7, face.Face{Box: box, Score: 0.9}); err != nil {
			t.Fatal(err)
		}
		o.begin(10, true, leapt)
		if sure := o.faces()[0].Face.Score >= surelyFace; sure != leapt {
			t.Errorf("leapt %t: surely a face %t", leapt, sure)
		}
	}
}
