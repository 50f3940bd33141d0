package intake

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree makes files in a new working folder: "a/b.jpg" a file with something in it, "a/b.jpg=" an
// empty one, "a/" a folder, "a -> b" a link, "a|" a pipe.
func tree(t *testing.T, entries ...string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, entry := range entries {
		if err := plant(entry); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func plant(entry string) error {
	if name, target, ok := strings.Cut(entry, " -> "); ok {
		return errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.Symlink(target, name))
	}
	if name, ok := strings.CutSuffix(entry, "/"); ok {
		return os.MkdirAll(name, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(entry), 0o755); err != nil {
		return err
	}
	if name, ok := strings.CutSuffix(entry, "|"); ok {
		return syscall.Mkfifo(name, 0o600)
	}
	if name, ok := strings.CutSuffix(entry, "="); ok {
		return os.WriteFile(name, nil, 0o600)
	}
	return os.WriteFile(entry, []byte("x"), 0o600)
}

func scan(t *testing.T, paths ...string) *Batch {
	t.Helper()
	batch, err := Scan(t.Context(), paths, "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	return batch
}

func rels(files []File) []string {
	var list []string
	for _, f := range files {
		list = append(list, f.Rel)
	}
	return list
}

func kinds(problems []Problem) []string {
	var list []string
	for _, p := range problems {
		list = append(list, p.Path+" "+string(p.Kind))
	}
	return list
}

func TestScan(t *testing.T) {
	for name, test := range map[string]struct {
		tree     []string
		paths    []string
		files    []string // relative paths
		problems []string // path and kind
		ignored  int
	}{
		"a folder":          {[]string{"event/b.jpg", "event/a.PNG", "event/day 2/c.mov"}, []string{"event/"}, []string{"event/a.PNG", "event/b.jpg", "event/day 2/c.mov"}, nil, 0},
		"a folder in one":   {[]string{"x/event/a.jpg"}, []string{"x/event"}, []string{"event/a.jpg"}, nil, 0},
		"the folder we are": {[]string{"event/a.jpg"}, []string{"event/../event/."}, []string{"event/a.jpg"}, nil, 0},
		"a file":            {[]string{"x/a.jpg"}, []string{"x/a.jpg"}, []string{"a.jpg"}, nil, 0},
		"any named file":    {[]string{"x/notes.txt", ".hidden"}, []string{"x/notes.txt", ".hidden"}, []string{".hidden", "notes.txt"}, nil, 0},
		"named twice":       {[]string{"e/a.jpg"}, []string{"e", "./e/", "e"}, []string{"e/a.jpg"}, nil, 0},
		"system files": {
			[]string{"e/a.jpg", "e/.DS_Store", "e/._a.jpg", "e/Thumbs.db", "e/desktop.ini", "e/.git/b.jpg", "e/__MACOSX/c.jpg", "e/.consentry-1.tmp", "e/notes.txt", "e/raw"},
			[]string{"e"},
			[]string{"e/a.jpg"},
			nil, 9,
		},
		"missing":         {[]string{"a.jpg"}, []string{"none.jpg", "a.jpg", "a.jpg/b"}, []string{"a.jpg"}, []string{"a.jpg/b missing", "none.jpg missing"}, 0},
		"empty file":      {[]string{"e/a.jpg=", "e/b.jpg", "c="}, []string{"e", "c"}, []string{"e/b.jpg"}, []string{"c empty", "e/a.jpg empty"}, 0},
		"no media":        {[]string{"e/", "f/notes.txt"}, []string{"e", "f"}, nil, []string{"e no-media", "f no-media"}, 1},
		"pipes":           {[]string{"e/a.jpg|", "e/pipe|", "b.jpg|"}, []string{"e", "b.jpg"}, nil, []string{"b.jpg special", "e/a.jpg special", "e/pipe special"}, 0},
		"a device":        {nil, []string{"/dev/null"}, nil, []string{"/dev/null special"}, 0},
		"link out":        {[]string{"x/a.jpg", "e/b.jpg", "e/a.jpg -> ../x/a.jpg", "e/sub -> ../x", "e/notes.txt -> ../x/a.jpg"}, []string{"e"}, []string{"e/b.jpg"}, []string{"e/a.jpg outside", "e/sub outside"}, 1},
		"link to a pipe":  {[]string{"e/.p|", "e/a.jpg -> .p"}, []string{"e"}, nil, []string{"e/a.jpg special"}, 1},
		"link to nowhere": {[]string{"e/a.jpg -> none", "e/sub -> gone", "e/old.txt -> none", "b.jpg -> none"}, []string{"e", "b.jpg"}, nil, []string{"b.jpg missing", "e/a.jpg missing", "e/sub missing"}, 1},
		"link to itself":  {[]string{"e/a.jpg -> a.jpg", "e/b.jpg"}, []string{"e"}, []string{"e/b.jpg"}, []string{"e/a.jpg missing"}, 0},
		"links inside":    {[]string{"e/.store/k1", "e/a.jpg -> .store/k1", "e/day/b.jpg", "e/again -> day"}, []string{"e"}, []string{"e/a.jpg", "e/again/b.jpg", "e/day/b.jpg"}, nil, 1},
		"loops":           {[]string{"e/a.jpg", "e/up -> ..", "e/self -> ../e", "e/d/b.jpg", "e/d/back -> ../../e"}, []string{"e"}, []string{"e/a.jpg", "e/d/b.jpg"}, []string{"e/up outside"}, 2},
		"links that meet": {[]string{"e/p/a.jpg", "e/p/q -> ../r", "e/r/b.jpg", "e/r/p -> ../p"}, []string{"e"}, []string{"e/p/a.jpg", "e/p/q/b.jpg", "e/r/b.jpg", "e/r/p/a.jpg"}, nil, 2},
		"named link":      {[]string{"x/a.jpg", "e -> x", "b.jpg -> x/a.jpg"}, []string{"e", "b.jpg"}, []string{"b.jpg", "e/a.jpg"}, nil, 0},
		"long name":       {[]string{"e/" + strings.Repeat("n", 240) + ".jpg", "e/a.jpg"}, []string{"e"}, []string{"e/a.jpg"}, []string{"e/" + strings.Repeat("n", 240) + ".jpg name-length"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			tree(t, test.tree...)
			batch := scan(t, test.paths...)
			if diff := cmp.Diff(test.files, rels(batch.Files)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.problems, kinds(batch.Problems)); diff != "" {
				t.Error(diff)
			}
			if len(batch.Ignored) != test.ignored {
				t.Errorf("ignored %v, want %d", batch.Ignored, test.ignored)
			}
		})
	}
}

func TestFileIsWhatItSays(t *testing.T) {
	dir := tree(t, "e/.store/k1", "e/a.HEIC -> .store/k1")
	batch := scan(t, "e")
	want := []File{{Path: filepath.Join(dir, "e/.store/k1"), Rel: "e/a.HEIC", Output: "e/a.jpg", Size: 1}}
	if diff := cmp.Diff(want, batch.Files); diff != "" {
		t.Error(diff)
	}
	f, err := batch.Files[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// A film is written as MP4, and what is only called like one is passed over; a named file is taken.
func TestFilms(t *testing.T) {
	tree(t, "e/a.mov", "e/b.mp4", "e/c.m4v", "e/film.ts", "e/code.ts", "e/none.ts=", "e/linked.ts -> code.ts", "e/wave.gif", "other.ts")
	if err := os.WriteFile("e/film.ts", []byte("film"), 0o600); err != nil {
		t.Fatal(err)
	}
	opts := Options{IsFilm: func(r io.ReaderAt, size int64) bool {
		head := make([]byte, size)
		_, err := r.ReadAt(head, 0)
		return err == nil && string(head) == "film"
	}}
	batch, err := Scan(t.Context(), []string{"e", "other.ts"}, "", opts)
	if err != nil {
		t.Fatal(err)
	}
	var outputs []string
	for _, f := range batch.Files {
		outputs = append(outputs, f.Output)
	}
	want := []string{"e/a.mp4", "e/b.mp4", "e/c.m4v", "e/film.mp4", "e/wave.gif", "other.mp4"}
	if diff := cmp.Diff(want, outputs); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"e/none.ts empty"}, kinds(batch.Problems)); diff != "" || len(batch.Ignored) != 2 {
		t.Errorf("ignored %v, problems %s", batch.Ignored, diff)
	}
}

func TestOpenAfterASwap(t *testing.T) {
	tree(t, "e/a.jpg", "b.jpg")
	file := scan(t, "e").Files[0]
	for _, swapped := range []string{"e/a.jpg|", "e/a.jpg -> ../b.jpg", "e/a.jpg/"} {
		if err := errors.Join(os.RemoveAll("e/a.jpg"), plant(swapped)); err != nil {
			t.Fatal(err)
		}
		if f, err := file.Open(); err == nil || strings.Contains(err.Error(), "a.jpg") {
			t.Errorf("%s was opened as %v, %v", swapped, f, err)
		}
	}
}

func TestUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything; the pipe, device and link cases stand in for this one")
	}
	tree(t, "e/a.jpg", "e/b.jpg", "e/sub/c.jpg")
	if err := errors.Join(os.Chmod("e/a.jpg", 0), os.Chmod("e/sub", 0)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod("e/sub", 0o700) })
	batch := scan(t, "e")
	if diff := cmp.Diff([]string{"e/a.jpg unreadable", "e/sub unreadable"}, kinds(batch.Problems)); diff != "" {
		t.Error(diff)
	}
}

