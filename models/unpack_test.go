package models

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

func TestLimitedEndsWithAnError(t *testing.T) {
	t.Parallel()
	got, err := io.ReadAll(&limited{strings.NewReader("abcdef"), 4})
	if string(got) != "abcd" || !errors.Is(err, errTooLong) {
		t.Errorf("%q and %v, want four letters and an error", got, err)
	}
}

func TestInPackage(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"package/model/a":    "model/a",
		"./package/model/a":  "model/a",
		"other/model/a":      "model/a",
		"package":            "",
		"package/../model/a": "a",
		"/package/model/a":   "package/model/a",
	} {
		if got := inPackage(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// No tarball makes it panic or write anything but the wanted, checked file into the working folder.
func FuzzUnpack(f *testing.F) {
	good := tarball(f, map[string]string{"package/a": "a", "package/b": "b"})
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add(tarball(f, map[string]string{"package/a": "b"}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		want := source{NPM: "x@1.0.0", Path: "a", SHA256: digestOf([]byte("a"))}
		p := &puller{temp: t.TempDir(), files: map[string]string{}}
		err := p.unpack(t.Context(), bytes.NewReader(data), []source{want})
		left, dirErr := os.ReadDir(p.temp)
		if dirErr != nil {
			t.Fatal(dirErr)
		}
		if err != nil {
			if len(left) != 0 {
				t.Errorf("refused (%v), but left %d files", err, len(left))
			}
			return
		}
		got, err := os.ReadFile(p.files[want.SHA256])
		if err != nil || string(got) != "a" || len(left) != 1 {
			t.Errorf("took %q (%v) and left %d files", got, err, len(left))
		}
	})
}
