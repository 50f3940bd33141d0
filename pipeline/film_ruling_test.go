package pipeline_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/track"
	"github.com/consentry/consentry/pipeline"
)

// moment is the time stamp of a frame of the tests' film.
func moment(frame int) *time.Duration {
	at := footageOf().Times[frame]
	return &at
}

// decidedAt is a ruling on what is at the place on a frame.
func decidedAt(frame int, place face.Box, change func(*pipeline.Ruling)) pipeline.Ruling {
	r := pipeline.Ruling{Box: place, At: moment(frame)}
	change(&r)
	return r
}

func withRulings(rulings ...pipeline.Ruling) func(*pipeline.Order) {
	return func(o *pipeline.Order) { o.Rulings = pipeline.Rulings{assetDigest: rulings} }
}

func as(outcome consent.Outcome, basis string) func(*pipeline.Ruling) {
	return func(r *pipeline.Ruling) {
		r.As = map[consent.Purpose]pipeline.Verdict{consent.Website: {Outcome: outcome, Bases: []string{basis}}}
	}
}

func is(subject string) func(*pipeline.Ruling) { return func(r *pipeline.Ruling) { r.Is = subject } }

func not(subject string) func(*pipeline.Ruling) {
	return func(r *pipeline.Ruling) { r.Not = []string{subject} }
}

func TestRulingsOnTracks(t *testing.T) {
	place := placed(person(1)).Box
	aside := face.Box{X: place.X + 30, Y: place.Y, W: place.W, H: place.H}
	doubtful := facing(10, 50, nearly(1))
	before := judged(t, nil, doubtful)[0]
	if before.Outcome != consent.Review || before.Basis == "" {
		t.Fatalf("%+v, want an unsure match that waits", before)
	}
	ruling := func(frame int, change func(*pipeline.Ruling)) func(*pipeline.Order) {
		return withRulings(decidedAt(frame, place, change))
	}
	ofPhotograph := decidedAt(30, place, as(consent.Show, before.Basis))
	ofPhotograph.At = nil
	for name, test := range map[string]struct {
		change func(*pipeline.Order)
		want   consent.Outcome
		rule   string
	}{
		"show":                     {ruling(30, as(consent.Show, before.Basis)), consent.Show, pipeline.RulePerson},
		"on its first frame":       {ruling(10, as(consent.Show, before.Basis)), consent.Show, pipeline.RulePerson},
		"on its last frame":        {ruling(50, as(consent.Show, before.Basis)), consent.Show, pipeline.RulePerson},
		"obscure":                  {ruling(30, as(consent.Obscure, "")), consent.Obscure, pipeline.RulePerson},
		"show, went by others":     {ruling(30, as(consent.Show, "something else")), consent.Review, pipeline.RuleUnsure},
		"it is the objector":       {ruling(30, is("4021")), consent.Obscure, ""},
		"it is another":            {ruling(30, is("4022")), consent.Show, ""},
		"it is not her":            {ruling(30, not("4021")), consent.Show, ""},
		"another moment":           {ruling(5, as(consent.Show, before.Basis)), consent.Review, pipeline.RuleUnsure},
		"after it":                 {ruling(51, is("4022")), consent.Review, pipeline.RuleUnsure},
		"another place":            {withRulings(decidedAt(30, aside, is("4022"))), consent.Review, pipeline.RuleUnsure},
		"a ruling of a photograph": {withRulings(ofPhotograph), consent.Review, pipeline.RuleUnsure},
		"show and obscure, as they were two": {
			withRulings(decidedAt(20, place, as(consent.Show, before.Basis)), decidedAt(40, place, as(consent.Obscure, ""))), consent.Obscure, pipeline.RulePerson,
		},
		"obscure and show, as they were two": {
			withRulings(decidedAt(20, place, as(consent.Obscure, "")), decidedAt(40, place, as(consent.Show, before.Basis))), consent.Obscure, pipeline.RulePerson,
		},
		"shown twice, one stale": {
			withRulings(decidedAt(20, place, as(consent.Show, "stale")), decidedAt(40, place, as(consent.Show, before.Basis))), consent.Show, pipeline.RulePerson,
		},
		"not her, and shown for nothing": {
			withRulings(decidedAt(20, place, not("4021")), decidedAt(40, place, is(""))), consent.Show, "",
		},
		"two subjects": {withRulings(decidedAt(20, place, is("4022")), decidedAt(40, place, is("4021"))), consent.Review, pipeline.RuleUnsure},
	} {
		t.Run(name, func(t *testing.T) {
			got := judged(t, test.change, doubtful)[0]
			if got.Outcome != test.want || test.rule != "" && got.Rule != test.rule {
				t.Errorf("%s by %s, want %s by %s", got.Outcome, got.Rule, test.want, test.rule)
			}
		})
	}
}

// Between two positions of a thinned path a face is where it is interpolated.
func TestRulingMeetsAMovingFace(t *testing.T) {
	moving := facing(0, 50, nearly(1))
	moving.Path[1].Box.X += 200
	halfway := moving.Path[0].Box
	halfway.X += 100
	if got := judged(t, withRulings(decidedAt(25, halfway, is("4021"))), moving)[0]; got.Outcome != consent.Obscure {
		t.Errorf("%s by %s", got.Outcome, got.Rule)
	}
	if got := judged(t, withRulings(decidedAt(25, moving.Path[0].Box, is("4021"))), moving)[0]; got.Outcome == consent.Obscure {
		t.Error("decided by a ruling on where the face had been")
	}
}

