package redact

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/clearance"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/pipeline"
)

// manyTracks is what becomes of so many tracks, which differ in all that tracks of real films differ in.
func manyTracks(n int, purpose consent.Purpose) []pipeline.TrackResult {
	g := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // numbers of a test
	number := func(scale, parts float64) float64 { return math.Round(g.Float64()*scale*parts) / parts }
	tracks := make([]pipeline.TrackResult, n)
	for i := range tracks {
		first := 20*i + g.IntN(30)
		best, last := first+g.IntN(20), first+20+g.IntN(200)
		at := func(frame int) time.Duration { return time.Duration(frame) * 40 * time.Millisecond }
		likely, next := fmt.Sprint(4000+g.IntN(300)), fmt.Sprint(4000+g.IntN(300))
		v := pipeline.TrackResult{
			ID: i + 1, FirstFrame: first, LastFrame: last, From: at(first).Seconds(), To: at(last).Seconds(), Frame: best, At: at(best),
			Box: face.Box{X: number(1900, 100), Y: number(1000, 100), W: number(120, 100), H: number(150, 100)}, Score: number(1, 1e4), Seen: g.IntN(90),
			Match:   gallery.Match{Subject: likely, Band: gallery.Confident, Score: number(9, 1e4), RunnerUp: next, RunnerUpScore: number(4, 1e4)},
			Outcome: consent.Obscure, Rule: "refused", Reason: "the register says that consent was refused for " + string(purpose),
			Basis: fmt.Sprintf("objectors; ; confident; obscure; refused; %s obscure refused; %s show granted", likely, next),
		}
		v.Region = &[4]float64{math.Floor(v.Box.X), math.Floor(v.Box.Y), math.Floor(1.5 * v.Box.W), math.Floor(1.9 * v.Box.H)}
		tracks[i] = v
	}
	return tracks
}

// A film of hours has thousands of tracks: what became of them fits into the record of its job.
func TestResultsOfALongFilmAreStored(t *testing.T) {
	if testing.Short() {
		t.Skip("writes and reads 10,000 tracks")
	}
	b, err := bus.Open(t.Context(), bus.Options{StoreDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	want := pipeline.State{Status: pipeline.Finished, Attempts: 1}
	for _, purpose := range []consent.Purpose{consent.Website, consent.Press} {
		r := pipeline.Result{Purpose: purpose, Outcome: pipeline.Released, Film: true, Faces: []pipeline.FaceResult{}, Tracks: manyTracks(5000, purpose)}
		r.Clearance = signedFor(t, r)
		want.Results = append(want.Results, r)
	}
	s := states{b.States()}
	revision, err := s.Put(t.Context(), "job", want, 0)
	if err != nil {
		t.Fatal(err)
	}
	got, read, err := s.Get(t.Context(), "job")
	if err != nil || read != revision {
		t.Fatalf("revision %d, %v", read, err)
	}
	if !reflect.DeepEqual(got, want) { // cmp takes half a minute
		t.Error("what was stored is not what was read")
	}
}

// What an earlier version wrote, and small results, are plain JSON.
func TestDetailsAsTheyWere(t *testing.T) {
	results := []pipeline.Result{{Purpose: consent.Website, Outcome: pipeline.Withheld, Reason: "why", Faces: []pipeline.FaceResult{}}}
	text, err := detail{Step: "decide", Results: results}.write()
	if want := `{"step":"decide","results":[{"purpose":"website","key":"","outcome":"withheld","reason":"why","width":0,"height":0,"faces":[]}]}`; err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
	results[0].Film, results[0].Tracks = true, manyTracks(300, consent.Website)
	old, err := json.Marshal(map[string]any{"results": results})
	if err != nil {
		t.Fatal(err)
	}
	packed, err := detail{Results: results}.write()
	if err != nil || len(packed) > len(old)/4 {
		t.Errorf("%d bytes packed, %d as they are, %v", len(packed), len(old), err)
	}
	for name, written := range map[string][]byte{"old": old, "packed": packed} {
		d, err := readDetail(written)
		if diff := cmp.Diff(results, d.Results); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	if _, err := readDetail([]byte(`{"packed":"bm8="}`)); err == nil {
		t.Error("nonsense, and no error")
	}
}

// signedFor is the clearance of a film with these tracks, as the line seals it.
func signedFor(t *testing.T, r pipeline.Result) []byte {
	t.Helper()
	digest := strings.Repeat("0a", 32)
	c := clearance.Clearance{
		Version: clearance.Version, SourceSHA256: digest, Purpose: string(r.Purpose), Policy: clearance.Policy{Name: "p", Digest: digest},
		ModelsSHA: digest, JobKey: digest, Options: clearance.Options{Mode: "objectors", Style: "blur"}, Issued: time.Unix(1e9, 0),
		Derivative: clearance.File{SHA256: digest, Bytes: 1, Format: "mp4", Width: 1920, Height: 1080, Frames: 200_000, Seconds: 8000},
		Faces:      []clearance.Face{},
	}
	for _, v := range r.Tracks {
		c.Tracks = append(c.Tracks, clearance.Track{
			Face: clearance.Face{
				Number: v.ID, Box: [4]float64{v.Box.X, v.Box.Y, v.Box.W, v.Box.H}, Region: v.Region, DetectorScore: v.Score,
				Match:   clearance.Match{Subject: v.Match.Subject, Band: string(v.Match.Band), Score: v.Match.Score, RunnerUp: v.Match.RunnerUp},
				Outcome: string(v.Outcome), Rule: v.Rule,
			},
			Frame: v.Frame, At: v.At.Seconds(), FirstFrame: v.FirstFrame, LastFrame: v.LastFrame, From: v.From, To: v.To,
		})
	}
	signed, err := clearance.Sign(c, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	return signed
}
