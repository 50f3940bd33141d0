package register

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
)

// faulty is a bucket that fails at one write, counted from 1.
type faulty struct {
	bucket
	at      int64
	applied bool // the write is done, and only its confirmation is lost
	forGood bool // nothing works any more after that, as for a process that is killed
	count   *atomic.Int64
}

func (f faulty) dead() bool { return f.forGood && f.count.Load() >= f.at }

func (f faulty) write(do func() (uint64, error)) (uint64, error) {
	switch n := f.count.Add(1); {
	case n < f.at || n > f.at && !f.forGood:
		return do()
	case n == f.at && f.applied:
		_, err := do()
		return 0, errors.Join(err, bus.ErrUnavailable)
	}
	return 0, bus.ErrUnavailable
}

func (f faulty) Create(ctx context.Context, key string, value []byte) (uint64, error) {
	return f.write(func() (uint64, error) { return f.bucket.Create(ctx, key, value) })
}

func (f faulty) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	return f.write(func() (uint64, error) { return f.bucket.Update(ctx, key, value, revision) })
}

func (f faulty) Erase(ctx context.Context, key string) error {
	_, err := f.write(func() (uint64, error) { return 0, f.bucket.Erase(ctx, key) })
	return err
}

func (f faulty) Get(ctx context.Context, key string) (bus.Record, error) {
	if f.dead() {
		return bus.Record{}, bus.ErrUnavailable
	}
	return f.bucket.Get(ctx, key)
}

func (f faulty) List(ctx context.Context) ([]bus.Record, error) {
	if f.dead() {
		return nil, bus.ErrUnavailable
	}
	return f.bucket.List(ctx)
}

// TestCutAnywhere fails each write of a change in turn. Before and after it there is a whole
// register, the old one or the new one, in agreement with what the caller was told; and the next
// change clears up.
func TestCutAnywhere(t *testing.T) {
	subjects, records := school(4, 2)
	other, changed := school(5, 3)
	changes := map[string]func(context.Context, *Store) (*consent.Register, error){
		"first import": func(ctx context.Context, s *Store) (*consent.Register, error) {
			reg, _, err := s.Import(ctx, other, changed)
			return reg, err
		},
		"import": func(ctx context.Context, s *Store) (*consent.Register, error) {
			reg, _, err := s.Import(ctx, other, changed)
			return reg, err
		},
		"set": func(ctx context.Context, s *Store) (*consent.Register, error) {
			return s.Set(ctx, says("1003", consent.Refused, "2025-12-01"))
		},
		"remove": func(ctx context.Context, s *Store) (*consent.Register, error) { return s.Remove(ctx, "1003", "1000") },
	}
	for name, change := range changes {
		for how, f := range map[string]faulty{
			"killed before": {forGood: true}, "killed after": {forGood: true, applied: true},
			"failed": {}, "unconfirmed": {applied: true},
		} {
			t.Run(name+"/"+how, func(t *testing.T) {
				t.Parallel()
				b := fresh(t)
				for f.at = 1; f.at < 100; f.at++ {
					begin(t, b, name == "first import", subjects, records)
					f.bucket, f.count = b.Register(), new(atomic.Int64)
					if !cutOnce(t, b, f, change) {
						return
					}
				}
				t.Error("no end of writes")
			})
		}
	}
}

// begin makes the bucket what it is before the change.
func begin(t *testing.T, b *bus.Bus, empty bool, subjects []consent.Subject, records []consent.Record) {
	t.Helper()
	ctx := limit(t)
	keys, err := b.Register().Keys(ctx)
	ok(t, err)
	for _, key := range keys {
		ok(t, b.Register().Erase(ctx, key))
	}
	if !empty {
		_, _, err = New(b.Register()).Import(ctx, subjects, records)
		ok(t, err)
	}
}

// cutOnce is false where the change ended before the write that was to fail.
func cutOnce(t *testing.T, b *bus.Bus, f faulty, change func(context.Context, *Store) (*consent.Register, error)) bool {
	t.Helper()
	ctx := limit(t)
	before, err := New(b.Register()).Load(ctx)
	ok(t, err)
	reg, err := change(ctx, &Store{bucket: f})
	now, look := New(b.Register()).Load(ctx)
	if look != nil {
		t.Fatalf("write %d: %v, after %v", f.at, look, err)
	}
	is := func(want *consent.Register) bool {
		return now.Digest() == want.Digest() && now.Revision() == want.Revision()
	}
	switch at := fmt.Sprintf("write %d: %v", f.at, err); {
	case reg != nil && !is(reg):
		t.Fatal(at, "; the register that was told of is not the one stored")
	case reg != nil && err != nil && !errors.Is(err, ErrNotErased), reg == nil && err == nil:
		t.Fatal(at, "; the answer contradicts itself")
	case reg == nil && !errors.Is(err, ErrUnknown) && !is(before):
		t.Fatal(at, "; the register was changed all the same")
	case now.Revision() > before.Revision()+1:
		t.Fatal(at, "; it was changed twice")
	}
	next, _, err := New(b.Register()).Import(ctx, []consent.Subject{{AdmissionNumber: "5000"}}, nil)
	ok(t, err)
	stored(t, b, next)
	return f.count.Load() >= f.at
}
