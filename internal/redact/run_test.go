package redact_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/obscure"
	"github.com/consentry/consentry/internal/redact"
	"github.com/consentry/consentry/internal/report"
)

func mustRun(t *testing.T, o redact.Options) redact.Summary {
	t.Helper()
	s, err := redact.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// outcomes are those of report.json, by path and purpose.
func outcomes(t *testing.T, dir string) map[string]string {
	t.Helper()
	r, err := report.Load(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]string{}
	for _, a := range r.Assets {
		m[a.Purpose+"/"+a.Path] = a.Outcome + ": " + a.Reason
		if a.Outcome == report.Released {
			m[a.Purpose+"/"+a.Path] = a.Outcome
		}
	}
	return m
}

// files lists what lies in a folder, without the report.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), "report.") {
			return err
		}
		name, err := filepath.Rel(dir, path)
		names = append(names, name)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return names
}

func exists(t *testing.T, dir string, names ...string) bool {
	t.Helper()
	_, err := os.Stat(filepath.Join(append([]string{dir}, names...)...))
	return err == nil
}

func TestSamePhotographTwiceIsLookedAtOnce(t *testing.T) {
	dir, o := newOptions(t)
	o.Purposes = []consent.Purpose{consent.Website, consent.Press}
	put(t, dir, "a.png", 64, 64)
	put(t, dir, "b/a.png", 64, 64)
	s := mustRun(t, o)
	if s.Released != 4 || looks(t, dir, 64) != 1 {
		t.Errorf("released %d after %d looks, want 4 after 1", s.Released, looks(t, dir, 64))
	}
	for _, f := range []string{"website/in/a.png", "website/in/b/a.png", "press/in/a.png", "press/in/b/a.png"} {
		if !exists(t, dir, "out", f) || !exists(t, dir, "out", f+".clearance.json") {
			t.Errorf("%s or its clearance is missing", f)
		}
	}
}

