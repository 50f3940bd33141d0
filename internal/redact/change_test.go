package redact_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/bus/bustest"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/redact"
	"github.com/consentry/consentry/internal/register"
	"github.com/consentry/consentry/internal/report"
	"github.com/consentry/consentry/internal/review"
	"github.com/consentry/consentry/pipeline"
)

// meanwhile does something once two files are done, while the run waits for it.
type meanwhile struct {
	silent
	once  sync.Once
	do    func()
	mu    sync.Mutex
	notes []string
}

func (m *meanwhile) Processing(done, _ int) {
	if done >= 2 {
		m.once.Do(m.do)
	}
}

func (m *meanwhile) Note(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.notes = append(m.notes, text)
}

func (m *meanwhile) told(text string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Contains(strings.Join(m.notes, "\n"), text)
}

// shared is a server that others use too, with a register in which 4021 must be obscured.
func shared(t *testing.T, records ...consent.Record) (string, *bus.Bus) {
	t.Helper()
	url := bustest.Serve(t, -1)
	b, err := bus.Open(t.Context(), bus.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	_, _, err = register.New(b.Register()).Import(t.Context(), []consent.Subject{{AdmissionNumber: "4021"}}, records)
	if err != nil {
		t.Fatal(err)
	}
	return url, b
}

func said(purpose consent.Purpose, answer consent.Answer) consent.Record {
	return consent.Record{AdmissionNumber: "4021", Party: consent.Guardian, Purpose: purpose, Decision: answer, Date: "2025-01-01"}
}

// What somebody decides while a run is at work holds for the whole of its results.
func TestDecisionInMidRun(t *testing.T) {
	dir, o := newOptions(t)
	url, b := shared(t)
	for i := range 8 {
		put(t, dir, string(rune('a'+i))+".png", slow, 64+i)
	}
	o.Mode, o.NATSURL, o.StateDir, o.Workers = pipeline.Cleared, url, "", 1
	first := mustRun(t, o)
	if first.Released != 8 {
		t.Fatalf("%+v", first)
	}
	before := load(t, o.Out)
	box := face.Box{X: 10, Y: 10, W: 20, H: 20}
	progress := &meanwhile{do: func() {
		said := review.Statement{As: consent.Obscure, Purposes: []consent.Purpose{consent.Website}}
		if err := review.New(b.Rulings(), b.Runs()).Rule(t.Context(), before.Assets[0].SHA256, box, said); err != nil {
			t.Error(err)
		}
	}}
	o.Progress, o.Out = progress, filepath.Join(dir, "out2")
	if s := mustRun(t, o); s.Released != 8 {
		t.Fatalf("%+v", s)
	}
	rules := map[string]int{}
	for _, a := range load(t, o.Out).Assets {
		rules[a.Faces[0].Rule]++
	}
	if rules[pipeline.RulePerson] != 1 || rules[pipeline.RuleNotCleared] != 7 {
		t.Errorf("rules %v, want one face that a person decided and seven others", rules)
	}
	if !progress.told("going on by what holds now") {
		t.Errorf("told %q", progress.notes)
	}
}

// A run that may not go on by what holds now takes back what it had released.
func TestConsentInMidRunThatStopsIt(t *testing.T) {
	dir, o := newOptions(t)
	url, b := shared(t, said(consent.AnyPurpose, consent.Granted))
	for i := range 8 {
		put(t, dir, string(rune('a'+i))+".png", slow, 64+i)
	}
	o.Mode, o.NATSURL, o.StateDir, o.Workers, o.Preset = pipeline.Objectors, url, "", 1, "perse"
	o.Progress = &meanwhile{do: func() {
		withdrawn := said(consent.Website, consent.Withdrawn)
		withdrawn.Date = "2025-02-01"
		if _, err := register.New(b.Register()).Set(t.Context(), withdrawn); err != nil {
			t.Error(err)
		}
	}}
	s, err := redact.Run(t.Context(), o)
	if usage := (*redact.UsageError)(nil); !errors.As(err, &usage) || !strings.Contains(err.Error(), "4021 may not be enrolled") {
		t.Errorf("%v", err)
	}
	if s.Released != 0 || s.Withheld != 8 {
		t.Errorf("%+v, want all withheld", s)
	}
	if left := files(t, filepath.Join(o.Out, "website")); len(left) > 0 {
		t.Errorf("left in the output folder: %v", left)
	}
}

func load(t *testing.T, out string) report.Report {
	t.Helper()
	r, err := report.Load(out)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(r.Assets, func(a, b report.Asset) int { return strings.Compare(a.Path, b.Path) })
	return r
}

// What changes and concerns nobody who is looked for changes nothing.
func TestChangeThatDoesNotMatter(t *testing.T) {
	dir, o := newOptions(t)
	url, b := shared(t)
	for i := range 4 {
		put(t, dir, string(rune('a'+i))+".png", slow, 64+i)
	}
	o.Mode, o.NATSURL, o.StateDir, o.Workers = pipeline.Cleared, url, "", 1
	progress := &meanwhile{do: func() {
		if _, err := register.New(b.Register()).Set(context.WithoutCancel(t.Context()), said(consent.Press, consent.Refused)); err != nil {
			t.Error(err)
		}
	}}
	o.Progress = progress
	if s := mustRun(t, o); s.Released != 4 || looks(t, dir, slow) != 4 || progress.told("going on by what holds now") {
		t.Errorf("%+v after %d looks, told %q", s, looks(t, dir, slow), progress.notes)
	}
}

func TestThePolicysReminders(t *testing.T) {
	dir, o := newOptions(t)
	o.Paths = []string{filepath.Join(dir, "2025-26")}
	for _, name := range []string{"7B/a.png", "Jane/b.png"} {
		put(t, dir, "../2025-26/"+name, 64, 64)
	}
	progress := &meanwhile{do: func() {}}
	o.Progress, o.Purposes = progress, []consent.Purpose{consent.Press, consent.InternalDisplay}
	mustRun(t, o)
	if !progress.told("press: before anything goes to a third party: a contract") || progress.told("internal-display:") {
		t.Errorf("third parties: %q", progress.notes)
	}
	if !progress.told("1 of 2 files lie in folders that are not called ACADEMIC-YEAR/YEAR-GROUP-or-CLASS/ (lumen-folders)") {
		t.Errorf("folders: %q", progress.notes)
	}
}

// What was made when nobody objected may show somebody who would not be recognised now.
func TestStoppedRunTakesBackWhatEarlierOnesMade(t *testing.T) {
	dir, o := newOptions(t)
	url, b := shared(t, said(consent.AnyPurpose, consent.Granted))
	put(t, dir, "a.png", 64, 64)
	o.Mode, o.NATSURL, o.StateDir, o.Preset = pipeline.Objectors, url, "", "perse"
	o.Purposes = []consent.Purpose{consent.Website, consent.Press}
	if s := mustRun(t, o); s.Released != 2 {
		t.Fatalf("%+v", s)
	}
	withdrawn := said(consent.Website, consent.Withdrawn)
	withdrawn.Date = "2025-02-01"
	if _, err := register.New(b.Register()).Set(t.Context(), withdrawn); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(o.Out, "website", "in", "own.png") // not ours: left alone
	if err := os.WriteFile(own, []byte("own"), 0o600); err != nil {
		t.Fatal(err)
	}
	o.Purposes = o.Purposes[:1]
	_, err := redact.Run(t.Context(), o)
	if usage := (*redact.UsageError)(nil); !errors.As(err, &usage) || !strings.Contains(err.Error(), "1 derivatives of earlier runs were taken out") {
		t.Errorf("%v", err)
	}
	if left := files(t, filepath.Join(o.Out, "website")); !slices.Equal(left, []string{"in/own.png"}) {
		t.Errorf("left for the purpose: %v", left)
	}
	if left := files(t, filepath.Join(o.Out, "press")); len(left) != 2 {
		t.Errorf("left for another purpose: %v", left)
	}
}

// Two runs on one server do their own work and leave each other's alone.
func TestTwoRunsOnOneServer(t *testing.T) {
	url, _ := shared(t)
	var running sync.WaitGroup
	for run := range 2 {
		dir, o := newOptions(t)
		for i := range 6 {
			put(t, dir, string(rune('a'+i))+".png", slow, 64+10*run+i)
		}
		o.Mode, o.NATSURL, o.StateDir, o.Workers = pipeline.Cleared, url, "", 1
		running.Go(func() {
			if s, err := redact.Run(t.Context(), o); err != nil || s.Released != 6 {
				t.Errorf("%+v: %v", s, err)
			}
		})
	}
	running.Wait()
}

// The state of a job that is done has pictures in it, and is of no use to anybody.
func TestStatesOfFinishedJobsAreErased(t *testing.T) {
	dir, o := newOptions(t)
	url, b := shared(t)
	put(t, dir, "a.png", 64, 64)
	o.Mode, o.NATSURL, o.StateDir = pipeline.Cleared, url, ""
	mustRun(t, o)
	if keys, err := b.States().Keys(t.Context()); err != nil || len(keys) != 0 {
		t.Errorf("%v: %v", keys, err)
	}
	if left := files(t, filepath.Join(o.Out)); len(left) != 2 {
		t.Errorf("%v", left)
	}
}

// Where nobody can tell any more whether the rules still hold, nothing stays released.
func TestServerThatGoesAwayInMidRun(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a request to a server that is gone, which -short goes without")
	}
	dir, o := newOptions(t)
	url, stop := bustest.Start(t, -1)
	b, err := bus.Open(t.Context(), bus.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = register.New(b.Register()).Import(t.Context(), []consent.Subject{{AdmissionNumber: "4021"}}, nil)
	if err := errors.Join(err, b.Close()); err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		put(t, dir, string(rune('a'+i))+".png", slow, 64+i)
	}
	o.Mode, o.NATSURL, o.StateDir, o.Workers = pipeline.Cleared, url, "", 1
	o.Progress = &meanwhile{do: stop}
	s, err := redact.Run(t.Context(), o)
	if err == nil || s.Released != 0 {
		t.Errorf("%+v: %v, want an error and nothing released", s, err)
	}
	if left := files(t, filepath.Join(o.Out, "website")); len(left) > 0 {
		t.Errorf("left in the output folder: %v", left)
	}
}
