package pipeline_test

import (
	"slices"
	"testing"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/track"
	"github.com/consentry/consentry/pipeline"
)

// glimpse looks like the person, but not surely, and each one differs in another way.
func glimpse(n, other int) face.Face {
	f := person(n)
	m := make([]float32, 512)
	m[n], m[200+other] = 0.42, 0.9075
	f.Templates = face.Templates{face.MobileFaceNet: m}
	return f
}

// like is somebody whom nobody knows, as alike as the cosine says to the person.
func like(n int, cosine, rest float32, other int) face.Face {
	f := person(n)
	m := make([]float32, 512)
	m[n], m[other] = cosine, rest
	f.Templates = face.Templates{face.MobileFaceNet: m}
	return f
}

// between is a stranger who is somewhat like every glimpse, so that all could be views of one person.
func between(other int) face.Face {
	f := person(9)
	m := make([]float32, 512)
	for i := 1; i <= 6; i++ {
		m[200+i] = 0.36
	}
	m[210+other] = 0.4714 // the rest of unit length
	f.Templates = face.Templates{face.MobileFaceNet: m}
	return f
}

func onlyMobile(f face.Face) face.Face {
	f.Templates = face.Templates{face.MobileFaceNet: f.Templates[face.MobileFaceNet]}
	return f
}

// A track is matched by what all its views say together: none of these is sure alone.
func TestViewsSpeakTogether(t *testing.T) {
	one := judged(t, nil, facing(0, 59, glimpse(1, 1)))
	if one[0].Match.Band != gallery.Unsure || one[0].Outcome != consent.Review {
		t.Fatalf("%+v", one[0].Match)
	}
	all := judged(t, nil, facing(0, 59, glimpse(1, 1), glimpse(1, 2), glimpse(1, 3), glimpse(1, 4)))
	if all[0].Match.Band != gallery.Confident || all[0].Match.Subject != "4021" || all[0].Outcome != consent.Obscure {
		t.Errorf("%+v", all[0].Match)
	}
}

// One subject is not two faces at once, but may well be at different times.
func TestOneSubjectIsNotTwoFacesAtOnce(t *testing.T) {
	elsewhere := face.Box{X: 400, Y: 200, W: 48, H: 48}
	lesser := like(2, 0.8, 0.6, 300) // confident, were it alone
	at := func(first, last int) track.Track { return facingAt(elsewhere, first, last, lesser) }
	for name, test := range map[string]struct {
		second track.Track
		want   gallery.Band
	}{
		"at the same time":      {at(10, 40), gallery.Unsure},
		"one after the other":   {at(31, 59), gallery.Confident},
		"in another shot":       {at(60, 99), gallery.Confident},
		"the same place, twice": {facingAt(placed(person(2)).Box, 10, 40, lesser), gallery.Confident},
	} {
		t.Run(name, func(t *testing.T) {
			got := judged(t, func(o *pipeline.Order) { o.UnknownFace = consent.Obscure }, facing(0, 30, person(2)), test.second)
			if got[0].Match.Band != gallery.Confident || got[1].Match.Band != test.want {
				t.Errorf("%s and %s, want confident and %s", got[0].Match.Band, got[1].Match.Band, test.want)
			}
		})
	}
}

