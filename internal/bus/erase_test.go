package bus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// onDisk says in how many files below dir a part of the data stands.
func onDisk(t *testing.T, dir string, part []byte) int {
	t.Helper()
	n := 0
	ok(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, part) {
			n++
		}
		return err
	}))
	return n
}

// A deleted original must not be found on the disk, in the middle of a chunk or at its edges,
// neither at once nor after the server has stopped.
func TestDeletedBlobIsOverwritten(t *testing.T) {
	dir := t.TempDir()
	b, err := Open(limit(t), Options{StoreDir: dir})
	ok(t, err)
	kept := randomBytes(t, 7, chunkSize)
	_, _, err = b.Quarantine().Put(limit(t), bytes.NewReader(kept))
	ok(t, err)
	secret := randomBytes(t, 8, 3*chunkSize+99)
	digest, _, err := b.Quarantine().Put(limit(t), bytes.NewReader(secret))
	ok(t, err)
	parts := [][]byte{secret[:64], secret[chunkSize-64 : chunkSize], secret[2*chunkSize : 2*chunkSize+64], secret[len(secret)-64:]}
	if onDisk(t, dir, parts[2]) == 0 {
		t.Fatal("the test cannot see what it looks for")
	}
	ok(t, b.Quarantine().Delete(limit(t), digest))
	for when := range 2 {
		for i, p := range parts {
			if n := onDisk(t, dir, p); n > 0 {
				t.Errorf("look %d: part %d still stands in %d files", when, i, n)
			}
		}
		if when == 0 {
			ok(t, b.Close())
		}
	}
	if onDisk(t, dir, kept[100:164]) == 0 {
		t.Error("the blob that was kept is gone")
	}
}

// An erased record must not be found on the disk either, nor its key be known, while its neighbours
// in the same file of the server stay.
func TestErasedRecordIsOverwritten(t *testing.T) {
	dir := t.TempDir()
	b, err := Open(limit(t), Options{StoreDir: dir})
	ok(t, err)
	ctx, r := limit(t), b.Gallery()
	secret, kept := randomBytes(t, 9, 200<<10), randomBytes(t, 10, 300)
	for key, value := range map[string][]byte{"template.4022.a": kept, "template.4021.a": secret, "template.4023.a": kept} {
		_, err := r.Create(ctx, key, value)
		ok(t, err)
	}
	parts := [][]byte{secret[:64], secret[100<<10 : 100<<10+64], secret[len(secret)-64:]}
	for _, p := range parts {
		if onDisk(t, dir, p) == 0 {
			t.Fatal("the test cannot see what it looks for")
		}
	}
	ok(t, r.Erase(ctx, "template.4021.a"))
	ok(t, r.Erase(ctx, "template.4021.a"))
	keys, err := r.Keys(ctx)
	ok(t, err)
	same(t, keys, []string{"template.4022.a", "template.4023.a"})
	for when := range 2 {
		for i, p := range parts {
			if n := onDisk(t, dir, p); n > 0 {
				t.Errorf("look %d: part %d still stands in %d files", when, i, n)
			}
		}
		if when == 0 {
			ok(t, b.Close())
		}
	}
	b = open(t, Options{StoreDir: dir})
	got, err := b.Gallery().Get(ctx, "template.4023.a")
	ok(t, err)
	same(t, got.Value, kept)
}

// erasures: what an erased key looks like to everybody else.
func erasures(t *testing.T, b *Bus) {
	ctx, r := limit(t), b.Rulings()
	wantErr(t, r.Erase(ctx, "a.*"), ErrInvalid)
	wantErr(t, r.Erase(ctx, ""), ErrInvalid)
	ok(t, r.Erase(ctx, "never.was"))
	_, err := r.Create(ctx, "a", []byte("x"))
	ok(t, err)
	var got []string
	for c, err := range r.Watch(ctx, "a") {
		ok(t, err)
		got = append(got, fmt.Sprintf("%s=%s %v %v", c.Key, c.Value, c.Deleted, c.CaughtUp))
		if c.CaughtUp {
			ok(t, r.Erase(ctx, "a"))
			_, err := r.Get(ctx, "a")
			wantErr(t, err, ErrNotFound)
		}
		if c.Deleted {
			break
		}
	}
	same(t, got, []string{"a=x false false", "= false true", "a= true false"})
	m, err := r.stream.GetLastMsgForSubject(ctx, "$KV.RULINGS.a")
	ok(t, err)
	if m.Header.Get("Nats-TTL") == "" {
		t.Error("the marker stays for ever")
	}
	rev, err := r.Create(ctx, "a", []byte("again"))
	ok(t, err)
	list, err := r.List(ctx)
	ok(t, err)
	same(t, list, []Record{{Key: "a", Revision: rev}})
	ok(t, r.Delete(ctx, "a", 0))
	ok(t, r.Erase(ctx, "a"))
}

