package review_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
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
