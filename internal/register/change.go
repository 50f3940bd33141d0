package register

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/consentry/consentry/internal/consent"
)

// changeTries bounds how often a change that stands for itself is begun anew after a conflict. The
// pauses add up to a second at most.
const (
	changeTries = 10
	changePause = 20 * time.Millisecond
)

// Import adds subjects and records to the register, and replaces what it knew of these subjects as
// [consent.Register.Merge] says: all of it or nothing. It gives the register after that and what
// changed. Where nothing did, nothing is written and the revision stays. ErrConflict where somebody
// else changed the register meanwhile: what was to be changed may read otherwise now.
func (s *Store) Import(ctx context.Context, subjects []consent.Subject, records []consent.Record) (*consent.Register, consent.Changes, error) {
	return s.importOnto(ctx, subjects, records, func(*consent.Register) bool { return true })
}

// ImportOnto is [Store.Import] for what was completed by the register as base shows it (see
// [consent.SubjectsFile.Onto]): ErrConflict where it is not that one any more.
func (s *Store) ImportOnto(ctx context.Context, base *consent.Register, subjects []consent.Subject, records []consent.Record) (*consent.Register, consent.Changes, error) {
	return s.importOnto(ctx, subjects, records, func(reg *consent.Register) bool { return reg.Revision() == base.Revision() })
}

func (s *Store) importOnto(
	ctx context.Context, subjects []consent.Subject, records []consent.Record, same func(*consent.Register) bool,
) (*consent.Register, consent.Changes, error) {
	var changes consent.Changes
	reg, err := s.change(ctx, func(reg *consent.Register) (next *consent.Register, err error) {
		if !same(reg) {
			return nil, ErrConflict
		}
		next, changes, err = reg.Merge(subjects, records)
		return next, err
	})
	if reg == nil {
		changes = consent.Changes{}
	}
	return reg, changes, wrap("import into the register", err)
}

// Set adds one record of a subject that the register knows. A conflict is tried again: one
// statement stands whatever else was said meanwhile. ErrConflict only after many of them.
func (s *Store) Set(ctx context.Context, record consent.Record) (*consent.Register, error) {
	reg, err := s.changeTrying(ctx, func(reg *consent.Register) (*consent.Register, error) {
		next, _, err := reg.Merge(nil, []consent.Record{record})
		return next, err
	})
	return reg, wrap("set a record in the register", err)
}

// Remove takes subjects and all their records out of the register, and their numbers out of the
// lookalikes of others: all of them, or none where the register does not know one. A conflict is
// tried again.
func (s *Store) Remove(ctx context.Context, ids ...string) (*consent.Register, error) {
	reg, err := s.changeTrying(ctx, func(reg *consent.Register) (*consent.Register, error) {
		return reg.With(reg.Revision(), nil, ids)
	})
	return reg, wrap("remove from the register", err)
}

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// change reads the register and commits what f makes of it. The register is nil unless it was
// changed or needed no change.
func (s *Store) change(ctx context.Context, f func(*consent.Register) (*consent.Register, error)) (*consent.Register, error) {
	base, err := s.load(ctx, 0)
	if err != nil {
		return nil, err
	}
	next, err := f(base.register)
	if err != nil {
		return nil, err
	}
	snap, err := s.commit(ctx, base, next)
	if snap == nil {
		return nil, err
	}
	return snap.register, err
}

func (s *Store) changeTrying(ctx context.Context, f func(*consent.Register) (*consent.Register, error)) (*consent.Register, error) {
	for try := 1; ; try++ {
		reg, err := s.change(ctx, f)
		if try == changeTries || !errors.Is(err, ErrConflict) {
			return reg, err
		}
		// At random, so that two who met once do not meet again.
		if err := pause(ctx, rand.N(time.Duration(try)*changePause)); err != nil {
			return nil, err
		}
	}
}
