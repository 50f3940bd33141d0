package review_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/report"
	"github.com/consentry/consentry/internal/review"
	"github.com/consentry/consentry/pipeline"
)

// What was said of a subject who has been removed is unsaid; all else that was said stands.
func TestForgetInRulings(t *testing.T) {
	show := func(bases ...string) review.Statement {
		return review.Statement{As: consent.Show, Purposes: []consent.Purpose{"press"}, Bases: map[consent.Purpose][]string{"press": bases}}
	}
	shown := func(bases ...string) map[consent.Purpose]pipeline.Verdict {
		return map[consent.Purpose]pipeline.Verdict{"press": {Outcome: consent.Show, Bases: bases}}
	}
	for name, test := range map[string]struct {
		said []review.Statement
		want []pipeline.Ruling
	}{
		"is":                          {[]review.Statement{{Is: "4022"}}, nil},
		"not":                         {[]review.Statement{{Not: []string{"4022"}}}, nil},
		"not two":                     {[]review.Statement{{Not: []string{"4022", "4023"}}}, []pipeline.Ruling{{Not: []string{"4023"}}}},
		"is another":                  {[]review.Statement{{Is: "40221"}}, []pipeline.Ruling{{Is: "40221"}}},
		"was another before":          {[]review.Statement{{Is: "4023"}, {Is: "4022"}}, []pipeline.Ruling{{}}},
		"was another, who it was not": {[]review.Statement{{Not: []string{"4023"}}, {Is: "4023"}, {Is: "4022"}}, []pipeline.Ruling{{}}},
		"is another since":            {[]review.Statement{{Is: "4022"}, {Is: "4023"}}, []pipeline.Ruling{{Is: "4023"}}},
		"obscure":                     {[]review.Statement{{Is: "4022", As: consent.Obscure, Purposes: []consent.Purpose{"press"}}}, []pipeline.Ruling{{As: map[consent.Purpose]pipeline.Verdict{"press": {Outcome: consent.Obscure}}}}},
		"shown, by what it was":       {[]review.Statement{show("unsure; 4022 show r", "unsure; 40221 show r")}, []pipeline.Ruling{{As: shown("unsure; 40221 show r")}}},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, t.TempDir())
			for _, said := range test.said {
				if err := store(b).Rule(t.Context(), asset, box, said); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				if err := store(b).Forget(t.Context(), "9", "4022"); err != nil {
					t.Fatal(err)
				}
			}
			all, err := store(b).Rulings(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for i := range test.want {
				test.want[i].Box = box
			}
			if diff := cmp.Diff(test.want, all[asset], cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			for change, err := range b.Rulings().Watch(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if change.CaughtUp {
					break
				}
				if strings.Contains(string(change.Value), `4022"`) || strings.Contains(string(change.Value), "4022 ") {
					t.Errorf("the number is still there: %s", change.Value)
				}
			}
		})
	}
}

func TestForgetInRuns(t *testing.T) {
	a, _ := folders(t)
	b := open(t, t.TempDir())
	s := store(b)
	r := made(a, 1, "website/1")
	r.Assets[0].Faces = []report.Face{
		{ID: "1", Match: report.Match{Subject: "4022", RunnerUp: "4021"}, Reason: "looks like 4022, but not surely", Basis: "unsure; 4022 show r; 4021 show r", Outcome: report.Review},
		{ID: "2", Match: report.Match{Subject: "40221"}, Reason: "looks like 40221, but not surely", Basis: "unsure; 40221 show r", Outcome: report.Review},
	}
	remember(t, s, r)
	if err := s.Forget(t.Context(), "4022"); err != nil {
		t.Fatal(err)
	}
	want := []report.Face{
		{ID: "1", Match: report.Match{RunnerUp: "4021"}, Reason: "looked like somebody who is not in the register any more", Outcome: report.Review},
		r.Assets[0].Faces[1],
	}
	if diff := cmp.Diff(want, known(t, s).Runs[0].Assets[0].Faces); diff != "" {
		t.Error(diff)
	}
	if keys, err := b.Runs().Keys(t.Context()); err != nil || len(keys) != 2 {
		t.Errorf("%d values, want a head and a part: %v", len(keys), err)
	}
}
