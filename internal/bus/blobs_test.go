package bus

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/consentry/consentry/internal/bus/bustest"
)

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// random gives n bytes that depend on the seed only.
func random(seed byte, n int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), n)
}

func randomBytes(t testing.TB, seed byte, n int64) []byte {
	t.Helper()
	data, err := io.ReadAll(random(seed, n))
	ok(t, err)
	return data
}

func digestOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// messages is how many the store holds: an entry for each blob or deletion, and the chunks.
func messages(t testing.TB, s *Blobs) uint64 {
	t.Helper()
	info, err := s.stream.Info(limit(t))
	ok(t, err)
	return info.State.Msgs
}

func blobRoundTrip(t *testing.T, b *Bus) {
	ctx := limit(t)
	for _, n := range []int64{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 3*chunkSize + 7} {
		data := randomBytes(t, 1, n)
		for name, r := range map[string]io.Reader{
			"seekable": bytes.NewReader(data),
			"stream":   io.MultiReader(bytes.NewReader(data)),
			"dribble":  iotest{bytes.NewReader(data)},
		} {
			digest, size, err := b.Released().Put(ctx, r)
			ok(t, err)
			if digest != digestOf(string(data)) || size != n {
				t.Fatalf("%s of %d bytes: digest %s, size %d", name, n, digest, size)
			}
			var got bytes.Buffer
			ok(t, b.Released().Get(ctx, digest, &got))
			if !bytes.Equal(got.Bytes(), data) {
				t.Fatalf("%s of %d bytes came back different", name, n)
			}
		}
	}
	if got := messages(t, b.Released()); got != 6+0+1+1+1+2+4 {
		t.Errorf("%d messages: a repeat was stored again", got)
	}
	has, err := b.Quarantine().Has(ctx, digestOf(""))
	if ok(t, err); has {
		t.Error("the stores are not apart")
	}
	wantErr(t, b.Quarantine().Get(ctx, digestOf(""), discard{}), ErrNotFound)
	wantErr(t, b.Quarantine().Get(ctx, "../x", discard{}), ErrInvalid)
}

// iotest gives one byte at a time at first, as a network does.
type iotest struct{ r *bytes.Reader }

func (i iotest) Read(p []byte) (int, error) {
	if i.r.Len()%5 != 0 && len(p) > 1 {
		p = p[:1]
	}
	return i.r.Read(p)
}

func blobLarge(t *testing.T, b *Bus) {
	ctx, dir := limit(t), t.TempDir()
	data := randomBytes(t, 2, 40<<20)
	digest, _, err := b.Quarantine().Put(ctx, bytes.NewReader(data))
	ok(t, err)
	path := filepath.Join(dir, "out")
	ok(t, b.Quarantine().Fetch(ctx, digest, path))
	got, err := os.ReadFile(path)
	ok(t, err)
	if !bytes.Equal(got, data) {
		t.Fatal("came back different")
	}
	// What the server's own tools see is the same.
	got, err = b.quarantine.store.GetBytes(ctx, digest)
	ok(t, err)
	if !bytes.Equal(got, data) {
		t.Fatal("the object store sees something else")
	}
}

func blobAltered(t *testing.T, b *Bus) {
	ctx, dir := limit(t), t.TempDir()
	digest, _, err := b.Quarantine().Put(ctx, strings.NewReader("original"))
	ok(t, err)
	// A whole object in itself, under the name of another content.
	_, err = b.quarantine.store.PutBytes(ctx, digest, []byte("forged!!"))
	ok(t, err)
	wantErr(t, b.Quarantine().Get(ctx, digest, discard{}), ErrAltered)
	path := filepath.Join(dir, "child.jpg")
	err = b.Quarantine().Fetch(ctx, digest, path)
	wantErr(t, err, ErrAltered)
	empty(t, dir)

	err = b.Quarantine().Fetch(ctx, digest, filepath.Join(dir, "no-such-folder", "child.jpg"))
	wantErr(t, err, os.ErrNotExist)
	if strings.Contains(err.Error(), "no-such") {
		t.Errorf("the error names the file: %v", err)
	}
}

func empty(t testing.TB, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	ok(t, err)
	if len(entries) > 0 {
		t.Errorf("left behind: %v", entries)
	}
}

func blobChunkMissing(t *testing.T, b *Bus) {
	ctx := limit(t)
	digest, _, err := b.Quarantine().Put(ctx, random(3, 3*chunkSize))
	ok(t, err)
	info, _, err := b.quarantine.info(ctx, digest)
	ok(t, err)
	m, err := b.quarantine.stream.GetMsg(ctx, 1, jetstream.WithGetMsgSubject(b.quarantine.chunkSubject(info.NUID)))
	ok(t, err)
	ok(t, b.quarantine.stream.DeleteMsg(ctx, m.Sequence+1))
	wantErr(t, b.Quarantine().Get(ctx, digest, discard{}), ErrAltered)
}

func blobDeleted(t *testing.T, b *Bus) {
	ctx := limit(t)
	for range 2 {
		digest, _, err := b.Quarantine().Put(ctx, random(4, chunkSize+1))
		ok(t, err)
		ok(t, b.Quarantine().Get(ctx, digest, discard{}))
		ok(t, b.Quarantine().Delete(ctx, digest))
		ok(t, b.Quarantine().Delete(ctx, digest))
		wantErr(t, b.Quarantine().Get(ctx, digest, discard{}), ErrNotFound)
		has, err := b.Quarantine().Has(ctx, digest)
		if ok(t, err); has {
			t.Error("is there after deletion")
		}
	}
}

