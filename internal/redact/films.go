package redact

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

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

// A disk must have room for three times what is taken in: one copy in quarantine, one where it is worked on, and at
// least as much for what comes out; and for the bus to go on writing, or a full disk would break off the
// whole run.
const (
	copiesOfFilm = 3
	roomOfBus    = 64 << 20
)

// checkRoom holds a film back for which the state's disk has no room.
func (s *session) checkRoom(w *wanted) error {
	var disk unix.Statfs_t
	if err := unix.Statfs(s.workDir, &disk); err != nil {
		return fmt.Errorf("looking for space on the disk: %w", err)
	}
	free := disk.Bavail * uint64(disk.Bsize)
	if need := copiesOfFilm*uint64(w.input.Size) + roomOfBus; free < need {
		return fmt.Errorf("there is no space left on the disk to work on this film: at least %d MB are needed where the state is, and %d MB are free",
			need/1e6, free/1e6)
	}
	return nil
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
