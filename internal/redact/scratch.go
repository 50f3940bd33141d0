package redact

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/consentry/consentry/internal/pathless"
)

// scratch is the folder in which films lie while they are worked on, each job's in a folder named by
// its key. The worker removes a job's folder when the job is done; what a stopped run leaves, the
// next one goes on with, where the state is kept.
type scratch struct {
	dir  string
	lock *os.File // shared by the runs that work here; held alone by one that tidies up
}

// openScratch makes the folder for this user only: originals lie in it.
func openScratch(dir string) (*scratch, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making a folder for films: %w", err)
	}
	lock, err := lockFolder(dir, unix.LOCK_SH)
	if err != nil {
		return nil, err
	}
	return &scratch{dir: dir, lock: lock}, nil
}

// sweep removes the folders of jobs that are not needed. With another run at work it does nothing.
func (s *scratch) sweep(needed func(key string) (bool, error)) (err error) {
	if err := unix.Flock(int(s.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return ignoreBusy(err)
	}
	defer func() { err = errors.Join(err, unix.Flock(int(s.lock.Fd()), unix.LOCK_SH)) }()
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("looking for what earlier runs left of films: %w", pathless.Error(err))
	}
	for _, entry := range entries {
		if keep, err := needed(entry.Name()); err != nil {
			return fmt.Errorf("looking for what earlier runs left of films: %w", err)
		} else if keep {
			continue
		}
		if err := os.RemoveAll(filepath.Join(s.dir, entry.Name())); err != nil {
			return fmt.Errorf("removing what an earlier run left of a film: %w", pathless.Error(err))
		}
	}
	return nil
}

func ignoreBusy(err error) error {
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil
	}
	return fmt.Errorf("locking the folder for films: %w", err)
}