// A track can go on with another head where two cross.
func TestATrackThatSwapsHeads(t *testing.T) {
	cleared := func(o *pipeline.Order) { o.Mode = pipeline.Cleared }
	strict := func(o *pipeline.Order) { o.UnknownFace = consent.Obscure }
	withdrawn := func(o *pipeline.Order) { withdraw(t, o, "4022") }
	not := func(o *pipeline.Order) {
		at := footageOf().Times[30]
		o.Rulings = pipeline.Rulings{assetDigest: {{Box: placed(person(9)).Box, At: &at, Not: []string{"4021"}}}}
	}
	for name, test := range map[string]struct {
		change func(*pipeline.Order)
		views  []face.Face
		want   consent.Outcome
		reason string
	}{
		"a stranger throughout":                   {nil, []face.Face{person(9), person(9), person(9)}, consent.Show, ""},
		"one moment of somebody who may not":      {nil, []face.Face{person(9), person(9), person(9), person(1)}, consent.Review, pipeline.ReasonOneView},
		"who, as a person has said, it is not":    {not, []face.Face{person(9), person(9), person(9), person(1)}, consent.Show, ""},
		"one moment of somebody who may":          {nil, []face.Face{person(9), person(9), person(9), person(2)}, consent.Show, ""},
		"shown, and a moment of who may not":      {nil, []face.Face{person(2), person(2), person(2), person(1)}, consent.Review, pipeline.ReasonOneView},
		"obscured either way":                     {withdrawn, []face.Face{person(2), person(2), person(2), person(1)}, consent.Obscure, ""},
		"cleared, and a moment of a stranger":     {cleared, []face.Face{person(2), person(2), person(2), person(9)}, consent.Obscure, pipeline.ReasonNotOneFace},
		"cleared throughout":                      {cleared, []face.Face{person(2), person(2), person(2)}, consent.Show, ""},
		"cleared, one view worse than the other":  {cleared, []face.Face{person(2), person(2), nearly(2)}, consent.Show, ""},
		"strangers are obscured, a moment of one": {strict, []face.Face{person(2), person(2), person(2), person(9)}, consent.Review, pipeline.ReasonNotOneFace},
		"perhaps who may not, at one moment":      {nil, []face.Face{between(0), between(3), between(4), glimpse(1, 1)}, consent.Show, ""},
		"perhaps who may not, at two moments":     {nil, []face.Face{between(0), between(3), between(4), between(5), glimpse(1, 1), glimpse(1, 2)}, consent.Review, pipeline.ReasonSomeViews},
		"perhaps who may, at two moments":         {nil, []face.Face{between(0), between(3), between(4), between(5), glimpse(2, 1), glimpse(2, 2)}, consent.Show, ""},
		"perhaps two who may not, one each":       {nil, []face.Face{between(0), between(3), between(4), between(5), glimpse(1, 1), glimpse(3, 1)}, consent.Show, ""},
		"two people, perhaps who may not once":    {nil, []face.Face{person(9), person(9), person(9), glimpse(1, 1)}, consent.Review, pipeline.ReasonSomeViews},
		"two people, perhaps who may once":        {nil, []face.Face{person(9), person(9), person(9), glimpse(2, 1)}, consent.Show, ""},
		"who may, and perhaps who may not once":   {nil, []face.Face{person(2), person(2), person(2), glimpse(1, 1)}, consent.Review, pipeline.ReasonSomeViews},
		"perhaps, but a person said it is not":    {not, []face.Face{person(9), person(9), person(9), glimpse(1, 1)}, consent.Show, ""},
	} {
		t.Run(name, func(t *testing.T) {
			tr := facingAt(placed(person(9)).Box, 0, 59, test.views...)
			got := judged(t, test.change, tr)[0]
			if got.Outcome != test.want || got.Match.Reason != test.reason {
				t.Errorf("%s by %s: %+v, want %s for %q", got.Outcome, got.Rule, got.Match, test.want, test.reason)
			}
		})
	}
}

