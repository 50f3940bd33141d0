package bus

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
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
