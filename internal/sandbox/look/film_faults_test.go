package look_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/consentry/consentry/internal/obscure"
	"github.com/consentry/consentry/internal/sandbox/look"
	"github.com/consentry/consentry/pipeline"
)

func TestScreenFindsFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a film in fourteen ways, which takes some seconds")
	}
	e, f := imagining(t), pipeline.Film{Path: squares(t, 60, "white", 100)}
	w := watch(t, e, f)
	r := rendering(t, w, w.Tracks...)
	render(t, e, f, r)
	good := file(t, r.Out)
	for name, spoil := range map[string]func(){
		"nothing":      func() {},
		"cut off":      func() { write(t, r.Out, good[:len(good)*2/3]) },
		"another film": func() { write(t, r.Out, file(t, squares(t, 60, "white", 10))) },
		"frozen":       func() { again(t, r.Out, good, "-vf", "loop=40:1:20,trim=end_frame=60,setpts=N/25/TB", "-c:a", "copy") },
		"mirrored":     func() { again(t, r.Out, good, "-vf", "hflip", "-c:a", "copy") },
		"backwards":    func() { again(t, r.Out, good, "-vf", "reverse", "-c:a", "copy") },
		"frames gone": func() {
			again(t, r.Out, good, "-vf", "select=not(eq(n\\,30))", "-fps_mode", "passthrough", "-c:a", "copy")
		},
		"slower":        func() { again(t, r.Out, good, "-vf", "setpts=PTS*1.01", "-fps_mode", "passthrough", "-c:a", "copy") },
		"silent":        func() { again(t, r.Out, good, "-c:v", "copy", "-an") },
		"other sound":   func() { again(t, r.Out, good, "-c:v", "copy", "-af", "volume=0.5") },
		"another size":  func() { again(t, r.Out, good, "-vf", "scale=160:120", "-c:a", "copy") },
		"with a title":  func() { again(t, r.Out, good, "-c", "copy", "-metadata", "title=x") },
		"segments gone": func() { removeAll(t, r.Folder, "*.json") },
	} {
		t.Run(name, func(t *testing.T) {
			write(t, r.Out, good)
			spoil()
			seen := screen(t, e, f, pipeline.Screening{Rendering: r, Known: w.Tracks, Hidden: []int{w.Tracks[0].ID}})
			if (seen.Fault == "") != (name == "nothing") {
				t.Errorf("fault %q", seen.Fault)
			}
			if strings.Contains(seen.Fault, r.Folder) {
				t.Errorf("the fault names a path: %s", seen.Fault)
			}
			if name == "segments gone" {
				render(t, e, f, r)
			}
		})
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func removeAll(t *testing.T, dir, pattern string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, n := range names {
		if err := os.Remove(n); err != nil {
			t.Fatal(err)
		}
	}
}

// again makes the finished film anew with ffmpeg, as clean as it can.
func again(t *testing.T, out string, good []byte, args ...string) {
	t.Helper()
	in := filepath.Join(t.TempDir(), "good.mp4")
	write(t, in, good)
	ffmpeg(t, slices.Concat([]string{"-i", in}, args, []string{"-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact", "-preset", "ultrafast", out})...)
}

func TestPassedOnFilmMustBeTheSource(t *testing.T) {
	e, f := imagining(t), pipeline.Film{Path: squares(t, 30, "white", 100)}
	w := watch(t, e, f)
	r := rendering(t, w)
	render(t, e, f, r)
	again(t, r.Out, file(t, r.Out), "-c:a", "copy", "-crf", "30")
	if seen := screen(t, e, f, pipeline.Screening{Rendering: r, Known: w.Tracks}); seen.Fault == "" {
		t.Error("a film that was encoded anew passes for its source")
	}
}

// An interrupted rendering goes on at the last finished segment, and what comes out is what would have come out at once.
func TestRenderingGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("renders 24 seconds of film twice")
	}
	e, f := imagining(t), pipeline.Film{Path: squares(t, 600, "white", 100)}
	w := watch(t, e, f)
	whole := rendering(t, w, w.Tracks...)
	render(t, e, f, whole)
	r := rendering(t, w, w.Tracks...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := e.Render(ctx, f, r, func(f pipeline.Frames) {
		if f.Done > look.SegmentFrames+20 && exists(filepath.Join(r.Folder, "000000.json")) {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || exists(r.Out) {
		t.Fatalf("a canceled rendering: %v", err)
	}
	kept := stamp(t, filepath.Join(r.Folder, "000000.mp4"))
	first := -1
	made, err := e.Render(t.Context(), f, r, func(f pipeline.Frames) {
		if first < 0 {
			first = f.Done
		}
	})
	if err != nil || made.Frames != 600 || first < look.SegmentFrames {
		t.Fatalf("%+v, %v; it went on at frame %d", made, err, first)
	}
	if stamp(t, filepath.Join(r.Folder, "000000.mp4")) != kept {
		t.Error("a finished segment was made again")
	}
	if seen := screen(t, e, f, pipeline.Screening{Rendering: r, Known: w.Tracks, Hidden: []int{1}}); seen.Fault != "" {
		t.Error(seen.Fault)
	}
	alike(t, whole.Out, r.Out)
}

// alike compares two films frame by frame: resumed fills may be off by a rounding, which the encoder answers with as little.
func alike(t *testing.T, one, other string) {
	t.Helper()
	cmd := exec.Command("ffmpeg", "-nostdin", "-i", one, "-i", other, "-lavfi", "psnr", "-f", "null", "-")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, rest, _ := strings.Cut(string(out), " min:")
	least, _, _ := strings.Cut(rest, " ")
	if db := 0.0; least != "inf" {
		if _, err := fmt.Sscan(least, &db); err != nil || db < 45 {
			t.Errorf("the resumed film differs from the other: least PSNR %q, %v", least, err)
		}
	}
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func stamp(t *testing.T, path string) time.Time {
	t.Helper()
	s, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return s.ModTime()
}

// Segments of another rendering, and damaged ones, are not used.
func TestStaleSegmentsAreMadeAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("renders a film four times")
	}
	e, f := imagining(t), pipeline.Film{Path: squares(t, 30, "white", 100)}
	w := watch(t, e, f)
	r := rendering(t, w, w.Tracks...)
	render(t, e, f, r)
	sum := sha256.Sum256(file(t, r.Out))
	solid := r
	solid.Style = obscure.Solid
	render(t, e, f, solid)
	if sha256.Sum256(file(t, r.Out)) == sum {
		t.Error("segments of another style were used")
	}
	render(t, e, f, r)
	segment := filepath.Join(r.Folder, "000000.mp4")
	damaged := file(t, segment)
	damaged[len(damaged)/2] ^= 1
	write(t, segment, damaged)
	render(t, e, f, r)
	if sha256.Sum256(file(t, r.Out)) != sum {
		t.Error("a damaged segment was used")
	}
}
