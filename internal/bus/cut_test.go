package bus

import (
	"bytes"
	"context"
	"sync/atomic"
	"testing"
)

// cutting is a context that is cancelled when it is asked for the n-th time whether it is done.
type cutting struct {
	context.Context
	left   *atomic.Int64
	cancel context.CancelFunc
}

func cutAt(t *testing.T, n int64) cutting {
	ctx, cancel := context.WithCancel(limit(t))
	t.Cleanup(cancel)
	c := cutting{Context: ctx, left: &atomic.Int64{}, cancel: cancel}
	c.left.Store(n)
	return c
}

func (c cutting) Done() <-chan struct{} {
	if c.left.Add(-1) == 0 {
		c.cancel()
	}
	return c.Context.Done()
}

// Wherever a run is stopped, a blob is there wholly or not at all, and can be stored again.
func TestBlobCutShort(t *testing.T) {
	b := open(t, Options{StoreDir: t.TempDir()})
	s := b.Quarantine()
	data := randomBytes(t, 7, 3*chunkSize)
	digest := digestOf(string(data))
	whole := func(when string, cut int64) {
		t.Helper()
		has, err := s.Has(limit(t), digest)
		if ok(t, err); !has {
			return
		}
		var got bytes.Buffer
		if err := s.Get(limit(t), digest, &got); err != nil {
			t.Fatalf("%s cut at %d: there, but cannot be read: %v", when, cut, err)
		}
	}
	for cut := int64(1); cut <= 40; cut++ {
		_, _, _ = s.Put(cutAt(t, cut), bytes.NewReader(data)) // whether it got that far does not matter
		whole("put", cut)
		_, _, err := s.Put(limit(t), bytes.NewReader(data))
		ok(t, err)
		whole("put after put", cut)
		_ = s.Delete(cutAt(t, cut), digest)
		whole("delete", cut)
		ok(t, s.Delete(limit(t), digest))
	}
}
