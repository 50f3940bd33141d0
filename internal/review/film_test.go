package review_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/report"
	"github.com/consentry/consentry/internal/review"
	"github.com/consentry/consentry/pipeline"
)

func tracked(id, outcome, basis string) report.Track {
	return report.Track{
		ID: 7, Face: id, FirstFrame: 300, LastFrame: 1000, From: 12, To: 40.04, Frame: 400, At: 16.000001, Box: [4]float64{1, 2, 3, 4},
		Outcome: outcome, Basis: basis, Reason: "looks like 4021, but not surely", Match: report.Match{Subject: "4021", Band: report.Unsure},
	}
}

func filmed(path, purpose string, tracks ...report.Track) review.Asset {
	a := judged(path, purpose)
	a.Tracks = tracks
	return a
}

// Tracks wait, are found and are decided about as faces are, and say when they are seen.
func TestTracksThatWait(t *testing.T) {
	all := saw([]review.Asset{
		judged("a", "website", seen("1", report.Review, "w")),
		filmed("film", "website", tracked("2", report.Review, "w"), tracked("3", report.Show, "w")),
		filmed("film", "press", tracked("2", report.Obscure, "p")),
	}).Faces()
	waiting := all.Waiting()
	if len(waiting) != 2 || waiting[0].Film != nil {
		t.Fatalf("%+v wait", waiting)
	}
	want := review.Face{
		ID: "2", Asset: "d-film", Path: "film", Box: face.Box{X: 1, Y: 2, W: 3, H: 4}, Film: &review.Moment{From: 12, To: 40.04, Frame: 400, At: 16.000001},
		Match: report.Match{Subject: "4021", Band: report.Unsure}, Reason: "looks like 4021, but not surely",
		Waiting: []review.Wait{{Purpose: "website", Bases: []string{"w"}}},
		Judged:  []review.Wait{{Purpose: "website", Bases: []string{"w"}}, {Purpose: "press", Bases: []string{"p"}}},
	}
	if diff := cmp.Diff(want, waiting[1], ignored(), cmpopts.IgnoreUnexported(review.Face{})); diff != "" {
		t.Error(diff)
	}
	place := waiting[1].Place()
	if place.At == nil || *place.At != 16*time.Second+time.Microsecond {
		t.Errorf("decided about at %v", place.At)
	}
	if place := waiting[0].Place(); place.At != nil {
		t.Errorf("a photograph's face is at %v", place.At)
	}
	if _, ok := all.Find("3"); !ok {
		t.Error("a track that does not wait was not found")
	}
}

// A decision on a track is one on that moment of the film, and comes back with it.
func TestRulingsOnTracks(t *testing.T) {
	s := store(open(t, t.TempDir()))
	first, later := time.Second, 2*time.Second
	moved := box
	moved.X++
	for _, decided := range []struct {
		place review.Place
		said  review.Statement
	}{
		{review.Place{Box: box, At: &first}, review.Statement{Is: "4021"}},
		{review.Place{Box: moved, At: &first}, review.Statement{Is: "4022"}}, // the same, found a little beside
		{review.Place{Box: box, At: &later}, review.Statement{Is: "4023"}},
	} {
		if err := s.RuleAt(t.Context(), asset, decided.place, decided.said); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.Rulings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []pipeline.Ruling{{Box: box, At: &first, Is: "4022"}, {Box: box, At: &later, Is: "4023"}}
	byTime := cmpopts.SortSlices(func(a, b pipeline.Ruling) bool { return *a.At < *b.At })
	if diff := cmp.Diff(want, all[asset], cmpopts.EquateEmpty(), byTime); diff != "" {
		t.Error(diff)
	}
}

// A moment goes through the report as seconds and is the same afterwards, for any film that there is.
func TestTimeOfAMoment(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		want := time.Duration(random.Int64N(1e12)-1e9) * time.Microsecond // 11 days
		m := review.Moment{At: want.Seconds()}
		if got := m.Time(); got != want {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}

func TestMomentInWords(t *testing.T) {
	for want, m := range map[string]review.Moment{
		"0:12–0:40":       {From: 12, To: 40.04},
		"59:59–1:00:00":   {From: 3599.9, To: 3600},
		"0:12.2–0:12.9":   {From: 12.24, To: 12.99},
		"0:00.0–0:00.5":   {From: -0.3, To: 0.5},
		"1:02:03–1:02:04": {From: 3723, To: 3724},
	} {
		if got := m.String(); got != want {
			t.Errorf("%+v is %s, want %s", m, got, want)
		}
	}
}

func TestForgetInTracks(t *testing.T) {
	a, _ := folders(t)
	s := store(open(t, t.TempDir()))
	r := made(a, 1, "website/1")
	r.Assets[0].Tracks = []report.Track{tracked("1", report.Review, "unsure; 4021 show r"), tracked("2", report.Review, "b")}
	r.Assets[0].Tracks[1].Match.Subject, r.Assets[0].Tracks[1].Reason = "40211", "looks like 40211"
	remember(t, s, r)
	if err := s.Forget(t.Context(), "4021"); err != nil {
		t.Fatal(err)
	}
	got := known(t, s).Runs[0].Assets[0].Tracks
	want := tracked("1", report.Review, "")
	want.Match.Subject, want.Reason = "", "looked like somebody who is not in the register any more"
	if diff := cmp.Diff([]report.Track{want, r.Assets[0].Tracks[1]}, got); diff != "" {
		t.Error(diff)
	}
}

// Several decisions at once have the effects of all.
func TestEffectsOfSeveral(t *testing.T) {
	everyone := tracked("1", report.Obscure, "")
	everyone.Rule = pipeline.RuleEveryone
	runs := []review.Run{made("/a", 1, "website/1", "press/1"), made("/b", 2, "website/2"), made("/c", 3, "website/3")}
	runs[2].Assets[0].Tracks = []report.Track{everyone}
	changes := []review.Change{
		{Asset: "digest of 1", Purposes: []consent.Purpose{"press"}}, {Asset: "digest of 2"}, {Asset: "digest of 3"},
	}
	var places []string
	for _, e := range review.Effects(runs, changes...) {
		places = append(places, e.Places...)
	}
	if diff := cmp.Diff([]string{"press/1", "website/2"}, places); diff != "" {
		t.Error(diff)
	}
}
