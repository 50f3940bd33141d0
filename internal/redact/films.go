package redact

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/pipeline"
)

// openScratch takes the folder for films, once, if there are any. Originals lie in it, each job's in
// a folder named by its key, so it is for this user only. The worker removes what is of a job that is done;
// what a stopped run leaves, the next one goes on with, where the state is kept.
func (s *session) openScratch(ctx context.Context) error {
	if !s.batch.films || s.scratch != "" {
		return nil
	}
	if err := os.MkdirAll(s.workDir, 0o700); err != nil {
		return &SetupError{fmt.Errorf("making a folder for films: %w", err)}
	}
	s.scratch = s.workDir
	return s.tidyScratch(ctx)
}

// tidyScratch removes what no job needs any more.
func (s *session) tidyScratch(ctx context.Context) error {
	if s.scratch == "" {
		return nil
	}
	return errors.Join(pipeline.TidyScratch(ctx, s.scratch, s.states), s.removeLists())
}

// teller tells the user how far a film is. For a photograph it tells nothing: there is no time to read
// it.
type teller struct {
	progress Progress // nil for a photograph
	name     string
}

func (s *session) teller(w *wanted) teller {
	if !w.film {
		return teller{}
	}
	return teller{progress: s.options.Progress, name: intake.Display(w.input.Rel)}
}

// step tells what is done that is not counted in frames.
func (t teller) step(what string) {
	if t.progress != nil {
		t.progress.Film(FilmProgress{Name: t.name, Step: what})
	}
}

// state tells of a job that is at work.
func (t teller) state(s pipeline.State) {
	if t.progress != nil && s.Status == pipeline.Working {
		t.progress.Film(FilmProgress{Name: t.name, Step: s.Step, Pass: s.Progress})
	}
}

func (t teller) end() {
	if t.progress != nil {
		t.progress.Film(FilmProgress{Name: t.name, Ended: true})
	}
}
