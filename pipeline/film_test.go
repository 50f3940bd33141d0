package pipeline_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/consentry/consentry/internal/clearance"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/obscure"
	"github.com/consentry/consentry/internal/track"
	"github.com/consentry/consentry/pipeline"
)

func verdictsIn(t *testing.T, body []byte) []pipeline.TrackResult {
	t.Helper()
	var p struct {
		Verdicts [][]pipeline.TrackResult `json:"verdicts"`
	}
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatal(err)
	}
	return p.Verdicts[0]
}

func outcomes(tracks []pipeline.TrackResult) []consent.Outcome {
	all := make([]consent.Outcome, len(tracks))
	for i, v := range tracks {
		all[i] = v.Outcome
	}
	return all
}

// cast is who is in the film of most tests: refused, granted, unknown.
func cast() []track.Track {
	return []track.Track{facing(0, 59, person(1)), facing(5, 59, person(2)), facing(10, 59, person(9))}
}

func TestFilmIsReleasedAndSealed(t *testing.T) {
	r := &reel{watched: footageOf(cast()...), file: cleanFilm(t), picture: []byte("jpeg")}
	o := newOrder(t, func(o *pipeline.Order) {
		o.Film = pipeline.FilmOptions{Every: 2, Encoding: film.Encoding{Codec: "hevc", CRF: 30, Preset: "slow"}}
	})
	result := shootOne(t, r, o)
	if result.Outcome != pipeline.Released {
		t.Fatalf("%s: %s", result.Outcome, result.Reason)
	}
	if want := []string{"watch", "render", "screen"}; !slices.Equal(r.calls, want) {
		t.Errorf("calls %v, want %v", r.calls, want)
	}
	if got, want := outcomes(result.Tracks), []consent.Outcome{consent.Obscure, consent.Show, consent.Show}; !slices.Equal(got, want) {
		t.Errorf("outcomes %v, want %v", got, want)
	}
	if result.Tracks[0].Region == nil || result.Tracks[1].Region != nil {
		t.Error("a region belongs to what is obscured, and to nothing else")
	}
	if !result.Film || result.Frames != filmFrames || math.Abs(result.Seconds-3.96) > 1e-9 || result.Width != 640 || result.Remuxed {
		t.Errorf("%+v", result)
	}
	checkSeal(t, result, o)
}

func checkSeal(t *testing.T, result pipeline.Result, o pipeline.Order) {
	t.Helper()
	f, err := os.Open(result.DerivativePath)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := clearance.Verify(f, result.Clearance, "website", key().Public().(ed25519.PublicKey)); err != nil {
		t.Errorf("the clearance does not hold for the derivative: %v", err)
	}
	s, err := clearance.Parse(result.Clearance)
	if err != nil {
		t.Fatal(err)
	}
	c := s.Clearance
	if c.JobKey != o.FilmKey(assetDigest) || c.Derivative.Format != "mp4" || c.Derivative.Frames != filmFrames || len(c.Tracks) != 3 {
		t.Errorf("%+v", c)
	}
	first, v := c.Tracks[0], result.Tracks[0]
	if first.Match.Subject != "4021" || first.Outcome != "obscure" || first.Region == nil || *first.Region != *v.Region {
		t.Errorf("%+v", first)
	}
	if at := time.Duration(math.Round(first.At*1e6)) * time.Microsecond; at != v.At || first.From != 0.2 || first.LastFrame != 59 {
		t.Errorf("track from %v, best at %v, want 0.2 and %v", first.From, at, v.At)
	}
}

func TestCinemaIsToldWhatIsWanted(t *testing.T) {
	r := &reel{watched: footageOf(cast()...), file: cleanFilm(t), picture: []byte("jpeg")}
	part := film.Part{From: 200 * time.Millisecond, To: time.Minute}
	encoding := film.Encoding{Codec: "hevc", CRF: 30, Preset: "slow", Mute: true}
	shootOne(t, r, newOrder(t, func(o *pipeline.Order) {
		o.Style, o.Film = obscure.Solid, pipeline.FilmOptions{Every: 2, Part: part, Encoding: encoding}
	}))
	if r.film.Part != part || r.options != (pipeline.WatchOptions{Every: 2, Describe: true}) {
		t.Errorf("watched %+v with %+v", r.film, r.options)
	}
	q := r.render
	if len(q.Covers) != 1 || q.Covers[0].Track != 1 || q.Style != obscure.Solid || q.Encoding != encoding ||
		len(q.Times) != filmFrames || !slices.Equal(q.Shots, r.watched.Shots) || q.Info.Width != 640 {
		t.Errorf("rendering %+v", q)
	}
	s := r.screen
	if !slices.Equal(s.Hidden, []int{1}) || !s.Describe || len(s.Known) != 3 || s.Rendering.Out != q.Out || len(s.Rendering.Covers) != 1 {
		t.Errorf("screening of %d known, hidden %v", len(s.Known), s.Hidden)
	}
	for _, k := range s.Known {
		for _, v := range append(k.Views, k.Best) {
			if v.Face.Templates != nil {
				t.Error("templates were handed on after deciding")
			}
		}
	}
	if len(r.pictured) == 0 || len(r.stills) > 0 {
		t.Error("pictures of a released film were not cut out of the derivative")
	}
	for _, still := range r.pictured { // a part's times are counted from its first frame
		if still.At < 0 || still.At > r.watched.Times[filmFrames-1]-r.watched.Times[0] {
			t.Errorf("a picture at %v", still.At)
		}
	}
}

