package bus

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Bucket holds small records under keys. Keys are made of letters, digits and - _ / = . (no dot at
// either end); values have at most 768 KiB. Only the last value of a key is kept.
type Bucket struct {
	name   string
	kv     jetstream.KeyValue
	js     jetstream.JetStream
	stream jetstream.Stream // the one that kv is a view of
}

// Record is a value with the revision by which Update and Delete know it. Revisions rise over the
// whole bucket.
type Record struct {
	Key      string
	Value    []byte
	Revision uint64
}

// Change is one step of a Watch.
type Change struct {
	Record
	Deleted bool // the key is gone; Value is empty
	// CaughtUp marks the one change that is none: everything that was there when the watch began
	// has been given. Key is empty.
	CaughtUp bool
}

func (b *Bucket) doing(what string) string { return what + " in bucket " + b.name }

// Get reads a record; ErrNotFound where there is none.
func (b *Bucket) Get(ctx context.Context, key string) (Record, error) {
	e, err := b.kv.Get(ctx, key)
	if err != nil {
		return Record{}, wrap(b.doing("get a record"), err)
	}
	return Record{Key: key, Value: e.Value(), Revision: e.Revision()}, nil
}

// Put writes a record whatever was there, and returns its revision.
func (b *Bucket) Put(ctx context.Context, key string, value []byte) (uint64, error) {
	rev, err := b.kv.Put(ctx, key, value)
	return rev, wrap(b.doing("put a record"), err)
}

// Create writes a record where there is none; otherwise ErrConflict.
func (b *Bucket) Create(ctx context.Context, key string, value []byte) (uint64, error) {
	rev, err := b.kv.Create(ctx, key, value)
	return rev, wrap(b.doing("create a record"), err)
}

// Update writes a record if its revision is still the one given; otherwise ErrConflict.
func (b *Bucket) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	rev, err := b.kv.Update(ctx, key, value, revision)
	return rev, wrap(b.doing("update a record"), err)
}

// Delete removes a record if its revision is still the one given; 0 means any. A key that is not
// there is no error for 0. The old bytes may stay on the server's disk for a while, and nothing can
// reach them any more; see Erase.
func (b *Bucket) Delete(ctx context.Context, key string, revision uint64) error {
	var opts []jetstream.KVDeleteOpt
	if revision > 0 {
		opts = append(opts, jetstream.LastRevision(revision))
	}
	return wrap(b.doing("delete a record"), b.kv.Purge(ctx, key, opts...))
}

// Keys lists the keys, in order.
func (b *Bucket) Keys(ctx context.Context) ([]string, error) {
	list, err := b.List(ctx)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, r := range list {
		keys = append(keys, r.Key)
	}
	return keys, nil
}

// List gives every record with its revision and without its value, ordered by key.
func (b *Bucket) List(ctx context.Context) ([]Record, error) {
	found := make(map[string]Record)
	// The client's own listing ends early without an error where the connection is lost.
	for c, err := range b.watch(ctx, nil, jetstream.MetaOnly()) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.doing("list keys"), err)
		}
		if c.CaughtUp {
			break
		}
		delete(found, c.Key)
		if !c.Deleted {
			found[c.Key] = Record{Key: c.Key, Revision: c.Revision}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(x, y Record) int { return strings.Compare(x.Key, y.Key) }), nil
}

// Watch gives every record there is under the keys (all, where none is named; "*" stands for one
// token between dots, ">" for all that follow), then CaughtUp, then every change as it comes. The
// sequence ends when the caller stops, or with an error: the context's, or ErrUnavailable when the
// bus was closed. A lost connection is taken up again without a gap; of several quick changes to one
// key only the last may come.
func (b *Bucket) Watch(ctx context.Context, keys ...string) iter.Seq2[Change, error] {
	return b.watch(ctx, keys)
}

func (b *Bucket) watch(ctx context.Context, keys []string, opts ...jetstream.WatchOpt) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		// The client ends its own goroutines with this context, not with Stop alone.
		wctx, cancel := context.WithCancel(ctx)
		defer cancel()
		w, err := b.kv.WatchFiltered(wctx, slices.Clone(keys), opts...)
		if err != nil {
			yield(Change{}, wrap(b.doing("watch"), err))
			return
		}
		defer stopWatch(w)
		b.follow(ctx, w.Updates(), yield)
	}
}

func (b *Bucket) follow(ctx context.Context, updates <-chan jetstream.KeyValueEntry, yield func(Change, error) bool) {
	for {
		select {
		case <-ctx.Done():
			yield(Change{}, fmt.Errorf("%s: %w", b.doing("watch"), ctx.Err()))
			return
		case e, open := <-updates:
			if !open {
				yield(Change{}, errors.Join(ctx.Err(), fmt.Errorf("%s: %w: the bus is closed", b.doing("watch"), ErrUnavailable)))
				return
			}
			if !yield(changeOf(e), nil) {
				return
			}
		}
	}
}

func changeOf(e jetstream.KeyValueEntry) Change {
	if e == nil {
		return Change{CaughtUp: true}
	}
	return Change{
		Record:  Record{Key: e.Key(), Value: e.Value(), Revision: e.Revision()},
		Deleted: e.Operation() != jetstream.KeyValuePut,
	}
}

// stopWatch ends the watch and empties its channel, at which a goroutine of the client may wait.
func stopWatch(w jetstream.KeyWatcher) {
	_ = w.Stop() // an error means that it has ended already
	limit := time.After(time.Second)
	for {
		select {
		case _, open := <-w.Updates():
			if !open {
				return
			}
		case <-limit:
			return
		}
	}
}
