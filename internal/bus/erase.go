package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// markerTTL is how long the server keeps the marker of an erased key, which holds the key and
// nothing else. A watcher that has lost its connection for longer does not learn of the erasure and
// must begin anew; a week covers a machine that was shut down over a holiday weekend.
const markerTTL = 7 * 24 * time.Hour

// The words of the client's buckets (ADR-8) for a message that says that a key is gone.
const (
	opHeader = "KV-Operation"
	opPurge  = "PURGE"
)

// Erase removes a record and overwrites its bytes in the server's files. Watchers see a deletion; of
// the key a marker stays for a week. A key that is not there is no error, so that an Erase that was
// cut short can be repeated: it leaves the bytes gone at least, and the repetition the marker.
//
// ErrConflict means that somebody else replaced the record just then: the new one stays, and the old
// bytes, which the server has let go of, may be on its disk for a while. A record that is written
// after the old one was overwritten stays as well, without an error. What Put, Update and Delete
// replaced or removed earlier is beyond reach; so records that must be erasable are written once,
// each under a key of its own.
func (b *Bucket) Erase(ctx context.Context, key string) error {
	if !validKey(key) {
		return fmt.Errorf("%s: %w: it cannot be a key", b.doing("erase a record"), ErrInvalid)
	}
	return wrap(b.doing("erase a record"), b.erase(ctx, "$KV."+b.name+"."+key))
}

// validKey is the rule of the client's buckets.
func validKey(key string) bool {
	const signs = "-/_=."
	bad := func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune(signs, r)
	}
	return key != "" && key[0] != '.' && key[len(key)-1] != '.' && !strings.ContainsFunc(key, bad)
}

// erase overwrites first and marks afterwards: a marker would take the place of the record, and the
// server would let go of its bytes without overwriting them. It goes no further than to what was the
// last message when it began: the next one is somebody else's.
func (b *Bucket) erase(ctx context.Context, subject string) error {
	last, err := b.stream.GetLastMsgForSubject(ctx, subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return b.mark(ctx, subject, false)
	}
	if err != nil || isMarker(last) {
		return err
	}
	missed := false
	for seq := uint64(1); seq <= last.Sequence; seq++ {
		m, err := b.stream.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(subject))
		if errors.Is(err, jetstream.ErrMsgNotFound) || err == nil && m.Sequence > last.Sequence {
			missed = true
			break
		}
		if err != nil {
			return err
		}
		seq = m.Sequence
		gone, err := b.overwrite(ctx, seq)
		if err != nil {
			return err
		}
		missed = missed || !gone
	}
	return b.mark(ctx, subject, missed)
}

func isMarker(m *jetstream.RawStreamMsg) bool { return m.Header.Get(opHeader) != "" }

// overwrite destroys one message. It is false where somebody else removed the message before.
func (b *Bucket) overwrite(ctx context.Context, seq uint64) (bool, error) {
	err := b.stream.SecureDeleteMsg(ctx, seq)
	if err == nil {
		return true, nil
	}
	if _, look := b.stream.GetMsg(ctx, seq); errors.Is(look, jetstream.ErrMsgNotFound) {
		return false, nil
	}
	return false, err
}

// mark tells watchers that the key is gone, unless somebody else has written it meanwhile. That is
// an error only where a message was missed: then this is what replaced it.
func (b *Bucket) mark(ctx context.Context, subject string, missed bool) error {
	m := nats.NewMsg(subject)
	m.Header.Set(opHeader, opPurge)
	// On the condition that there is no message on this subject.
	_, err := b.js.PublishMsg(ctx, m, jetstream.WithExpectLastSequencePerSubject(0), jetstream.WithMsgTTL(markerTTL))
	if err == nil || !isConflict(err) {
		return err
	}
	last, err := b.stream.GetLastMsgForSubject(ctx, subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil
	}
	if err == nil && missed && !isMarker(last) {
		return fmt.Errorf("%w: it was replaced while it was erased", ErrConflict)
	}
	return err
}