// Nothing to obscure: the film may be passed on as it is.
func TestNobodyInTheFilm(t *testing.T) {
	r := &reel{watched: footageOf(), file: cleanFilm(t), picture: []byte("jpeg")}
	result := shootOne(t, r, newOrder(t, nil))
	if result.Outcome != pipeline.Released || !result.Remuxed || len(r.render.Covers) != 0 {
		t.Errorf("%s, passed on: %t: %s", result.Outcome, result.Remuxed, result.Reason)
	}
}

// What was seen can be listed; whoever lists it sees no templates, and can break the attempt off.
func TestWhatWasSeenIsTold(t *testing.T) {
	r := &reel{watched: footageOf(cast()...)}
	line := filmLine(r)
	line.Watched = func(asset string, seen pipeline.Watched) error {
		if asset != assetDigest || len(seen.Tracks) != 3 || len(seen.Tracks[0].Path) != 2 || seen.Tracks[0].Views[0].Face.Templates != nil {
			t.Errorf("%s: %+v", asset, seen.Tracks)
		}
		return errStop
	}
	if results, err := line.Film(t.Context(), scratchAsset(t), []pipeline.Order{newOrder(t, nil)}); !errors.Is(err, errStop) || results != nil {
		t.Errorf("%v, %d results", err, len(results))
	}
	if slices.Contains(r.calls, "render") {
		t.Error("rendered all the same")
	}
}

func TestFilmIsWatchedOnceForAllOrders(t *testing.T) {
	r := &reel{watched: footageOf(cast()...), file: cleanFilm(t), picture: []byte("jpeg")}
	all := newOrder(t, func(o *pipeline.Order) { o.Mode, o.Register, o.Gallery = pipeline.Everyone, nil, newGallery(t, nil) })
	results, err := shoot(t, r, newOrder(t, nil), all)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"watch", "render", "screen", "render", "screen"}; !slices.Equal(r.calls, want) {
		t.Errorf("calls %v", r.calls)
	}
	if results[0].Tracks[1].Outcome != consent.Show || results[1].Tracks[1].Outcome != consent.Obscure {
		t.Error("the orders' outcomes were mixed up")
	}
	if results[0].DerivativePath == results[1].DerivativePath {
		t.Error("two orders make one file")
	}
	other := newOrder(t, func(o *pipeline.Order) { o.Film.Part.To = time.Second })
	if _, err := shoot(t, r, newOrder(t, nil), other); err == nil || pipeline.KindOf(err) != pipeline.Hold {
		t.Errorf("orders for different parts: %v", err)
	}
	if _, err := shoot(t, r); err == nil {
		t.Error("no orders, and no error")
	}
}

