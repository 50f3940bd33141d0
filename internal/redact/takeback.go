package redact

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/consentry/consentry/internal/clearance"
)

// ErrBusy says that a run is writing into the output folder.
var ErrBusy = errors.New("another run is writing into the output folder")

// Folder is an output folder that no run writes into as long as it is held.
type Folder struct{ output }

// Hold keeps runs out of the folder, which must exist; ErrBusy where one is at work in it.
func Hold(dir string) (*Folder, error) {
	lock, err := lockFolder(dir, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, errAlive) {
		return nil, ErrBusy
	}
	if err != nil {
		return nil, err
	}
	return &Folder{output{dir: dir, lock: lock}}, nil
}

// Close lets runs in again.
func (f *Folder) Close() error { return f.lock.Close() }

// TakeBack takes away the derivatives at these places below the folder, each with its clearance, and
// counts them. What is not there is no error, and what consentry did not make stays. An error with
// one keeps it from none of the others.
func (f *Folder) TakeBack(places []string) (taken int, err error) {
	for _, place := range places {
		there, lookErr := f.holds(place)
		if lookErr != nil || !there {
			err = errors.Join(err, lookErr)
			continue
		}
		if removeErr := f.remove(place); removeErr != nil {
			err = errors.Join(err, removeErr)
			continue
		}
		taken++
	}
	return taken, err
}

// holds says whether something of ours lies there: a plain file with a clearance, whomever it is
// signed by, or the one without the other that a run left which was killed.
func (o *output) holds(name string) (bool, error) {
	text, clearanceErr := readBounded(o.path(name+clearanceSuffix), clearance.MaxFile)
	if errors.Is(clearanceErr, fs.ErrNotExist) || errors.Is(clearanceErr, syscall.ENOTDIR) {
		return false, nil
	}
	if clearanceErr != nil {
		return false, fmt.Errorf("reading a clearance: %w", clearanceErr)
	}
	if _, err := clearance.Parse(text); err != nil {
		return false, nil //nolint:nilerr // no clearance, so it is not ours
	}
	info, err := os.Lstat(o.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking at a derivative: %w", err)
	}
	return info.Mode().IsRegular(), nil
}
