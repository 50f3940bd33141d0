package register

import (
	"context"
	"fmt"
	"iter"

	"github.com/consentry/consentry/internal/consent"
)

// Follow gives the register as it stands and then every change as it comes; of several quick ones
// only the last may come. It ends when the caller stops, or with an error: the context's, the bus's
// when that is gone for good, or ErrDamaged. A caller that goes on after an error must take it that
// consents were withdrawn meanwhile.
func (s *Store) Follow(ctx context.Context) iter.Seq2[*consent.Register, error] {
	return func(yield func(*consent.Register, error) bool) {
		var given *snapshot
		for c, err := range s.bucket.Watch(ctx, headKey) {
			if err != nil {
				yield(nil, fmt.Errorf("follow the register: %w", err))
				return
			}
			if c.CaughtUp && given != nil || given != nil && c.Revision <= given.revision {
				continue
			}
			// A deleted head is no change of the register: load finds that it is missing.
			snap, err := s.load(ctx, c.Revision)
			if err != nil {
				yield(nil, fmt.Errorf("follow the register: %w", err))
				return
			}
			news := given == nil || given.register.Revision() != snap.register.Revision()
			if given = snap; news && !yield(snap.register, nil) {
				return
			}
		}
	}
}
