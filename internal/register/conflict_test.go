package register

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
)

// meanwhile is a bucket on which somebody else does something just before the head is replaced.
type meanwhile struct {
	bucket
	do func()
}

func (m meanwhile) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	m.do()
	return m.bucket.Update(ctx, key, value, revision)
}

// Of two imports at once one wins; the other is told, changes nothing and leaves nothing behind.
func TestLoserOfTwoImports(t *testing.T) {
	ctx, b := limit(t), fresh(t)
	subjects, records := school(40, 2)
	more, _ := school(60, 0)
	for _, first := range []string{"both the first ever", "both later"} {
		var winner *consent.Register
		s := &Store{bucket: meanwhile{b.Register(), func() {
			var err error
			winner, err = New(b.Register()).Set(ctx, says("1001", consent.Withdrawn, "2025-12-01"))
			if first == "both the first ever" {
				winner, _, err = New(b.Register()).Import(ctx, subjects, records)
			}
			ok(t, err)
		}}}
		if first != "both the first ever" {
			_, err := s.Load(ctx)
			ok(t, err)
		}
		reg, changes, err := s.Import(ctx, more, nil)
		wantErr(t, err, ErrConflict)
		if reg != nil || !changes.None() {
			t.Errorf("%s: the loser got %d subjects", first, reg.Len())
		}
		stored(t, b, winner)
	}
}

// A single statement is tried again until it is in.
func TestSetAfterAConflict(t *testing.T) {
	ctx, b := limit(t), fresh(t)
	subjects, records := school(40, 2)
	_, _, err := New(b.Register()).Import(ctx, subjects, records)
	ok(t, err)
	times := 0
	s := &Store{bucket: meanwhile{b.Register(), func() {
		if times++; times < 4 {
			_, err := New(b.Register()).Set(ctx, says("1001", consent.Refused, fmt.Sprint("2025-12-0", times)))
			ok(t, err)
		}
	}}}
	reg, err := s.Set(ctx, says("1001", consent.Withdrawn, "2025-12-09"))
	ok(t, err)
	same(t, []any{reg.Revision(), len(reg.Records("1001")), times}, []any{uint64(5), 6, 4})
	stored(t, b, reg)
	s.bucket = meanwhile{b.Register(), func() {
		times++
		_, err := New(b.Register()).Set(ctx, says("1002", consent.Refused, fmt.Sprintf("2024-11-%02d", times)))
		ok(t, err)
	}}
	_, err = s.Remove(ctx, "1001")
	wantErr(t, err, ErrConflict)
}

// Many writers and readers at once: what was confirmed is in, what was refused is not, and every
// reader sees whole registers only. Subjects 1000 and 1001, of different pages, always change together.
func TestManyAtOnce(t *testing.T) {
	ctx, b := limit(t), fresh(t)
	subjects, records := school(40, 1)
	_, _, err := New(b.Register()).Import(ctx, subjects, records)
	ok(t, err)
	if pageOf("1000") == pageOf("1001") {
		t.Fatal("the two are in one page")
	}
	reading, stop := context.WithCancel(ctx)
	var readers, writers sync.WaitGroup
	for range 2 {
		readers.Go(func() { readPairs(reading, t, b) })
	}
	var mu sync.Mutex
	confirmed := 0
	for w := range 4 {
		writers.Go(func() {
			s := New(b.Register())
			for i := range 6 {
				day := fmt.Sprintf("2025-%02d-%02d", 1+w, 1+i)
				_, _, err := s.Import(ctx, nil, []consent.Record{says("1000", consent.Refused, day), says("1001", consent.Refused, day)})
				if err != nil && !errors.Is(err, ErrConflict) {
					t.Error(err)
				}
				_, err2 := s.Set(ctx, says(fmt.Sprint(1010+w), consent.Refused, day))
				if err2 != nil && !errors.Is(err2, ErrConflict) {
					t.Error(err2)
				}
				mu.Lock()
				for _, err := range []error{err, err2} {
					if err == nil {
						confirmed++
					}
				}
				mu.Unlock()
			}
		})
	}
	writers.Wait()
	stop()
	readers.Wait()
	reg, err := New(b.Register()).Load(ctx)
	ok(t, err)
	same(t, reg.Revision(), uint64(1+confirmed))
	reg, err = New(b.Register()).Set(ctx, says("1000", consent.Refused, "2024-01-01"))
	ok(t, err)
	stored(t, b, reg)
}

// readPairs reads from the beginning each time, so that all pages are fetched.
func readPairs(ctx context.Context, t *testing.T, b *bus.Bus) {
	for ctx.Err() == nil {
		reg, err := New(b.Register()).Load(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			t.Error(err)
			return
		case reg.Len() != 40 || len(reg.Records("1000")) != len(reg.Records("1001")):
			t.Errorf("a register with holes: %d subjects, %d and %d records", reg.Len(), len(reg.Records("1000")), len(reg.Records("1001")))
			return
		}
	}
}
