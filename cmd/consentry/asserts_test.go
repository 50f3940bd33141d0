package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/consentry/consentry/internal/report"
)

// asset OUT PURPOSE PATH OUTCOME [FACES [REASON]] wants one entry of the report: its outcome, how
// many faces, or tracks of a film, of some outcomes as in obscure=1,review=0 (- for any), and a reason that matches. What is
// released has a derivative with a clearance beside it, and what is not has neither.
func asset(ts *testscript.TestScript, _ bool, args []string) {
	out, purpose, path, outcome := args[0], args[1], args[2], args[3]
	a := findAsset(ts, out, purpose, path)
	if a.Outcome != outcome {
		ts.Fatalf("%s is %s (%s), want %s", path, a.Outcome, a.Reason, outcome)
	}
	if len(args) > 4 && args[4] != "-" {
		wantFaces(ts, a, args[4])
	}
	if len(args) > 5 && !regexp.MustCompile(args[5]).MatchString(a.Reason) {
		ts.Fatalf("the reason for %s is %q", path, a.Reason)
	}
	place := ts.MkAbs(filepath.Join(out, purpose, filepath.FromSlash(path)))
	if outcome == report.Released {
		place = ts.MkAbs(filepath.Join(out, filepath.FromSlash(a.Derivative)))
	}
	for _, name := range []string{place, place + ".clearance.json"} {
		if _, err := os.Stat(name); (err == nil) != (outcome == report.Released) {
			ts.Fatalf("%s is %s, and of %s Stat says: %v", path, outcome, filepath.Base(name), err)
		}
	}
}

func findAsset(ts *testscript.TestScript, out, purpose, path string) report.Asset {
	r, err := report.Load(ts.MkAbs(out))
	ts.Check(err)
	i := slices.IndexFunc(r.Assets, func(a report.Asset) bool { return a.Path == path && a.Purpose == purpose })
	if i < 0 {
		ts.Fatalf("the report knows no %s for %s", path, purpose)
	}
	return r.Assets[i]
}

func wantFaces(ts *testscript.TestScript, a report.Asset, want string) {
	for _, part := range strings.Split(want, ",") {
		outcome, count, _ := strings.Cut(part, "=")
		if n := len(withOutcome(a, outcome)); fmt.Sprint(n) != count {
			ts.Fatalf("%s has %d faces to %s of %d, want %s", a.Path, n, outcome, len(a.Faces)+len(a.Tracks), count)
		}
	}
}

// withOutcome gives the ids of the faces, or of the tracks of a film, with the outcome.
func withOutcome(a report.Asset, outcome string) []string {
	var ids []string
	for _, f := range a.Faces {
		if f.Outcome == outcome {
			ids = append(ids, f.ID)
		}
	}
	for _, t := range a.Tracks {
		if t.Outcome == outcome {
			ids = append(ids, t.Face)
		}
	}
	return ids
}

// jsonhas FILE KEY VALUE [KEY VALUE…] wants values in JSON; keys are joined by dots, a list has the
// keys 0, 1, … and len, and keys lists the keys of an object.
func jsonHas(ts *testscript.TestScript, _ bool, args []string) {
	var all any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &all))
	for pair := range slices.Chunk(args[1:], 2) {
		at := all
		for _, key := range strings.Split(pair[0], ".") {
			at = jsonAt(ts, at, key)
		}
		if got := fmt.Sprint(at); got != pair[1] {
			ts.Fatalf("%s: %s is %s, want %s", args[0], pair[0], got, pair[1])
		}
	}
}

func jsonAt(ts *testscript.TestScript, in any, key string) any {
	switch in := in.(type) {
	case map[string]any:
		if key == "keys" {
			return slices.Sorted(maps.Keys(in))
		}
		return in[key]
	case []any:
		if key == "len" {
			return len(in)
		}
		if n := numbers(ts, []string{key})[0]; n < len(in) {
			return in[n]
		}
		ts.Fatalf("the list has %d entries, and not %s", len(in), key)
	}
	ts.Fatalf("no object or list at %s", key)
	return nil
}

// samepixels A B wants every pixel to be the same.
func samePixels(ts *testscript.TestScript, _ bool, args []string) {
	a, b := read(ts, args[0]), read(ts, args[1])
	if a.Bounds() != b.Bounds() {
		ts.Fatalf("sizes are %v and %v", a.Bounds(), b.Bounds())
	}
	if d := difference(a, b); !d.Empty() {
		ts.Fatalf("pixels differ in %v", d)
	}
}

