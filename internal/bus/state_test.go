package bus

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func same(t testing.TB, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func states(t *testing.T, b *Bus) {
	ctx, s := limit(t), b.States()
	_, err := s.Get(ctx, "a")
	wantErr(t, err, ErrNotFound)
	first, err := s.Create(ctx, State{Key: "a", Phase: "queued", Detail: json.RawMessage(`{"n":1}`)})
	ok(t, err)
	_, err = s.Create(ctx, State{Key: "a"})
	wantErr(t, err, ErrConflict)
	got, err := s.Get(ctx, "a")
	ok(t, err)
	same(t, got, first)

	got.Phase = "done"
	second, err := s.Update(ctx, got)
	ok(t, err)
	_, err = s.Update(ctx, first)
	wantErr(t, err, ErrConflict)
	wantErr(t, s.Delete(ctx, first), ErrConflict)
	_, err = s.Update(ctx, State{Key: "a"})
	wantErr(t, err, ErrInvalid)
	_, err = s.Create(ctx, State{Key: "not a key"})
	wantErr(t, err, ErrInvalid)
	ok(t, s.Delete(ctx, second))
	_, err = s.Get(ctx, "a")
	wantErr(t, err, ErrNotFound)
	_, err = s.Create(ctx, State{Key: "a"})
	ok(t, err)

	_, err = s.bucket.Put(ctx, "b", []byte(`{"version":2}`))
	ok(t, err)
	_, err = s.Get(ctx, "b")
	wantErr(t, err, ErrInvalid)
	_, err = s.Attempt(ctx, "b")
	wantErr(t, err, ErrInvalid)
	keys, err := s.Keys(ctx)
	ok(t, err)
	same(t, keys, []string{"a", "b"})
}

// attemptsFenced: of many who begin at once each gets its own number, and only the last can commit.
func attemptsFenced(t *testing.T, b *Bus) {
	ctx := limit(t)
	const holders = 8
	begun := make([]State, holders)
	errs := make([]error, holders)
	var wg sync.WaitGroup
	for i := range holders {
		wg.Go(func() { begun[i], errs[i] = b.States().Attempt(ctx, "k") })
	}
	wg.Wait()
	slices.SortFunc(begun, func(x, y State) int { return x.Attempts - y.Attempts })
	for i, st := range begun {
		ok(t, errs[i])
		if st.Attempts != i+1 {
			t.Fatalf("attempt %d has number %d", i+1, st.Attempts)
		}
		st.Phase = "done"
		_, err := b.States().Update(ctx, st)
		if last := i == holders-1; (err == nil) != last {
			t.Errorf("commit of attempt %d: %v", i+1, err)
		} else if !last {
			wantErr(t, err, ErrConflict)
		}
	}
}

func records(t *testing.T, b *Bus) {
	ctx, r := limit(t), b.Register()
	rev, err := r.Put(ctx, "4021.press", []byte("granted"))
	ok(t, err)
	_, err = r.Create(ctx, "4021.press", nil)
	wantErr(t, err, ErrConflict)
	rev2, err := r.Update(ctx, "4021.press", []byte("withdrawn"), rev)
	ok(t, err)
	_, err = r.Update(ctx, "4021.press", []byte("granted"), rev)
	wantErr(t, err, ErrConflict)
	got, err := r.Get(ctx, "4021.press")
	ok(t, err)
	same(t, got, Record{Key: "4021.press", Value: []byte("withdrawn"), Revision: rev2})
	wantErr(t, r.Delete(ctx, "4021.press", rev), ErrConflict)
	ok(t, r.Delete(ctx, "4021.press", rev2))
	ok(t, r.Delete(ctx, "4021.press", 0))
	keys, err := r.Keys(ctx)
	ok(t, err)
	same(t, keys, []string(nil))
	_, err = r.Put(ctx, "big", make([]byte, maxRecordSize+1000))
	wantErr(t, err, ErrInvalid)
	_, err = b.Gallery().Get(ctx, "4021.press")
	wantErr(t, err, ErrNotFound)
}

func watch(t *testing.T, b *Bus) {
	ctx, r := limit(t), b.Clearances()
	put := func(key, value string) {
		t.Helper()
		_, err := r.Put(ctx, key, []byte(value))
		ok(t, err)
	}
	put("a.1", "x")
	put("a.2", "y")
	put("b.1", "z")
	ok(t, r.Delete(ctx, "a.2", 0))
	var got []string
	for c, err := range r.Watch(ctx, "a.*") {
		ok(t, err)
		got = append(got, fmt.Sprintf("%s=%s %v %v", c.Key, c.Value, c.Deleted, c.CaughtUp))
		if c.CaughtUp {
			put("b.2", "unseen")
			put("a.3", "live")
			ok(t, r.Delete(ctx, "a.1", 0))
		}
		if c.Key == "a.1" && c.Deleted {
			break
		}
	}
	same(t, got, []string{"a.1=x false false", "a.2= true false", "= false true", "a.3=live false false", "a.1= true false"})

	ended, cancel := context.WithCancel(ctx)
	defer cancel()
	var last error
	for c, err := range b.States().Watch(ended) {
		if last = err; c.CaughtUp {
			cancel()
		}
	}
	wantErr(t, last, context.Canceled)
	_, err := b.states.bucket.Put(ctx, "x", []byte("?"))
	ok(t, err)
	for _, err := range b.States().Watch(ctx) {
		wantErr(t, err, ErrInvalid)
	}
}

func eventsStay(t *testing.T, b *Bus) {
	ctx := limit(t)
	var want []Event
	for i := range 3 {
		e := Event{Type: "released", Key: fmt.Sprint(i), Data: json.RawMessage(`{"purpose":"press"}`)}
		seq, err := b.Publish(ctx, e)
		ok(t, err)
		e.Version, e.Seq = EventVersion, seq
		want = append(want, e)
	}
	_, err := b.Publish(ctx, Event{Type: "a.b"})
	wantErr(t, err, ErrInvalid)
	for after, rest := range map[uint64][]Event{0: want, 2: want[2:], 3: nil} {
		var got []Event
		for e, err := range b.Replay(ctx, after) {
			ok(t, err)
			if e.At.IsZero() {
				t.Error("no time")
			}
			e.At = want[0].At
			got = append(got, e)
		}
		same(t, got, rest)
	}
	if b.events.DeleteMsg(ctx, 1) == nil || b.events.Purge(ctx) == nil {
		t.Error("an event could be deleted")
	}
}
