package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"
)

// State says how a file stands to the manifest.
type State string

// The states of a file.
const (
	Present  State = "present"  // there, and its SHA-256 is the manifest's
	Missing  State = "missing"  // not there
	Altered  State = "altered"  // there, but not what the manifest says, or not readable
	Optional State = "optional" // not there, and nothing misses it
)

// Row is one line of the list of models.
type Row struct {
	Name    Name     `json:"name"`
	Group   Group    `json:"group"`
	Task    string   `json:"task"`
	File    string   `json:"file"` // below the model directory, with slashes
	Licence string   `json:"licence"`
	Sources []string `json:"sources"` // for people; empty where it is made from nothing
	SHA256  string   `json:"sha256"`  // of the finished file
	State   State    `json:"state"`
	// Optional files are not required; without a source they are not pulled either.
	Optional bool `json:"optional"`
}

// MissingError says which files a command cannot do without. The command line prints it and exits
// with 5.
type MissingError struct {
	Dir   string // the model directory
	Files []Row  // those that are missing or altered, in the manifest's order
}

// Error names the files, what is wrong with each, and the command that puts it right.
func (e *MissingError) Error() string {
	var list []string
	for _, r := range e.Files {
		list = append(list, fmt.Sprintf("%s (%s) is %s", r.Name, r.File, r.State.lacking()))
	}
	return fmt.Sprintf("models: %s; run: %s", strings.Join(list, ", "), e.Command())
}

// lacking is Missing for an optional file that somebody asked for by name.
func (s State) lacking() State {
	if s == Optional {
		return Missing
	}
	return s
}

// Command is what to run, or, for an optional model without a source, where to put one first.
func (e *MissingError) Command() string {
	cmd := "consentry models pull"
	if dir, err := DefaultDir(); err != nil || dir != e.Dir {
		cmd += " --models " + e.Dir
	}
	prefix := ""
	for _, r := range e.Files {
		if r.Group == Samples && !strings.Contains(cmd, "--samples") {
			cmd += " --samples"
		}
		if r.Optional && len(r.Sources) == 0 {
			prefix = fmt.Sprintf("(after putting %s there, or naming a source for it in %s there) ", r.File, overrideFile)
		}
	}
	return prefix + cmd
}

// List looks at every file of the manifest, in its order. The files are read whole and hashed,
// several at a time. The error is that of the context; a file that cannot be read is Altered.
func (s *Store) List(ctx context.Context) ([]Row, error) { return s.look(ctx, s.entries) }

// Verify returns nil only if every named file is there and has the manifest's SHA-256; without
// names, every file that the product requires. Otherwise the error is a *MissingError, or that
// of the context, or says that a name is unknown.
func (s *Store) Verify(ctx context.Context, names ...Name) error {
	var wanted []entry
	for _, n := range names {
		e, ok := s.entry(n)
		if !ok {
			return fmt.Errorf("models: no model is called %q", n)
		}
		wanted = append(wanted, e)
	}
	if len(names) == 0 {
		wanted = s.selected(entry.required)
	}
	rows, err := s.look(ctx, wanted)
	if err != nil {
		return err
	}
	missing := &MissingError{Dir: s.dir}
	for _, r := range rows {
		if r.State != Present {
			missing.Files = append(missing.Files, r)
		}
	}
	if len(missing.Files) > 0 {
		return missing
	}
	return nil
}

// SampleNames are the names of the sample photographs, for Verify.
func (s *Store) SampleNames() []Name {
	var names []Name
	for _, e := range s.selected(func(e entry) bool { return e.Group == Samples }) {
		names = append(names, e.Name)
	}
	return names
}

func (s *Store) selected(keep func(entry) bool) []entry {
	var out []entry
	for _, e := range s.entries {
		if keep(e) {
			out = append(out, e)
		}
	}
	return out
}

// look makes the rows of the entries, hashing as many files at once as there are processors.
func (s *Store) look(ctx context.Context, entries []entry) ([]Row, error) {
	rows := make([]Row, len(entries))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, e := range entries {
		rows[i] = e.row()
		group.Go(func() error {
			rows[i].State = s.state(ctx, e)
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("models: look at the files: %w", err)
	}
	return rows, nil
}

func (e entry) row() Row {
	r := Row{Name: e.Name, Group: e.Group, Task: e.Task, File: e.File, Licence: e.Licence, SHA256: e.SHA256, Optional: e.Optional}
	for _, src := range e.Sources {
		r.Sources = append(r.Sources, src.String())
	}
	return r
}

func (s *Store) state(ctx context.Context, e entry) State {
	sum, err := sumFile(ctx, s.file(e))
	switch {
	case errors.Is(err, os.ErrNotExist) && e.Optional:
		return Optional
	case errors.Is(err, os.ErrNotExist):
		return Missing
	case err != nil || sum != e.SHA256:
		return Altered
	}
	return Present
}

// sumFile is the SHA-256 of a regular file, in hexadecimal. It does not open anything else, so
// that a pipe under a model's name cannot stop the program.
func sumFile(ctx context.Context, path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("look at a model file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("look at a model file: not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("look at a model file: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.CopyBuffer(h, cancellable{ctx, f}, make([]byte, 1<<20)); err != nil {
		return "", fmt.Errorf("read a model file: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// cancellable stops reading when the context ends.
type cancellable struct {
	ctx context.Context
	r   io.Reader
}

func (c cancellable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
