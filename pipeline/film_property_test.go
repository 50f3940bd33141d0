package pipeline_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/track"
	"github.com/consentry/consentry/pipeline"
)

// chance makes films, orders and answers up.
type chance struct{ *rand.Rand }

func (c chance) one(n int) bool { return c.IntN(n) == 0 }

func (c chance) face() face.Face {
	n := 1 + c.IntN(6)
	switch c.IntN(4) {
	case 0:
		return nearly(n)
	case 1:
		return onlyMobile(like(n, 0.7, 0.7141, 200+c.IntN(9)))
	case 2:
		return face.Face{}
	}
	return person(n)
}

func (c chance) track() track.Track {
	first := c.IntN(filmFrames)
	last := first + c.IntN(filmFrames-first)
	if first < cutAt {
		last = min(last, cutAt-1)
	}
	var views []face.Face
	for range c.IntN(4) {
		views = append(views, c.face())
	}
	side := 20 + 60*c.Float64()
	return facingAt(face.Box{X: 500 * c.Float64(), Y: 250 * c.Float64(), W: side, H: side}, first, last, views...)
}

func (c chance) watched() pipeline.Watched {
	var tracks []track.Track
	for range c.IntN(6) {
		tracks = append(tracks, c.track())
	}
	w := footageOf(tracks...)
	if c.one(20) {
		w.Times = w.Times[:c.IntN(len(w.Times))]
	}
	return w
}

func (c chance) order(t *testing.T, w pipeline.Watched) pipeline.Order {
	t.Helper()
	return newOrder(t, func(o *pipeline.Order) {
		o.Mode = []pipeline.Mode{pipeline.Objectors, pipeline.Cleared, pipeline.Everyone}[c.IntN(3)]
		o.UnknownFace = []consent.Outcome{"", consent.Show, consent.Obscure, consent.Review}[c.IntN(4)]
		var rulings []pipeline.Ruling
		for range c.IntN(3) {
			rulings = append(rulings, c.ruling(w))
		}
		o.Rulings = pipeline.Rulings{assetDigest: rulings}
	})
}

func (c chance) ruling(w pipeline.Watched) pipeline.Ruling {
	r := pipeline.Ruling{At: moment(c.IntN(filmFrames)), Box: face.Box{X: 100, Y: 100, W: 50, H: 50}}
	if len(w.Tracks) > 0 {
		tr := w.Tracks[c.IntN(len(w.Tracks))]
		r.At, r.Box = moment(tr.First()), tr.Path[0].Box
	}
	switch c.IntN(4) {
	case 0:
		r.Is = []string{"4021", "4022", "4099"}[c.IntN(3)]
	case 1:
		r.Not = []string{"4021"}
	case 2:
		as([]consent.Outcome{consent.Show, consent.Obscure, consent.Review, "nonsense"}[c.IntN(4)], "some basis")(&r)
	}
	return r
}

// reel answers anything, but mostly what it ought to.
func (c chance) reel(clean []byte) *reel {
	r := &reel{watched: c.watched(), file: clean, picture: []byte("jpeg")}
	switch c.IntN(8) {
	case 0:
		r.fail, r.err = []string{"watch", "render", "screen", "stills"}[c.IntN(4)], errors.New("odd")
	case 1:
		r.file = append([]byte("x"), clean...)
	case 2:
		r.rendered = &pipeline.Rendered{Frames: filmFrames - c.IntN(2), Remuxed: c.one(2), Widest: map[int][4]float64{1 + c.IntN(3): {1, 2, 3, 4}}}
	case 3:
		r.screened.Fault = "something"
	case 4:
		f := c.face()
		f.Box, f.Score = face.Box{X: 500 * c.Float64(), Y: 100, W: 40, H: 40}, c.Float64()
		r.screened.Faces = []pipeline.Seen{{Frame: c.IntN(filmFrames + 1), Face: f, Hidden: c.IntN(3)}}
	}
	return r
}

// Whatever the process that looks at films answers, and whatever is wanted: what is not released has no derivative, and what
// is released has every track that is not shown under a cover, which was rendered and screened for.
func TestNothingIsReleasedThatIsNotCovered(t *testing.T) {
	clean := cleanFilm(t)
	c := chance{rand.New(rand.NewPCG(4, 2))}
	released := 0
	for n := range 200 {
		r := c.reel(clean)
		order := c.order(t, r.watched)
		results, err := shoot(t, r, order)
		if err != nil {
			if results != nil || pipeline.KindOf(err) > pipeline.Reject {
				t.Fatalf("film %d: %v with %d results", n, err, len(results))
			}
			continue
		}
		if fault := r.wrong(results[0], order); fault != "" {
			t.Fatalf("film %d, %s: %s: %+v", n, order.Mode, fault, results[0].Tracks)
		}
		if results[0].Outcome == pipeline.Released {
			released++
		}
	}
	if released < 20 {
		t.Errorf("only %d of 200 were released: the test says little", released)
	}
}

// wrong says what must not be in a result.
func (r *reel) wrong(result pipeline.Result, order pipeline.Order) string {
	if result.Outcome != pipeline.Released {
		if result.Outcome != pipeline.Withheld || result.Reason == "" || result.DerivativePath != "" || result.Clearance != nil || result.DerivativeSHA256 != "" {
			return "something of a film that is not released was handed on, or it is not said why"
		}
		return ""
	}
	if r.screened.Fault != "" || len(result.Tracks) != len(r.watched.Tracks) {
		return "released with a fault, or with other tracks"
	}
	if _, err := os.Stat(result.DerivativePath); err != nil || result.Clearance == nil {
		return fmt.Sprintf("released without a film: %v", err)
	}
	for _, v := range result.Tracks {
		covered := slices.ContainsFunc(r.render.Covers, func(c track.Cover) bool { return c.Track == v.ID })
		screened := slices.Contains(r.screen.Hidden, v.ID)
		if hidden := v.Outcome != consent.Show; hidden != covered || hidden != screened || hidden != (v.Region != nil) {
			return fmt.Sprintf("track %d: %s, covered %t, screened for %t", v.ID, v.Outcome, covered, screened)
		}
		if why := mayNotBeShown(v, order); v.Outcome == consent.Show && why != "" {
			return fmt.Sprintf("track %d is shown: %s", v.ID, why)
		}
		if v.Outcome != consent.Show && v.Outcome != consent.Obscure {
			return fmt.Sprintf("track %d waits, and the film is released", v.ID)
		}
	}
	return ""
}

// mayNotBeShown says why a track must not be shown, going by what its own match says, without a person's word: no basis
// of the made-up rulings holds, so that none shows anybody.
func mayNotBeShown(v pipeline.TrackResult, order pipeline.Order) string {
	switch {
	case v.Match.Band != "none" && v.Match.Subject != "" && v.Match.Subject != "4022" && v.Match.Subject != "4023":
		return "it is perhaps " + v.Match.Subject
	case order.Mode == pipeline.Everyone:
		return "everybody is obscured"
	case order.Mode == pipeline.Cleared && v.Match.Band != "confident":
		return "it is not surely cleared"
	case v.Rule == pipeline.RulePerson:
		return "on a person's word that does not hold"
	}
	return ""
}
