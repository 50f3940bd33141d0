package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"
)

// StateVersion is the version of State that this package writes and reads.
const StateVersion = 1

// State is how far a job has come. Its key is by custom Job.Key.
type State struct {
	Version  int             `json:"version"`          // StateVersion
	Key      string          `json:"key"`              //
	Phase    string          `json:"phase"`            // the caller's word; empty means that only attempts were counted
	Attempts int             `json:"attempts"`         // how often risky work was begun, over all restarts
	Updated  time.Time       `json:"updated"`          // when this was written, UTC
	Detail   json.RawMessage `json:"detail,omitempty"` // the caller's own record, opaque here
	Revision uint64          `json:"-"`                // by which Update knows it; rises with every write
}

// StateChange is one step of States.Watch.
type StateChange struct {
	State
	Deleted  bool // gone; only Key and Revision are set
	CaughtUp bool // all that was there has been given; State is zero
}

// States is where the effect of a job is committed: of several who hold the same State, one Update
// succeeds.
type States struct{ bucket *Bucket }

// Get reads a state; ErrNotFound where there is none.
func (s *States) Get(ctx context.Context, key string) (State, error) {
	r, err := s.bucket.Get(ctx, key)
	if err != nil {
		return State{}, err
	}
	return parseState(r)
}

// Create writes the first state of a job; ErrConflict where there is one. It returns the state as
// written, with its revision.
func (s *States) Create(ctx context.Context, st State) (State, error) {
	return s.write(st, func(data []byte) (uint64, error) { return s.bucket.Create(ctx, st.Key, data) })
}

// Update replaces the state if its Revision is still the last one; otherwise ErrConflict: somebody
// else has committed or begun an attempt, and the caller's result does not count. It returns the
// state as written, with its new revision.
func (s *States) Update(ctx context.Context, st State) (State, error) {
	if st.Revision == 0 {
		return State{}, fmt.Errorf("update a state: %w: it has no revision", ErrInvalid)
	}
	return s.write(st, func(data []byte) (uint64, error) { return s.bucket.Update(ctx, st.Key, data, st.Revision) })
}

func (s *States) write(st State, put func([]byte) (uint64, error)) (State, error) {
	st.Version, st.Updated = StateVersion, time.Now().UTC()
	data, err := json.Marshal(st)
	if err != nil {
		return State{}, fmt.Errorf("write a state: %w", err)
	}
	if st.Revision, err = put(data); err != nil {
		return State{}, err
	}
	return st, nil
}

// Attempt counts one more attempt and is to be called before the risky work; it is on disk when
// Attempt returns. The state that it gives is the only one with which that work can be committed:
// everybody who began earlier gets ErrConflict from Update. The caller looks at Phase first (the
// job may be done) and at Attempts (too many: reject the job). A state is made where there is none.
func (s *States) Attempt(ctx context.Context, key string) (State, error) {
	// Contenders are the workers that hold one job, so a handful.
	const tries = 20
	var err error
	for range tries {
		var st State
		if st, err = s.attempt(ctx, key); !errors.Is(err, ErrConflict) {
			return st, err
		}
	}
	return State{}, fmt.Errorf("count an attempt: %w", err)
}

func (s *States) attempt(ctx context.Context, key string) (State, error) {
	st, err := s.Get(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return s.Create(ctx, State{Key: key, Attempts: 1})
	}
	if err != nil {
		return State{}, err
	}
	st.Attempts++
	return s.Update(ctx, st)
}

// Delete removes a state if its Revision is still the last one; otherwise ErrConflict.
func (s *States) Delete(ctx context.Context, st State) error {
	if st.Revision == 0 {
		return fmt.Errorf("delete a state: %w: it has no revision", ErrInvalid)
	}
	return s.bucket.Delete(ctx, st.Key, st.Revision)
}

// Erase removes a state, whatever its revision, and overwrites its bytes on the server's disk. One
// that is not there is no error.
func (s *States) Erase(ctx context.Context, key string) error { return s.bucket.Erase(ctx, key) }

// Keys lists the keys of all states, in order.
func (s *States) Keys(ctx context.Context) ([]string, error) { return s.bucket.Keys(ctx) }

// Watch gives the states under the keys (all, where none is named), then CaughtUp, then every
// change. It ends as Bucket.Watch does, or with ErrInvalid at a state that cannot be read.
func (s *States) Watch(ctx context.Context, keys ...string) iter.Seq2[StateChange, error] {
	return func(yield func(StateChange, error) bool) {
		for c, err := range s.bucket.Watch(ctx, keys...) {
			sc := StateChange{State: State{Key: c.Key, Revision: c.Revision}, Deleted: c.Deleted, CaughtUp: c.CaughtUp}
			if err == nil && !c.Deleted && !c.CaughtUp {
				sc.State, err = parseState(c.Record)
			}
			if !yield(sc, err) || err != nil {
				return
			}
		}
	}
}

func parseState(r Record) (State, error) {
	var st State
	if err := decodeStrict(r.Value, &st); err != nil {
		return State{}, fmt.Errorf("read a state: %w: %w", ErrInvalid, err)
	}
	if st.Version != StateVersion || st.Key != r.Key {
		return State{}, fmt.Errorf("read a state: %w: version or key", ErrInvalid)
	}
	st.Revision = r.Revision
	return st, nil
}
