// Package register keeps the consent register in the bucket REGISTER.
//
// The subjects lie in up to 256 pages, by a hash of their admission numbers. A page is written once,
// under a key of its own, and never changed; one record, the head, names the pages that make up the
// register, with their digests. To replace the head on the condition that nobody else has is to
// change the register.
//
// It promises:
//
//   - A change is taken as a whole or not at all, wherever its process is killed, and of two at
//     once one is taken and the other is told.
//   - A register is given whole or not at all: a page that is missing or is not what the head says
//     is an error, and never a subject without its refusals.
//   - What a change replaces is erased from the server's files (bus.Bucket.Erase).
//   - A change of one subject writes one page and the head, whatever the size of the register, and
//     whoever follows reads that page alone.
package register

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
)

// What callers tell apart.
var (
	// ErrConflict: somebody else changed the register between reading and writing.
	ErrConflict = errors.New("another change of the register came between; nothing was taken; run it again")
	// ErrDamaged: the stored register is not whole, so that nothing of it can be used.
	ErrDamaged = errors.New("the stored register is damaged and cannot be used; restore the state from a backup, or begin a new state and import again")
	// ErrVersion: the stored register is of a form that this program does not know.
	ErrVersion = errors.New("the stored register was written by another version of this program; use that one")
	// ErrTooLarge: too much text for one page.
	ErrTooLarge = errors.New("too much for one page of the register; nothing was taken; " +
		"remove subjects who have left, or shorten the texts in recorded_by and evidence")
	// ErrUnknown: the server was lost at the moment of the change.
	ErrUnknown = errors.New("it is not known whether the change was taken; look at the register, and run it again if it was not (to run it twice does no harm)")
	// ErrNotErased comes together with the changed register.
	ErrNotErased = errors.New("the change was taken, but what it replaced could not be erased from the disk; the next change will erase it")
)

// bucket is what is needed of a bus.Bucket.
type bucket interface {
	Get(ctx context.Context, key string) (bus.Record, error)
	List(ctx context.Context) ([]bus.Record, error)
	Create(ctx context.Context, key string, value []byte) (uint64, error)
	Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error)
	Erase(ctx context.Context, key string) error
	Watch(ctx context.Context, keys ...string) iter.Seq2[bus.Change, error]
}

// Store is the register in a bucket. Its methods may be called from many goroutines, and from many
// processes on the same bucket. It keeps the register that it last saw, so that only what changed
// since is read.
type Store struct {
	bucket bucket

	mu     sync.Mutex
	latest *snapshot
}

// New gives the register in the bucket, which nothing else may use.
func New(bucket *bus.Bucket) *Store { return &Store{bucket: bucket} }

// damaged says that the stored register cannot be used, and why.
func damaged(why error) error {
	if errors.Is(why, ErrVersion) {
		return why
	}
	return fmt.Errorf("%w (%w)", ErrDamaged, why)
}

// Load gives the register as it stands, its revision being the count of changes so far; an empty one
// with revision 0 where there was never one. ErrDamaged or ErrVersion where it cannot be used.
func (s *Store) Load(ctx context.Context) (*consent.Register, error) {
	snap, err := s.load(ctx, 0)
	if err != nil {
		return nil, err
	}
	return snap.register, nil
}

func (s *Store) known() *snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.latest
}

// keep remembers a snapshot unless a newer one is known.
func (s *Store) keep(snap *snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.latest == nil || s.latest.revision < snap.revision {
		s.latest = snap
	}
}