func TestFilmModes(t *testing.T) {
	const show, hide, ask = consent.Show, consent.Obscure, consent.Review
	tracks := []track.Track{facing(0, 59, person(1)), facing(0, 59, person(2)), facing(0, 59, person(3)), facing(0, 59, person(8)), facing(0, 59)}
	lumen := func(o *pipeline.Order) {
		p, err := consent.LoadPreset("lumen")
		if err != nil {
			t.Fatal(err)
		}
		o.Policy = p
	}
	for name, test := range map[string]struct {
		change func(*pipeline.Order)
		want   []consent.Outcome // refused, granted, silent, unknown, never described
	}{
		"objectors, opt-out":       {nil, []consent.Outcome{hide, show, show, show, ask}},
		"objectors, opt-in":        {lumen, []consent.Outcome{hide, show, hide, hide, hide}},
		"unknown faces obscured":   {func(o *pipeline.Order) { o.UnknownFace = hide }, []consent.Outcome{hide, show, show, hide, hide}},
		"unknown faces held":       {func(o *pipeline.Order) { o.UnknownFace = ask }, []consent.Outcome{hide, show, show, ask, ask}},
		"cleared, opt-out":         {func(o *pipeline.Order) { o.Mode = pipeline.Cleared }, []consent.Outcome{hide, show, show, hide, hide}},
		"cleared, opt-in":          {func(o *pipeline.Order) { lumen(o); o.Mode = pipeline.Cleared }, []consent.Outcome{hide, show, hide, hide, hide}},
		"everyone":                 {func(o *pipeline.Order) { o.Mode = pipeline.Everyone }, []consent.Outcome{hide, hide, hide, hide, hide}},
		"a mode that nobody knows": {func(o *pipeline.Order) { o.Mode = "nobody" }, []consent.Outcome{hide, hide, hide, hide, hide}},
	} {
		t.Run(name, func(t *testing.T) {
			got := judged(t, test.change, slices.Clone(tracks)...)
			if !slices.Equal(outcomes(got), test.want) {
				t.Errorf("%v, want %v", outcomes(got), test.want)
			}
			for _, v := range got {
				if v.Rule == "" || v.Reason == "" {
					t.Errorf("track %d: an outcome without an explanation", v.ID)
				}
			}
		})
	}
}

func TestEveryoneInAFilmIsNotDescribed(t *testing.T) {
	r := &reel{watched: footageOf(facing(0, 59)), file: cleanFilm(t), picture: []byte("jpeg")}
	o := newOrder(t, func(o *pipeline.Order) { o.Mode, o.Register, o.Gallery = pipeline.Everyone, nil, newGallery(t, nil) })
	if result := shootOne(t, r, o); result.Outcome != pipeline.Released {
		t.Fatalf("%s: %s", result.Outcome, result.Reason)
	}
	if r.options.Describe || r.screen.Describe {
		t.Error("faces were described")
	}
}

// The architecture's one rule: whatever fails, nothing is released.
func TestEveryFailureOfAFilmFailsClosed(t *testing.T) {
	clean := cleanFilm(t)
	for _, step := range []string{"watch", "render", "screen"} {
		for _, cause := range []error{
			errors.New("odd"), pipeline.ErrCrashed, media.ErrDamaged, context.DeadlineExceeded, film.ErrNoVideo, film.ErrNoFrames,
			film.ErrSizeChange, film.ErrStalled, film.ErrDied, film.ErrNoSpace, film.ErrDifferent, film.ErrNoFFmpeg,
		} {
			r := &reel{watched: footageOf(cast()...), file: clean, picture: []byte("jpeg"), fail: step, err: fmt.Errorf("in %s: %w", step, cause)}
			results, err := shoot(t, r, newOrder(t, nil))
			if !errors.Is(err, cause) || results != nil {
				t.Errorf("%s failing with %v: %v, %d results", step, cause, err, len(results))
			}
		}
	}
	waiting := &reel{watched: footageOf(facing(0, 59, nearly(1))), fail: "stills", err: pipeline.ErrCrashed}
	if results, err := shoot(t, waiting, newOrder(t, nil)); !errors.Is(err, pipeline.ErrCrashed) || results != nil {
		t.Errorf("no pictures of what is withheld: %v", err)
	}
}

func TestKindsOfErrorsOfFilms(t *testing.T) {
	for err, want := range map[error]pipeline.Kind{
		film.ErrNoVideo: pipeline.Reject, film.ErrNoFrames: pipeline.Reject, film.ErrSizeChange: pipeline.Reject,
		film.ErrStalled: pipeline.Retry, film.ErrDied: pipeline.Retry,
		errors.Join(media.ErrNotScrubbed, media.ErrDamaged): pipeline.Hold, film.ErrNoSpace: pipeline.Hold, film.ErrDifferent: pipeline.Hold, film.ErrNoFFmpeg: pipeline.Hold, film.ErrCannotRemux: pipeline.Hold,
		errors.Join(film.ErrDied, film.ErrNoSpace): pipeline.Hold,
	} {
		if got := pipeline.KindOf(fmt.Errorf("x: %w", err)); got != want {
			t.Errorf("%v: kind %v, want %v", err, got, want)
		}
		ours := errors.Is(err, film.ErrCannotRemux) || errors.Is(err, media.ErrNotScrubbed)
		if words := pipeline.ReasonFor(err); !ours && strings.HasPrefix(words, "something") {
			t.Errorf("%v has no plain words: %s", err, words)
		}
	}
}

