package models

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree lists every file of the model directory with its content.
func tree(t *testing.T, s *Store) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(s.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(s.dir, path)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		out[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return out
}

func TestPull(t *testing.T) {
	npm, s := newFakeNPM(t), smallStore(t)
	var reports []Progress
	opt := PullOptions{Report: func(p Progress) { reports = append(reports, p) }}
	if err := s.Pull(t.Context(), opt); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{lockName: "", "a.bin": "a", "dlib/b.bin": "b", "c.bin": "c"}
	if d := cmp.Diff(want, tree(t, s)); d != "" {
		t.Error("the model directory:", d)
	}
	if d := cmp.Diff([]string{"one@1.0.0", "@two/pack@2.0.0"}, npm.calls(t)); d != "" {
		t.Error("each package once:", d)
	}
	wantReports := []Progress{
		{Fetching, "one@1.0.0", 0, 3},
		{Finished, "a", 1, 3},
		{Finished, "b", 2, 3},
		{Fetching, "@two/pack@2.0.0", 2, 3},
		{Finished, "c", 3, 3},
	}
	if d := cmp.Diff(wantReports, reports); d != "" {
		t.Error("reports:", d)
	}
	if err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestPullSamples(t *testing.T) {
	npm, s := newFakeNPM(t), smallStore(t)
	if err := s.Pull(t.Context(), PullOptions{Samples: true}); err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(t.Context(), s.SampleNames()...); err != nil {
		t.Error(err)
	}
	if d := cmp.Diff([]string{"one@1.0.0", "@two/pack@2.0.0"}, npm.calls(t)); d != "" {
		t.Error("each package once:", d)
	}
}

// A second pull calls no npm and writes nothing, not even the lock.
func TestPullIsIdempotent(t *testing.T) {
	npm, s := newFakeNPM(t), smallStore(t)
	for file, content := range map[string]string{"a.bin": "a", "dlib/b.bin": "b", "c.bin": "c"} {
		put(t, s, file, content)
	}
	if err := s.Pull(t.Context(), PullOptions{}); err != nil {
		t.Fatal(err)
	}
	if calls := npm.calls(t); len(calls) != 0 {
		t.Errorf("npm was called for %v", calls)
	}
	if _, there := tree(t, s)[lockName]; there {
		t.Error("something was written")
	}
}

// Only what is altered is fetched again.
func TestPullRepairs(t *testing.T) {
	npm, s := newFakeNPM(t), smallStore(t)
	for file, content := range map[string]string{"a.bin": "a", "dlib/b.bin": "b", "c.bin": "half"} {
		put(t, s, file, content)
	}
	if err := s.Pull(t.Context(), PullOptions{}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"@two/pack@2.0.0"}, npm.calls(t)); d != "" {
		t.Error(d)
	}
	if got := tree(t, s)["c.bin"]; got != "c" {
		t.Errorf("c.bin holds %q", got)
	}
}

// Two pulls at once give the same as one.
func TestPullTwiceAtOnce(t *testing.T) {
	npm, s := newFakeNPM(t), smallStore(t)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if err := s.Pull(t.Context(), PullOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if d := cmp.Diff([]string{"one@1.0.0", "@two/pack@2.0.0"}, npm.calls(t)); d != "" {
		t.Error("each package once:", d)
	}
	if err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// A pull waits for the lock, says so, and gives up with its context.
func TestPullWaitsForTheLock(t *testing.T) {
	npm, s := newFakeNPM(t), smallStore(t)
	put(t, s, "a.bin", "a")
	unlock, err := lockDir(t.Context(), s.dir, func() {})
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var steps []Step
	err = s.Pull(ctx, PullOptions{Report: func(p Progress) {
		steps = append(steps, p.Step)
		cancel()
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
	if d := cmp.Diff([]Step{Waiting}, steps); d != "" {
		t.Error(d)
	}
	if calls := npm.calls(t); len(calls) != 0 {
		t.Errorf("npm was called for %v", calls)
	}
}

// What fails leaves the finished files and nothing else, and the error says what is the matter.
func TestPullFails(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string // of the second package; nil for none
		raw   string            // instead of a tarball
		want  string
	}{
		"altered":          {map[string]string{"package/model/c": "C"}, "", "npm @two/pack@2.0.0 model/c has the sha256 " + digestOf([]byte("C")) + ", want " + digestOf([]byte("c"))},
		"without the file": {map[string]string{"package/model/d": "c"}, "", "it has no file model/c"},
		"above":            {map[string]string{"package/../model/c": "c"}, "", "it has no file model/c"},
		"no gzip":          {nil, "no tarball at all", "unpack: gzip"},
		"cut off":          {nil, string(tarball(t, map[string]string{"package/x": strings.Repeat("x", 5000)})[:40]), "unexpected EOF"},
		"unknown to npm":   {nil, "", "npm error 404 no such package"},
	} {
		t.Run(name, func(t *testing.T) {
			npm, s := newFakeNPM(t), smallStore(t)
			second := filepath.Join(npm.dir, flat("@two/pack@2.0.0")+".tgz")
			switch {
			case c.files != nil:
				npm.serve(t, "@two/pack@2.0.0", c.files)
			case c.raw != "":
				put(t, &Store{dir: npm.dir}, filepath.Base(second), c.raw)
			default:
				if err := os.Remove(second); err != nil {
					t.Fatal(err)
				}
			}
			err := s.Pull(t.Context(), PullOptions{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
			want := map[string]string{lockName: "", "a.bin": "a", "dlib/b.bin": "b"}
			if d := cmp.Diff(want, tree(t, s)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestPullWithoutNPM(t *testing.T) {
	s := smallStore(t)
	t.Setenv("PATH", t.TempDir())
	if err := s.Pull(t.Context(), PullOptions{}); !errors.Is(err, ErrNoNPM) {
		t.Errorf("error %v, want ErrNoNPM", err)
	}
}

// A pull that is told to stop ends npm, leaves no working folder, and the next one goes on where
// it stopped.
func TestPullStopsAndGoesOn(t *testing.T) {
	npm, s := newFakeNPM(t), smallStore(t)
	waitForPID, release := npm.stopAt(t, "@two/pack@2.0.0")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Pull(ctx, PullOptions{}) }()
	pid := waitForPID()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("npm is still at work: %v", err)
	}
	if d := cmp.Diff(map[string]string{lockName: "", "a.bin": "a", "dlib/b.bin": "b"}, tree(t, s)); d != "" {
		t.Error(d)
	}
	release()
	goesOn(t, npm, s)
}

// goesOn pulls and checks that only the second package was fetched again.
func goesOn(t *testing.T, npm fakeNPM, s *Store) {
	t.Helper()
	if err := s.Pull(t.Context(), PullOptions{}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"one@1.0.0", "@two/pack@2.0.0", "@two/pack@2.0.0"}, npm.calls(t)); d != "" {
		t.Error("npm's calls:", d)
	}
	want := map[string]string{lockName: "", "a.bin": "a", "dlib/b.bin": "b", "c.bin": "c"}
	if d := cmp.Diff(want, tree(t, s)); d != "" {
		t.Error(d)
	}
}

// storeEnv tells the test binary to be a pull that is going to be killed.
const storeEnv = "CONSENTRY_TEST_PULL"

func TestPullToBeKilled(t *testing.T) {
	path := os.Getenv(storeEnv)
	if path == "" {
		t.Skip("runs only as a child of TestPullKilled")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var entries []entry
	if err := json.Unmarshal(b, &entries); err != nil {
		t.Fatal(err)
	}
	s := &Store{dir: filepath.Dir(path), entries: entries}
	t.Error("the pull ended:", s.Pull(t.Context(), PullOptions{}))
}

// After kill −9 nothing half-written has a final name, and the next pull removes what is left and
// goes on.
func TestPullKilled(t *testing.T) {
	npm, s := newFakeNPM(t), smallStore(t)
	waitForPID, release := npm.stopAt(t, "@two/pack@2.0.0")
	b, err := json.Marshal(s.entries)
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "store.json", string(b))
	child := exec.Command(os.Args[0], "-test.run=^TestPullToBeKilled$")
	child.Env = append(os.Environ(), storeEnv+"="+filepath.Join(s.dir, "store.json"))
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	pid := waitForPID()
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	// The kernel ends npm with its parent, sooner or later; make sure that it is over.
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Fatal(err)
	}
	if len(s.leftovers()) != 1 {
		t.Error("the killed pull left no working folder: it was not killed at work")
	}
	want := map[Name]State{"a": Present, "b": Present, "c": Missing, "o": Optional, "s": Missing}
	if d := cmp.Diff(want, states(t, s)); d != "" {
		t.Error(d)
	}
	if err := os.Remove(filepath.Join(s.dir, "store.json")); err != nil {
		t.Fatal(err)
	}
	release()
	goesOn(t, npm, s)
}

// What an interrupted pull left goes even if nothing else is to do.
func TestPullRemovesLeftovers(t *testing.T) {
	npm, s := newFakeNPM(t), smallStore(t)
	for file, content := range map[string]string{"a.bin": "a", "dlib/b.bin": "b", "c.bin": "c", ".pull-123/npm-1/x": "x"} {
		put(t, s, file, content)
	}
	if err := s.Pull(t.Context(), PullOptions{}); err != nil {
		t.Fatal(err)
	}
	if left := s.leftovers(); len(left) != 0 {
		t.Error("left:", left)
	}
	if calls := npm.calls(t); len(calls) != 0 {
		t.Errorf("npm was called for %v", calls)
	}
}

// The other kinds of source: an address, a local file, nothing; and a conversion's result that is
// not what the manifest says.
func TestPullSources(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/c" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte("c"))
	}))
	t.Cleanup(server.Close)
	local := filepath.Join(t.TempDir(), "local")
	if err := os.WriteFile(local, []byte("c"), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := digestOf([]byte("c"))
	for name, c := range map[string]struct {
		convert string
		sources []source
		sum     string
		want    string
	}{
		"an address":          {convertNone, []source{{URL: server.URL + "/c", SHA256: sum}}, sum, ""},
		"a dead address":      {convertNone, []source{{URL: server.URL + "/d", SHA256: sum}}, sum, "404"},
		"a local file":        {convertNone, []source{{Path: local, SHA256: sum}}, sum, ""},
		"no local file":       {convertNone, []source{{Path: local + "x", SHA256: sum}}, sum, "no such file"},
		"no Debian file":      {convertNone, []source{{Path: local + "x", Debian: "libx", SHA256: sum}}, sum, "apt-get install libx"},
		"another local file":  {convertNone, []source{{Path: local, SHA256: sumA}}, sumA, "has the sha256 " + sum + ", want " + sumA},
		"made here":           {convertDetectorStub, nil, digestOf(detectorStub()), ""},
		"made, but otherwise": {convertDetectorStub, nil, sumA, "the finished file has the sha256"},
		"not convertible":     {convertCutDetector, []source{{Path: local, SHA256: sum}}, sumA, "not the RFB-320 detector"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &Store{dir: t.TempDir(), entries: []entry{{
				Name: "x", Group: Weights, Task: "t", File: "x/x.bin", Licence: "MIT",
				Convert: c.convert, Sources: c.sources, SHA256: c.sum,
			}}}
			err := s.Pull(t.Context(), PullOptions{})
			if c.want == "" {
				if err = errors.Join(err, s.Verify(t.Context())); err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
			if d := cmp.Diff(map[string]string{lockName: ""}, tree(t, s)); d != "" {
				t.Error("something was left:", d)
			}
		})
	}
}
