package redact_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/redact"
	"github.com/consentry/consentry/internal/report"
	"github.com/consentry/consentry/internal/review"
)

// knownRuns is what the state remembers.
func knownRuns(t *testing.T, o redact.Options) review.Known {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{StoreDir: o.StateDir})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	known, err := review.New(b.Rulings(), b.Runs()).Known(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return known
}

func TestRunIsRememberedWithWhatItSaw(t *testing.T) {
	dir, o := newOptions(t)
	o.Again = json.RawMessage(`{"how":1}`)
	put(t, dir, "a.png", 64, 64)
	put(t, dir, "broken.png", broken, 64)
	mustRun(t, o)
	reported := load(t, o.Out)
	if err := os.Remove(filepath.Join(o.Out, report.JSONName)); err != nil { // nothing of it is needed
		t.Fatal(err)
	}
	o.Purposes = []consent.Purpose{consent.Press}
	o.InPlaceOf = time.Unix(1, 0).UTC()
	mustRun(t, o)
	got := knownRuns(t, o).Runs
	if len(got) != 2 || got[0].Purposes[0] != consent.Press || string(got[0].Command) != `{"how":1}` {
		t.Fatalf("%+v, want two runs, the one in an earlier one's place first", got)
	}
	want := []review.Asset{
		{Path: "in/a.png", SHA256: reported.Assets[0].SHA256, Purpose: consent.Website, Place: "website/in/a.png", Faces: reported.Assets[0].Faces},
		{Path: "in/broken.png", SHA256: reported.Assets[1].SHA256, Purpose: consent.Website, Place: "website/in/broken.png"},
	}
	for i := range want[0].Faces {
		want[0].Faces[i].DetectorScore, want[0].Faces[i].Region = 0, nil
	}
	if diff := cmp.Diff(want, got[1].Assets); diff != "" {
		t.Error(diff)
	}
	o.StateDir, o.ThrowAwayDir = "", filepath.Join(dir, "runs")
	mustRun(t, o) // keeps nothing, and fails at nothing
}

// interrupted ends the run from outside once a file is done.
type interrupted struct {
	silent
	stop context.CancelFunc
}

func (i interrupted) Processing(done, _ int) {
	if done == 1 {
		i.stop()
	}
}

// An interrupted run has a contact sheet as well, with faces to decide about.
func TestInterruptedRunIsRemembered(t *testing.T) {
	dir, o := newOptions(t)
	o.Again, o.Workers = json.RawMessage(`{}`), 1
	for i := range 6 {
		put(t, dir, string(rune('a'+i))+".png", slow, 64+i)
	}
	ctx, stop := context.WithCancel(t.Context())
	o.Progress = interrupted{stop: stop}
	s, err := redact.Run(ctx, o)
	if err != nil || !s.Interrupted {
		t.Fatalf("%+v: %v", s, err)
	}
	runs := knownRuns(t, o).Runs
	if len(runs) != 1 || len(runs[0].Assets) != 6 {
		t.Fatalf("%+v", runs)
	}
	for i, a := range load(t, o.Out).Assets {
		if len(a.Faces) != len(runs[0].Assets[i].Faces) {
			t.Errorf("%s: %d faces on the sheet, %d are remembered", a.Path, len(a.Faces), len(runs[0].Assets[i].Faces))
		}
	}
}

// What a run has made is known of before it has ended: it may be killed. Other machines know of it too.
func TestRunAtWorkIsRemembered(t *testing.T) {
	dir, o := newOptions(t)
	put(t, dir, "a.png", 64, 64)
	put(t, dir, "b.png", 65, 64)
	url, b := shared(t)
	o.Again, o.NATSURL, o.StateDir = json.RawMessage(`{}`), url, ""
	asked := false
	o.Progress = &meanwhile{do: func() {
		asked = true
		known, err := review.New(b.Rulings(), b.Runs()).Known(t.Context(), "another machine")
		if err != nil || len(known.Elsewhere) != 1 || len(known.Elsewhere[0].Assets) != 2 {
			t.Errorf("%+v: %v", known, err)
			return
		}
		if a := known.Elsewhere[0].Assets[0]; a.Place != "website/in/a.png" || a.SHA256 == "" {
			t.Errorf("%+v", a)
		}
	}}
	mustRun(t, o)
	if !asked {
		t.Error("the run was not asked")
	}
}
