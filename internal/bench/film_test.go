package bench

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/redact"
)

func TestFilmClockAddsUpSteps(t *testing.T) {
	var at time.Time
	c := newFilmClock(func() time.Time { return at })
	for _, s := range []struct {
		after time.Duration // since the step before
		step  string
		ended bool
	}{
		{2 * time.Second, "watch", false},
		{3 * time.Second, "watch", false}, // only further
		{4 * time.Second, "render", false},
		{time.Second, "watch", false},
		{5 * time.Second, "", false}, // a note without a step
		{time.Second, "", true},
	} {
		at = at.Add(s.after)
		c.Film(redact.FilmProgress{Name: "a.mp4", Step: s.step, Ended: s.ended})
	}
	at = at.Add(8 * time.Second)
	want := []FilmStep{{"set up", 2 * time.Second}, {"watch", 13 * time.Second}, {"render", time.Second}, {"report", 8 * time.Second}}
	if diff := cmp.Diff(want, c.end()); diff != "" {
		t.Error(diff)
	}
}

func TestMakingFilmShowsEveryShot(t *testing.T) {
	args := makingFilm("samples", "out.mp4", 75)
	for _, s := range shots() {
		if !slices.Contains(args, "samples/"+s.sample) {
			t.Errorf("%s is not read", s.sample)
		}
	}
	graph := args[slices.Index(args, "-filter_complex")+1]
	if !strings.HasSuffix(graph, "[s0][s1][s2][s3]concat=n=4[film]") || strings.Count(graph, ":d=75:") != 4 {
		t.Errorf("graph is %s", graph)
	}
	if !slices.Contains(args, "anoisesrc=c=pink:a=0.1:r=48000:d=12") || args[len(args)-1] != "out.mp4" {
		t.Errorf("arguments are %q", args)
	}
}

func TestPlainEncodingHasTheJobsSettings(t *testing.T) {
	for _, c := range []struct {
		encoding film.Encoding
		want     string
	}{
		{film.DefaultEncoding(), "-c:v libx264 -preset veryfast -crf 20"},
		{film.Encoding{Codec: "hevc", CRF: 28, Preset: "fast"}, "-c:v libx265 -preset fast -crf 28"},
	} {
		if got := strings.Join(encodingPlainly("in.mp4", c.encoding), " "); !strings.Contains(got, c.want) {
			t.Errorf("arguments are %s, want %s", got, c.want)
		}
	}
}

func TestFilmCostsPrint(t *testing.T) {
	costs := FilmCosts{
		Frames: 100, Plain: Cost{Took: 2 * time.Second, CPU: 3 * time.Second}, Whole: Cost{Took: 4 * time.Second, CPU: 4 * time.Second},
		Steps: []FilmStep{{"watch", 3 * time.Second}}, Own: 100 << 20, Child: 300 << 20,
	}
	var out strings.Builder
	if err := costs.Print(&out); err != nil {
		t.Fatal(err)
	}
	fields := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"decode + encode 50.0 20.0 30.0", "the whole job 25.0 40.0 40.0", "ffmpeg alone 0.50 0.75", "watch 30.0", "100 MB of this process, 300 MB of a child",
	} {
		if !strings.Contains(fields, want) {
			t.Errorf("%q is missing in:\n%s", want, out.String())
		}
	}
	if err := (FilmCosts{}).Print(&out); err == nil {
		t.Error("nothing measured, and no error")
	}
}