// A person is the same in every shot.
func TestPersons(t *testing.T) {
	cleared := func(o *pipeline.Order) { o.Mode = pipeline.Cleared }
	strict := func(o *pipeline.Order) { o.UnknownFace = consent.Obscure }
	// Somebody who matches 4021 or 4022 in one shot surely, and is clearly the same person in another, without matching there.
	bridge := func(n int) face.Face { return onlyMobile(like(n, 0.75, 0.6614, 300)) } // 5.5+0.x with n, and
	far := func(n int) face.Face { return onlyMobile(like(n, 0.1, 0.995, 300)) }      // alike to bridge, not to n
	perhaps := onlyMobile(like(1, 0.42, 0.9075, 300))
	elsewhere := face.Box{X: 500, Y: 200, W: 48, H: 48}
	notHer := func(o *pipeline.Order) {
		at := footageOf().Times[80]
		o.Rulings = pipeline.Rulings{assetDigest: {{Box: elsewhere, At: &at, Not: []string{"4021"}}}}
	}
	second := func(f face.Face) track.Track { return facingAt(elsewhere, 60, 99, f) }
	for name, test := range map[string]struct {
		change func(*pipeline.Order)
		tracks []track.Track
		want   []consent.Outcome
		reason string // of the last one's match
	}{
		"who may not is so in the other shot": {
			nil,
			[]track.Track{facing(0, 59, bridge(1)), second(far(1))},
			[]consent.Outcome{consent.Obscure, consent.Obscure},
			pipeline.ReasonSamePerson,
		},
		"who may is shown in the other shot": {
			cleared,
			[]track.Track{facing(0, 59, bridge(2)), second(far(2))},
			[]consent.Outcome{consent.Show, consent.Show},
			pipeline.ReasonSamePerson,
		},
		"somebody else is not": {
			nil,
			[]track.Track{facing(0, 59, bridge(1)), second(person(9))},
			[]consent.Outcome{consent.Obscure, consent.Show},
			"",
		},
		"a person has said it is not her": {
			notHer,
			[]track.Track{facing(0, 59, bridge(1)), second(far(1))},
			[]consent.Outcome{consent.Obscure, consent.Show},
			"",
		},
		"she is seen beside it": {
			nil,
			[]track.Track{facing(0, 59, bridge(1)), facingAt(face.Box{X: 10, Y: 10, W: 48, H: 48}, 60, 99, onlyMobile(like(1, 0.7, 0.7141, 301))), second(far(1))},
			[]consent.Outcome{consent.Obscure, consent.Obscure, consent.Review},
			pipeline.ReasonAtTheSide,
		},
		"at the same time they are two": {
			nil,
			[]track.Track{facing(0, 59, bridge(1)), facingAt(elsewhere, 0, 59, far(1))},
			[]consent.Outcome{consent.Obscure, consent.Show},
			"",
		},
		"who may is not believed of one who perhaps may not": {
			nil,
			[]track.Track{facing(0, 59, onlyMobile(like(2, 0.6, 0.8, 300))), second(perhaps)},
			[]consent.Outcome{consent.Show, consent.Review},
			"",
		},
		"who may not is believed of one who perhaps may": {
			strict,
			[]track.Track{facing(0, 59, onlyMobile(like(1, 0.6, 0.8, 300))), second(onlyMobile(like(2, 0.42, 0.9075, 300)))},
			[]consent.Outcome{consent.Obscure, consent.Obscure},
			pipeline.ReasonSamePerson,
		},
		"a track of two heads is not believed": {
			strict,
			[]track.Track{facing(0, 59, person(2)), facingAt(elsewhere, 60, 99, person(2), person(2), person(2), person(9))},
			[]consent.Outcome{consent.Show, consent.Review},
			pipeline.ReasonNotOneFace,
		},
		"doubt about who may not spreads": {
			nil,
			[]track.Track{facing(0, 59, perhaps), second(far(7))},
			[]consent.Outcome{consent.Review, consent.Review},
			"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := judged(t, test.change, test.tracks...)
			last := got[len(got)-1]
			if !slices.Equal(outcomes(got), test.want) {
				t.Errorf("%v, want %v: %+v", outcomes(got), test.want, last.Match)
			}
			if last.Match.Reason != test.reason {
				t.Errorf("reason %q, want %q", last.Match.Reason, test.reason)
			}
		})
	}
}

// Tracks that are clearly one person and surely two subjects are neither, unless it makes no difference.
func TestAPersonOfTwoSubjects(t *testing.T) {
	// The two subjects look so much alike that a face in between is surely neither; enrolled are the far ends.
	end := func(n int) face.Face { return onlyMobile(like(n, 0.5, 0.8660, 300)) }
	gal := func(o *pipeline.Order) {
		var refs []gallery.Reference
		for id, n := range map[string]int{"4021": 1, "4022": 2} {
			refs = append(refs, gallery.Reference{Subject: id, Digest: assetDigest, Templates: onlyMobile(person(n)).Templates})
		}
		thresholds := gallery.DefaultThresholds()
		thresholds.Confident, thresholds.Unsure, thresholds.Single = 4, 3, 0.2
		g, err := gallery.New(refs, thresholds)
		if err != nil {
			t.Fatal(err)
		}
		o.Gallery = g
	}
	tracks := []track.Track{facing(0, 59, end(1)), facing(60, 99, end(2))}
	third := facingAt(face.Box{X: 500, Y: 200, W: 48, H: 48}, 60, 99, person(9))
	for name, test := range map[string]struct {
		change func(*pipeline.Order)
		want   []consent.Outcome
	}{
		"one may be shown":     {gal, []consent.Outcome{consent.Review, consent.Review, consent.Show}},
		"neither may be shown": {func(o *pipeline.Order) { gal(o); withdraw(t, o, "4022") }, []consent.Outcome{consent.Obscure, consent.Obscure, consent.Show}},
		"both may be shown":    {func(o *pipeline.Order) { gal(o); o.Purpose = consent.Press }, nil},
		"a person has said who one is": {func(o *pipeline.Order) {
			gal(o)
			at := footageOf().Times[30]
			o.Rulings = pipeline.Rulings{assetDigest: {{Box: placed(person(1)).Box, At: &at, Is: "4021"}}}
		}, []consent.Outcome{consent.Obscure, consent.Review, consent.Show}},
	} {
		t.Run(name, func(t *testing.T) {
			got := judged(t, test.change, append(slices.Clone(tracks), third)...)
			if test.want == nil {
				test.want = []consent.Outcome{got[0].Outcome, got[0].Outcome, got[2].Outcome}
				if got[0].Match.Band != gallery.Confident || got[1].Match.Band != gallery.Confident {
					t.Errorf("%+v and %+v", got[0].Match, got[1].Match)
				}
			}
			if !slices.Equal(outcomes(got), test.want) {
				t.Errorf("%v, want %v: %+v, %+v", outcomes(got), test.want, got[0].Match, got[1].Match)
			}
		})
	}
}

