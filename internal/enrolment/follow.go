package enrolment

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/gallery"
)

// State is all that is stored at one moment.
type State struct {
	Enrolled  []Enrolled // by subject and then digest
	Target    gallery.Target
	HasTarget bool // false where nobody has asked for a target yet
}

// waiting is how many changes may come while the caller is busy with the state before. It bounds
// memory, not time: the bus holds what is beyond.
const waiting = 256

// Follow gives what is stored now, and then what is stored after a change, until the caller stops
// or an error comes: the context's, ErrUnreadable, or the bus's. Changes that come while the caller
// is busy make one state together. Who gets an error must not go on with what it had.
func (s *Store) Follow(ctx context.Context) iter.Seq2[State, error] {
	return func(yield func(State, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		var group sync.WaitGroup
		defer group.Wait()
		defer stop()
		steps := make(chan step, waiting)
		group.Go(func() { s.pump(ctx, steps) })
		f := follower{stored: map[string]Enrolled{}}
		for {
			if err := errors.Join(f.next(steps), ctx.Err()); err != nil {
				yield(State{}, fmt.Errorf("following the references: %w", err))
				return
			}
			if f.caughtUp && !yield(f.state(), nil) {
				return
			}
		}
	}
}

// step is what the watch gave: a change or its end.
type step struct {
	change bus.Change
	err    error
}

// pump takes changes off the bus until that ends with an error, or the context with none.
func (s *Store) pump(ctx context.Context, steps chan<- step) {
	defer close(steps)
	for c, err := range s.bucket.Watch(ctx, templateKind+".*.*", targetKey) {
		select {
		case steps <- step{c, err}:
		case <-ctx.Done():
			return
		}
	}
}

var errEnded = errors.New("the changes have ended")

type follower struct {
	stored   map[string]Enrolled // by key
	target   *gallery.Target
	caughtUp bool
}

// next waits for one step and takes those that wait with it.
func (f *follower) next(steps <-chan step) error {
	s, open := <-steps
	for {
		if !open {
			return errEnded
		}
		if s.err != nil {
			return s.err
		}
		if err := f.take(s.change); err != nil {
			return err
		}
		select {
		case s, open = <-steps:
		default:
			return nil
		}
	}
}

func (f *follower) take(c bus.Change) (err error) {
	switch {
	case c.CaughtUp:
		f.caughtUp = true
	case c.Key == targetKey && c.Deleted:
		f.target = nil
	case c.Key == targetKey:
		f.target, err = decodeTarget(c.Value)
	case c.Deleted:
		delete(f.stored, c.Key)
	default:
		f.stored[c.Key], err = decodeOf(c.Key, c.Value)
	}
	return err
}

func (f *follower) state() State {
	s := State{Enrolled: slices.SortedFunc(maps.Values(f.stored), bySubject)}
	if f.target != nil {
		s.Target, s.HasTarget = *f.target, true
	}
	return s
}
