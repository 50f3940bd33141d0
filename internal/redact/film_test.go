package redact_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/redact"
	"github.com/consentry/consentry/internal/report"
)

// did counts the lines of the child's diary.
func did(t *testing.T, dir, line string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "diary"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	n := 0
	for _, l := range strings.Fields(string(text)) {
		if l == line {
			n++
		}
	}
	return n
}

// left lists what a run has left in the folder for films.
func left(t *testing.T, o redact.Options) []string { return files(t, o.WorkDir) }

func TestFilmsAndPhotographsInOneRun(t *testing.T) {
	dir, o := newOptions(t)
	o.Purposes = []consent.Purpose{consent.Website, consent.Press}
	o.DebugTracks = true
	put(t, dir, "a.png", 64, 64)
	putFilm(t, dir, "play.mov", plainFilm, 1)
	putFilm(t, dir, "called.png", plainFilm, 2)
	putFilm(t, dir, "copy.m4v", plainFilm, 1)
	if s := mustRun(t, o); s.Released != 8 {
		t.Fatalf("%+v\n%v", s, outcomes(t, dir))
	}
	var want []string
	for _, purpose := range []string{"press", "website"} {
		for _, name := range []string{"a.png", "called.png.mp4", "copy.m4v", "play.mp4"} {
			want = append(want, purpose+"/in/"+name, purpose+"/in/"+name+".clearance.json")
			if name != "a.png" {
				want = append(want, purpose+"/in/"+name+".tracks.jsonl")
			}
		}
	}
	if diff := cmp.Diff(want, files(t, o.Out)); diff != "" {
		t.Errorf("the output folder:\n%s", diff)
	}
	if n := did(t, dir, "watch-plain"); n != 2 {
		t.Errorf("watched %d films, want the 2 that differ", n)
	}
	if got := left(t, o); len(got) > 0 {
		t.Errorf("left where films are worked on: %v", got)
	}
	wantReported(t, o.Out)
	if s := mustRun(t, o); s.Found != 8 || did(t, dir, "watch-plain") != 2 {
		t.Errorf("second run: %+v", s)
	}
	wantReported(t, o.Out)
}

