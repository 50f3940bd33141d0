package redact_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/redact"
	"github.com/consentry/consentry/internal/register"
	"github.com/consentry/consentry/internal/report"
	"github.com/consentry/consentry/internal/review"
	"github.com/consentry/consentry/pipeline"
)

// doubtful is a run in which every face waits for a person.
func doubtful(t *testing.T) (string, redact.Options) {
	t.Helper()
	dir, o := newOptions(t)
	o.Mode, o.UnknownFace, o.Preset, o.Again = pipeline.Objectors, consent.Review, "perse", json.RawMessage(`{}`)
	withState(t, o, func(b *bus.Bus) {
		_, _, err := register.New(b.Register()).Import(t.Context(), []consent.Subject{{AdmissionNumber: "4021"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
	})
	return dir, o
}

func withState(t *testing.T, o redact.Options, do func(*bus.Bus)) {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{StoreDir: o.StateDir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}()
	do(b)
}

func sheet(t *testing.T, o redact.Options) (string, os.FileMode) {
	t.Helper()
	path := filepath.Join(o.Out, report.HTMLName)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), info.Mode().Perm()
}

// A film with a face in doubt is withheld, and stays so when it is found again; the face stands bare on
// the sheet, which is its owner's only, until a person has decided. Then it stands there no more.
func TestDoubtfulFilm(t *testing.T) {
	dir, o := doubtful(t)
	putFilm(t, dir, "play.mp4", plainFilm, 1)
	for round := range 2 {
		if s := mustRun(t, o); s.Withheld != 1 || s.Found != round {
			t.Fatalf("%+v\n%v", s, outcomes(t, dir))
		}
		a := load(t, o.Out).Assets[0]
		if a.Kind != report.KindVideo || len(a.Tracks) != 1 || a.Tracks[0].Outcome != report.Review || len(a.Tracks[0].Face) != 12 || a.Tracks[0].To != 0.8 {
			t.Fatalf("%+v", a)
		}
		text, mode := sheet(t, o)
		for _, want := range []string{"Do not pass this sheet on.", `<details class="bare">`, "face <code>" + a.Tracks[0].Face, "0:00.0 – 0:00.8"} {
			if !strings.Contains(text, want) {
				t.Errorf("round %d: %q is not on the sheet", round, want)
			}
		}
		if mode != 0o600 {
			t.Errorf("round %d: others may read it: %v", round, mode)
		}
	}
	if n := did(t, dir, "watch-plain"); n != 1 {
		t.Errorf("watched %d times", n)
	}
	waiting := knownRuns(t, o).Faces().Waiting()
	if len(waiting) != 1 || waiting[0].Film == nil || waiting[0].Film.String() != "0:00.0–0:00.8" {
		t.Fatalf("%+v wait", waiting)
	}
	decideAsObscured(t, o, waiting[0])
	wantDecided(t, o)
}

func decideAsObscured(t *testing.T, o redact.Options, f review.Face) {
	t.Helper()
	withState(t, o, func(b *bus.Bus) {
		bare := 0
		err := redact.KeptTracks(t.Context(), b, func(k pipeline.TrackResult) {
			if pipeline.TrackID(f.Asset, k.At, k.Box) != f.ID {
				t.Errorf("kept under another name: %+v", k)
			}
			for _, p := range k.Pictures {
				if p.Bare {
					bare++
				}
			}
		})
		if err != nil || bare == 0 {
			t.Errorf("%d pictures of it are kept: %v", bare, err)
		}
		said := review.Statement{As: consent.Obscure, Purposes: []consent.Purpose{consent.Website}}
		if err := review.New(b.Rulings(), b.Runs()).RuleAt(t.Context(), f.Asset, f.Place(), said); err != nil {
			t.Fatal(err)
		}
		if err := redact.ForgetTrack(t.Context(), b, f.Asset, f.ID); err != nil {
			t.Fatal(err)
		}
	})
	wantNoPictures(t, o)
}

// wantDecided does the run again: once made anew, and once found.
func wantDecided(t *testing.T, o redact.Options) {
	t.Helper()
	for round := range 2 {
		if s := mustRun(t, o); s.Released != 1 || s.Found != round {
			t.Fatalf("%+v", s)
		}
		a := load(t, o.Out).Assets[0]
		if seen := a.Tracks[0]; seen.Outcome != report.Obscure || seen.Rule != pipeline.RulePerson || !strings.Contains(seen.Reason, "a person decided") || seen.Basis == "" {
			t.Errorf("round %d: %+v", round, seen)
		}
		if text, mode := sheet(t, o); strings.Contains(text, "Do not pass") || strings.Contains(text, `<details class="bare"`) || mode == 0o600 {
			t.Errorf("round %d: the face is bare still", round)
		}
	}
	if waiting := knownRuns(t, o).Faces().Waiting(); len(waiting) > 0 {
		t.Errorf("%+v waits still", waiting)
	}
	wantNoPictures(t, o)
}

func wantNoPictures(t *testing.T, o redact.Options) {
	t.Helper()
	withState(t, o, func(b *bus.Bus) {
		err := redact.KeptTracks(t.Context(), b, func(k pipeline.TrackResult) {
			if len(k.Pictures) > 0 {
				t.Error("pictures are kept of a film that is done")
			}
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// Bare faces are not kept once nobody has to decide about them, as the rules have changed.
func TestBareFacesAreForgotten(t *testing.T) {
	dir, o := doubtful(t)
	putFilm(t, dir, "play.mp4", plainFilm, 1)
	mustRun(t, o)
	o.UnknownFace = consent.Obscure
	if s := mustRun(t, o); s.Released != 1 {
		t.Fatalf("%+v", s)
	}
	wantNoPictures(t, o)
}
