package main

import (
	"strings"
	"testing"
	"time"

	"github.com/consentry/consentry/internal/redact"
	"github.com/consentry/consentry/pipeline"
)

func TestFilmIsDescribed(t *testing.T) {
	for _, c := range []struct {
		step string
		pass *pipeline.Progress
		want string
	}{
		{"", nil, "beginning"},
		{"seal", &pipeline.Progress{Pass: 3, Passes: 3, Done: 300, Total: 300}, "seal"},
		{"render", nil, "rendering"},
		{"render", &pipeline.Progress{Pass: 1, Passes: 3, Done: 0, Total: 300}, "rendering, frame 0 of 300"},
		{"render", &pipeline.Progress{Pass: 2, Passes: 3, Done: 1200, Total: 3000, PerSecond: 24.31, Left: 75.2}, "rendering, frame 1200 of 3000, 24.3 a second, 1m15s left"},
	} {
		if got := describe(redact.FilmProgress{Name: "a.mp4", Step: c.step, Pass: c.pass}); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// Whatever a film's numbers are, its bar stays within its ends and does not end early.
func TestShareDone(t *testing.T) {
	for _, p := range []*pipeline.Progress{
		nil, {}, {Pass: 1, Passes: 3, Done: 900, Total: 300}, {Pass: 3, Passes: 3, Done: 300, Total: 300}, {Pass: 9, Passes: 3, Done: 5, Total: 1}, {Pass: 0, Passes: 1, Total: 9},
	} {
		if got := shareDone(p); got < 0 || got >= shares {
			t.Errorf("%+v: %d", p, got)
		}
	}
	if got := shareDone(&pipeline.Progress{Pass: 2, Passes: 4, Done: 50, Total: 100}); got != 375 {
		t.Errorf("half of the second of four passes: %d", got)
	}
}

// Without a terminal a line is printed now and then, for each film of its own.
func TestFilmLines(t *testing.T) {
	var out strings.Builder
	p := newProgress(&out)
	say := func(name string) {
		p.Film(redact.FilmProgress{Name: name, Step: "watch", Pass: &pipeline.Progress{Pass: 1, Passes: 3, Done: 7, Total: 9}})
	}
	say("a.mp4")
	say("b.mp4")
	p.films["a.mp4"].spoken = time.Now().Add(-every)
	say("a.mp4")
	say("a.mp4")
	say("b.mp4")
	if got := out.String(); got != "a.mp4: watching, frame 7 of 9\n" {
		t.Errorf("printed %q", got)
	}
	p.Film(redact.FilmProgress{Name: "a.mp4", Ended: true})
	p.Film(redact.FilmProgress{Name: "never begun", Ended: true})
	if len(p.films) != 1 {
		t.Errorf("%d films at work, want 1", len(p.films))
	}
	p.finish()
}