func TestDirtyFilmIsNotReleased(t *testing.T) {
	for name, file := range map[string][]byte{
		"something behind": append(cleanFilm(t), "trailing bytes"...),
		"no film":          []byte("no film"),
		"nothing":          {},
	} {
		_, err := shoot(t, &reel{watched: footageOf(cast()...), file: file}, newOrder(t, nil))
		if !errors.Is(err, media.ErrNotScrubbed) || pipeline.KindOf(err) != pipeline.Hold {
			t.Errorf("%s: %v, want it held as not clean", name, err)
		}
	}
}

func TestFaultsOfTheFinishedFilmWithhold(t *testing.T) {
	clean := cleanFilm(t)
	at := func(f face.Face, score float64, frame, hidden int) pipeline.Seen {
		f = placed(f)
		f.Score = score
		return pipeline.Seen{Frame: frame, Face: f, Hidden: hidden}
	}
	away := func(s pipeline.Seen) pipeline.Seen { s.Face.Box.Y = 250; return s }
	everyone := func(o *pipeline.Order) { o.Mode = pipeline.Everyone }
	cleared := func(o *pipeline.Order) { o.Mode = pipeline.Cleared }
	strict := func(o *pipeline.Order) { o.UnknownFace = consent.Obscure }
	for name, test := range map[string]struct {
		change func(*pipeline.Order)
		seen   pipeline.Screened
		want   string // part of the reason; empty: released
	}{
		"in order":                  {nil, pipeline.Screened{}, ""},
		"other frames":              {nil, pipeline.Screened{Fault: "a frame is missing at 0:03"}, "a frame is missing at 0:03"},
		"face still found":          {nil, pipeline.Screened{Faces: []pipeline.Seen{at(person(7), 0.95, 70, 1)}}, "still be found where one was obscured, at 0:03"},
		"hardly a face":             {nil, pipeline.Screened{Faces: []pipeline.Seen{at(person(7), 0.8, 70, 1)}}, ""},
		"hardly a face, but hers":   {nil, pipeline.Screened{Faces: []pipeline.Seen{at(person(1), 0.6, 70, 1)}}, "4021, at 0:03"},
		"subject matches elsewhere": {nil, pipeline.Screened{Faces: []pipeline.Seen{away(at(person(1), 0.6, 70, 0))}}, "4021"},
		"somebody else":             {nil, pipeline.Screened{Faces: []pipeline.Seen{away(at(person(8), 0.99, 70, 0))}}, ""},
		"perhaps one who may":       {nil, pipeline.Screened{Faces: []pipeline.Seen{away(at(nearly(2), 0.99, 70, 0))}}, ""},
		"somebody, everyone":        {everyone, pipeline.Screened{Faces: []pipeline.Seen{away(at(person(8), 0.95, 70, 0))}}, "not found before, at 0:03"},
		"hardly somebody, everyone": {everyone, pipeline.Screened{Faces: []pipeline.Seen{away(at(person(8), 0.8, 70, 0))}}, ""},
		"somebody, cleared":         {cleared, pipeline.Screened{Faces: []pipeline.Seen{away(at(person(8), 0.95, 70, 0))}}, "not found before"},
		"cleared person, cleared":   {cleared, pipeline.Screened{Faces: []pipeline.Seen{away(at(person(2), 0.95, 70, 0))}}, ""},
		"perhaps cleared, cleared":  {cleared, pipeline.Screened{Faces: []pipeline.Seen{away(at(nearly(2), 0.95, 70, 0))}}, "not found before"},
		"shown track again":         {cleared, pipeline.Screened{Faces: []pipeline.Seen{at(person(2), 0.95, 30, 0)}}, ""},
		"shown track, not to tell":  {cleared, pipeline.Screened{Faces: []pipeline.Seen{at(face.Face{Box: person(2).Box}, 0.95, 30, 0)}}, ""},
		"somebody, strict":          {strict, pipeline.Screened{Faces: []pipeline.Seen{away(at(person(8), 0.95, 70, 0))}}, "not found before"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &reel{watched: footageOf(cast()...), screened: test.seen, file: clean, picture: []byte("jpeg")}
			result := shootOne(t, r, newOrder(t, test.change))
			if test.want == "" {
				if result.Outcome != pipeline.Released {
					t.Errorf("%s: %s", result.Outcome, result.Reason)
				}
				return
			}
			if result.Outcome != pipeline.Withheld || !strings.Contains(result.Reason, test.want) {
				t.Errorf("%s (%s), want withheld for %q", result.Outcome, result.Reason, test.want)
			}
			bare := slices.ContainsFunc(result.Tracks, func(v pipeline.TrackResult) bool { return v.Pictures != nil || v.Region != nil })
			if result.DerivativePath != "" || result.Clearance != nil || result.Thumbnail != nil || bare {
				t.Error("something of a withheld derivative was handed on")
			}
		})
	}
	for name, seen := range map[string]pipeline.Seen{"frame": at(person(1), 0.9, filmFrames, 0), "box": {Frame: 3}} {
		r := &reel{watched: footageOf(cast()...), screened: pipeline.Screened{Faces: []pipeline.Seen{seen}}, file: clean}
		if _, err := shoot(t, r, newOrder(t, nil)); err == nil {
			t.Errorf("nonsense %s, and no error", name)
		}
	}
}