// piece is a track of a moment that was never described.
func piece(place face.Box, first, last int) track.Track { return facingAt(place, first, last) }

// carriedTo is the track carried on, not seen, up to a frame.
func carriedTo(t track.Track, last int) track.Track {
	end := t.Path[len(t.Path)-1]
	end.Frame, end.Seen = last, false
	t.Path = append(t.Path, end)
	return t
}

// What was never described goes by what it is probably another piece of.
func TestKin(t *testing.T) {
	here := placed(person(1)).Box
	there := face.Box{X: 500, Y: 200, W: 48, H: 48}
	beside, aside := here, here
	beside.X += 33 // within reach, sharing less than a fifth
	aside.X += 29
	small := face.Box{X: 500, Y: 200, W: 30, H: 30}
	cleared := func(o *pipeline.Order) { o.Mode = pipeline.Cleared }
	strict := func(o *pipeline.Order) { o.UnknownFace = consent.Obscure }
	const show, hide, ask = consent.Show, consent.Obscure, consent.Review
	for name, test := range map[string]struct {
		change func(*pipeline.Order)
		tracks []track.Track
		want   []consent.Outcome
	}{
		"alone":                              {nil, []track.Track{piece(there, 0, 20)}, []consent.Outcome{ask}},
		"alone and too small to tell":        {nil, []track.Track{piece(small, 0, 20)}, []consent.Outcome{show}},
		"of one who may not, after":          {nil, []track.Track{facingAt(here, 0, 20, person(1)), piece(here, 25, 40)}, []consent.Outcome{hide, hide}},
		"of one who may not, before":         {nil, []track.Track{piece(here, 0, 20), facingAt(here, 25, 40, person(1))}, []consent.Outcome{hide, hide}},
		"of one who may":                     {nil, []track.Track{facingAt(here, 0, 20, person(2)), piece(here, 25, 40)}, []consent.Outcome{show, show}},
		"of a stranger":                      {nil, []track.Track{facingAt(here, 0, 20, person(9)), piece(here, 25, 40)}, []consent.Outcome{show, show}},
		"of one who waits":                   {nil, []track.Track{facingAt(here, 0, 20, nearly(1)), piece(here, 25, 40)}, []consent.Outcome{ask, ask}},
		"beside one who may":                 {nil, []track.Track{facingAt(here, 0, 20, person(2)), piece(beside, 25, 40)}, []consent.Outcome{show, ask}},
		"beside one who may not":             {nil, []track.Track{facingAt(here, 0, 20, person(1)), piece(beside, 25, 40)}, []consent.Outcome{hide, hide}},
		"beside one who waits":               {nil, []track.Track{facingAt(here, 0, 20, nearly(1)), piece(beside, 25, 40)}, []consent.Outcome{ask, ask}},
		"beside a piece of one who may":      {nil, []track.Track{facingAt(here, 0, 10, person(2)), piece(here, 15, 25), piece(beside, 35, 45)}, []consent.Outcome{show, show, ask}},
		"carried over one who may":           {nil, []track.Track{carriedTo(facingAt(here, 0, 20, person(2)), 30), piece(here, 25, 40)}, []consent.Outcome{show, show}},
		"carried beside one who may":         {nil, []track.Track{carriedTo(facingAt(here, 0, 20, person(2)), 30), piece(aside, 25, 40)}, []consent.Outcome{show, ask}},
		"in another shot":                    {nil, []track.Track{facingAt(here, 40, 59, person(2)), piece(here, 60, 80)}, []consent.Outcome{show, ask}},
		"elsewhere":                          {nil, []track.Track{facingAt(here, 0, 20, person(1)), piece(there, 25, 40)}, []consent.Outcome{hide, ask}},
		"through another piece":              {nil, []track.Track{facingAt(here, 0, 10, person(1)), piece(here, 15, 25), piece(here, 30, 40)}, []consent.Outcome{hide, hide, hide}},
		"between one who may and may not":    {nil, []track.Track{facingAt(here, 0, 10, person(2)), piece(here, 15, 25), facingAt(here, 30, 40, person(1))}, []consent.Outcome{show, hide, hide}},
		"between one who may and a doubt":    {nil, []track.Track{facingAt(here, 0, 10, person(2)), piece(here, 15, 25), facingAt(here, 30, 40, nearly(1))}, []consent.Outcome{show, ask, ask}},
		"small, of one who may not":          {nil, []track.Track{facingAt(small, 0, 20, person(1)), piece(small, 25, 40)}, []consent.Outcome{hide, hide}},
		"cleared, of one who may":            {cleared, []track.Track{facingAt(here, 0, 20, person(2)), piece(here, 25, 40)}, []consent.Outcome{show, hide}},
		"strangers obscured, of one who may": {strict, []track.Track{facingAt(here, 0, 20, person(2)), piece(here, 25, 40)}, []consent.Outcome{show, hide}},
	} {
		t.Run(name, func(t *testing.T) {
			got := judged(t, test.change, test.tracks...)
			if !slices.Equal(outcomes(got), test.want) {
				t.Errorf("%v, want %v", outcomes(got), test.want)
			}
		})
	}
}

