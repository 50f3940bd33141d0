package models

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// fakeNPM is a folder with an npm that serves tarballs from it and notes every call.
type fakeNPM struct{ dir string }

// The script takes the package's name from its last argument. If the folder has a pipe called
// stop-PACKAGE, it writes its process number there and hangs, as on a dead line.
const npmScript = `#!/bin/sh
for name; do :; done
echo "$name" >> "$FAKE_NPM/calls"
flat=$(echo "$name" | tr '/@' '__')
if [ -p "$FAKE_NPM/stop-$flat" ]; then
	echo $$ > "$FAKE_NPM/stop-$flat"
	exec sleep 600
fi
if [ ! -f "$FAKE_NPM/$flat.tgz" ]; then
	echo "npm error 404 no such package" >&2
	exit 1
fi
cp "$FAKE_NPM/$flat.tgz" made.tgz
echo made.tgz
`

func flat(name string) string { return strings.NewReplacer("/", "_", "@", "_").Replace(name) }

// newFakeNPM puts the fake npm first on PATH, and serves what smallStore wants.
func newFakeNPM(t *testing.T) fakeNPM {
	t.Helper()
	n := fakeNPM{t.TempDir()}
	if err := os.WriteFile(filepath.Join(n.dir, "npm"), []byte(npmScript), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("FAKE_NPM", n.dir)
	t.Setenv("PATH", n.dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	n.serve(t, "one@1.0.0", map[string]string{"package/model/a": "a", "package/model/b": "b", "package/model/s": "s", "package/other": "x"})
	n.serve(t, "@two/pack@2.0.0", map[string]string{"package/model/c": "c"})
	return n
}

func (n fakeNPM) serve(t *testing.T, name string, files map[string]string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(n.dir, flat(name)+".tgz"), tarball(t, files), 0o600); err != nil {
		t.Fatal(err)
	}
}

// stopAt makes the fake npm hang at that package, and returns its process number once it does.
func (n fakeNPM) stopAt(t *testing.T, name string) (waitForPID func() int, release func()) {
	t.Helper()
	pipe := filepath.Join(n.dir, "stop-"+flat(name))
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	return func() int {
			b, err := os.ReadFile(pipe)
			if err != nil {
				t.Fatal(err)
			}
			pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}, func() {
			if err := os.Remove(pipe); err != nil {
				t.Fatal(err)
			}
		}
}

func (n fakeNPM) calls(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(n.dir, "calls"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Fields(string(b))
}

func tarball(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	zip := gzip.NewWriter(&buf)
	tw := tar.NewWriter(zip)
	for name, content := range files {
		if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(tw.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
