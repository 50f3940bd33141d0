package pipeline_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/track"
	"github.com/consentry/consentry/pipeline"
)

// missed is a face of the finished film that nobody saw before, in the second shot from frame 70 to 80, away from all others.
func missed(f face.Face, score float64) pipeline.Seen {
	f = placed(f)
	f.Score, f.Box.Y = score, 250
	later := f.Box
	later.X += 10
	return pipeline.Seen{Frame: 75, Face: f, Path: []track.Position{{Frame: 70, Box: f.Box}, {Frame: 80, Box: later}}}
}

// bareUntil is a screening that sees the faces until something is obscured on every frame on which they were seen, at so many covers.
func bareUntil(covers int, faces ...pipeline.Seen) func(pipeline.Screening) pipeline.Screened {
	return func(s pipeline.Screening) pipeline.Screened {
		if len(s.Rendering.Covers) >= covers {
			return pipeline.Screened{}
		}
		return pipeline.Screened{Faces: faces}
	}
}

func countCalls(calls []string, call string) (n int) {
	for _, c := range calls {
		if c == call {
			n++
		}
	}
	return n
}

// hidesWhatWasSeen says whether the last rendering obscured the face wherever it was seen, and half a second and five frames more.
func hidesWhatWasSeen(t *testing.T, r *reel, seen pipeline.Seen, id int) {
	t.Helper()
	k := slices.IndexFunc(r.render.Covers, func(c track.Cover) bool { return c.Track == id })
	if k < 0 {
		t.Fatalf("no cover of track %d", id)
	}
	c := r.render.Covers[k]
	if first, last := c.Path[0].Frame, c.Path[len(c.Path)-1].Frame; first != cutAt || last != 80+13+5 {
		t.Errorf("obscured from frame %d to %d", first, last)
	}
	for _, p := range seen.Path {
		region, ok := c.At(p.Frame)
		b := p.Box
		for _, corner := range []face.Point{{X: b.X, Y: b.Y}, {X: b.X + b.W, Y: b.Y + b.H}, b.Centre()} {
			if !ok || !region.Contains(corner) {
				t.Errorf("frame %d: the face sticks out at %v", p.Frame, corner)
			}
		}
	}
}

func TestAFaceThatWasMissedIsObscuredInAnotherRound(t *testing.T) {
	clean := cleanFilm(t)
	for name, test := range map[string]struct {
		change func(*pipeline.Order)
		seen   pipeline.Seen
		rule   string // of the track that is added
	}{
		"somebody, everyone":      {func(o *pipeline.Order) { o.Mode = pipeline.Everyone }, missed(person(8), 0.95), pipeline.RuleEveryone},
		"somebody, cleared":       {func(o *pipeline.Order) { o.Mode = pipeline.Cleared }, missed(person(8), 0.95), pipeline.RuleNotCleared},
		"not described, cleared":  {func(o *pipeline.Order) { o.Mode = pipeline.Cleared }, missed(face.Face{Box: person(8).Box}, 0.95), pipeline.RuleNotCleared},
		"a confident objector":    {nil, missed(person(1), 0.95), ""},
		"hardly a face, but hers": {nil, missed(person(1), 0.6), ""},
	} {
		t.Run(name, func(t *testing.T) {
			covers := 2
			if strings.HasSuffix(name, "everyone") || strings.HasSuffix(name, "cleared") {
				covers = 3
			}
			r := &reel{watched: footageOf(facing(0, 59, person(1)), facing(0, 59, person(9))), look: bareUntil(covers, test.seen), file: clean, picture: []byte("jpeg")}
			o := newOrder(t, test.change)
			result := shootOne(t, r, o)
			if result.Outcome != pipeline.Released || countCalls(r.calls, "watch") != 1 || countCalls(r.calls, "render") != 2 || countCalls(r.calls, "screen") != 2 {
				t.Fatalf("%s: %s, calls %v", result.Outcome, result.Reason, r.calls)
			}
			if len(result.Tracks) != 3 {
				t.Fatalf("%d tracks", len(result.Tracks))
			}
			v := result.Tracks[2]
			if v.ID != 3 || v.Outcome != consent.Obscure || test.rule != "" && v.Rule != test.rule || v.Region == nil || len(v.Pictures) == 0 || v.Frame != 75 {
				t.Errorf("%+v", v)
			}
			if !slices.Contains(r.screen.Hidden, 3) || len(r.screen.Known) != 3 {
				t.Errorf("screened with %d known, hidden %v", len(r.screen.Known), r.screen.Hidden)
			}
			hidesWhatWasSeen(t, r, test.seen, 3)
		})
	}
}

