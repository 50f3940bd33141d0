// Package review keeps what persons decide about faces, and which runs left faces to decide.
//
// It promises:
//   - What was decided stays: every statement is kept with its day and its author's office, the
//     later ones rule, and no new run takes any of them away.
//   - A decision is about one face of one asset, named by the asset's digest and the face's box, or
//     about one track of a film, named by where its face is at one moment as well. It says nothing of the
//     subject elsewhere, and adds no reference by itself.
//   - Nothing here names a person other than by admission number.
package review

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/pipeline"
)

// Store keeps rulings and runs in two buckets of the bus.
type Store struct {
	rulings, runs *bus.Bucket
}

// New makes a store of the two buckets.
func New(rulings, runs *bus.Bucket) *Store { return &Store{rulings: rulings, runs: runs} }

// Statement is one thing that a person said about a face.
type Statement struct {
	At       time.Time         `json:"at"`
	By       string            `json:"by,omitempty"`       // an office or initials, as the school likes
	Why      string            `json:"why,omitempty"`      // in the person's own words
	Is       string            `json:"is,omitempty"`       // the face is this subject
	Not      []string          `json:"not,omitempty"`      // the face is none of these
	As       consent.Outcome   `json:"as,omitempty"`       // Show or Obscure, for the purposes
	Purposes []consent.Purpose `json:"purposes,omitempty"` // that As is about
	// Unnamed says that the face was named as a subject who has been removed from the register:
	// nobody has said who it is.
	Unnamed bool `json:"unnamed,omitempty"`
	// Bases are what the person went by, for each purpose; see [pipeline.Order.Basis].
	Bases map[consent.Purpose][]string `json:"bases,omitempty"`
}

// version of the records.
const version = 1

// record is all that was said about one face.
type record struct {
	Version int    `json:"version"`
	Asset   string `json:"asset"`
	Place
	Statements []Statement `json:"statements"`
}

// Place is where a face is that a person speaks of.
type Place struct {
	Box face.Box `json:"box"`
	// At is the time stamp of the film's frame on which it is there; nil for a photograph.
	At *time.Duration `json:"at,omitempty"`
}

// Place is where the face is.
func (f *Face) Place() Place {
	p := Place{Box: f.Box}
	if f.Film != nil {
		at := f.Film.Time()
		p.At = &at
	}
	return p
}

// id is by which a person decides about the face.
func (p Place) id(asset string) string {
	if p.At != nil {
		return pipeline.TrackID(asset, *p.At, p.Box)
	}
	return pipeline.FaceID(asset, p.Box)
}

// overlap is how much two places are one, from 0 to 1. Boxes of two moments are not compared.
func (p Place) overlap(o Place) float64 {
	if (p.At == nil) != (o.At == nil) || p.At != nil && *p.At != *o.At {
		return 0
	}
	return p.Box.IoU(o.Box)
}

// Errors of Decide.
var (
	ErrNothingSaid = errors.New("the statement says nothing about the face")
	ErrBadOutcome  = errors.New("a person decides to show or to obscure")
)

// Rule adds a statement to what is known of the photograph's face with this box. Another person who
// decides about the same face at the same moment makes it fail with bus.ErrConflict.
func (s *Store) Rule(ctx context.Context, asset string, box face.Box, said Statement) error {
	return s.RuleAt(ctx, asset, Place{Box: box}, said)
}

// RuleAt is Rule for a photograph or a film.
func (s *Store) RuleAt(ctx context.Context, asset string, place Place, said Statement) error {
	if err := said.Check(); err != nil {
		return err
	}
	key, known, revision, err := s.find(ctx, asset, place)
	if err != nil {
		return err
	}
	known.Statements = append(known.Statements, said)
	value, err := json.Marshal(known)
	if err != nil {
		return fmt.Errorf("writing a decision on a face: %w", err)
	}
	if revision == 0 {
		_, err = s.rulings.Create(ctx, key, value)
	} else {
		_, err = s.rulings.Update(ctx, key, value, revision)
	}
	return err
}

// Check says why the statement cannot be kept.
func (said Statement) Check() error {
	if said.Is == "" && len(said.Not) == 0 && said.As == "" {
		return ErrNothingSaid
	}
	if said.As != "" && said.As != consent.Show && said.As != consent.Obscure {
		return ErrBadOutcome
	}
	for _, id := range append(slices.Clone(said.Not), said.Is) {
		if id == "" {
			continue
		}
		if err := consent.ValidAdmissionNumber(id); err != nil {
			return fmt.Errorf("a decision on a face: %w", err)
		}
	}
	return nil
}

// find is the record of the face, which may have been boxed a little otherwise before, or a new one.
func (s *Store) find(ctx context.Context, asset string, place Place) (string, record, uint64, error) {
	key := asset + "." + place.id(asset)
	fresh := record{Version: version, Asset: asset, Place: place}
	best := 0.0
	var revision uint64
	err := s.each(ctx, asset+".*", func(rec bus.Record, r record) {
		if u := r.overlap(place); u >= pipeline.SameFace && u > best {
			best, key, fresh, revision = u, rec.Key, r, rec.Revision
		}
	})
	return key, fresh, revision, err
}

// each gives all records under the keys. One that cannot be read is an error: a decision to obscure
// could be in it.
func (s *Store) each(ctx context.Context, keys string, take func(bus.Record, record)) error {
	for change, err := range s.rulings.Watch(ctx, keys) {
		if err != nil {
			return err
		}
		if change.CaughtUp {
			return nil
		}
		if change.Deleted {
			continue
		}
		r, err := parseRecord(change.Record)
		if err != nil {
			return err
		}
		take(change.Record, r)
	}
	return nil
}

func parseRecord(rec bus.Record) (record, error) {
	var r record
	if err := json.Unmarshal(rec.Value, &r); err != nil {
		return record{}, fmt.Errorf("reading a decision on a face: %w", err)
	}
	if r.Version != version {
		return record{}, fmt.Errorf("reading a decision on a face: version %d, want %d", r.Version, version)
	}
	if asset, _, _ := strings.Cut(rec.Key, "."); asset != r.Asset {
		return record{}, errors.New("reading a decision on a face: it is kept under another asset")
	}
	return r, nil
}

// Rulings are what all statements come to, by asset.
func (s *Store) Rulings(ctx context.Context) (pipeline.Rulings, error) {
	all := pipeline.Rulings{}
	err := s.each(ctx, ">", func(_ bus.Record, r record) {
		all[r.Asset] = append(all[r.Asset], r.ruling())
	})
	if err != nil {
		return nil, fmt.Errorf("reading what was decided on faces: %w", err)
	}
	return all, nil
}

// ruling is what the statements come to: of each question the last answer.
func (r record) ruling() pipeline.Ruling {
	ruling := pipeline.Ruling{Box: r.Box, At: r.At, As: map[consent.Purpose]pipeline.Verdict{}}
	for _, said := range r.Statements {
		if said.Unnamed {
			ruling.Is = ""
		}
		if said.Is != "" {
			ruling.Is = said.Is
			ruling.Not = slices.DeleteFunc(ruling.Not, func(id string) bool { return id == said.Is })
		}
		for _, id := range said.Not {
			ruling.Not = append(ruling.Not, id)
			if ruling.Is == id {
				ruling.Is = ""
			}
		}
		for _, purpose := range said.Purposes {
			ruling.As[purpose] = pipeline.Verdict{Outcome: said.As, Bases: said.Bases[purpose]}
		}
	}
	slices.Sort(ruling.Not)
	ruling.Not = slices.Compact(ruling.Not)
	return ruling
}
