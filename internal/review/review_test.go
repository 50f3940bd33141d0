package review_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/report"
	"github.com/consentry/consentry/internal/review"
	"github.com/consentry/consentry/pipeline"
)

func open(t *testing.T, dir string) *bus.Bus {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{StoreDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() }) // some tests close it themselves
	return b
}

func store(b *bus.Bus) *review.Store { return review.New(b.Rulings(), b.Runs()) }

var (
	asset = strings.Repeat("ab", 32)
	box   = face.Box{X: 10, Y: 20, W: 30, H: 40}
)

func TestLaterStatementsRule(t *testing.T) {
	web, press := consent.Website, consent.Press
	tests := map[string]struct {
		said []review.Statement
		want pipeline.Ruling
	}{
		"is":           {[]review.Statement{{Is: "4022"}}, pipeline.Ruling{Is: "4022"}},
		"is another":   {[]review.Statement{{Is: "4022"}, {Is: "4023"}}, pipeline.Ruling{Is: "4023"}},
		"not":          {[]review.Statement{{Not: []string{"4022", "4021"}}, {Not: []string{"4021"}}}, pipeline.Ruling{Not: []string{"4021", "4022"}}},
		"is, then not": {[]review.Statement{{Is: "4022"}, {Not: []string{"4022"}}}, pipeline.Ruling{Not: []string{"4022"}}},
		"not, then is": {[]review.Statement{{Not: []string{"4022"}}, {Is: "4022"}}, pipeline.Ruling{Is: "4022"}},
		"as, by purpose": {
			[]review.Statement{
				{As: consent.Show, Purposes: []consent.Purpose{web, press}, Bases: map[consent.Purpose][]string{web: {"a"}, press: {"b"}}},
				{As: consent.Obscure, Purposes: []consent.Purpose{press}},
			},
			pipeline.Ruling{As: map[consent.Purpose]pipeline.Verdict{web: {Outcome: consent.Show, Bases: []string{"a"}}, press: {Outcome: consent.Obscure}}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			b := open(t, dir)
			for i, said := range test.said {
				said.At = time.Unix(int64(i), 0)
				moved := box
				moved.X += float64(i) // found a little beside where it was
				if err := store(b).Rule(t.Context(), asset, moved, said); err != nil {
					t.Fatal(err)
				}
			}
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			got, err := store(open(t, dir)).Rulings(t.Context()) // what was decided is there after a restart
			if err != nil {
				t.Fatal(err)
			}
			test.want.Box = box
			if test.want.As == nil {
				test.want.As = map[consent.Purpose]pipeline.Verdict{}
			}
			want := pipeline.Rulings{asset: {test.want}}
			if diff := cmp.Diff(want, got, cmp.Transformer("empty", func(s []string) string { return strings.Join(s, ",") })); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFacesApartAreTwo(t *testing.T) {
	s := store(open(t, t.TempDir()))
	beside := box
	beside.X += 25
	for _, b := range []face.Box{box, beside} {
		if err := s.Rule(t.Context(), asset, b, review.Statement{Is: "4022"}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.Rulings(t.Context())
	if err != nil || len(all[asset]) != 2 {
		t.Errorf("%d faces, want 2: %v", len(all[asset]), err)
	}
}

func TestStatementsThatSayNothing(t *testing.T) {
	s := store(open(t, t.TempDir()))
	for name, test := range map[string]struct {
		said review.Statement
		want error
	}{
		"empty":  {review.Statement{By: "office"}, review.ErrNothingSaid},
		"review": {review.Statement{As: consent.Review}, review.ErrBadOutcome},
	} {
		if err := s.Rule(t.Context(), asset, box, test.said); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	if err := s.Rule(t.Context(), asset, box, review.Statement{Is: "Jane Doe"}); err == nil || strings.Contains(err.Error(), "Jane") {
		t.Errorf("a name was taken or repeated: %v", err)
	}
}

// A decision that cannot be read could be one to obscure.
func TestUnreadableDecisionIsAnError(t *testing.T) {
	b := open(t, t.TempDir())
	for _, value := range []string{`{`, `{"version":2,"asset":"` + asset + `"}`, `{"version":1,"asset":"` + strings.Repeat("cd", 32) + `"}`} {
		if _, err := b.Rulings().Put(t.Context(), asset+".000000000000", []byte(value)); err != nil {
			t.Fatal(err)
		}
		if all, err := store(b).Rulings(t.Context()); err == nil {
			t.Errorf("%s was read as %v", value, all)
		}
	}
}

func TestRunsAreRememberedByTheirFolder(t *testing.T) {
	s := store(open(t, t.TempDir()))
	at := func(n int) time.Time { return time.Unix(int64(n), 0).UTC() }
	for _, r := range []review.Run{
		{Out: "/a", Command: json.RawMessage(`{"n":1}`), Finished: at(1)},
		{Out: "/b", Command: json.RawMessage(`{"n":2}`), Finished: at(2)},
		{Out: "/a", Command: json.RawMessage(`{"n":3}`), Finished: at(3)},
	} {
		if err := s.Remember(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Runs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []review.Run{
		{Out: "/a", Command: json.RawMessage(`{"n":3}`), Finished: at(3)},
		{Out: "/b", Command: json.RawMessage(`{"n":2}`), Finished: at(2)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWaitingFaces(t *testing.T) {
	asset := func(path, purpose string, faces ...report.Face) report.Asset {
		return report.Asset{Path: path, SHA256: "d-" + path, Purpose: purpose, Faces: faces}
	}
	seen := func(id, outcome, basis string) report.Face {
		return report.Face{ID: id, Outcome: outcome, Basis: basis, Box: [4]float64{1, 2, 3, 4}}
	}
	var f review.Faces
	f.Add("/one", report.Report{Assets: []report.Asset{
		asset("a", "website", seen("1", report.Show, "s"), seen("2", report.Review, "w")),
		asset("a", "press", seen("1", report.Obscure, "o"), seen("2", report.Review, "p")),
		asset("a", "production", seen("2", report.Show, "x")),
	}})
	f.Add("/two", report.Report{Assets: []report.Asset{asset("copy", "website", seen("2", report.Review, "w"))}})
	waiting := f.Waiting()
	if len(waiting) != 1 {
		t.Fatalf("%d wait, want 1", len(waiting))
	}
	want := []review.Wait{{Purpose: "website", Bases: []string{"w"}}, {Purpose: "press", Bases: []string{"p"}}}
	if diff := cmp.Diff(want, waiting[0].Waiting); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"/one", "/two"}, waiting[0].Outs); diff != "" {
		t.Error(diff)
	}
	settled, ok := f.Find("1")
	if want := []review.Wait{{Purpose: "website", Bases: []string{"s"}}, {Purpose: "press", Bases: []string{"o"}}}; !ok || !cmp.Equal(want, settled.Waiting) {
		t.Errorf("a settled face: %+v", settled)
	}
	if _, ok := f.Find("3"); ok {
		t.Error("a face that nobody has seen was found")
	}
}
