package register

import (
	"context"
	"errors"
	"testing"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
)

// beforeList is a bucket on which something happens between a change and its sweeping.
type beforeList struct {
	bucket
	do func()
}

func (l beforeList) List(ctx context.Context) ([]bus.Record, error) {
	l.do()
	return l.bucket.List(ctx)
}

// The pages of a writer who is at work on the present head are not swept away from under it.
func TestSweepSparesWhoIsAtWork(t *testing.T) {
	ctx, b := limit(t), fresh(t)
	subjects, records := school(40, 1)
	_, _, err := New(b.Register()).Import(ctx, subjects, records)
	ok(t, err)
	written, swept, done := make(chan struct{}), make(chan struct{}), make(chan error)
	second := &Store{bucket: meanwhile{b.Register(), func() { close(written); <-swept }}}
	first := &Store{bucket: beforeList{b.Register(), func() {
		go func() { _, err := second.Set(ctx, says("1002", consent.Refused, "2025-12-01")); done <- err }()
		<-written
	}}}
	_, err = first.Set(ctx, says("1001", consent.Refused, "2025-12-01"))
	ok(t, err)
	close(swept)
	ok(t, <-done)
	reg, err := New(b.Register()).Load(ctx)
	ok(t, err)
	same(t, []int{len(reg.Records("1001")), len(reg.Records("1002"))}, []int{2, 2})
	stored(t, b, reg)
}

// deceived is a bucket that replaces the head, lets somebody else go on from there, and then says
// that there was a conflict: a confirmation was lost and the request repeated.
type deceived struct {
	bucket
	do func()
}

func (d deceived) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	_, err := d.bucket.Update(ctx, key, value, revision)
	d.do()
	return 0, errors.Join(err, bus.ErrConflict)
}

// Who takes a change for refused that was taken does not destroy it.
func TestRefusedAndTaken(t *testing.T) {
	ctx, b := limit(t), fresh(t)
	subjects, records := school(40, 1)
	_, _, err := New(b.Register()).Import(ctx, subjects, records)
	ok(t, err)
	s := &Store{bucket: deceived{b.Register(), func() {
		_, err := New(b.Register()).Set(ctx, says("1002", consent.Refused, "2025-12-01"))
		ok(t, err)
	}}}
	_, _, err = s.Import(ctx, nil, []consent.Record{says("1001", consent.Refused, "2025-12-01")})
	wantErr(t, err, ErrConflict)
	reg, err := New(b.Register()).Load(ctx)
	ok(t, err)
	same(t, []int{len(reg.Records("1001")), len(reg.Records("1002"))}, []int{2, 2})
	stored(t, b, reg)
}