// Who is obscured on a person's word is so in every shot.
func TestObscuringATrackObscuresThePerson(t *testing.T) {
	one, other := facing(0, 59, person(9)), facing(60, 99, person(9))
	got := judged(t, withRulings(decidedAt(30, placed(person(9)).Box, as(consent.Obscure, ""))), one, other, facing(60, 99, person(8)))
	if want := []consent.Outcome{consent.Obscure, consent.Obscure, consent.Show}; !slices.Equal(outcomes(got), want) {
		t.Errorf("%v, want %v", outcomes(got), want)
	}
	if got[1].Rule != pipeline.RulePerson || !strings.Contains(got[1].Reason, "0:00") {
		t.Errorf("%s: %s", got[1].Rule, got[1].Reason)
	}
	named := judged(t, withRulings(decidedAt(30, placed(person(9)).Box, is("4021"))), one, other)
	if named[1].Outcome != consent.Obscure || named[1].Match.Subject != "4021" || named[1].Match.Reason != pipeline.ReasonSamePerson {
		t.Errorf("%+v", named[1])
	}
	byItself := judged(t, withRulings(
		decidedAt(30, placed(person(9)).Box, as(consent.Obscure, "")), decidedAt(80, placed(person(9)).Box, not("4023")),
	), one, other)
	if byItself[1].Outcome != consent.Show {
		t.Errorf("%s: a person has looked at that one", byItself[1].Outcome)
	}
}

// What a person has had obscured is not released because nothing is found there this time.
func TestADecidedTrackThatIsNotFoundWithholds(t *testing.T) {
	place := placed(person(4)).Box
	clean := cleanFilm(t)
	obscured := facingAt(face.Box{X: place.X - 20, Y: place.Y, W: 90, H: 60}, 0, 59, person(1))
	for name, test := range map[string]struct {
		ruling   pipeline.Ruling
		tracks   []track.Track
		withheld bool
	}{
		"obscured":             {decidedAt(30, place, as(consent.Obscure, "")), nil, true},
		"named, who may not":   {decidedAt(30, place, is("4021")), nil, true},
		"named, who may":       {decidedAt(30, place, is("4022")), nil, false},
		"shown":                {decidedAt(30, place, as(consent.Show, "")), nil, false},
		"not somebody":         {decidedAt(30, place, not("4021")), nil, false},
		"obscured by another":  {decidedAt(30, place, as(consent.Obscure, "")), []track.Track{obscured}, false},
		"another, but later":   {decidedAt(70, place, as(consent.Obscure, "")), []track.Track{obscured}, true},
		"for a photograph":     {pipeline.Ruling{Box: place, As: map[consent.Purpose]pipeline.Verdict{consent.Website: {Outcome: consent.Obscure}}}, nil, false},
		"in a part not wanted": {pipeline.Ruling{Box: place, At: new(time.Duration), Is: "4021"}, nil, false},
		"found":                {decidedAt(30, place, as(consent.Obscure, "")), []track.Track{facing(0, 59, person(4))}, false},
		"for another purpose": {decidedAt(30, place, func(r *pipeline.Ruling) {
			r.As = map[consent.Purpose]pipeline.Verdict{consent.Press: {Outcome: consent.Obscure}}
		}), nil, false},
		"right beside the edge": {decidedAt(59, place, as(consent.Obscure, "")), []track.Track{obscured}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := &reel{watched: footageOf(test.tracks...), file: clean, picture: []byte("jpeg")}
			result := shootOne(t, r, newOrder(t, withRulings(test.ruling)))
			lost := result.Outcome == pipeline.Withheld && strings.Contains(result.Reason, "not found there any more: 0:0")
			if lost != test.withheld || !lost && result.Outcome != pipeline.Released {
				t.Errorf("%s: %s", result.Outcome, result.Reason)
			}
			if lost && (len(r.stills) > 0 || result.Clearance != nil || result.DerivativePath != "") {
				t.Error("something of a film that is withheld was handed on")
			}
		})
	}
}

func TestTrackID(t *testing.T) {
	box := face.Box{X: 1, Y: 2, W: 3, H: 4}
	id := pipeline.TrackID(assetDigest, time.Second, box)
	if len(id) != 12 || id == pipeline.TrackID(assetDigest, 2*time.Second, box) || id == pipeline.FaceID(assetDigest, box) ||
		id == pipeline.TrackID(strings.Repeat("01", 32), time.Second, box) {
		t.Errorf("%s does not name the moment, the place and the film", id)
	}
	box.X += 0.2
	if id != pipeline.TrackID(assetDigest, time.Second, box) {
		t.Error("a name that depends on parts of a pixel")
	}
}

// Rulings on photographs are written as they always were.
func TestRulingOnAPhotographHasNoTime(t *testing.T) {
	text, err := json.Marshal(pipeline.Ruling{Box: face.Box{X: 1, Y: 2, W: 3, H: 4}, Is: "4021"})
	if want := `{"box":{"x":1,"y":2,"w":3,"h":4},"is":"4021"}`; err != nil || string(text) != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
}

// A ruling on a film says nothing of a photograph's faces.
func TestRulingOnAFilmIsNotOneOnAPhotograph(t *testing.T) {
	f := nearly(1)
	got, _ := verdictOn(t, f, withRulings(decidedAt(30, f.Box, is("4021"))))
	if got.Outcome != consent.Review || got.Match.Band != gallery.Unsure {
		t.Errorf("%s by %s", got.Outcome, got.Rule)
	}
}
