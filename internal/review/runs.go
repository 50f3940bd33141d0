package review

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/report"
)

// Run is a run that kept its state, so that it can be done again when a face was decided, and what
// it found.
type Run struct {
	Out      string            // the output folder, absolute
	Purposes []consent.Purpose // in any order
	Paths    []string          // of the inputs, absolute, in any order
	Host     string            // the machine, where several share a server; empty: this one
	Command  json.RawMessage   // how to do it again, as the command line keeps it
	Finished time.Time         // the later one of two runs has the last word on what both made
	Assets   []Asset
}

// Asset is what a run saw of one original for one purpose.
type Asset struct {
	Path    string          `json:"path"`   // as in the report
	SHA256  string          `json:"sha256"` // of the original
	Purpose consent.Purpose `json:"purpose"`
	Place   string          `json:"place"` // of the derivative below the output folder, whether there is one or not
	Faces   []report.Face   `json:"faces,omitempty"`
	Tracks  []report.Track  `json:"tracks,omitempty"` // of a film
}

// Damaged is a run of which something is kept that cannot be read. Out is empty where not even that
// can be told.
type Damaged struct {
	Out  string
	Err  error
	key  string
	host string
}

// Known is what is known of earlier runs.
type Known struct {
	Runs      []Run     // that can be done again here, the oldest first
	Elsewhere []Run     // that were done on other machines, the oldest first
	Gone      []string  // output folders that are not there any more; their runs are forgotten
	Damaged   []Damaged // that cannot be read
}

// key tells runs apart that make other things or put them elsewhere. It is a digest, as folders can
// be called after people.
func (r Run) key() string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q", r.Host, r.Out)
	fmt.Fprintf(h, " %q", slices.Sorted(slices.Values(r.Purposes)))
	fmt.Fprintf(h, " %q", slices.Sorted(slices.Values(r.Paths)))
	return hex.EncodeToString(h.Sum(nil))
}

// Remember keeps the run in the place of earlier ones that it has overwritten: the same one, and
// those into the same folder of which it has made everything anew.
func (s *Store) Remember(ctx context.Context, r Run) error {
	if err := s.keep(ctx, r); err != nil {
		return fmt.Errorf("writing down a run: %w", err)
	}
	runs, _, err := s.read(ctx)
	if err != nil {
		return fmt.Errorf("looking for the runs that this one replaces: %w", err)
	}
	made := r.Made()
	for key, old := range runs {
		if key != r.key() && old.Host == r.Host && old.Out == r.Out && old.Finished.Before(r.Finished) && within(old.Made(), made) {
			if err := s.forgetRun(ctx, key); err != nil {
				return err
			}
		}
	}
	return nil
}

// Made is the set of places below the output folder that the run writes to.
func (r Run) Made() map[string]bool {
	places := map[string]bool{}
	for _, a := range r.Assets {
		places[a.Place] = true
	}
	return places
}

func within(some, all map[string]bool) bool {
	for place := range some {
		if !all[place] {
			return false
		}
	}
	return true
}

// Known gives the runs that are remembered, to the machine called host, and forgets those of them
// whose output folder is gone. One that cannot be read keeps nobody from the others.
func (s *Store) Known(ctx context.Context, host string) (Known, error) {
	runs, damaged, err := s.read(ctx)
	if err != nil {
		return Known{}, fmt.Errorf("reading which runs there were: %w", err)
	}
	var known Known
	for _, key := range slices.Sorted(maps.Keys(runs)) {
		r := runs[key]
		switch {
		case elsewhere(r.Host, host):
			known.Elsewhere = append(known.Elsewhere, r)
		case !gone(r.Out):
			known.Runs = append(known.Runs, r)
		default:
			known.Gone = append(known.Gone, r.Out)
			err = errors.Join(err, s.forgetRun(ctx, key))
		}
	}
	for _, d := range damaged {
		if d.Out != "" && !elsewhere(d.host, host) && gone(d.Out) {
			err = errors.Join(err, s.forgetRun(ctx, d.key))
			continue
		}
		known.Damaged = append(known.Damaged, d)
	}
	slices.SortFunc(known.Runs, inOrder)
	slices.SortFunc(known.Elsewhere, inOrder)
	slices.Sort(known.Gone)
	known.Gone = slices.Compact(known.Gone)
	return known, err
}

func inOrder(a, b Run) int {
	return cmp.Or(a.Finished.Compare(b.Finished), cmp.Compare(a.Out, b.Out), cmp.Compare(a.key(), b.key()))
}

func elsewhere(host, here string) bool { return host != "" && host != here }

// gone says that the folder is not there. One that cannot be looked at is there.
func gone(dir string) bool {
	_, err := os.Stat(dir)
	return errors.Is(err, fs.ErrNotExist)
}

// Effect is a run that has to be done again.
type Effect struct {
	Run Run
	// Places are what could come out otherwise; empty where the run only has to come after another
	// one, which writes to the same places.
	Places []string
}

// Change is what a decision can change.
type Change struct {
	Asset    string            // SHA-256 of the original
	Purposes []consent.Purpose // nil: all of them
}

// Effects lists the runs that decisions about faces could change, in the order in which they were done.
// A run that was done later, into the same places, is among them, so that again it has the last word.
func Effects(runs []Run, changes ...Change) []Effect {
	var effects []Effect
	rewritten := map[string]map[string]bool{} // places by output folder
	for _, r := range runs {
		e := Effect{Run: r, Places: r.changed(changes)}
		if len(e.Places) == 0 && !anyOf(r.Made(), rewritten[r.Out]) {
			continue
		}
		effects = append(effects, e)
		if rewritten[r.Out] == nil {
			rewritten[r.Out] = map[string]bool{}
		}
		maps.Copy(rewritten[r.Out], r.Made())
	}
	return effects
}

func anyOf(some, all map[string]bool) bool {
	for place := range some {
		if all[place] {
			return true
		}
	}
	return false
}

// changed lists the places of the derivatives that could come out otherwise. Where every face is
// obscured whoever it is, no decision changes anything.
func (r Run) changed(changes []Change) []string {
	var places []string
	for _, a := range r.Assets {
		if !a.everyone() && slices.ContainsFunc(changes, func(c Change) bool { return c.concerns(a) }) {
			places = append(places, a.Place)
		}
	}
	return places
}

func (c Change) concerns(a Asset) bool {
	return a.SHA256 == c.Asset && (c.Purposes == nil || slices.Contains(c.Purposes, a.Purpose))
}

func (a Asset) everyone() bool {
	seen := a.sightings()
	return len(seen) > 0 && !slices.ContainsFunc(seen, func(s sighting) bool { return !obscuredAsAll(s.Face) })
}

// forgetRun erases a run. The head goes first: what is left of one that was cut short is no run.
func (s *Store) forgetRun(ctx context.Context, key string) error {
	if err := s.runs.Erase(ctx, key); err != nil {
		return fmt.Errorf("forgetting a run: %w", err)
	}
	return s.erasePartsBut(ctx, key, nil)
}

// erasePartsBut erases what is kept of earlier versions of the run.
func (s *Store) erasePartsBut(ctx context.Context, key string, keep []string) error {
	kept, err := s.runs.List(ctx)
	if err != nil {
		return fmt.Errorf("forgetting a run: %w", err)
	}
	for _, rec := range kept {
		if strings.HasPrefix(rec.Key, key+".") && !slices.Contains(keep, rec.Key) {
			if err := s.runs.Erase(ctx, rec.Key); err != nil && !errors.Is(err, bus.ErrConflict) {
				return fmt.Errorf("forgetting a run: %w", err)
			}
		}
	}
	return nil
}