func TestSecondRunDoesNothingTwice(t *testing.T) {
	for _, state := range []string{"kept", "thrown away"} {
		t.Run(state, func(t *testing.T) {
			dir, o := newOptions(t)
			if state == "thrown away" {
				o.StateDir, o.ThrowAwayDir = "", filepath.Join(dir, "runs")
			}
			put(t, dir, "a.png", 64, 64)
			put(t, dir, "b.png", 65, 64)
			mustRun(t, o)
			s := mustRun(t, o)
			if s.Released != 2 || s.Found != 2 || looks(t, dir, 64)+looks(t, dir, 65) != 2 {
				t.Errorf("second run: %+v after %d looks in all", s, looks(t, dir, 64)+looks(t, dir, 65))
			}
			if left := files(t, filepath.Join(dir, "runs")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if state == "kept" {
				if err := os.RemoveAll(o.Out); err != nil {
					t.Fatal(err)
				}
				if s := mustRun(t, o); s.Released != 2 {
					t.Errorf("with the output folder gone: %+v", s)
				}
			}
		})
	}
}

func TestOneBadFileCostsOneFile(t *testing.T) {
	dir, o := newOptions(t)
	o.TimeOut = 500 * time.Millisecond
	for name, width := range map[string]int{"a.png": 64, "deadly.png": deadly, "endless.png": endless, "broken.png": broken, "faulty.png": faulty, "z.png": 66} {
		put(t, dir, name, width, 64)
	}
	s := mustRun(t, o)
	got := outcomes(t, dir)
	for path, want := range map[string]string{
		"website/in/a.png":       "released",
		"website/in/z.png":       "released",
		"website/in/deadly.png":  "withheld: looking at this file killed the process that did it, twice",
		"website/in/endless.png": "withheld: looking at this file took too long, twice",
		"website/in/broken.png":  "failed: the file is damaged",
		"website/in/faulty.png":  "withheld: something went wrong: the derivative is not clean",
	} {
		if !strings.HasPrefix(got[path], want) {
			t.Errorf("%s: %q, want %q", path, got[path], want)
		}
	}
	if s.Released != 2 || s.Withheld != 3 || s.Failed != 1 {
		t.Errorf("summary %+v", s)
	}
	if n := looks(t, dir, deadly); n != 2 {
		t.Errorf("the deadly file was taken up %d times, want 2", n)
	}
	want := []string{"website/in/a.png", "website/in/a.png.clearance.json", "website/in/z.png", "website/in/z.png.clearance.json"}
	if diff := cmp.Diff(want, files(t, o.Out)); diff != "" {
		t.Errorf("the output folder:\n%s", diff)
	}
}

// What was withheld because it would not work may work by now, on the same state too.
func TestTroubleIsNotRemembered(t *testing.T) {
	dir, o := newOptions(t)
	put(t, dir, "deadly.png", deadly, 64)
	for run := 1; run <= 2; run++ {
		if s := mustRun(t, o); s.Withheld != 1 || looks(t, dir, deadly) != 2*run {
			t.Errorf("run %d: %+v after %d looks in all, want %d", run, s, looks(t, dir, deadly), 2*run)
		}
	}
}

func TestCollidingInputsAreLeftOut(t *testing.T) {
	dir, o := newOptions(t)
	put(t, dir, "a.png", 64, 64)
	put(t, dir, "A.png", 65, 64)
	put(t, dir, "b.png", 66, 64)
	s := mustRun(t, o)
	if s.Released != 1 || s.Failed != 2 || s.Unreadable != 2 || !exists(t, o.Out, "website/in/b.png") {
		t.Errorf("%+v", s)
	}
}

// What an earlier run released must not stay where this run would not release it.
func TestStaleDerivativeIsTakenAway(t *testing.T) {
	dir, o := newOptions(t)
	put(t, dir, "a.png", 64, 64)
	mustRun(t, o)
	put(t, dir, "a.png", deadly, 64)
	mustRun(t, o)
	if left := files(t, o.Out); len(left) > 0 {
		t.Errorf("still there: %v", left)
	}
}

func TestChangedOptionsMakeANewResult(t *testing.T) {
	dir, o := newOptions(t)
	put(t, dir, "a.png", 64, 64)
	mustRun(t, o)
	o.Style = obscure.Solid
	if s := mustRun(t, o); s.Found != 0 || looks(t, dir, 64) != 2 {
		t.Errorf("%+v after %d looks", s, looks(t, dir, 64))
	}
}

func TestForeignFileIsNotOverwritten(t *testing.T) {
	dir, o := newOptions(t)
	put(t, dir, "a.png", 64, 64)
	place := filepath.Join(o.Out, "website", "in", "a.png")
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(place, []byte("somebody's own"), 0o644); err != nil {
		t.Fatal(err)
	}
	if s := mustRun(t, o); s.Failed != 1 {
		t.Errorf("%+v", s)
	}
	if text, err := os.ReadFile(place); err != nil || string(text) != "somebody's own" {
		t.Errorf("%q, %v", text, err)
	}
}

// A pipe, or a folder with a clearance beside it, in the place of a derivative costs that one file.
func TestWhatIsNoFileIsInTheWay(t *testing.T) {
	dir, o := newOptions(t)
	put(t, dir, "a.png", 64, 64)
	put(t, dir, "b.png", 65, 64)
	put(t, dir, "c.png", 66, 64)
	mustRun(t, o)
	in := filepath.Join(o.Out, "website", "in")
	for _, name := range []string{"a.png", "b.png"} {
		if err := os.Remove(filepath.Join(in, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(in, "a.png"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(in, "b.png", "own"), 0o755); err != nil {
		t.Fatal(err)
	}
	if s := mustRun(t, o); s.Released != 1 || s.Failed != 2 {
		t.Errorf("%+v", s)
	}
	if !exists(t, in, "b.png", "own") {
		t.Error("somebody's own folder is gone")
	}
}

// counting cancels once so many derivatives are done.
type counting struct {
	silent
	after int
	stop  context.CancelFunc
}

func (c counting) Processing(done, _ int) {
	if done >= c.after {
		c.stop()
	}
}

func TestInterruptedRunIsContinued(t *testing.T) {
	dir, o := newOptions(t)
	const n = 12
	for i := range n {
		put(t, dir, fmt.Sprintf("%02d.png", i), slow, 64+i)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	o.Progress = counting{after: 3, stop: stop}
	s, err := redact.Run(ctx, o)
	if err != nil || !s.Interrupted || s.Released < 3 || s.Released == n {
		t.Fatalf("interrupted: %+v, %v", s, err)
	}
	if s.Released+s.Withheld != n {
		t.Errorf("%d released and %d withheld of %d", s.Released, s.Withheld, n)
	}
	o.Progress = silent{}
	again := mustRun(t, o)
	if again.Released != n || again.Found != s.Released {
		t.Errorf("continued: %+v, want %d released, %d of them found\n%v", again, n, s.Released, outcomes(t, dir))
	}
}

// The whole process is killed in the middle of a batch, several times over; nothing is lost and
// nothing is there twice.
func TestKilledRunIsContinued(t *testing.T) {
	dir, o := newOptions(t)
	const n = 16
	for i := range n {
		put(t, dir, fmt.Sprintf("%02d.png", i), slow, 64+i)
	}
	for want := 3; want <= 9; want += 3 {
		killAfter(t, dir, o.Child.Path, want)
	}
	for _, f := range files(t, o.Out) {
		if strings.HasSuffix(f, ".png") && !exists(t, o.Out, f+".clearance.json") {
			t.Errorf("%s lies there without a clearance", f)
		}
	}
	s := mustRun(t, o)
	if s.Released != n || s.Found < 9 {
		t.Errorf("%+v\n%v", s, outcomes(t, dir))
	}
	if left := originals(t, o); len(left) > 0 {
		t.Errorf("originals left on the bus: %v", left)
	}
	if got := files(t, o.Out); len(got) != 2*n || slices.ContainsFunc(got, func(f string) bool { return strings.HasSuffix(f, ".tmp") }) {
		t.Errorf("%d files: %v", len(got), got)
	}
}

// killAfter starts a run as a process of its own and kills it once so many derivatives lie there.
func killAfter(t *testing.T, dir, self string, derivatives int) {
	t.Helper()
	killWhen(t, dir, self, func() bool { return placed(t, dir) >= derivatives })
}

// killWhen starts a run as a process of its own and kills it once it is ready for that.
func killWhen(t *testing.T, dir, self string, ready func() bool) {
	t.Helper()
	run := exec.Command(self, runArgument, dir)
	run.Stderr = os.Stderr
	run.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- run.Wait() }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			t.Fatalf("the run ended by itself before it could be killed: %v", err)
		case <-tick.C:
			if ready() {
				if err := run.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				<-ended
				return
			}
		}
	}
}

func placed(t *testing.T, dir string) int {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "out", "website", "in", "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

// originals lists the inputs that the bus still holds.
func originals(t *testing.T, o redact.Options) []string {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{StoreDir: o.StateDir})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	r, err := report.Load(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, a := range r.Assets {
		kept, err := b.Quarantine().Has(t.Context(), a.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		if kept {
			left = append(left, a.Path)
		}
	}
	return left
}

// Two runs into one folder would take away each other's derivatives.
func TestOutputFolderIsOneRuns(t *testing.T) {
	dir, o := newOptions(t)
	put(t, dir, "a.png", 64, 64)
	second := o
	second.StateDir = filepath.Join(dir, "state of another")
	second.Progress = silent{}
	var inner error
	o.Progress = during{func() {
		if inner == nil {
			_, inner = redact.Run(t.Context(), second)
		}
	}}
	if s := mustRun(t, o); s.Released != 1 {
		t.Errorf("%+v", s)
	}
	var usage *redact.UsageError
	if !errors.As(inner, &usage) || !strings.Contains(inner.Error(), "another run") {
		t.Errorf("a second run meanwhile: %v", inner)
	}
	if s := mustRun(t, second); s.Released != 1 {
		t.Errorf("afterwards: %+v", s)
	}
}

// during does something in the middle of a run.
type during struct{ something func() }

func (during) Enrolling(int, int)       {}
func (d during) Processing(int, int)    { d.something() }
func (during) Film(redact.FilmProgress) {}
func (during) Note(string)              {}
