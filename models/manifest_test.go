package models

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sumA and sumB have the form of a SHA-256 and are that of nothing.
var (
	sumA = strings.Repeat("a", 64)
	sumB = strings.Repeat("b", 64)
)

func TestEmbeddedManifest(t *testing.T) {
	t.Parallel()
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []Name{Detector, Landmarks, MobileFaceNet, DlibResNet, ShapePredictor, DlibDetectorStub, YuNet} {
		e, ok := s.entry(n)
		if !ok {
			t.Errorf("no entry %s", n)
		}
		if e.required() == (n == YuNet) {
			t.Errorf("%s: required %v", n, e.required())
		}
	}
	var dlib []string
	for _, n := range []Name{DlibResNet, ShapePredictor, DlibDetectorStub} {
		rel, err := filepath.Rel(s.DlibDir(), s.Path(n))
		if err != nil {
			t.Fatal(err)
		}
		dlib = append(dlib, rel)
	}
	want := []string{
		"dlib_face_recognition_resnet_model_v1.dat",
		"shape_predictor_5_face_landmarks.dat",
		"mmod_human_face_detector.dat",
	}
	if d := cmp.Diff(want, dlib); d != "" {
		t.Error("go-face's fixed names:", d)
	}
	if got := len(s.SampleNames()); got != 6 {
		t.Errorf("%d samples, want 6", got)
	}
	if s.Path("nobody") != "" {
		t.Error("a path for an unknown name")
	}
}

// document puts fields around a valid entry, one of which may be replaced.
func document(field, value string) string {
	fields := map[string]string{
		"name": "x", "task": "t", "file": "x.bin", "licence": "MIT", "sha256": sumA,
		"sources": "[{npm: a@1.0.0, path: x}]",
	}
	if field != "" {
		fields[field] = value
	}
	var b strings.Builder
	b.WriteString("version: 1\nmodels:\n  - optional: false\n")
	for _, k := range []string{"name", "group", "task", "file", "licence", "convert", "sources", "sha256"} {
		if v, ok := fields[k]; ok && v != "-" {
			b.WriteString("    " + k + ": " + v + "\n")
		}
	}
	return b.String()
}

