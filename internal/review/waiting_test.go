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

func seen(id, outcome, basis string) report.Face {
	return report.Face{ID: id, Outcome: outcome, Basis: basis, Box: [4]float64{1, 2, 3, 4}}
}

func judged(path, purpose string, faces ...report.Face) review.Asset {
	return review.Asset{Path: path, SHA256: "d-" + path, Purpose: consent.Purpose(purpose), Place: purpose + "/" + path, Faces: faces}
}

// saw is what is known of runs that saw these, each run into a folder of its own, the oldest first.
func saw(runs ...[]review.Asset) review.Known {
	var known review.Known
	for i, assets := range runs {
		known.Runs = append(known.Runs, review.Run{Out: string(rune('a' + i)), Assets: assets})
	}
	return known
}

func faces() *review.Faces {
	return saw([]review.Asset{
		judged("copy", "website", seen("2", report.Review, "w")),
		judged("copy", "press", seen("2", report.Review, "p"), seen("", report.Review, "?")),
	}, []review.Asset{
		judged("a", "website", seen("1", report.Show, "s"), seen("2", report.Show, "w0")),
		judged("a", "press", seen("1", report.Obscure, "o"), seen("2", report.Review, "p")),
		judged("a", "production", seen("2", report.Show, "x")),
	}).Faces()
}

// What a later run has made anew counts as that run saw it, and what another run made does as well.
func TestFacesOfWhatWasMadeAnew(t *testing.T) {
	known := saw(
		[]review.Asset{judged("a", "website", seen("1", report.Review, "w")), judged("b", "website", seen("2", report.Review, "w"))},
		[]review.Asset{judged("a", "website", seen("1", report.Show, "s"))},
	)
	if n := len(known.Faces().Waiting()); n != 2 {
		t.Errorf("%d wait in two folders, want 2", n)
	}
	known.Runs[1].Out = known.Runs[0].Out
	if got := known.Faces().Waiting(); len(got) != 1 || got[0].ID != "2" {
		t.Errorf("%+v wait, want face 2", got)
	}
	known.Runs[1].Host = "another"
	known.Elsewhere, known.Runs = known.Runs[1:], known.Runs[:1]
	if n := len(known.Faces().Waiting()); n != 2 {
		t.Errorf("%d wait on two machines, want 2", n)
	}
}

func ignored() cmp.Option { return cmpopts.IgnoreUnexported(review.Wait{}) }

func TestWaitingAndJudged(t *testing.T) {
	f := faces()
	waiting := f.Waiting()
	if len(waiting) != 1 || waiting[0].ID != "2" {
		t.Fatalf("%+v wait, want face 2", waiting)
	}
	want := []review.Wait{{Purpose: "press", Bases: []string{"p"}}, {Purpose: "website", Bases: []string{"w"}}}
	if diff := cmp.Diff(want, waiting[0].Waiting, ignored()); diff != "" {
		t.Error(diff)
	}
	want = []review.Wait{{Purpose: "website", Bases: []string{"w0", "w"}}, {Purpose: "press", Bases: []string{"p"}}, {Purpose: "production", Bases: []string{"x"}}}
	if diff := cmp.Diff(want, waiting[0].Judged, ignored()); diff != "" {
		t.Error(diff)
	}
	if _, ok := f.Find("3"); ok {
		t.Error("a face that nobody has seen was found")
	}
}

// The purposes of a decision: all that are named, or those for which the face waits, or all.
func TestFor(t *testing.T) {
	for name, test := range map[string]struct {
		id    string
		named string
		want  []review.Wait
	}{
		"waits":             {"2", "", []review.Wait{{Purpose: "press", Bases: []string{"p"}}, {Purpose: "website", Bases: []string{"w"}}}},
		"waits for neither": {"1", "", []review.Wait{{Purpose: "website", Bases: []string{"s"}}, {Purpose: "press", Bases: []string{"o"}}}},
		"one is settled":    {"2", "press,production", []review.Wait{{Purpose: "press", Bases: []string{"p"}}, {Purpose: "production", Bases: []string{"x"}}}},
		"settled":           {"1", "website", []review.Wait{{Purpose: "website", Bases: []string{"s"}}}},
		"never judged":      {"1", "website,production", nil},
	} {
		t.Run(name, func(t *testing.T) {
			f, ok := faces().Find(test.id)
			if !ok {
				t.Fatal("not found")
			}
			var named []consent.Purpose
			for _, word := range strings.FieldsFunc(test.named, func(r rune) bool { return r == ',' }) {
				named = append(named, consent.Purpose(word))
			}
			got, err := f.For(named)
			if diff := cmp.Diff(test.want, got, ignored()); diff != "" {
				t.Error(diff)
			}
			if test.want == nil && (err == nil || !strings.Contains(err.Error(), "not judged for production, but for: website,press")) {
				t.Errorf("%v does not name it", err)
			}
		})
	}
}

// Where a person's word would not show the face it is not taken.
func TestShowable(t *testing.T) {
	surely := func(outcome, rule string) report.Face {
		f := seen("1", outcome, "b")
		f.Match, f.Rule = report.Match{Subject: "4021", Band: report.Confident}, rule
		return f
	}
	unsure := func(rule, runnerUp string) report.Face {
		f := surely(report.Obscure, rule)
		f.Match.Band, f.Match.RunnerUp = report.Unsure, runnerUp
		return f
	}
	forgotten := seen("1", report.Show, "")
	for name, test := range map[string]struct {
		faces []report.Face
		want  string
	}{
		"waits":                      {[]report.Face{surely(report.Review, pipeline.RuleLookalikes)}, ""},
		"surely 4021":                {[]report.Face{surely(report.Obscure, "refused")}, "to show it for website would have no effect: the face is surely 4021"},
		"either of two":              {[]report.Face{unsure("refused", "4022")}, "surely 4021 or 4022"},
		"perhaps 4021, mode cleared": {[]report.Face{unsure(pipeline.RuleNotCleared, "4022")}, ""},
		"a person's word, changed":   {[]report.Face{surely(report.Obscure, pipeline.RulePerson)}, ""},
		"surely 4021, in one run":    {[]report.Face{surely(report.Obscure, "refused"), seen("1", report.Review, "b")}, ""},
		"mode everyone":              {[]report.Face{{ID: "1", Outcome: report.Obscure, Rule: pipeline.RuleEveryone}}, "mode everyone"},
		"not known any more":         {[]report.Face{forgotten}, "not kept"},
	} {
		t.Run(name, func(t *testing.T) {
			var runs [][]review.Asset
			for _, f := range test.faces {
				runs = append(runs, []review.Asset{judged("a", "website", f)})
			}
			f, _ := saw(runs...).Faces().Find("1")
			about, err := f.For([]consent.Purpose{consent.Website})
			if err != nil {
				t.Fatal(err)
			}
			err = review.Showable(about)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}