func TestAFaceThatIsStillSeenAfterTwoRoundsWithholds(t *testing.T) {
	clean := cleanFilm(t)
	hidden := missed(person(7), 0.95)
	hidden.Hidden = 1
	for name, test := range map[string]struct {
		seen pipeline.Seen
		want string
	}{
		"an objector":        {missed(person(1), 0.95), "looks like 4021, at 0:03"},
		"below the obscured": {hidden, "still be found where one was obscured, at 0:03"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &reel{watched: footageOf(cast()...), screened: pipeline.Screened{Faces: []pipeline.Seen{test.seen}}, file: clean, picture: []byte("jpeg")}
			result := shootOne(t, r, newOrder(t, nil))
			if result.Outcome != pipeline.Withheld || !strings.Contains(result.Reason, test.want) || countCalls(r.calls, "render") != 3 {
				t.Errorf("%s: %s, calls %v", result.Outcome, result.Reason, r.calls)
			}
			if result.Clearance != nil || result.DerivativePath != "" || len(r.stills) > 0 {
				t.Error("something of a withheld film was handed on")
			}
		})
	}
}

// What can still be seen where something is obscured is obscured with it, whoever it looks like.
func TestAFaceBelowWhatIsObscured(t *testing.T) {
	clean := cleanFilm(t)
	under := placed(person(1))
	under.Score = 0.95
	for name, seen := range map[string]pipeline.Seen{
		"told with its track":       {Frame: 30, Face: placed(person(8)), Hidden: 1},
		"hardly a face, and unsure": {Frame: 30, Face: face.Face{Box: under.Box, Score: 0.5, Templates: nearly(1).Templates}},
	} {
		seen.Face.Box = under.Box
		if seen.Hidden != 0 {
			seen.Face.Score = 0.95
		}
		r := &reel{watched: footageOf(cast()...), look: bareUntil(2, seen), file: clean, picture: []byte("jpeg")}
		result := shootOne(t, r, newOrder(t, nil))
		if result.Outcome != pipeline.Released || len(result.Tracks) != 4 {
			t.Fatalf("%s: %s: %s, %d tracks", name, result.Outcome, result.Reason, len(result.Tracks))
		}
		if v := result.Tracks[3]; v.Outcome != consent.Obscure || v.Rule != result.Tracks[0].Rule || !strings.Contains(v.Reason, "at 0:01") {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// Whoever was missed and is perhaps an objector waits for a person like all others; what the person decides holds when the film is made
// again, though the face is missed again at first.
func TestAFaceThatWasMissedWaitsForAPerson(t *testing.T) {
	clean := cleanFilm(t)
	seen := missed(nearly(1), 0.95)
	looks := func(s pipeline.Screening) pipeline.Screened {
		for _, k := range s.Known {
			if k.Best.Frame == seen.Frame && k.Best.Face.Box == seen.Face.Box {
				return pipeline.Screened{}
			}
		}
		return pipeline.Screened{Faces: []pipeline.Seen{seen}}
	}
	shootWith := func(rulings ...pipeline.Ruling) (pipeline.Result, *reel) {
		r := &reel{watched: footageOf(cast()...), look: looks, file: clean, picture: []byte("jpeg")}
		return shootOne(t, r, newOrder(t, withRulings(rulings...))), r
	}
	result, r := shootWith()
	if result.Outcome != pipeline.Withheld || result.Reason != "1 face needs a person's decision: 0:02.6–0:04.1" || r.stillsOf == r.render.Out {
		t.Fatalf("%s: %s", result.Outcome, result.Reason)
	}
	v := result.Tracks[3]
	if v.Outcome != consent.Review || v.Match.Subject != "4021" || v.Basis == "" || len(v.Pictures) == 0 || !v.Pictures[0].Bare || v.Region != nil {
		t.Fatalf("%+v", v)
	}
	at := v.At
	ruling := func(change func(*pipeline.Ruling)) pipeline.Ruling {
		told := pipeline.Ruling{Box: v.Box, At: &at}
		change(&told)
		return told
	}
	for name, test := range map[string]struct {
		told pipeline.Ruling
		want consent.Outcome
	}{
		"obscured":     {ruling(as(consent.Obscure, "")), consent.Obscure},
		"is her":       {ruling(is("4021")), consent.Obscure},
		"is not her":   {ruling(not("4021")), consent.Show},
		"may be shown": {ruling(as(consent.Show, v.Basis)), consent.Show},
		"is another":   {ruling(is("4022")), consent.Show},
	} {
		again, _ := shootWith(test.told)
		if again.Outcome != pipeline.Released || again.Tracks[3].Outcome != test.want {
			t.Errorf("%s: %s: %s", name, again.Outcome, again.Reason)
		}
	}
}

// Nothing that a person did not look at is shown for being judged by itself.
func TestAFaceThatMustNotBeSeenIsNotShown(t *testing.T) {
	one, two := missed(person(2), 0.95), missed(person(2), 0.95) // both surely 4022, who may be shown: one of them is not
	two.Face.Box.X += 100
	two.Path = nil
	r := &reel{watched: footageOf(), screened: pipeline.Screened{Faces: []pipeline.Seen{one, two}}, file: cleanFilm(t), picture: []byte("jpeg")}
	result := shootOne(t, r, newOrder(t, func(o *pipeline.Order) { o.Mode = pipeline.Cleared }))
	if result.Outcome != pipeline.Withheld {
		t.Fatalf("%s with %d tracks", result.Outcome, len(result.Tracks))
	}
	for _, v := range result.Tracks {
		if v.Outcome == consent.Show {
			t.Errorf("%+v", v)
		}
	}
}

// Each order has its own rounds: what another order's film shows is judged there.
func TestRoundsOfSeveralOrders(t *testing.T) {
	seen := missed(person(8), 0.95)
	r := &reel{watched: footageOf(cast()...), file: cleanFilm(t), picture: []byte("jpeg"), told: []pipeline.Frames{{Done: 1, Total: 2}}}
	r.look = func(s pipeline.Screening) pipeline.Screened {
		if len(s.Rendering.Covers) == 4 { // everyone, the second time
			return pipeline.Screened{}
		}
		return pipeline.Screened{Faces: []pipeline.Seen{seen}}
	}
	all := newOrder(t, func(o *pipeline.Order) { o.Mode, o.Register, o.Gallery = pipeline.Everyone, nil, newGallery(t, nil) })
	line, last := filmLine(r), pipeline.Progress{}
	line.Told = func(p pipeline.Progress) {
		if p.Pass <= last.Pass || p.Passes < last.Passes || p.Pass > p.Passes {
			t.Errorf("%+v after %+v: taken for no progress", p, last)
		}
		last = p
	}
	results, err := line.Film(t.Context(), scratchAsset(t), []pipeline.Order{all, newOrder(t, nil)})
	if err != nil {
		t.Fatal(err)
	}
	if results[0].Outcome != pipeline.Released || len(results[0].Tracks) != 4 || results[1].Outcome != pipeline.Released || len(results[1].Tracks) != 3 {
		t.Errorf("%s with %d tracks, %s with %d", results[0].Outcome, len(results[0].Tracks), results[1].Outcome, len(results[1].Tracks))
	}
	if last.Pass != 7 || last.Passes != 7 {
		t.Errorf("the last pass was %d of %d", last.Pass, last.Passes)
	}
}

// A job that is broken off in a later round goes on there, and does not begin to count rounds anew.
func TestRoundsSurviveAnInterruption(t *testing.T) {
	seen := missed(person(1), 0.95)
	asset, o := scratchAsset(t), newOrder(t, nil)
	r := &reel{watched: footageOf(cast()...), screened: pipeline.Screened{Faces: []pipeline.Seen{seen}}, file: cleanFilm(t), picture: []byte("jpeg")}
	for round := range 3 {
		line := filmLine(r)
		renders := 0
		line.Step = func(step string) {
			if step == "render" {
				renders++
			}
			r.fail, r.err = "", nil
			if renders == 2 { // the second rendering of each attempt is killed
				r.fail, r.err = "render", pipeline.ErrCrashed
			}
		}
		results, err := line.Film(t.Context(), asset, []pipeline.Order{o})
		switch {
		case round < 2 && !errors.Is(err, pipeline.ErrCrashed):
			t.Fatalf("attempt %d: %v", round+1, err)
		case round == 2 && (err != nil || results[0].Outcome != pipeline.Withheld || len(results[0].Tracks) != 5):
			t.Errorf("%v, %+v", err, results)
		}
	}
	if countCalls(r.calls, "watch") != 1 || countCalls(r.calls, "screen") != 3 {
		t.Errorf("calls %v", r.calls)
	}
}

func TestSightingsThatCannotBeAreRefused(t *testing.T) {
	for name, path := range map[string][]track.Position{
		"over a cut":   {{Frame: 59, Box: face.Box{W: 9, H: 9}}, {Frame: 80, Box: face.Box{W: 9, H: 9}}},
		"elsewhere":    {{Frame: 76, Box: face.Box{W: 9, H: 9}}},
		"runs back":    {{Frame: 76, Box: face.Box{W: 9, H: 9}}, {Frame: 70, Box: face.Box{W: 9, H: 9}}, {Frame: 80, Box: face.Box{W: 9, H: 9}}},
		"no size":      {{Frame: 70}, {Frame: 80}},
		"past the end": {{Frame: 70, Box: face.Box{W: 9, H: 9}}, {Frame: filmFrames, Box: face.Box{W: 9, H: 9}}},
	} {
		seen := missed(person(1), 0.95)
		seen.Path = path
		r := &reel{watched: footageOf(cast()...), screened: pipeline.Screened{Faces: []pipeline.Seen{seen}}, file: cleanFilm(t)}
		if results, err := shoot(t, r, newOrder(t, nil)); err == nil || results != nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestIntervalsAreSaidWithTenthsWhereTheyAreShort(t *testing.T) {
	r := &reel{watched: footageOf(facing(0, 5, nearly(1)), facing(10, 99, nearly(1))), picture: []byte("jpeg")}
	r.watched.Shots = []int{0}
	r.watched.Tracks[1].Shot = 0
	for i := range r.watched.Times {
		r.watched.Times[i] += time.Duration(i/10) * time.Second
	}
	if got := shootOne(t, r, newOrder(t, nil)).Reason; got != "2 faces need a person's decision: 0:00.2–0:00.4, 0:01–0:13" {
		t.Error(got)
	}
}