func TestNotDescribedHasARuleOfItsOwn(t *testing.T) {
	got := judged(t, nil, piece(face.Box{X: 500, Y: 200, W: 48, H: 48}, 0, 20))[0]
	if got.Rule != pipeline.RuleNotDescribed || got.Reason != "never seen well enough to be told" || got.Match.Reason != gallery.ReasonNotDescribed {
		t.Errorf("%+v", got)
	}
}

// What was described from bad views only is nobody for certain as little as what was not described at all.
func TestBadViewsTellNobody(t *testing.T) {
	here := face.Box{X: 500, Y: 200, W: 48, H: 48}
	large := face.Box{X: 300, Y: 200, W: 44, H: 44}
	of := func(f face.Face, sharpness, brightness float64) face.Face {
		f.Quality = face.Quality{Sharpness: sharpness, Brightness: brightness}
		return f
	}
	at := func(place face.Box, views ...face.Face) track.Track { return facingAt(place, 0, 40, views...) }
	distant := facingAt(face.Box{X: 500, Y: 200, W: 36, H: 36}, 0, 40, person(9))
	grown := facingAt(face.Box{X: 500, Y: 200, W: 36, H: 36}, 0, 40, person(9))
	grown.Path[1].Box = large
	const show, hide, ask = consent.Show, consent.Obscure, consent.Review
	strict := func(o *pipeline.Order) { o.UnknownFace = consent.Obscure }
	for name, test := range map[string]struct {
		change func(*pipeline.Order)
		track  track.Track
		want   consent.Outcome
		reason string
	}{
		"an ordinary stranger":              {nil, at(here, of(person(9), 23, 120)), show, ""},
		"blurred":                           {nil, at(here, of(person(9), 3, 120)), ask, gallery.ReasonNotDescribed},
		"never measured":                    {nil, at(here, of(person(9), 0, 0)), ask, gallery.ReasonNotDescribed},
		"blurred but for one view":          {nil, at(here, of(person(9), 3, 120), of(person(9), 23, 120)), show, ""},
		"dark":                              {nil, at(here, of(person(9), 2, 40)), show, ""},
		"dark and blurred":                  {nil, at(here, of(person(9), 0.5, 10)), ask, gallery.ReasonNotDescribed},
		"small throughout":                  {nil, distant, show, ""},
		"described while small only":        {nil, grown, ask, gallery.ReasonNotDescribed},
		"blurred, but clearly who may not":  {nil, at(here, of(person(1), 3, 120)), hide, ""},
		"blurred, perhaps who may not":      {nil, at(here, of(nearly(1), 3, 120)), ask, ""},
		"blurred, where nobody is shown":    {strict, at(here, of(person(9), 3, 120)), hide, gallery.ReasonNotDescribed},
		"blurred, but clearly who is shown": {strict, at(here, of(person(2), 3, 120)), show, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := judged(t, test.change, test.track)[0]
			if got.Outcome != test.want || got.Match.Reason != test.reason {
				t.Errorf("%s by %s: %+v, want %s for %q", got.Outcome, got.Rule, got.Match, test.want, test.reason)
			}
		})
	}
}