func TestStrangeNames(t *testing.T) {
	tree(t, "e/a\nb.jpg", "e/\xff.jpg", "e/\u202egpj.jpg", "e/ä ñ.jpg", `e/back\slash.jpg`, "e/quo\"te.jpg=", "e/new\nline=", "e/z\n.jpg=")
	batch := scan(t, "e")
	var shown []string
	for _, f := range batch.Files {
		shown = append(shown, Display(f.Rel))
	}
	want := []string{`e/a\nb.jpg`, `e/back\\slash.jpg`, "e/ä ñ.jpg", `e/\u202egpj.jpg`, `e/\xff.jpg`}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Error(diff)
	}
	var texts []string
	for _, p := range batch.Problems {
		texts = append(texts, p.Error())
	}
	if diff := cmp.Diff([]string{`e/quo"te.jpg: the file is empty`, `e/z\n.jpg: the file is empty`}, texts); diff != "" {
		t.Error(diff)
	}
}

// TestDeepTree makes folders deeper than a path can name.
func TestDeepTree(t *testing.T) {
	start := tree(t, "e/a.jpg")
	t.Chdir(filepath.Join(start, "e"))
	name := strings.Repeat("d", 200)
	for range maxDepth + 10 {
		if err := errors.Join(os.Mkdir(name, 0o755), os.Chdir(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chdir(start); err != nil {
		t.Fatal(err)
	}
	batch := scan(t, "e")
	if len(batch.Files) != 1 || len(batch.Problems) != 1 || batch.Problems[0].Kind != TooDeep {
		t.Errorf("%v, %v", rels(batch.Files), batch.Problems)
	}
	tree(t, strings.Repeat("d/", maxDepth+1)+"a.jpg", "d/b.jpg")
	batch = scan(t, "d")
	if len(batch.Files) != 1 || len(batch.Problems) != 1 || batch.Problems[0].Kind != TooDeep {
		t.Errorf("%v, %v", rels(batch.Files), batch.Problems)
	}
}

func TestUsage(t *testing.T) {
	for name, test := range map[string]struct {
		tree  []string
		paths []string
		out   string
		want  []string // parts of the error; none: no error
	}{
		"nothing":               {nil, nil, "", []string{"no files"}},
		"empty path":            {nil, []string{""}, "", []string{"empty path"}},
		"apart":                 {[]string{"e/a.jpg"}, []string{"e"}, "out", nil},
		"name begins the same":  {[]string{"e/a.jpg"}, []string{"e"}, "e-out", nil},
		"out is the input":      {[]string{"e/a.jpg"}, []string{"e"}, "e/", []string{"output folder e/ is inside", "folder e;"}},
		"out in the input":      {[]string{"e/a.jpg"}, []string{"e"}, "e/x/out", []string{"inside of the input folder e"}},
		"out by a link":         {[]string{"e/sub/a.jpg", "link -> e/sub"}, []string{"e"}, "link/new", []string{"inside of the input folder"}},
		"input by a link":       {[]string{"e/a.jpg", "link -> e"}, []string{"link"}, "e/out", []string{"inside of the input folder link"}},
		"input in the output":   {[]string{"out/e/a.jpg"}, []string{"out/e"}, "out", []string{"out/e is inside of the output folder out"}},
		"file in the output":    {[]string{"a.jpg"}, []string{"a.jpg"}, ".", []string{"a.jpg is inside of the output folder ."}},
		"out is a file":         {[]string{"e/a.jpg", "out"}, []string{"e"}, "out", []string{"there is a file"}},
		"out below a file":      {[]string{"e/a.jpg", "out"}, []string{"e"}, "out/x", []string{"not a directory"}},
		"out leads nowhere":     {[]string{"e/a.jpg", "out -> none"}, []string{"e"}, "out", []string{"leads nowhere"}},
		"unreadable is no pair": {[]string{"e/a.heic=", "e/a.jpg"}, []string{"e"}, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			tree(t, test.tree...)
			batch, err := Scan(t.Context(), test.paths, test.out, Options{})
			if len(test.want) == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var wrong *UsageError
			if !errors.As(err, &wrong) || batch != nil {
				t.Fatalf("got %v, %v", batch, err)
			}
			for _, part := range test.want {
				if !strings.Contains(wrong.Message, part) {
					t.Errorf("%q lacks %q", wrong.Message, part)
				}
			}
		})
	}
}

// Inputs that would be written over each other are left out, both of them; the rest goes on.
func TestCollisions(t *testing.T) {
	for name, test := range map[string]struct {
		tree, paths []string
		files       []string // by Rel
		want        []string // parts of the problems, one problem each
	}{
		"one path, two inputs": {[]string{"x/e/a.jpg", "y/e/a.jpg", "y/e/b.jpg"}, []string{"x/e", "y/e"}, []string{"e/b.jpg"}, []string{"/y/e/a.jpg would both be written to e/a.jpg", "/x/e/a.jpg would"}},
		"folders merge":        {[]string{"x/e/a.jpg", "y/e/b.jpg"}, []string{"x/e", "y/e"}, []string{"e/a.jpg", "e/b.jpg"}, nil},
		"two formats":          {[]string{"e/a.heic", "e/a.jpg", "e/b.jpg"}, []string{"e"}, []string{"e/b.jpg"}, []string{"a.jpg would", "a.heic would"}},
		"three of a kind":      {[]string{"e/a.heic", "e/a.jpg", "e/a.avif"}, []string{"e"}, nil, []string{"would", "would", "would"}},
		"case":                 {[]string{"e/a.jpg", "e/A.JPG"}, []string{"e"}, nil, []string{"a.jpg would", "A.JPG would"}},
		"case of a folder":     {[]string{"x/E/a.jpg", "y/e/a.jpg"}, []string{"x/E", "y/e"}, nil, []string{"would both", "would both"}},
		"film in two forms":    {[]string{"e/a.mov", "e/a.mp4", "e/a.gif"}, []string{"e"}, []string{"e/a.gif"}, []string{"would both be written to e/a.mp4", "would both"}},
		"accents":              {[]string{"e/\u00e9.jpg", "e/e\u0301.jpg"}, []string{"e"}, nil, []string{"would both", "would both"}},
		"a clearance":          {[]string{"a.jpg", "a.jpg.clearance.json"}, []string{"a.jpg", "a.jpg.clearance.json"}, nil, []string{"a.jpg.clearance.json", "a.jpg.clearance.json"}},
		"file and folder":      {[]string{"e/a.jpg", "x/e"}, []string{"e", "x/e"}, nil, []string{"a file and a folder", "a file and a folder"}},
		"line break in a name": {[]string{"e/\n.heic", "e/\n.jpg"}, []string{"e"}, nil, []string{`\n.jpg would`, `\n.heic would`}},
	} {
		t.Run(name, func(t *testing.T) {
			tree(t, test.tree...)
			batch, err := Scan(t.Context(), test.paths, "", Options{})
			if err != nil {
				t.Fatal(err)
			}
			var files []string
			for _, f := range batch.Files {
				files = append(files, f.Rel)
			}
			if diff := cmp.Diff(test.files, files); diff != "" {
				t.Error(diff)
			}
			if len(batch.Problems) != len(test.want) {
				t.Fatalf("problems: %v", batch.Problems)
			}
			for i, p := range batch.Problems {
				if p.Kind != Collision || !strings.Contains(p.Message, test.want[i]) {
					t.Errorf("%q lacks %q", p.Message, test.want[i])
				}
			}
		})
	}
}

func TestOptions(t *testing.T) {
	tree(t, "e/report.json", "e/a.jpg", "e/b.raw")
	opts := Options{
		IsMedia:        func(name string) bool { return strings.HasSuffix(name, ".raw") || name == "report.json" },
		DerivativeName: func(rel string) string { return strings.TrimSuffix(rel, ".raw") + ".tif" },
	}
	batch, err := Scan(t.Context(), []string{"e"}, "", opts)
	if err != nil || len(batch.Files) != 2 || batch.Files[0].Output != "e/b.tif" {
		t.Fatalf("%+v, %v", batch, err)
	}
	opts.Reserved = []string{"E/B.tif"}
	batch, err = Scan(t.Context(), []string{"e"}, "", opts)
	if err != nil || len(batch.Problems) != 1 || !strings.Contains(batch.Problems[0].Message, "consentry's own") {
		t.Errorf("got %+v, %v", batch, err)
	}
}

func TestScanStops(t *testing.T) {
	tree(t, "e/a.jpg")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Scan(ctx, []string{"e"}, "", Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestScanIsRepeatable(t *testing.T) {
	tree(t, "e/b.jpg", "e/a.jpg", "f/c.jpg", "f/none.jpg -> x", "f/.h", "f/.g")
	a, b := scan(t, "e", "f"), scan(t, "f", "e")
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error(diff)
	}
	if !slices.IsSorted(rels(a.Files)) {
		t.Error("not in order")
	}
}

func FuzzDisplay(f *testing.F) {
	f.Add("a.jpg", "a\n.jpg")
	f.Add("\xff\\", `"`)
	f.Add(`\n`, "\n")
	f.Fuzz(func(t *testing.T, a, b string) {
		if a != b && Display(a) == Display(b) {
			t.Errorf("%q and %q look the same", a, b)
		}
		if strings.ContainsAny(Display(a), "\n\r\x1b\x00") {
			t.Errorf("%q is not on one line", a)
		}
	})
}
