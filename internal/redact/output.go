package redact

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/consentry/consentry/internal/atomicfile"
	"github.com/consentry/consentry/pipeline"
)

// clearanceSuffix makes the name of the clearance from that of the derivative.
const clearanceSuffix = ".clearance.json"

// tracksSuffix makes that of the list of boxes that --debug-tracks writes.
const tracksSuffix = ".tracks.jsonl"

// Derivatives are there to be published, so anybody on the machine may read them.
const fileMode = 0o644

// output is the folder that the run writes into. Nothing is written outside of it, whatever the
// inputs are called.
type output struct {
	dir  string
	lock *os.File // held while the run is at work: two runs would take away each other's derivatives
}

// openOutput makes the folder, keeps other runs out of it, and takes away what a killed run was
// writing.
func openOutput(dir string) (*output, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the output folder: %w", err)
	}
	lock, err := lockFolder(dir, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, errAlive) {
		return nil, fmt.Errorf("%w; wait for it, or choose another --out", ErrBusy)
	}
	if err != nil {
		return nil, fmt.Errorf("locking the output folder: %w", err)
	}
	if _, err := atomicfile.Clean(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("tidying the output folder: %w", err), lock.Close())
	}
	return &output{dir: dir, lock: lock}, nil
}

// path is for reading and for messages.
func (o *output) path(name string) string { return filepath.Join(o.dir, filepath.FromSlash(name)) }

// blobs is where a derivative is read from.
type blobs interface {
	Get(ctx context.Context, digest string, w io.Writer) error
}

// place writes a released derivative: the clearance first, so that no derivative ever lies there
// without one.
func (o *output) place(ctx context.Context, w *wanted, r pipeline.Result, from blobs) error {
	err := o.write(w.name()+clearanceSuffix, func(f io.Writer) error {
		_, err := io.Copy(f, bytes.NewReader(r.Clearance))
		return err
	})
	if err != nil {
		return fmt.Errorf("writing the clearance: %w", err)
	}
	err = o.write(w.name(), func(f io.Writer) error { return from.Get(ctx, r.DerivativeSHA256, f) })
	if err != nil {
		return errors.Join(fmt.Errorf("writing the derivative: %w", err), o.remove(w.name()))
	}
	return nil
}

func (o *output) write(name string, fill func(io.Writer) error) error {
	return atomicfile.WriteUnder(o.dir, filepath.FromSlash(name), fileMode, fill)
}

// remove takes a derivative away, and then what lies beside it. What is not there is no error.
func (o *output) remove(name string) error {
	root, err := os.OpenRoot(o.dir)
	if err != nil {
		return fmt.Errorf("opening the output folder: %w", err)
	}
	defer root.Close()
	for _, n := range []string{name, name + tracksSuffix, name + clearanceSuffix} {
		if err := root.Remove(filepath.FromSlash(n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("taking away what an earlier run left: %w", err)
		}
	}
	return nil
}
