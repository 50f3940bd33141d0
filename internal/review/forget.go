package review

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/report"
)

// Forget takes the subjects, who have been removed from the register, out of everything that was said
// about faces and out of what runs found. A face that was such a subject waits again. What a person
// said of the face for a purpose stays, but to show it holds no more where that subject was gone by.
func (s *Store) Forget(ctx context.Context, subjects ...string) error {
	for _, subject := range subjects {
		if err := s.forget(ctx, subject); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) forget(ctx context.Context, subject string) error {
	err := s.forgetInRulings(ctx, subject)
	for attempt := 1; attempt < attempts && errors.Is(err, bus.ErrConflict); attempt++ { // somebody decides meanwhile
		err = s.forgetInRulings(ctx, subject)
	}
	if err != nil {
		return fmt.Errorf("forgetting a subject in what was decided on faces: %w", err)
	}
	return s.forgetInRuns(ctx, subject)
}

// attempts is ample: each conflict is a person's decision about the very same face.
const attempts = 10

func (s *Store) forgetInRulings(ctx context.Context, subject string) error {
	var found []bus.Record
	var cleaned []record
	err := s.each(ctx, ">", func(rec bus.Record, r record) {
		if r.names(subject) {
			found, cleaned = append(found, rec), append(cleaned, r.without(subject))
		}
	})
	for i := 0; i < len(found) && err == nil; i++ {
		err = s.replace(ctx, found[i], cleaned[i])
	}
	return err
}

// replace writes what is left of the record; bus.ErrConflict where somebody has decided meanwhile.
func (s *Store) replace(ctx context.Context, was bus.Record, r record) error {
	if len(r.Statements) == 0 {
		return s.rulings.Erase(ctx, was.Key)
	}
	value, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = s.rulings.Update(ctx, was.Key, value, was.Revision)
	return err
}

func (r record) names(subject string) bool {
	return slices.ContainsFunc(r.Statements, func(said Statement) bool {
		if said.Is == subject || slices.Contains(said.Not, subject) {
			return true
		}
		for _, bases := range said.Bases {
			if slices.ContainsFunc(bases, func(basis string) bool { return mentions(basis, subject) }) {
				return true
			}
		}
		return false
	})
}

// without leaves the statements out that have nothing else to say. Of the one that named the face a
// trace stays, so that it still overrules what was said before it.
func (r record) without(subject string) record {
	var left []Statement
	for _, said := range r.Statements {
		if said.Is == subject {
			said.Is, said.Unnamed = "", true
		}
		said.Not = slices.DeleteFunc(slices.Clone(said.Not), func(id string) bool { return id == subject })
		for purpose, bases := range said.Bases { // the record is this function's own
			said.Bases[purpose] = slices.DeleteFunc(bases, func(basis string) bool { return mentions(basis, subject) })
		}
		if said.Unnamed || said.Is != "" || len(said.Not) > 0 || said.As != "" {
			left = append(left, said)
		}
	}
	if !slices.ContainsFunc(left, func(said Statement) bool { return !said.Unnamed || len(said.Not) > 0 || said.As != "" }) {
		left = nil
	}
	r.Statements = left
	return r
}

// mentions says whether the admission number is a word of the text.
func mentions(text, subject string) bool {
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ;,:()", r) })
	return slices.Contains(words, subject)
}

// forgetInRuns takes the subject out of the faces that runs saw. The face stays, and can be decided
// about; to have it shown, the run is done again first.
func (s *Store) forgetInRuns(ctx context.Context, subject string) error {
	runs, _, err := s.read(ctx) // what cannot be read cannot be cleaned either
	if err != nil {
		return fmt.Errorf("forgetting a subject in what runs found: %w", err)
	}
	for _, r := range runs {
		if !r.forget(subject) {
			continue
		}
		if err := s.keep(ctx, r); err != nil {
			return fmt.Errorf("forgetting a subject in what runs found: %w", err)
		}
	}
	return nil
}

// forget says whether the subject was there.
func (r Run) forget(subject string) bool {
	found := false
	for _, a := range r.Assets {
		for i := range a.Faces {
			f := &a.Faces[i]
			found = forgetIn(&f.Match, &f.Reason, &f.Basis, subject) || found
		}
		for i := range a.Tracks {
			t := &a.Tracks[i]
			found = forgetIn(&t.Match, &t.Reason, &t.Basis, subject) || found
		}
	}
	return found
}

func forgetIn(m *report.Match, reason, basis *string, subject string) bool {
	if m.Subject != subject && m.RunnerUp != subject && !mentions(*basis, subject) && !mentions(*reason, subject) {
		return false
	}
	if m.Subject == subject {
		m.Subject = ""
	}
	if m.RunnerUp == subject {
		m.RunnerUp = ""
	}
	if mentions(*reason, subject) {
		*reason = "looked like somebody who is not in the register any more"
	}
	*basis = ""
	return true
}