func parse(text string) ([]entry, error) {
	entries, err := decodeManifest(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	return entries, validate(entries)
}

func TestManifestTakes(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"the plain one":       document("", ""),
		"a scoped package":    document("sources", `[{npm: "@a/b@1.0.0-rc.1", path: x}]`),
		"a local file":        document("sources", "[{path: /x, debian: libx}]"),
		"an address":          document("sources", "[{url: 'https://example.org/x'}]"),
		"nothing to convert":  document("convert", "none"),
		"a stub from nothing": strings.Replace(document("convert", "dlib-detector-stub"), "sources: [{npm: a@1.0.0, path: x}]", "sources: []", 1),
	} {
		if _, err := parse(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestManifestRefuses(t *testing.T) {
	t.Parallel()
	twice := document("", "") + strings.TrimPrefix(document("file", "y.bin"), "version: 1\nmodels:\n")
	for name, c := range map[string]struct{ text, want string }{
		"nothing":                  {"", "parse"},
		"no YAML":                  {"a: [", "parse"},
		"a crash of the library":   {"n: \nmodels: !\xdc\xce\xc6?&\xf8][*a ", "gave up"},
		"endless nesting":          {strings.Repeat("- ", maxManifest/2), "parse"},
		"another version":          {"version: 2\nmodels: []\n", "version 2 is not known"},
		"no version":               {"models: []\n", "version 0 is not known"},
		"an unknown key":           {"version: 1\nmodel: []\n", "model"},
		"an unknown key within":    {strings.Replace(document("", ""), "task:", "taks:", 1), "taks"},
		"a key twice":              {"version: 1\nversion: 1\n", "version"},
		"two documents":            {document("", "") + "---\nversion: 1\n", "more than one document"},
		"too long":                 {"version: 1\n#" + strings.Repeat("x", maxManifest), "longer than"},
		"a name twice":             {twice, "twice"},
		"a name with a slash":      {document("name", "a/b"), "small letters"},
		"no licence":               {document("licence", "-"), "licence must be given"},
		"an unknown group":         {document("group", "toys"), `unknown group "toys"`},
		"a file above":             {document("file", "../x"), "below the model directory"},
		"an absolute file":         {document("file", "/x"), "below the model directory"},
		"a hidden file":            {document("file", ".lock"), "below the model directory"},
		"an unclean file":          {document("file", "a//b"), "below the model directory"},
		"the manifest's own name":  {document("file", "manifest.yaml"), "own name"},
		"a short digest":           {document("sha256", "abc"), "64 small hexadecimal"},
		"a digest in capitals":     {document("sha256", strings.Repeat("A", 64)), "64 small hexadecimal"},
		"an unknown conversion":    {document("convert", "magic"), `unknown conversion "magic"`},
		"no source":                {document("sources", "[]"), "takes 1 sources, 0 are given"},
		"two sources":              {document("sources", "[{path: /x, sha256: "+sumA+"},{path: /y, sha256: "+sumA+"}]"), "takes 1 sources, 2"},
		"converted, no digest":     {document("convert", "cut-detector"), "source: sha256"},
		"an inexact version":       {document("sources", "[{npm: a@^1.0.0, path: x}]"), "exact version"},
		"an option of npm":         {document("sources", "[{npm: --workspace@1.0.0, path: x}]"), "exact version"},
		"a folder for npm":         {document("sources", "[{npm: ./a@1.0.0, path: x}]"), "exact version"},
		"a path out of a package":  {document("sources", "[{npm: a@1.0.0, path: ../x}]"), "plain path in the package"},
		"a package without a path": {document("sources", "[{npm: a@1.0.0}]"), "plain path in the package"},
		"a path and an address":    {document("sources", "[{path: /x, url: 'https://example.org/x'}]"), "give npm and path"},
		"neither":                  {document("sources", "[{sha256: "+sumA+"}]"), "give npm and path"},
		"a file: address":          {document("sources", "[{url: 'file:///etc/passwd'}]"), "http or https"},
		"debian without a path":    {document("sources", "[{debian: x, url: 'https://example.org/x'}]"), "debian goes with path"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(c.text)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func openWith(t *testing.T, userManifest string) (*Store, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, overrideFile), []byte(userManifest), 0o600); err != nil {
		t.Fatal(err)
	}
	return Open(dir)
}

func TestOverride(t *testing.T) {
	t.Parallel()
	plain, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s, err := openWith(t, `
version: 1
models:
  - name: dlib-resnet
    licence: CC0-1.0
    sources: [{path: genuine.dat}]
    sha256: `+sumB+`
`)
	if err != nil {
		t.Fatal(err)
	}
	was, _ := plain.entry(DlibResNet)
	got, _ := s.entry(DlibResNet)
	want := entry{
		Name: DlibResNet, Group: Weights, Task: was.Task, File: was.File, Licence: "CC0-1.0", Convert: convertNone,
		Sources: []source{{Path: filepath.Join(s.Dir(), "genuine.dat"), SHA256: sumB}}, SHA256: sumB,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if s.Digest() == plain.Digest() {
		t.Error("another file, but the same digest of the set")
	}
}

func TestOverrideRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ entries, want string }{
		"an unknown name": {"[{name: dlib-resent, licence: x, sources: [{path: /x}], sha256: " + sumB + "}]", `"dlib-resent": there is no such model`},
		"another file":    {"[{name: yunet, file: y.onnx, licence: x, sources: [{path: /x}], sha256: " + sumB + "}]", "can be replaced"},
		"a name twice": {
			"[{name: yunet, licence: x, sources: [{path: /x}], sha256: " + sumB + "}, {name: yunet, licence: x, sources: [{path: /y}], sha256: " + sumB + "}]",
			"given twice",
		},
		"no digest":        {"[{name: yunet, licence: x, sources: [{path: /x}]}]", "sha256"},
		"no licence":       {"[{name: yunet, sources: [{path: /x}], sha256: " + sumB + "}]", "licence"},
		"a required model": {"[{name: detector, licence: x, sources: [], sha256: " + sumB + "}]", "takes 1 sources, 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := openWith(t, "version: 1\nmodels: "+c.entries+"\n")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// No bytes make the parser panic, and what it takes has no file outside of the model directory
// and no source without a digest.
func FuzzManifest(f *testing.F) {
	f.Add(embedded)
	f.Add([]byte(document("", "")))
	f.Add([]byte("version: 1\nmodels: &a [*a]\n"))
	f.Add([]byte("n: \nmodels: !\xdc\xce\xc6?&\xf8][*a "))
	f.Add([]byte("version: 1\nmodels: [{<<: {name: x}}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := parse(string(data))
		if err != nil {
			return
		}
		for _, e := range entries {
			if !filepath.IsLocal(e.File) || len(e.SHA256) != 64 {
				t.Errorf("took the file %q with the digest %q", e.File, e.SHA256)
			}
			for _, s := range e.Sources {
				if len(s.SHA256) != 64 {
					t.Errorf("took a source without a digest: %q", s)
				}
			}
		}
	})
}
