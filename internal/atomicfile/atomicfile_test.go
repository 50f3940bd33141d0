package atomicfile

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func says(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

// contents lists all files below dir with what is in them.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		found[rel] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func checkContents(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	got := contents(t, dir)
	if len(got) != len(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s holds %q, want %q", name, got[name], text)
		}
	}
}

func TestWriteReplaces(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.jpg")
	for _, text := range []string{"first", "second"} {
		if err := Write(path, 0o600, says(text)); err != nil {
			t.Fatal(err)
		}
		checkContents(t, dir, map[string]string{"a.jpg": text})
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestWriteInWorkingFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := Write("a.jpg", 0o644, says("x")); err != nil {
		t.Fatal(err)
	}
	checkContents(t, ".", map[string]string{"a.jpg": "x"})
}

func TestFailedWriteLeavesThePast(t *testing.T) {
	full := errors.New("disk full")
	for name, fn := range map[string]func(io.Writer) error{
		"error":     func(io.Writer) error { return full },
		"half-way":  func(w io.Writer) error { _, _ = io.WriteString(w, "half"); return full },
		"a panic":   func(io.Writer) error { panic(full) },
		"own close": func(w io.Writer) error { _ = w.(io.Closer).Close(); return full },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "a.jpg")
			if err := os.WriteFile(path, []byte("past"), 0o600); err != nil {
				t.Fatal(err)
			}
			err := recovered(func() error { return Write(path, 0o644, fn) })
			if !errors.Is(err, full) || strings.Contains(err.Error(), "a.jpg") {
				t.Errorf("got %v", err)
			}
			checkContents(t, dir, map[string]string{"a.jpg": "past"})
		})
	}
}

func recovered(fn func() error) (err error) {
	defer func() {
		if r, ok := recover().(error); ok {
			err = r
		}
	}()
	return fn()
}

// TestDiskFull runs itself with a limit on file sizes, which acts as a full disk does.
func TestDiskFull(t *testing.T) {
	if dir := os.Getenv("ATOMICFILE_FULL"); dir != "" {
		signal.Ignore(syscall.SIGXFSZ)
		limit := syscall.Rlimit{Cur: 4096, Max: 4096}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
		err := Write(filepath.Join(dir, "a.jpg"), 0o644, says(strings.Repeat("x", 10_000)))
		if !errors.Is(err, syscall.EFBIG) {
			t.Fatalf("got %v", err)
		}
		return
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestDiskFull$")
	cmd.Env = append(os.Environ(), "ATOMICFILE_FULL="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	checkContents(t, dir, nil)
}

func TestDestinationIsAFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "a.jpg", "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "a.jpg"), 0o644, says("x")); err == nil {
		t.Error("a folder was replaced")
	}
	checkContents(t, dir, nil)
}

func TestLinkAtDestinationIsReplaced(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	victim := filepath.Join(outside, "victim")
	if err := os.WriteFile(victim, []byte("past"), 0o600); err != nil {
		t.Fatal(err)
	}
	symlink(t, victim, filepath.Join(dir, "a.jpg"))
	if err := WriteUnder(dir, "a.jpg", 0o644, says("new")); err != nil {
		t.Fatal(err)
	}
	checkContents(t, outside, map[string]string{"victim": "past"})
	checkContents(t, dir, map[string]string{"a.jpg": "new"})
}

func symlink(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func TestWriteUnder(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		if err := WriteUnder(dir, "press/event/a.jpg", 0o644, says("x")); err != nil {
			t.Fatal(err)
		}
	}
	checkContents(t, dir, map[string]string{"press/event/a.jpg": "x"})
}

func TestWriteUnderStaysUnder(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	symlink(t, outside, filepath.Join(dir, "away"))
	symlink(t, "nowhere", filepath.Join(dir, "dangling"))
	if err := os.Mkdir(filepath.Join(dir, "inner"), 0o755); err != nil {
		t.Fatal(err)
	}
	symlink(t, "inner", filepath.Join(dir, "alias"))
	for _, rel := range []string{"away/a.jpg", "away/b/a.jpg", "../a.jpg", "/a.jpg", "", ".", "b/../../a.jpg", "dangling/a.jpg"} {
		if err := WriteUnder(dir, rel, 0o644, says("x")); err == nil {
			t.Errorf("%q was written", rel)
		}
	}
	checkContents(t, outside, nil)
	if err := WriteUnder(dir, "alias/a.jpg", 0o644, says("x")); err != nil {
		t.Errorf("a link that stays below the root: %v", err)
	}
	checkContents(t, dir, map[string]string{"inner/a.jpg": "x"})
}

func TestMissingFolder(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	errs := []error{Write(filepath.Join(missing, "a"), 0o644, says("")), WriteUnder(missing, "a", 0o644, says(""))}
	_, err := Clean(missing)
	for _, err := range append(errs, err) {
		if !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "none") {
			t.Errorf("got %v", err)
		}
	}
}

func TestConcurrentWritesGiveOneOfThem(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			text := bytes.Repeat([]byte{byte('a' + i)}, 100_000)
			if err := WriteUnder(dir, "sub/a.jpg", 0o644, says(string(text))); err != nil {
				t.Error(err)
			}
			if _, err := Clean(dir); err != nil { // must not take the others' files away
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got := contents(t, dir)["sub/a.jpg"]
	if len(got) != 100_000 || strings.Trim(got, got[:1]) != "" || len(contents(t, dir)) != 1 {
		t.Errorf("%d bytes, files %d", len(got), len(contents(t, dir)))
	}
}

func TestClean(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"sub/.consentry-0011.tmp", ".consentry-22.tmp", "sub/a.jpg", ".consentry-x.jpg", "x.tmp"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, ".consentry-fifo.tmp"), 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := Clean(dir)
	if n != 2 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	checkContents(t, dir, map[string]string{"sub/a.jpg": "", ".consentry-x.jpg": "", "x.tmp": ""})
}

func TestCleanLeavesTheLivingAlone(t *testing.T) {
	dir := t.TempDir()
	err := Write(filepath.Join(dir, "a.jpg"), 0o644, func(w io.Writer) error {
		if n, err := Clean(dir); n != 0 || err != nil {
			t.Errorf("removed %d, %v", n, err)
		}
		return says("x")(w)
	})
	if err != nil {
		t.Error(err)
	}
	checkContents(t, dir, map[string]string{"a.jpg": "x"})
}

// TestKilled runs itself, is killed in the middle of a write, and cleans up after itself.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("ATOMICFILE_KILLED"); dir != "" {
		_ = Write(filepath.Join(dir, "a.jpg"), 0o644, func(w io.Writer) error {
			_, _ = io.WriteString(w, "half")
			return syscall.Kill(os.Getpid(), syscall.SIGKILL)
		})
		return
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), "ATOMICFILE_KILLED="+dir)
	if err := cmd.Run(); err == nil {
		t.Fatal("the child was not killed")
	}
	left := contents(t, dir)
	if _, there := left["a.jpg"]; there || len(left) != 1 {
		t.Errorf("after the kill: %v", left)
	}
	if n, err := Clean(dir); n != 1 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
}
