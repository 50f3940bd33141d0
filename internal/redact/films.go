package redact

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/pipeline"
)

// openScratch takes the folder for films, once, if there are any, and removes what no job needs any
// more.
func (s *session) openScratch(ctx context.Context) (err error) {
	if !s.batch.films || s.scratch != nil {
		return nil
	}
	if s.scratch, err = openScratch(s.workDir); err != nil {
		return &SetupError{err}
	}
	return s.sweepScratch(ctx)
}

// sweepScratch keeps what jobs need that are not finished.
func (s *session) sweepScratch(ctx context.Context) error {
	if s.scratch == nil {
		return nil
	}
	return s.scratch.sweep(func(key string) (bool, error) {
		if !isKey(key) {
			return false, nil
		}
		state, err := s.bus.States().Get(ctx, key)
		if errors.Is(err, bus.ErrNotFound) || errors.Is(err, bus.ErrInvalid) {
			return false, nil
		}
		return err == nil && state.Phase != string(pipeline.Finished), err
	})
}

// isKey says whether it can be a job's: a SHA-256 in hexadecimal.
func isKey(name string) bool {
	return len(name) == sha256.Size*2 && strings.Trim(name, "0123456789abcdef") == ""
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