// wantReported looks at what the report says of films, made now or found from before.
func wantReported(t *testing.T, out string) {
	t.Helper()
	r, err := report.Load(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range r.Assets {
		kind, frames, tracks := report.KindVideo, 5, 1
		if strings.HasSuffix(a.Path, "a.png") {
			kind, frames, tracks = report.KindImage, 0, 0
		}
		if a.Kind != kind || a.Frames != frames || len(a.Tracks) != tracks || a.Width != 64 {
			t.Errorf("%s: %+v", a.Path, a)
		}
		if tracks == 1 && (a.Tracks[0].LastFrame != 4 || a.Tracks[0].Outcome != report.Obscure || a.Tracks[0].Region == nil) {
			t.Errorf("%s: %+v", a.Path, a.Tracks[0])
		}
	}
}

// A list of boxes that is asked for later is worth working on the film again.
func TestListOfBoxesIsMade(t *testing.T) {
	dir, o := newOptions(t)
	putFilm(t, dir, "play.mp4", plainFilm, 1)
	mustRun(t, o)
	list := filepath.Join(o.Out, "website", "in", "play.mp4.tracks.jsonl")
	if _, err := os.Stat(list); err == nil {
		t.Error("a list that nobody asked for")
	}
	o.DebugTracks = true
	mustRun(t, o)
	text, err := os.ReadFile(list)
	if err != nil || strings.Count(string(text), "\n") != 5 {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestBadFilms(t *testing.T) {
	dir, o := newOptions(t)
	putFilm(t, dir, "good.mp4", plainFilm, 1)
	putFilm(t, dir, "deadly.mp4", deadlyFilm, 1)
	putFilm(t, dir, "damaged.mp4", damagedFilm, 1)
	for name, content := range map[string]string{
		"list.mp4": "#EXTM3U\nhttp://example.org/a.ts\n", "concat.mkv": "ffconcat version 1.0\nfile good.mp4\n",
		"old.wmv": "\x30\x26\xb2\x75\x8e\x66\xcf\x11 and so on", "code.ts": "export const a = 1\n", "empty.mp4": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, "in", name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := mustRun(t, o)
	if s.Released != 1 || s.Withheld != 1 || s.Failed != 5 || s.Unreadable != 0 {
		t.Errorf("%+v", s)
	}
	got := outcomes(t, dir)
	for path, want := range map[string]string{
		"website/in/good.mp4":    "released",
		"website/in/deadly.mp4":  "withheld: looking at this file killed the process that did it, twice",
		"website/in/damaged.mp4": "failed: the file is damaged",
		"website/in/list.mp4":    "failed: this is not a picture or film that can be read",
		"website/in/concat.mkv":  "failed: this is not a picture or film that can be read",
		"website/in/old.wmv":     "failed: films of this kind are not taken; MP4, MOV",
		"website/in/empty.mp4":   "failed: the file is empty",
	} {
		if !strings.HasPrefix(got[path], want) {
			t.Errorf("%s: %q, want %q", path, got[path], want)
		}
	}
	if len(got) != 7 {
		t.Errorf("%d entries, want 7: %v", len(got), got)
	}
	if diff := cmp.Diff([]string{"website/in/good.mp4", "website/in/good.mp4.clearance.json"}, files(t, o.Out)); diff != "" {
		t.Errorf("the output folder:\n%s", diff)
	}
	if got := left(t, o); len(got) > 0 {
		t.Errorf("left where films are worked on: %v", got)
	}
}

func TestFilmsNeedFFmpeg(t *testing.T) {
	dir, o := newOptions(t)
	putFilm(t, dir, "play.mp4", plainFilm, 1)
	put(t, dir, "a.png", 64, 64)
	t.Setenv("PATH", dir)
	_, err := redact.Run(t.Context(), o)
	var setup *redact.SetupError
	if !errors.As(err, &setup) || !strings.Contains(err.Error(), "apt-get install ffmpeg") {
		t.Errorf("%v", err)
	}
	if got := files(t, o.Out); len(got) > 0 || did(t, dir, "watch-plain")+looks(t, dir, 64) > 0 {
		t.Errorf("done all the same: %v", got)
	}
	if err := os.Remove(filepath.Join(dir, "in", "play.mp4")); err != nil {
		t.Fatal(err)
	}
	if s := mustRun(t, o); s.Released != 1 {
		t.Errorf("photographs need none: %+v", s)
	}
}

func TestFilmLargerThanTheLimit(t *testing.T) {
	dir, o := newOptions(t)
	o.FilmLimits.MaxBytes = 10
	putFilm(t, dir, "play.mp4", plainFilm, 1)
	if s := mustRun(t, o); s.Failed != 1 || !strings.Contains(s.Problems[0], "at most 10 allowed") {
		t.Errorf("%+v", s)
	}
}

// hasSegment says whether the child has left a segment of a film.
func hasSegment(t *testing.T, o redact.Options) bool {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(o.WorkDir, "*", "*", "segment"))
	if err != nil {
		t.Fatal(err)
	}
	return len(found) > 0
}

// A run that is stopped while a film is rendered goes on there: it is not watched again, and what was
// rendered is found.
func TestInterruptedFilmIsContinued(t *testing.T) {
	for _, how := range []string{"Ctrl-C", "kill"} {
		t.Run(how, func(t *testing.T) {
			dir, o := newOptions(t)
			putFilm(t, dir, "play.mp4", haltedFilm, 1)
			if how == "kill" {
				killWhen(t, dir, o.Child.Path, func() bool { return hasSegment(t, o) })
			} else {
				stopWhen(t, o, func() bool { return hasSegment(t, o) })
			}
			if got := files(t, filepath.Join(o.Out, "website")); len(got) > 0 {
				t.Errorf("placed before it was done: %v", got)
			}
			if s := mustRun(t, o); s.Released != 1 {
				t.Fatalf("%+v\n%v", s, outcomes(t, dir))
			}
			if w, r := did(t, dir, "watch-halted"), did(t, dir, "render-halted"); w != 1 || r != 2 {
				t.Errorf("watched %d times and rendered %d times, want 1 and 2", w, r)
			}
			if got := append(left(t, o), originals(t, o)...); len(got) > 0 {
				t.Errorf("left behind: %v", got)
			}
		})
	}
}

// stopWhen runs until the condition holds.
func stopWhen(t *testing.T, o redact.Options, ready func() bool) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan redact.Summary, 1)
	go func() {
		s, _ := redact.Run(ctx, o) // what it has to say is in the summary
		ended <- s
	}()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if ready() {
			break
		}
		if len(ended) > 0 {
			t.Fatalf("the run ended by itself: %+v", <-ended)
		}
	}
	stop()
	if s := <-ended; !s.Interrupted || s.Withheld != 1 {
		t.Errorf("stopped: %+v", s)
	}
}

// What a job left that nobody goes on with is removed, a throw-away state with all that is in it.
func TestAbandonedFilmsAreRemoved(t *testing.T) {
	dir, o := newOptions(t)
	putFilm(t, dir, "play.mp4", haltedFilm, 1)
	stopWhen(t, o, func() bool { return hasSegment(t, o) })
	if len(left(t, o)) == 0 {
		t.Fatal("nothing was kept")
	}
	putFilm(t, dir, "play.mp4", plainFilm, 1) // the film is another one now
	mustRun(t, o)
	if got := left(t, o); len(got) > 0 {
		t.Errorf("kept for nobody: %v", got)
	}

	o.StateDir, o.ThrowAwayDir, o.Out = "", filepath.Join(dir, "runs"), o.Out+"2"
	putFilm(t, dir, "play.mp4", plainFilm, 2)
	if s := mustRun(t, o); s.Released != 1 {
		t.Errorf("%+v", s)
	}
	if got := append(files(t, o.ThrowAwayDir), left(t, o)...); len(got) > 0 {
		t.Errorf("a throw-away state left %v", got)
	}
}

// progressing keeps what was said of films.
type progressing struct {
	silent
	said *[]redact.FilmProgress
}

func (p progressing) Film(f redact.FilmProgress) { *p.said = append(*p.said, f) }

func TestFilmProgressIsTold(t *testing.T) {
	dir, o := newOptions(t)
	var said []redact.FilmProgress
	o.Progress = progressing{said: &said}
	putFilm(t, dir, "play.mp4", plainFilm, 1)
	put(t, dir, "a.png", 64, 64)
	mustRun(t, o)
	steps := map[string]bool{}
	for _, f := range said {
		if f.Name != "in/play.mp4" {
			t.Errorf("%+v", f)
		}
		steps[f.Step] = true
	}
	if len(said) < 3 || !said[len(said)-1].Ended || !steps["taking it in"] || !steps["putting the derivative in its place"] {
		t.Errorf("%+v", said)
	}
}