// onlyregions OUT PURPOSE PATH [ORIGINAL] wants the derivative to differ from the original (at PATH
// if not given) inside of the report's regions, in every one of them, and nowhere else.
func onlyRegions(ts *testscript.TestScript, _ bool, args []string) {
	asset := findAsset(ts, args[0], args[1], args[2])
	a, b := read(ts, args[len(args)-1]), read(ts, filepath.Join(args[0], filepath.FromSlash(asset.Derivative)))
	if a.Bounds() != b.Bounds() {
		ts.Fatalf("sizes are %v and %v", a.Bounds(), b.Bounds())
	}
	regions := regionsOf(asset)
	if len(regions) == 0 {
		ts.Fatalf("no region in %s", args[2])
	}
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			p := image.Pt(x, y)
			in := slices.ContainsFunc(regions, p.In)
			if !in && a.At(x, y) != b.At(x, y) {
				ts.Fatalf("pixel %v differs and is in no region", p)
			}
		}
	}
	for _, r := range regions {
		middle := r.Inset(min(r.Dx(), r.Dy()) / 3)
		if d := difference(part{a, middle}, part{b, middle}); d.Dx() < middle.Dx()*9/10 || d.Dy() < middle.Dy()*9/10 {
			ts.Fatalf("region %v: of its middle %v only %v differs", r, middle, d)
		}
	}
}

func regionsOf(a report.Asset) []image.Rectangle {
	var list []image.Rectangle
	for _, f := range a.Faces {
		if g := f.Region; g != nil {
			list = append(list, image.Rect(int(g[0]), int(g[1]), int(g[0]+g[2]), int(g[1]+g[3])))
		}
	}
	return list
}

// part is a picture's part.
type part struct {
	image.Image
	area image.Rectangle
}

func (p part) Bounds() image.Rectangle { return p.area }

// difference is the smallest rectangle around all pixels that differ.
func difference(a, b image.Image) image.Rectangle {
	var d image.Rectangle
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			if a.At(x, y) != b.At(x, y) {
				d = d.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return d
}

// holds DIR FILE… wants exactly these files, in and below the folder, and empty folders with a slash
// at the end; a folder that is not there holds none.
func holds(ts *testscript.TestScript, _ bool, args []string) {
	found := []string{}
	walk(ts, args[0], func(_, rel string) { found = append(found, rel) })
	found = append(found, emptyFolders(ts, args[0])...)
	want := slices.Sorted(slices.Values(args[1:]))
	if want == nil {
		want = []string{}
	}
	slices.Sort(found)
	if diff := cmp.Diff(want, found); diff != "" {
		ts.Fatalf("files in %s:\n%s", args[0], diff)
	}
}

func emptyFolders(ts *testscript.TestScript, dir string) []string {
	top := os.DirFS(ts.MkAbs(dir))
	var list []string
	_ = fs.WalkDir(top, ".", func(path string, entry fs.DirEntry, err error) error { // only what can be walked counts
		if err != nil || !entry.IsDir() || path == "." {
			return err
		}
		if inside, err := fs.ReadDir(top, path); err == nil && len(inside) == 0 {
			list = append(list, path+"/")
		}
		return nil
	})
	return list
}

// nowhere WORD PATH… wants the word in no name and no content below the paths, in whatever case.
func nowhere(ts *testscript.TestScript, _ bool, args []string) {
	word := []byte(strings.ToLower(args[0]))
	files := 0
	for _, dir := range args[1:] {
		walk(ts, dir, func(path, rel string) {
			files++
			data, err := os.ReadFile(path)
			ts.Check(err)
			if bytes.Contains(bytes.ToLower(data), word) || bytes.Contains([]byte(strings.ToLower(rel)), word) {
				ts.Fatalf("%s is in %s", args[0], path)
			}
		})
	}
	if files == 0 {
		ts.Fatalf("there is nothing in %v", args[1:])
	}
}

// walk visits the files below a path, or the one file that it is.
func walk(ts *testscript.TestScript, dir string, visit func(path, rel string)) {
	top := ts.MkAbs(dir)
	err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if path == top && os.IsNotExist(err) {
			return fs.SkipAll
		}
		if err != nil || entry.IsDir() {
			return err
		}
		rel, err := filepath.Rel(top, path)
		visit(path, filepath.ToSlash(rel))
		return err
	})
	ts.Check(err)
}
