package register

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
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

// pageBytes are what is stored of a subject's page.
func pageBytes(t testing.TB, b *bus.Bus, id string) []byte {
	t.Helper()
	h, _ := inHead(t, b)
	r, err := b.Register().Get(limit(t), h.Pages[pageNumber(pageOf(id))].Key)
	ok(t, err)
	return r.Value
}

// What a change replaces is not to be found in the server's files any more, neither at once nor
// after it has stopped; and the plain texts never are, since pages are compressed. (A page is small
// here, so that any 24 bytes of it are its own.)
func TestReplacedPagesAreErased(t *testing.T) {
	ctx, dir := limit(t), t.TempDir()
	b := open(t, dir)
	s := New(b.Register())
	subjects, records := school(50, 4)
	_, _, err := s.Import(ctx, subjects, records)
	ok(t, err)
	old := pageBytes(t, b, "1007")
	gone := [][]byte{old[20:44], old[len(old)/2 : len(old)/2+24], old[len(old)-24:]}
	for _, part := range gone {
		if onDisk(t, dir, part) == 0 {
			t.Fatal("the test cannot see what it looks for")
		}
	}
	_, err = s.Set(ctx, says("1007", consent.Withdrawn, "2025-12-01"))
	ok(t, err)
	second := pageBytes(t, b, "1007")
	gone = append(gone, second[20:44], second[len(second)-24:])
	_, err = s.Remove(ctx, "1007")
	ok(t, err)
	for when := range 2 {
		for i, part := range gone {
			if n := onDisk(t, dir, part); n > 0 {
				t.Errorf("look %d: part %d still stands in %d files", when, i, n)
			}
		}
		if when == 0 {
			ok(t, b.Close())
		}
	}
}
