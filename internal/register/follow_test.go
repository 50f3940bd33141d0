package register

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
)

// counting counts the pages that are read.
type counting struct {
	bucket
	pages *atomic.Int64
}

func (c counting) Get(ctx context.Context, key string) (bus.Record, error) {
	if strings.HasPrefix(key, pagePrefix) {
		c.pages.Add(1)
	}
	return c.bucket.Get(ctx, key)
}

// A follower sees the register as it stands, and each change, and reads no more than what changed.
func TestFollow(t *testing.T) {
	ctx, b := limit(t), fresh(t)
	writer := New(b.Register())
	subjects, records := school(1000, 1)
	steps := []func() (*consent.Register, error){
		func() (*consent.Register, error) {
			reg, _, err := writer.Import(ctx, subjects, records)
			return reg, err
		},
		func() (*consent.Register, error) {
			return writer.Set(ctx, says("1001", consent.Withdrawn, "2025-12-01"))
		},
		func() (*consent.Register, error) { return writer.Remove(ctx, "1001") },
	}
	var read []int64
	pages := new(atomic.Int64)
	want, err := writer.Load(ctx)
	ok(t, err)
	follower := &Store{bucket: counting{b.Register(), pages}}
	for reg, err := range follower.Follow(ctx) {
		ok(t, err)
		if reg.Revision() != want.Revision() || reg.Digest() != want.Digest() {
			t.Fatalf("got revision %d, want %d", reg.Revision(), want.Revision())
		}
		read = append(read, pages.Swap(0))
		if len(steps) == 0 {
			break
		}
		want, err = steps[0]()
		ok(t, err)
		steps = steps[1:]
	}
	same(t, read[2:], []int64{1, 1})
	for reg, err := range New(b.Register()).Follow(ctx) {
		ok(t, err)
		same(t, reg.Digest(), want.Digest())
		break
	}
	if pages.Load() != 0 || read[0] != 0 || read[1] < 200 {
		t.Errorf("read %v pages", read)
	}
}

// A follower is told of its end, whatever it is.
func TestFollowEnds(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	ctx, cancel := context.WithCancel(limit(t))
	wantErr(t, lastOf(New(b.Register()), ctx, cancel), context.Canceled)
	wantErr(t, lastOf(New(b.Register()), limit(t), func() {
		_, err := b.Register().Put(limit(t), headKey, []byte("{}"))
		ok(t, err)
	}), ErrDamaged)
	ok(t, b.Register().Erase(limit(t), headKey))
	_, err := New(b.Register()).Remove(limit(t))
	ok(t, err)
	_, _, err = New(b.Register()).Import(limit(t), []consent.Subject{{AdmissionNumber: "1"}}, nil)
	ok(t, err)
	wantErr(t, lastOf(New(b.Register()), limit(t), func() { ok(t, b.Register().Erase(limit(t), headKey)) }), ErrDamaged)

	b = fresh(t)
	wantErr(t, lastOf(New(b.Register()), limit(t), func() { go b.Close() }), bus.ErrUnavailable)
}

// lastOf follows, does something at the first register, and gives the error at the end.
func lastOf(s *Store, ctx context.Context, do func()) error {
	var last error
	for reg, err := range s.Follow(ctx) {
		if last = err; reg != nil {
			do()
		}
	}
	return last
}