// erasedHalf: an Erase that was cut short after the overwriting is finished by the next one.
func erasedHalf(t *testing.T, b *Bus) {
	ctx, r := limit(t), b.Runs()
	rev, err := r.Create(ctx, "a", []byte("x"))
	ok(t, err)
	for c, err := range r.Watch(ctx, "a") {
		ok(t, err)
		if c.CaughtUp {
			ok(t, r.stream.SecureDeleteMsg(ctx, rev))
			ok(t, r.Erase(ctx, "a"))
		}
		if c.Deleted {
			break
		}
	}
}

// erasedMeanwhile: whoever replaces a record that is being erased is not overrun, and the eraser is
// told. The writer comes between the look and the overwriting.
func erasedMeanwhile(t *testing.T, b *Bus) {
	ctx, r := limit(t), *b.Gallery()
	_, err := r.Create(ctx, "a", []byte("old"))
	ok(t, err)
	plain := r.stream
	r.stream = meanwhile{plain, func() { _, err := b.Gallery().Put(ctx, "a", []byte("new")); ok(t, err) }}
	wantErr(t, r.Erase(ctx, "a"), ErrConflict)
	got, err := r.Get(ctx, "a")
	ok(t, err)
	same(t, string(got.Value), "new")
	r.stream = meanwhile{plain, func() { ok(t, b.Gallery().Erase(ctx, "a")) }}
	ok(t, r.Erase(ctx, "a"))
	_, err = r.Get(ctx, "a")
	wantErr(t, err, ErrNotFound)

	// Somebody who writes after the overwriting stays, and nothing was missed.
	_, err = b.Gallery().Create(ctx, "a", []byte("old"))
	ok(t, err)
	r.stream = afterwards{plain, func() { _, err := b.Gallery().Create(ctx, "a", []byte("new")); ok(t, err) }}
	ok(t, r.Erase(ctx, "a"))
	got, err = r.Get(ctx, "a")
	ok(t, err)
	same(t, string(got.Value), "new")
}

// afterwards is a stream on which somebody else does something just after a message is overwritten.
type afterwards struct {
	jetstream.Stream
	do func()
}

func (a afterwards) SecureDeleteMsg(ctx context.Context, seq uint64) error {
	err := a.Stream.SecureDeleteMsg(ctx, seq)
	a.do()
	return err
}

// meanwhile is a stream on which somebody else does something just before a message is overwritten.
type meanwhile struct {
	jetstream.Stream
	do func()
}

func (m meanwhile) SecureDeleteMsg(ctx context.Context, seq uint64) error {
	m.do()
	return m.Stream.SecureDeleteMsg(ctx, seq)
}

// erasedByMany: all are content, and one record of each round is gone.
func erasedByMany(t *testing.T, b *Bus) {
	ctx, r := limit(t), b.Gallery()
	for range 5 {
		_, err := r.Create(ctx, "a", []byte("x"))
		ok(t, err)
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() { errs[i] = r.Erase(ctx, "a") })
		}
		wg.Wait()
		ok(t, errors.Join(errs...))
		_, err = r.Get(ctx, "a")
		wantErr(t, err, ErrNotFound)
	}
}

// A bucket of an earlier version denies the deletion of messages. It is replaced where it is empty.
func TestBucketsOfAnEarlierVersion(t *testing.T) {
	url := listening(t)
	b := open(t, Options{URL: url})
	ctx := limit(t)
	for _, name := range []string{"GALLERY", "JOBSTATE"} {
		ok(t, b.js.DeleteKeyValue(ctx, name))
		_, err := b.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: name, History: 1, MaxValueSize: maxRecordSize})
		ok(t, err)
	}
	_, err := b.States().Create(ctx, State{Key: "a"})
	ok(t, err)
	b = open(t, Options{URL: url})
	_, err = b.States().Get(ctx, "a")
	ok(t, err)
	_, err = b.Gallery().Create(ctx, "a", nil)
	ok(t, err)
	ok(t, b.Gallery().Erase(ctx, "a"))
	if err := b.States().bucket.Erase(ctx, "a"); err == nil {
		t.Error("erased what cannot be erased")
	}
}
