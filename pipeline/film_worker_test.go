package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/pipeline"
)

func TestWorkerTakesAFilm(t *testing.T) {
	s := newStudio(t, &reel{watched: footageOf(cast()...), file: cleanFilm(t), picture: []byte("jpeg")})
	s.run(t)
	result := s.result(t)
	if result.Outcome != pipeline.Released || !bytes.Equal(s.stored[result.DerivativeSHA256], s.reel.file) || result.DerivativePath != "" {
		t.Errorf("%s: %s", result.Outcome, result.Reason)
	}
	if left := s.left(t); left != nil || s.done != 1 || s.retried != 0 || s.state.Progress != nil {
		t.Errorf("left behind: %v; done %d times, retried %d", left, s.done, s.retried)
	}
	if path := s.reel.film.Path; filepath.Dir(path) != filepath.Join(s.scratch, jobKey) {
		t.Errorf("worked on %s", path)
	}
}

// A film that is fetched is whole and right, or is not worked on.
func TestWorkerChecksTheOriginal(t *testing.T) {
	for name, spoil := range map[string]func(*studio){
		"other bytes": func(s *studio) { s.original = []byte("another film") },
		"cut short":   func(s *studio) { s.original = s.original[:3] },
		"not there":   func(s *studio) { s.getErr = errors.New("not found") },
		"disk full":   func(s *studio) { s.getErr = fmt.Errorf("writing: %w", syscall.ENOSPC) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStudio(t, &reel{watched: footageOf(cast()...), file: cleanFilm(t)})
			spoil(s)
			s.run(t)
			if r := s.result(t); r.Outcome != pipeline.Withheld || len(s.reel.calls) > 0 || len(s.stored) > 0 {
				t.Errorf("%s: %s, calls %v", r.Outcome, r.Reason, s.reel.calls)
			}
			if name == "disk full" && !strings.Contains(s.result(t).Reason, "no space left on the disk") {
				t.Errorf("%q", s.result(t).Reason)
			}
			if left := s.left(t); left != nil {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// Twice, and not a third time; what was found out the first time is used the second.
func TestWorkerTriesAFilmTwice(t *testing.T) {
	for _, test := range []struct {
		step    string
		err     error
		calls   []string
		retried int
		outcome pipeline.Outcome
	}{
		{"watch", pipeline.ErrCrashed, []string{"watch", "watch"}, 1, pipeline.Withheld},
		{"render", film.ErrStalled, []string{"watch", "render", "render"}, 1, pipeline.Withheld},
		{"screen", film.ErrDied, []string{"watch", "render", "screen", "render", "screen"}, 1, pipeline.Withheld},
		{"watch", media.ErrDamaged, []string{"watch"}, 0, pipeline.Failed},
		{"watch", film.ErrNoVideo, []string{"watch"}, 0, pipeline.Failed},
		{"render", film.ErrNoSpace, []string{"watch", "render"}, 0, pipeline.Withheld},
	} {
		t.Run(test.step+" "+test.err.Error(), func(t *testing.T) {
			s := newStudio(t, &reel{watched: footageOf(cast()...), file: cleanFilm(t), fail: test.step, err: test.err})
			s.run(t)
			r := s.result(t)
			if r.Outcome != test.outcome || !slices.Equal(s.reel.calls, test.calls) || s.retried != test.retried || !r.Film {
				t.Errorf("%s after %v, retried %d times", r.Outcome, s.reel.calls, s.retried)
			}
			if strings.HasPrefix(r.Reason, "something") || strings.Contains(r.Reason, s.scratch) {
				t.Errorf("%q", r.Reason)
			}
			if left := s.left(t); left != nil || len(s.stored) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// A worker that is told to stop leaves what it has, and the attempt does not count.
func TestInterruptedFilmGoesOn(t *testing.T) {
	s := newStudio(t, &reel{watched: footageOf(cast()...), file: cleanFilm(t), picture: []byte("jpeg")})
	s.reel.busy = func(ctx context.Context, call string, _ func(pipeline.Frames)) error {
		if call == "render" {
			s.stop()
			return ctx.Err()
		}
		return nil
	}
	s.run(t)
	if s.state.Status != pipeline.Queued || s.state.Attempts != 0 || s.retried != 1 || s.done != 0 {
		t.Fatalf("%+v", s.state)
	}
	if left := s.left(t); !slices.Contains(left, "plan") || !slices.Contains(left, "original") {
		t.Fatalf("left: %v", left)
	}
	s.reel.busy, s.reel.calls = nil, nil
	s.getErr = errors.New("fetched again, though it lies there whole")
	s.run(t)
	if r := s.result(t); r.Outcome != pipeline.Released || slices.Contains(s.reel.calls, "watch") || s.left(t) != nil {
		t.Errorf("%s: %s, calls %v", r.Outcome, r.Reason, s.reel.calls)
	}
}

// The copy in the scratch folder is not believed either.
func TestADamagedCopyIsFetchedAgain(t *testing.T) {
	s := newStudio(t, &reel{watched: footageOf(cast()...), file: cleanFilm(t), picture: []byte("jpeg")})
	folder := filepath.Join(s.scratch, jobKey)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "original"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.reel.busy = func(context.Context, string, func(pipeline.Frames)) error {
		data, err := os.ReadFile(filepath.Join(folder, "original"))
		if err != nil || !bytes.Equal(data, s.original) {
			t.Errorf("works on %q, %v", data, err)
		}
		return nil
	}
	s.run(t)
	if r := s.result(t); r.Outcome != pipeline.Released {
		t.Errorf("%s: %s", r.Outcome, r.Reason)
	}
}

// A film may last as long as it likes, while it gets on; word that says nothing new is no progress.
func TestPatience(t *testing.T) {
	advancing := func(ctx context.Context, n int, told func(pipeline.Frames)) error {
		for i := range n {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(50 * time.Second):
				told(pipeline.Frames{Done: i + 1, Total: n})
			}
		}
		return nil
	}
	for name, test := range map[string]struct {
		busy     func(ctx context.Context, call string, told func(pipeline.Frames)) error
		outcome  pipeline.Outcome
		attempts int
	}{
		"hours, getting on": {func(ctx context.Context, call string, told func(pipeline.Frames)) error {
			if call == "stills" { // short, and tells nothing
				return nil
			}
			return advancing(ctx, 200, told)
		}, pipeline.Released, 1},
		"standing still": {func(ctx context.Context, call string, told func(pipeline.Frames)) error {
			for call == "render" && ctx.Err() == nil {
				told(pipeline.Frames{Done: 7, Total: 100})
				time.Sleep(10 * time.Second)
			}
			return ctx.Err()
		}, pipeline.Withheld, 2},
		"going back and forth": {func(ctx context.Context, call string, told func(pipeline.Frames)) error {
			for i := 0; call == "watch" && ctx.Err() == nil; i++ {
				told(pipeline.Frames{Done: 50 + i%2, Total: 100})
				time.Sleep(10 * time.Second)
			}
			return ctx.Err()
		}, pipeline.Withheld, 2},
		"silence": {func(ctx context.Context, call string, _ func(pipeline.Frames)) error {
			if call == "screen" {
				<-ctx.Done()
			}
			return ctx.Err()
		}, pipeline.Withheld, 2},
	} {
		t.Run(name, func(t *testing.T) {
			clean := cleanFilm(t)
			synctest.Test(t, func(t *testing.T) {
				s := newStudio(t, &reel{watched: footageOf(cast()...), file: clean, picture: []byte("jpeg"), busy: test.busy})
				s.run(t)
				r := s.result(t)
				if r.Outcome != test.outcome || s.state.Attempts != test.attempts {
					t.Errorf("%s after %d attempts: %s", r.Outcome, s.state.Attempts, r.Reason)
				}
				if test.outcome == pipeline.Withheld && !strings.Contains(r.Reason, "took too long") {
					t.Errorf("%q", r.Reason)
				}
			})
		})
	}
}

// Progress is written once a second at most, with what a person wants to know.
func TestProgressIsWrittenDown(t *testing.T) {
	clean := cleanFilm(t)
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t, &reel{watched: footageOf(cast()...), file: clean, picture: []byte("jpeg")})
		const total = 1000
		s.reel.busy = func(_ context.Context, call string, told func(pipeline.Frames)) error {
			if call == "stills" {
				return nil
			}
			for i := range total + 1 {
				told(pipeline.Frames{Done: i, Total: total})
				time.Sleep(10 * time.Millisecond)
			}
			return nil
		}
		s.run(t)
		var progress []pipeline.Progress
		for _, st := range s.written {
			if st.Progress != nil {
				progress = append(progress, *st.Progress)
			}
		}
		if n := len(progress); n < 25 || n > 40 { // three passes of ten seconds
			t.Errorf("written %d times", n)
		}
		for i, p := range progress {
			if p.Passes != 3 || p.Total != total || i > 0 && p.Pass < progress[i-1].Pass {
				t.Errorf("%+v", p)
			}
			if p.Done > 0 && (p.PerSecond < 99 || p.PerSecond > 101) {
				t.Errorf("%v frames a second", p.PerSecond)
			}
			left := float64(total-p.Done+(3-p.Pass)*total) / 100
			if p.Done > 0 && (p.Left < left-1 || p.Left > left+1) {
				t.Errorf("%v seconds left, want about %v", p.Left, left)
			}
		}
		if s.state.Progress != nil || s.state.Step != "" {
			t.Error("progress of a job that is done")
		}
	})
}

// Attempts that get further do not count, one that dies of the same frame does: it is withheld the second time.
func TestOnlyAttemptsThatGetNoFurtherCount(t *testing.T) {
	for name, test := range map[string]struct {
		reach    []int // frames at which each attempt at rendering dies; the last one gets through
		outcome  pipeline.Outcome
		attempts int
	}{
		"further each time":  {[]int{1500, 3000, 4500, 6000}, pipeline.Released, 5},
		"the same frame":     {[]int{1500, 1500, 1500, 1500}, pipeline.Withheld, 2},
		"at once":            {[]int{0, 0, 0, 0}, pipeline.Withheld, 2},
		"a little further":   {[]int{1500, 1700, 1900, 2100}, pipeline.Withheld, 2},
		"further, then not":  {[]int{1500, 3000, 3000, 3000}, pipeline.Withheld, 3},
		"each time a little": {[]int{300, 600, 900, 1200}, pipeline.Withheld, 2},
	} {
		t.Run(name, func(t *testing.T) {
			clean := cleanFilm(t)
			synctest.Test(t, func(t *testing.T) {
				s := newStudio(t, &reel{watched: footageOf(cast()...), file: clean, picture: []byte("jpeg")})
				attempt := 0
				s.reel.busy = func(_ context.Context, call string, told func(pipeline.Frames)) error {
					if call != "render" {
						return nil
					}
					reach := 8000
					if attempt < len(test.reach) {
						reach = test.reach[attempt]
					}
					attempt++
					for n := 0; n <= reach; n += 100 {
						told(pipeline.Frames{Done: n, Total: 8000})
						time.Sleep(time.Second)
					}
					if reach < 8000 {
						return pipeline.ErrCrashed
					}
					return nil
				}
				s.run(t)
				if r := s.result(t); r.Outcome != test.outcome || attempt != test.attempts {
					t.Errorf("%s after %d attempts: %s", r.Outcome, attempt, r.Reason)
				}
			})
		})
	}
}

// A lease that is lost breaks the work off, commits nothing, and leaves the folder to whoever has the job now.
func TestALostLeaseBreaksTheFilmOff(t *testing.T) {
	clean := cleanFilm(t)
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t, &reel{watched: footageOf(cast()...), file: clean})
		s.reel.busy = func(ctx context.Context, call string, told func(pipeline.Frames)) error {
			if call != "render" {
				return nil
			}
			s.advanceErr = pipeline.ErrConflict
			time.Sleep(2 * time.Second)
			told(pipeline.Frames{Done: 1, Total: 2})
			s.stop()
			<-ctx.Done()
			return ctx.Err()
		}
		s.run(t)
		if s.done != 0 || len(s.stored) > 0 || s.state.Status == pipeline.Finished || !slices.Contains(s.left(t), "plan") {
			t.Errorf("%+v, left %v", s.state, s.left(t))
		}
	})
}

// Two workers never write into one folder: the second waits for the first.
func TestAFolderIsHeldByOneWorker(t *testing.T) {
	clean := cleanFilm(t)
	synctest.Test(t, func(t *testing.T) {
		first := newStudio(t, &reel{watched: footageOf(cast()...), file: clean, picture: []byte("jpeg")})
		second := newStudio(t, &reel{watched: footageOf(cast()...), file: clean, picture: []byte("jpeg")})
		second.scratch = first.scratch
		rendering := 0
		busy := func(_ context.Context, call string, _ func(pipeline.Frames)) error {
			if call != "render" {
				return nil
			}
			if rendering++; rendering > 1 {
				t.Error("two workers render into one folder")
			}
			time.Sleep(30 * time.Second)
			rendering--
			return nil
		}
		first.reel.busy, second.reel.busy = busy, busy
		var both sync.WaitGroup
		both.Go(func() { first.run(t) })
		both.Go(func() { second.run(t) })
		both.Wait()
		for _, s := range []*studio{first, second} {
			if r := s.result(t); r.Outcome != pipeline.Released {
				t.Errorf("%s: %s", r.Outcome, r.Reason)
			}
		}
	})
}

// What is stored is what was sealed.
func TestAFilmThatIsStoredAsAnother(t *testing.T) {
	s := newStudio(t, &reel{watched: footageOf(cast()...), file: cleanFilm(t), picture: []byte("jpeg")})
	s.altered = true
	s.run(t)
	if r := s.result(t); r.Outcome != pipeline.Withheld || !strings.Contains(r.Reason, "sealed as") || s.left(t) != nil {
		t.Errorf("%s: %s", r.Outcome, r.Reason)
	}
}

// A result that cannot be stored is withheld.
func TestAFilmsResultThatCannotBeStored(t *testing.T) {
	s := newStudio(t, &reel{watched: footageOf(cast()...), file: cleanFilm(t), picture: []byte("jpeg")})
	s.putErr = errors.New("too large")
	s.run(t)
	if r := s.result(t); r.Outcome != pipeline.Withheld || !r.Film || s.left(t) != nil {
		t.Errorf("%s: %s", r.Outcome, r.Reason)
	}
}

// What a job left that was finished before goes too.
func TestAFinishedFilmsFolderIsRemoved(t *testing.T) {
	s := newStudio(t, &reel{})
	s.state, s.revision = pipeline.State{Status: pipeline.Finished}, 3
	if err := os.MkdirAll(filepath.Join(s.scratch, jobKey, "order"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.run(t)
	if s.done != 1 || s.left(t) != nil || len(s.reel.calls) > 0 {
		t.Errorf("done %d times, left %v", s.done, s.left(t))
	}
}

func TestFilmNeedsAScratchFolder(t *testing.T) {
	for name, spoil := range map[string]func(*studio){
		"none":       func(s *studio) { s.scratch = "" },
		"a file":     func(s *studio) { s.scratch = filepath.Join(s.scratch, "file") },
		"elsewhere":  func(s *studio) { s.job.Key = "../elsewhere" },
		"this place": func(s *studio) { s.job.Key = "." },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStudio(t, &reel{watched: footageOf(cast()...)})
			if err := os.WriteFile(filepath.Join(s.scratch, "file"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			spoil(s)
			ctx, stop := context.WithCancel(t.Context())
			s.stop = stop
			err := s.worker(t).Run(ctx)
			if err == nil && s.state.Results[0].Outcome != pipeline.Withheld || len(s.reel.calls) > 0 {
				t.Errorf("%v, %+v, calls %v", err, s.state, s.reel.calls)
			}
			if err != nil && strings.Contains(err.Error(), os.TempDir()) {
				t.Errorf("names a path: %v", err)
			}
		})
	}
}

func TestTidyScratch(t *testing.T) {
	s := newStudio(t, &reel{})
	for _, name := range []string{jobKey, "job-2", "job-3"} {
		if err := os.MkdirAll(filepath.Join(s.scratch, name, "order"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	lock, err := os.Create(filepath.Join(s.scratch, "job-3", "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	s.state, s.revision = pipeline.State{Status: pipeline.Working}, 3
	tidy := func() []string {
		if err := pipeline.TidyScratch(t.Context(), s.scratch, studioStates{s}); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(s.scratch)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	if got, want := tidy(), []string{jobKey, "job-3"}; !slices.Equal(got, want) {
		t.Errorf("left %v, want %v: one at work, one held", got, want)
	}
	s.state.Status = pipeline.Finished
	if got, want := tidy(), []string{"job-3"}; !slices.Equal(got, want) {
		t.Errorf("left %v, want %v", got, want)
	}
	if err := pipeline.TidyScratch(t.Context(), filepath.Join(s.scratch, "missing"), studioStates{s}); err != nil {
		t.Error(err)
	}
}
