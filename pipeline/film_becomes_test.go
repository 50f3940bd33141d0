package pipeline_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/pipeline"
)

// became are the faces that a screening tells of a track that is shown, one after another, where the track of the place is.
func became(id int, place face.Face, faces ...face.Face) []pipeline.Seen {
	var seen []pipeline.Seen
	for i, f := range faces {
		f.Box, f.Score = placed(place).Box, 0.95
		seen = append(seen, pipeline.Seen{Frame: 10 + 10*i, Face: f, Shown: id})
	}
	return seen
}

// A track on which two people are seen one after the other, as in a cross-fade, is judged by both.
func TestATrackThatBecomesSomebodyElse(t *testing.T) {
	clean := cleanFilm(t)
	granted, stranger := person(2), person(9)
	const waits = "1 face needs a person's decision"
	for name, test := range map[string]struct {
		is     face.Face
		seen   []face.Face
		added  consent.Outcome // of the track that is added; "": none
		reason string
	}{
		"stays who it is":                       {granted, []face.Face{person(2), person(2)}, "", ""},
		"stays a stranger":                      {stranger, []face.Face{person(9), person(8), {}}, "", ""},
		"becomes an objector":                   {granted, []face.Face{person(2), person(1), person(1)}, consent.Obscure, ""},
		"a stranger becomes an objector":        {stranger, []face.Face{person(9), person(1)}, consent.Obscure, ""},
		"is once perhaps an objector":           {stranger, []face.Face{person(9), nearly(1)}, "", ""},
		"is twice perhaps an objector":          {stranger, []face.Face{nearly(1), person(9), nearly(1)}, consent.Review, waits},
		"is twice perhaps one, but surely 4022": {granted, []face.Face{nearly(1), nearly(1)}, "", ""},
		"is perhaps one, then surely":           {stranger, []face.Face{nearly(1), nearly(1), person(1)}, consent.Obscure, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := &reel{watched: footageOf(facing(0, 59, test.is)), look: bareUntil(1, became(1, test.is, test.seen...)...), file: clean, picture: []byte("jpeg")}
			result := shootOne(t, r, newOrder(t, nil))
			want := pipeline.Released
			if test.reason != "" {
				want = pipeline.Withheld
			}
			if result.Outcome != want || !strings.HasPrefix(result.Reason, test.reason) {
				t.Fatalf("%s: %s", result.Outcome, result.Reason)
			}
			if test.added == "" {
				if len(result.Tracks) != 1 || len(r.render.Covers) != 0 {
					t.Errorf("%d tracks, %d covers", len(result.Tracks), len(r.render.Covers))
				}
				return
			}
			v := result.Tracks[1]
			if len(result.Tracks) != 2 || v.Outcome != test.added || v.Match.Subject != "4021" || v.FirstFrame != 0 || v.LastFrame != 59 {
				t.Fatalf("%+v", v)
			}
			if test.added == consent.Obscure && (len(r.render.Covers) != 1 || r.render.Covers[0].Path[0].Frame != 0 || !slices.Contains(r.screen.Hidden, v.ID)) {
				t.Errorf("covers %+v, hidden %v", r.render.Covers, r.screen.Hidden)
			}
		})
	}
}

func TestATrackThatGoesOnBecomingSomebodyElseWithholds(t *testing.T) {
	r := &reel{watched: footageOf(facing(0, 59, person(2))), screened: pipeline.Screened{Faces: became(1, person(2), person(2), person(1))}, file: cleanFilm(t), picture: []byte("jpeg")}
	result := shootOne(t, r, newOrder(t, nil))
	if result.Outcome != pipeline.Withheld || result.Reason != "somebody who looks like 4021 is seen at 0:01 in a face that was taken for one person" {
		t.Errorf("%s: %s", result.Outcome, result.Reason)
	}
}

// What a person says of the track holds for what it becomes; a mere wish to show it does not stand against certainty.
func TestRulingsOnATrackThatBecomesSomebodyElse(t *testing.T) {
	clean := cleanFilm(t)
	shootWith := func(seen []face.Face, rulings ...pipeline.Ruling) pipeline.Result {
		r := &reel{watched: footageOf(facing(0, 59, person(9))), look: bareUntil(1, became(1, person(9), seen...)...), file: clean, picture: []byte("jpeg")}
		return shootOne(t, r, newOrder(t, withRulings(rulings...)))
	}
	doubtful := []face.Face{nearly(1), nearly(1)}
	waiting := shootWith(doubtful).Tracks[1]
	ruling := func(change func(*pipeline.Ruling)) pipeline.Ruling {
		told := pipeline.Ruling{Box: waiting.Box, At: &waiting.At}
		change(&told)
		return told
	}
	for name, test := range map[string]struct {
		seen  []face.Face
		told  pipeline.Ruling
		shown bool
	}{
		"may be shown":              {doubtful, ruling(as(consent.Show, waiting.Basis)), true},
		"is not her":                {doubtful, ruling(not("4021")), true},
		"is another":                {doubtful, ruling(is("4022")), true},
		"is her":                    {doubtful, ruling(is("4021")), false},
		"is obscured":               {doubtful, ruling(as(consent.Obscure, "")), false},
		"surely her, may be shown":  {[]face.Face{person(1)}, ruling(as(consent.Show, waiting.Basis)), false},
		"surely her, but is not so": {[]face.Face{person(1)}, ruling(not("4021")), true},
	} {
		result := shootWith(test.seen, test.told)
		hidden := slices.ContainsFunc(result.Tracks, func(v pipeline.TrackResult) bool { return v.Outcome == consent.Obscure })
		if result.Outcome != pipeline.Released || hidden == test.shown {
			t.Errorf("%s: %s: %s, obscured %t", name, result.Outcome, result.Reason, hidden)
		}
	}
}

func TestFacesOfTracksThatAreNotThereAreRefused(t *testing.T) {
	for _, seen := range []pipeline.Seen{{Frame: 10, Shown: 7}, {Frame: 80, Shown: 1}, {Frame: 10, Shown: -1}} {
		seen.Face = placed(person(2))
		r := &reel{watched: footageOf(facing(0, 59, person(2))), screened: pipeline.Screened{Faces: []pipeline.Seen{seen}}, file: cleanFilm(t)}
		if results, err := shoot(t, r, newOrder(t, nil)); err == nil || results != nil {
			t.Errorf("frame %d of track %d: no error", seen.Frame, seen.Shown)
		}
	}
}
