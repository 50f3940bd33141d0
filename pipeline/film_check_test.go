package pipeline_test

import (
	"math"
	"slices"
	"testing"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/track"
	"github.com/consentry/consentry/pipeline"
)

// What comes from the process that decodes foreign files is not taken for it.
func TestNonsenseIsNotBelieved(t *testing.T) {
	type w = *pipeline.Watched
	for name, spoil := range map[string]func(w){
		"no frames":               func(w w) { w.Times = nil },
		"times fall":              func(w w) { w.Times[5] = 0 },
		"no width":                func(w w) { w.Info.Width = 0 },
		"no rate":                 func(w w) { w.Info.Rate = math.NaN() },
		"no shots":                func(w w) { w.Shots = nil },
		"first shot later":        func(w w) { w.Shots[0] = 1 },
		"shot beyond the end":     func(w w) { w.Shots[1] = filmFrames },
		"numbers twice":           func(w w) { w.Tracks[1].ID = 1 },
		"number 0":                func(w w) { w.Tracks[0].ID = 0 },
		"track without path":      func(w w) { w.Tracks[0].Path = nil },
		"path beyond the end":     func(w w) { w.Tracks[0].Path[1].Frame = filmFrames },
		"path runs back":          func(w w) { w.Tracks[0].Path[1].Frame = 0 },
		"box without size":        func(w w) { w.Tracks[0].Path[0].Box.W = 0 },
		"box is no number":        func(w w) { w.Tracks[0].Path[0].Box.X = math.Inf(1) },
		"shrinks":                 func(w w) { w.Tracks[0].Path[0].Grow = -0.5 },
		"of no shot":              func(w w) { w.Tracks[0].Shot = 2 },
		"seen outside":            func(w w) { w.Tracks[0].Runs[0][1] = 99 },
		"best outside":            func(w w) { w.Tracks[0].Best.Frame = 99 },
		"no best":                 func(w w) { w.Tracks[0].Best = track.View{Frame: 3} },
		"view outside":            func(w w) { w.Tracks[0].Views[0].Frame = 99 },
		"score that is no number": func(w w) { w.Tracks[0].Score = math.NaN() },
	} {
		t.Run(name, func(t *testing.T) {
			r := &reel{watched: footageOf(cast()...), picture: []byte("jpeg")}
			spoil(&r.watched)
			if results, err := shoot(t, r, newOrder(t, nil)); err == nil || results != nil || pipeline.KindOf(err) != pipeline.Hold {
				t.Errorf("%v, %d results", err, len(results))
			}
			if slices.Contains(r.calls, "render") {
				t.Error("rendered all the same")
			}
		})
	}
	widest := map[int][4]float64{1: {0, 0, 9, 9}}
	for name, made := range map[string]pipeline.Rendered{
		"a frame less":          {Frames: filmFrames - 1, Widest: widest},
		"passed on":             {Frames: filmFrames, Widest: widest, Remuxed: true},
		"nothing changed":       {Frames: filmFrames},
		"another track changed": {Frames: filmFrames, Widest: map[int][4]float64{2: {0, 0, 9, 9}}},
		"an empty region":       {Frames: filmFrames, Widest: map[int][4]float64{1: {}}},
		"region is no number":   {Frames: filmFrames, Widest: map[int][4]float64{1: {0, 0, 9, math.NaN()}}},
	} {
		r := &reel{watched: footageOf(cast()...), rendered: &made, file: []byte("x")}
		if results, err := shoot(t, r, newOrder(t, nil)); err == nil || results != nil || slices.Contains(r.calls, "screen") {
			t.Errorf("%s: %v, %d results", name, err, len(results))
		}
	}
}

// A head that is carried out of the picture, or was never in it, may have nothing below its cover.
func TestCoversOutsideOfThePictureMayChangeNothing(t *testing.T) {
	for name, test := range map[string]struct {
		x    float64
		want bool
	}{
		"in the picture":   {300, false},
		"across its edge":  {-24, false},
		"beside the frame": {-200, true},
	} {
		made := pipeline.Rendered{Frames: filmFrames, Widest: map[int][4]float64{1: {}}}
		tr := facingAt(face.Box{X: test.x, Y: 100, W: 48, H: 48}, 0, 40, person(1))
		r := &reel{watched: footageOf(tr), rendered: &made, file: cleanFilm(t), picture: []byte("jpeg")}
		if _, err := shoot(t, r, newOrder(t, nil)); (err == nil) != test.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
