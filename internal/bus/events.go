package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// EventVersion is the version of Event that this package writes and reads.
const EventVersion = 1

// Event is something that happened. What is written stays: the stream refuses deletion and purge.
type Event struct {
	Version int             `json:"version"`        // EventVersion
	Type    string          `json:"type"`           // lower-case letters, digits and '-', such as "released"
	Key     string          `json:"key,omitempty"`  // what it is about: Job.Key, a digest, an admission number
	At      time.Time       `json:"at"`             // when it happened, UTC
	Data    json.RawMessage `json:"data,omitempty"` // the caller's own record, opaque here
	Seq     uint64          `json:"-"`              // its place in the stream, from 1
}

// Publish appends an event and returns its place. At and Version are filled in where zero. After
// ErrUnavailable the event may have been written: a repeat may write it twice.
func (b *Bus) Publish(ctx context.Context, e Event) (seq uint64, err error) {
	if e.Version == 0 {
		e.Version = EventVersion
	}
	if e.At.IsZero() {
		e.At = time.Now().UTC()
	}
	if err := e.check(); err != nil {
		return 0, fmt.Errorf("publish an event: %w", err)
	}
	data, err := json.Marshal(e)
	if err != nil {
		return 0, fmt.Errorf("publish an event: %w", err)
	}
	ack, err := b.js.Publish(ctx, "events."+e.Type, data)
	if err != nil {
		return 0, wrap("publish an event", err)
	}
	return ack.Sequence, nil
}

func (e Event) check() error {
	if e.Version != EventVersion {
		return fmt.Errorf("%w: event of version %d", ErrInvalid, e.Version)
	}
	if e.Type == "" || strings.Trim(e.Type, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("%w: type of event", ErrInvalid)
	}
	return nil
}

func parseEvent(data []byte) (Event, error) {
	var e Event
	if err := decodeStrict(data, &e); err != nil {
		return Event{}, fmt.Errorf("%w: event: %w", ErrInvalid, err)
	}
	return e, e.check()
}

// Replay gives the events after a place in the stream (0: all), in order, and ends at the last.
func (b *Bus) Replay(ctx context.Context, after uint64) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			e, err := b.eventFrom(ctx, after+1)
			if errors.Is(err, ErrNotFound) {
				return
			}
			if !yield(e, err) || err != nil {
				return
			}
			after = e.Seq
		}
	}
}

// eventFrom is the first event at this place or later.
func (b *Bus) eventFrom(ctx context.Context, seq uint64) (Event, error) {
	m, err := b.events.GetMsg(ctx, seq, jetstream.WithGetMsgSubject("events.*"))
	if err != nil {
		return Event{}, wrap("read an event", err)
	}
	e, err := parseEvent(m.Data)
	e.Seq = m.Sequence
	return e, err
}