func TestPhotographsKeysAreAsTheyWere(t *testing.T) {
	plain := newOrder(t, nil)
	decided := newOrder(t, ruled(person(4), func(r *pipeline.Ruling) {
		r.Is, r.Not = "4021", []string{"4022"}
		r.As = map[consent.Purpose]pipeline.Verdict{consent.Website: {Outcome: consent.Show, Bases: []string{"b"}}}
	}))
	for got, want := range map[string]string{
		plain.Key(assetDigest):                      "0b40bfa68281f90357ba4ca8090c91561f93c1679a17fb5287e92a9a7805b6f4",
		decided.Key(assetDigest):                    "aa3d1eef5455f7ecf40ad75ecca41b09d8fa5baa182aaf591f6f33636e1fe2c2",
		pipeline.FaceID(assetDigest, person(4).Box): "87b079123ec4",
	} {
		if got != want {
			t.Errorf("%s, was %s: every result would be made again", got, want)
		}
	}
	films := newOrder(t, func(o *pipeline.Order) { o.Film.Every, o.Film.Encoding = 5, film.DefaultEncoding() })
	if films.Key(assetDigest) != plain.Key(assetDigest) {
		t.Error("what is wanted of films makes photographs again")
	}
}

func TestFilmKeyChangesWithWhatTheResultDependsOn(t *testing.T) {
	base := newOrder(t, nil)
	seen := map[string]string{base.FilmKey(assetDigest): "base", base.Key(assetDigest): "photograph"}
	if len(seen) != 2 {
		t.Error("a film has the key of a photograph")
	}
	for name, change := range map[string]func(*pipeline.Order){
		"from":    func(o *pipeline.Order) { o.Film.Part.From = time.Second },
		"to":      func(o *pipeline.Order) { o.Film.Part.To = time.Second },
		"every":   func(o *pipeline.Order) { o.Film.Every = 1 },
		"codec":   func(o *pipeline.Order) { o.Film.Encoding.Codec = "hevc" },
		"crf":     func(o *pipeline.Order) { o.Film.Encoding.CRF = 1 },
		"preset":  func(o *pipeline.Order) { o.Film.Encoding.Preset = "fast" },
		"mute":    func(o *pipeline.Order) { o.Film.Encoding.Mute = true },
		"mode":    func(o *pipeline.Order) { o.Mode = pipeline.Cleared },
		"gallery": func(o *pipeline.Order) { o.Gallery = newGallery(t, map[string]int{"4021": 1}) },
		"ruling":  ruled(person(4), func(r *pipeline.Ruling) { r.Is = "4021" }),
	} {
		k := newOrder(t, change).FilmKey(assetDigest)
		if other, taken := seen[k]; taken {
			t.Errorf("%s has the key of %s", name, other)
		}
		seen[k] = name
	}
}

func TestTemplatesAreNeverWritten(t *testing.T) {
	r := &reel{watched: footageOf(cast()...), fail: "render", err: errStop}
	for i := range r.watched.Tracks {
		best := &r.watched.Tracks[i].Best.Face
		best.Templates, best.Landmarks = person(i+1).Templates, make(face.Landmarks, 68)
	}
	asset := scratchAsset(t)
	if _, err := filmLine(r).Film(t.Context(), asset, []pipeline.Order{newOrder(t, nil)}); !errors.Is(err, errStop) {
		t.Fatal(err)
	}
	data, err := os.ReadFile(asset.Folder + "/plan")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"templates", "landmarks", string(face.DlibResNet), string(face.MobileFaceNet)} {
		if bytes.Contains(data, []byte(word)) {
			t.Errorf("the plan holds %s", word)
		}
	}
}
