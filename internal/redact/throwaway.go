package redact

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const throwAwayPrefix = "run-"

// throwsAway says whether the run works on a state that ends with it.
func (o Options) throwsAway() bool { return o.StateDir == "" && o.NATSURL == "" }

// stateDir is where the bus keeps its files, and how to tidy up after the run. A throw-away folder
// holds originals, so those that killed runs left behind are removed first; the lock tells them
// from those of runs that are alive.
func stateDir(o Options) (dir string, tidy func() error, err error) {
	if !o.throwsAway() {
		return o.StateDir, func() error { return nil }, nil
	}
	if err := os.MkdirAll(o.ThrowAwayDir, 0o700); err != nil {
		return "", nil, fmt.Errorf("making a folder for the run's state: %w", err)
	}
	// Held while folders come and go, so that no run takes a folder for abandoned that another one
	// has made but not locked yet.
	turn, err := lockFolder(o.ThrowAwayDir, unix.LOCK_EX)
	if err != nil {
		return "", nil, err
	}
	defer turn.Close()
	if err := removeAbandoned(o.ThrowAwayDir); err != nil {
		return "", nil, err
	}
	own, err := os.MkdirTemp(o.ThrowAwayDir, throwAwayPrefix)
	if err != nil {
		return "", nil, fmt.Errorf("making a folder for the run's state: %w", err)
	}
	lock, err := lockFolder(own, unix.LOCK_EX|unix.LOCK_NB)
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(own))
	}
	return filepath.Join(own, "nats"), func() error {
		return errors.Join(os.RemoveAll(own), lock.Close())
	}, nil
}

// errAlive says that a run holds the folder.
var errAlive = errors.New("the folder belongs to a run that is alive")

// lockFolder takes the folder's lock, which ends with the file or the process.
func lockFolder(dir string, how int) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("locking a run's folder: %w", err)
	}
	err = unix.Flock(int(f.Fd()), how)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, errors.Join(errAlive, f.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("locking a run's folder: %w", err), f.Close())
	}
	return f, nil
}

// removeAbandoned removes what killed runs left behind.
func removeAbandoned(parent string) error {
	entries, err := filepath.Glob(filepath.Join(parent, throwAwayPrefix+"*"))
	if err != nil {
		return fmt.Errorf("looking for folders of killed runs: %w", err)
	}
	for _, dir := range entries {
		lock, err := lockFolder(dir, unix.LOCK_EX|unix.LOCK_NB)
		if errors.Is(err, errAlive) || errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := errors.Join(os.RemoveAll(dir), lock.Close()); err != nil {
			return fmt.Errorf("removing the folder of a killed run: %w", err)
		}
	}
	return nil
}
