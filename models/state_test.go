package models

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// smallStore has three required files a, b and c (one of them in a folder), a sample s and an
// optional o, each of which is made of its own name.
func smallStore(t *testing.T) *Store {
	t.Helper()
	mk := func(name, file string, group Group, optional bool) entry {
		e := entry{
			Name: Name(name), Group: group, Task: "test", File: file, Licence: "MIT", Convert: convertNone,
			SHA256: digestOf([]byte(name)), Optional: optional,
		}
		if !optional {
			e.Sources = []source{{NPM: "one@1.0.0", Path: "model/" + name, SHA256: e.SHA256}}
		}
		return e
	}
	s := &Store{dir: filepath.Join(t.TempDir(), "models"), entries: []entry{
		mk("a", "a.bin", Weights, false),
		mk("b", "dlib/b.bin", Weights, false),
		mk("c", "c.bin", Weights, false),
		mk("o", "o.bin", Weights, true),
		mk("s", "samples/s.jpg", Samples, false),
	}}
	s.entries[2].Sources[0].NPM = "@two/pack@2.0.0"
	if err := validate(s.entries); err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, s *Store, file, content string) {
	t.Helper()
	path := filepath.Join(s.dir, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func states(t *testing.T, s *Store) map[Name]State {
	t.Helper()
	rows, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := map[Name]State{}
	for _, r := range rows {
		out[r.Name] = r.State
	}
	return out
}

func TestListStates(t *testing.T) {
	t.Parallel()
	s := smallStore(t)
	want := map[Name]State{"a": Missing, "b": Missing, "c": Missing, "o": Optional, "s": Missing}
	if d := cmp.Diff(want, states(t, s)); d != "" {
		t.Error("nothing there:", d)
	}
	put(t, s, "a.bin", "a")
	put(t, s, "dlib/b.bin", "B")
	if err := syscall.Mkfifo(filepath.Join(s.dir, "c.bin"), 0o600); err != nil {
		t.Fatal(err)
	}
	put(t, s, "o.bin", "x")
	if err := os.MkdirAll(filepath.Join(s.dir, "samples", "s.jpg"), 0o700); err != nil {
		t.Fatal(err)
	}
	want = map[Name]State{"a": Present, "b": Altered, "c": Altered, "o": Altered, "s": Altered}
	if d := cmp.Diff(want, states(t, s)); d != "" {
		t.Error("an altered file, a pipe, an optional file, a folder:", d)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	s := smallStore(t)
	put(t, s, "a.bin", "a")
	put(t, s, "dlib/b.bin", "B")
	for name, c := range map[string]struct {
		names []Name
		want  map[Name]State
		text  string
	}{
		"one that is right": {[]Name{"a"}, nil, ""},
		"all required": {
			nil,
			map[Name]State{"b": Altered, "c": Missing},
			"models: b (dlib/b.bin) is altered, c (c.bin) is missing; run: consentry models pull --models " + s.dir,
		},
		"a sample": {
			[]Name{"a", "s"},
			map[Name]State{"s": Missing},
			"models: s (samples/s.jpg) is missing; run: consentry models pull --models " + s.dir + " --samples",
		},
		"an optional one by name": {
			[]Name{"o"},
			map[Name]State{"o": Optional},
			"models: o (o.bin) is missing; run: (after putting o.bin there, or naming a source for it in manifest.yaml there) consentry models pull --models " + s.dir,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := s.Verify(t.Context(), c.names...)
			if c.want == nil {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var missing *MissingError
			if !errors.As(err, &missing) {
				t.Fatalf("error %v, want a MissingError", err)
			}
			got := map[Name]State{}
			for _, r := range missing.Files {
				got[r.Name] = r.State
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(c.text, err.Error()); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestVerifyOfAnUnknownName(t *testing.T) {
	t.Parallel()
	if err := smallStore(t).Verify(t.Context(), "nobody"); err == nil || !strings.Contains(err.Error(), `"nobody"`) {
		t.Errorf("error %v, want one about the name", err)
	}
}

func TestVerifyStopsWithTheContext(t *testing.T) {
	t.Parallel()
	s := smallStore(t)
	for file, content := range map[string]string{"a.bin": "a", "dlib/b.bin": "b", "c.bin": "c"} {
		put(t, s, file, content)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Verify(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}

func TestRowAsJSON(t *testing.T) {
	t.Parallel()
	rows, err := smallStore(t).List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(rows[0])
	if err != nil {
		t.Fatal(err)
	}
	want := `{"name":"a","group":"weights","task":"test","file":"a.bin","licence":"MIT","sources":["npm one@1.0.0 model/a"],` +
		`"sha256":"` + digestOf([]byte("a")) + `","state":"missing","optional":false}`
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Error(d)
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	s := smallStore(t)
	lines := ""
	for _, n := range []string{"a", "b", "c"} {
		lines += n + " " + digestOf([]byte(n)) + "\n"
	}
	if got, want := s.Digest(), digestOf([]byte(lines)); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
	lines += "o " + digestOf([]byte("o")) + "\n"
	if got, want := s.Digest("o"), digestOf([]byte(lines)); got != want {
		t.Errorf("with the optional one: %s, want %s", got, want)
	}
	s.entries[0], s.entries[1] = s.entries[1], s.entries[0]
	if got, want := s.Digest("o"), digestOf([]byte(lines)); got != want {
		t.Errorf("in another order: %s, want %s", got, want)
	}
}

func TestDefaultDir(t *testing.T) {
	for name, c := range map[string]struct{ xdg, home, want string }{
		"XDG":                {"/data", "/home/x", "/data/consentry/models"},
		"home":               {"", "/home/x", "/home/x/.local/share/consentry/models"},
		"a relative XDG":     {"data", "/home/x", "/home/x/.local/share/consentry/models"},
		"neither":            {"", "", ""},
		"XDG without a HOME": {"/data", "", "/data/consentry/models"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("XDG_DATA_HOME", c.xdg)
			t.Setenv("HOME", c.home)
			got, err := DefaultDir()
			if got != c.want || (err != nil) != (c.want == "") {
				t.Errorf("%q and %v, want %q", got, err, c.want)
			}
		})
	}
}