// blobRace: many put the same content at once; it is there once and nothing else is.
func blobRace(t *testing.T, b *Bus) {
	ctx := limit(t)
	data := randomBytes(t, 5, 2*chunkSize)
	var wg sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		wg.Go(func() { _, _, errs[i] = b.Quarantine().Put(ctx, bytes.NewReader(data)) })
	}
	wg.Wait()
	ok(t, errors.Join(errs...))
	ok(t, b.Quarantine().Get(ctx, digestOf(string(data)), discard{}))
	if got := messages(t, b.Quarantine()); got != 3 {
		t.Errorf("%d messages, want 2 chunks and an entry", got)
	}
}

// blobSweep: chunks without an entry go, blobs stay.
func blobSweep(t *testing.T, b *Bus) {
	ctx := limit(t)
	kept, _, err := b.Quarantine().Put(ctx, random(7, chunkSize+1))
	ok(t, err)
	gone, _, err := b.Quarantine().Put(ctx, random(8, chunkSize+1))
	ok(t, err)
	ok(t, b.Quarantine().Delete(ctx, gone))
	for _, id := range []string{"cut", "cut", "short"} {
		_, err = b.js.Publish(ctx, b.quarantine.chunkSubject(id), []byte("half a picture"))
		ok(t, err)
	}
	for _, want := range []int{2, 0} {
		n, err := b.Quarantine().Sweep(ctx)
		if ok(t, err); n != want {
			t.Errorf("swept %d, want %d", n, want)
		}
	}
	ok(t, b.Quarantine().Get(ctx, kept, discard{}))
	if got := messages(t, b.Quarantine()); got != 2+1+1 {
		t.Errorf("%d messages left", got)
	}
}

func TestFullDisk(t *testing.T) {
	b := open(t, Options{URL: bustest.Serve(t, 8<<20)})
	small, _, err := b.Quarantine().Put(limit(t), random(1, 1<<20))
	ok(t, err)
	_, _, err = b.Quarantine().Put(limit(t), random(2, 20<<20))
	wantErr(t, err, ErrFull)
	ok(t, b.Quarantine().Get(limit(t), small, discard{}))
	if got := messages(t, b.Quarantine()); got != 3 {
		t.Errorf("%d messages: an upload that failed left something behind", got)
	}
}

// TestErrorsNameNoFile: a file's name may be a person's.
func TestErrorsNameNoFile(t *testing.T) {
	b := open(t, Options{StoreDir: t.TempDir()})
	path := filepath.Join(t.TempDir(), "emma.jpg")
	ok(t, os.WriteFile(path, []byte("x"), 0o600))
	f, err := os.Open(path)
	ok(t, err)
	ok(t, f.Close())
	_, _, err = b.Quarantine().Put(limit(t), f)
	wantErr(t, err, os.ErrClosed)
	if strings.Contains(err.Error(), "emma") {
		t.Errorf("the error names the file: %v", err)
	}
}

// changing gives other bytes each time it is read from the start.
type changing struct {
	*bytes.Reader
	data []byte
}

func (c *changing) Seek(off int64, whence int) (int64, error) {
	if whence == io.SeekStart {
		c.data[0]++
	}
	return c.Reader.Seek(off, whence)
}

type failing struct{ after io.Reader }

var errDisk = errors.New("the disk is gone")

func (f failing) Read(p []byte) (int, error) {
	n, err := f.after.Read(p)
	if err == io.EOF {
		err = errDisk
	}
	return n, err
}

func blobSourceChanges(t *testing.T, b *Bus) {
	ctx := limit(t)
	data := randomBytes(t, 6, 2*chunkSize)
	_, _, err := b.Quarantine().Put(ctx, &changing{bytes.NewReader(data), data})
	wantErr(t, err, ErrAltered)
	_, _, err = b.Quarantine().Put(ctx, failing{random(6, 100)})
	wantErr(t, err, errDisk)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, _, err = b.Quarantine().Put(cancelled, random(6, chunkSize*20))
	wantErr(t, err, context.Canceled)
	if got := messages(t, b.Quarantine()); got != 0 {
		t.Errorf("%d messages left behind", got)
	}
	if b.embedded != nil {
		empty(t, filepath.Join(b.opts.StoreDir, spoolDir))
	}
}

// TestBlobAlteredOnDisk changes one byte of the server's files while it is down.
func TestBlobAlteredOnDisk(t *testing.T) {
	ctx, dir := limit(t), t.TempDir()
	b := open(t, Options{StoreDir: dir})
	data := bytes.Repeat([]byte("a face that must not change "), 1000)
	digest, _, err := b.Quarantine().Put(ctx, bytes.NewReader(data))
	ok(t, err)
	ok(t, b.Close())
	alterOnDisk(t, dir, data[:28])

	b = open(t, Options{StoreDir: dir})
	err = b.Quarantine().Get(ctx, digest, discard{})
	if !errors.Is(err, ErrAltered) && !errors.Is(err, ErrNotFound) {
		t.Fatalf("altered bytes were read: %v", err)
	}
}

func alterOnDisk(t testing.TB, dir string, mark []byte) {
	t.Helper()
	altered := 0
	ok(t, filepath.Walk(dir, func(path string, fi os.FileInfo, err error) error {
		if err != nil || filepath.Ext(path) != ".blk" {
			return err
		}
		data, err := os.ReadFile(path)
		if at := bytes.Index(data, mark); err == nil && at >= 0 {
			altered++
			data[at+3] ^= 0xff
			err = os.WriteFile(path, data, fi.Mode())
		}
		return err
	}))
	if altered != 1 {
		t.Fatalf("%d files altered, want 1", altered)
	}
}
