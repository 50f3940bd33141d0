package redact_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/track"
	"github.com/consentry/consentry/pipeline"
)

// Films here are the head of an MP4 and a word that says how the child behaves. Each has 5 frames of
// 64 × 64 pixels and one face.
const (
	plainFilm   = "plain"
	deadlyFilm  = "deadly"  // kills the child
	damagedFilm = "damaged" // cannot be decoded to its end
	haltedFilm  = "halted"  // stays at its first segment, unless that is there already
)

const filmHead = "\x00\x00\x00\x14ftypisom\x00\x00\x00\x00mp42"

// putFilm writes a film; the number makes films of one kind differ.
func putFilm(t *testing.T, dir, name, word string, number int) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "in", name), fmt.Appendf(nil, "%s%s %d", filmHead, word, number), 0o644); err != nil {
		t.Fatal(err)
	}
	finishedFilm(t, dir)
}

// finishedFilm makes the film that the child hands out as every derivative.
func finishedFilm(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, "finished.mp4")
	if _, err := os.Stat(path); err == nil {
		return
	}
	raw := path + ".mkv"
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=64x64:rate=5:duration=1", "-c:v", "libx264", "-pix_fmt", "yuv420p", raw).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	tools, err := film.FindTools()
	if err != nil {
		t.Fatal(err)
	}
	info, err := tools.Probe(t.Context(), raw, film.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	seen := make([]time.Duration, 5)
	for i := range seen {
		seen[i] = time.Duration(i) * time.Second / 5
	}
	if err := tools.Remux(t.Context(), path, raw, info, film.Part{}, seen, film.DefaultEncoding(), film.DefaultLimits()); err != nil {
		t.Fatal(err)
	}
}

func (e *eyes) word(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	word, _, _ := strings.Cut(strings.TrimPrefix(string(text), filmHead), " ")
	return word, nil
}

func (e *eyes) write(line string) error {
	f, err := os.OpenFile(e.diary, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintln(f, line)
	return err
}

func (e *eyes) Watch(_ context.Context, f pipeline.Film, _ pipeline.WatchOptions, told func(pipeline.Frames)) (pipeline.Watched, error) {
	word, err := e.word(f.Path)
	if err := errors.Join(err, e.write("watch-"+word)); err != nil {
		return pipeline.Watched{}, err
	}
	switch word {
	case deadlyFilm:
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case damagedFilm:
		return pipeline.Watched{}, fmt.Errorf("frame 3: %w", media.ErrDamaged)
	}
	told(pipeline.Frames{Done: 5, Total: 5})
	seen := face.Face{Box: face.Box{X: 10, Y: 10, W: 20, H: 20}, Score: 0.9}
	w := pipeline.Watched{
		Info:  film.Info{Container: "mp4", Codec: "h264", Width: 64, Height: 64, Aspect: [2]int{1, 1}, Rate: 5, Frames: 5},
		Shots: []int{0},
		Tracks: []track.Track{{
			ID: 1, Path: []track.Position{{Frame: 0, Box: seen.Box, Seen: true}, {Frame: 4, Box: seen.Box, Seen: true}},
			Best: track.View{Frame: 2, Face: seen}, Score: 0.9, Seen: 5, Runs: [][2]int{{0, 4}},
		}},
	}
	for i := range 5 {
		w.Times = append(w.Times, time.Duration(i)*200*time.Millisecond)
	}
	return w, nil
}

func (e *eyes) Render(_ context.Context, f pipeline.Film, r pipeline.Rendering, told func(pipeline.Frames)) (pipeline.Rendered, error) {
	word, err := e.word(f.Path)
	if err := errors.Join(err, e.write("render-"+word)); err != nil {
		return pipeline.Rendered{}, err
	}
	segment := filepath.Join(r.Folder, "segment")
	if _, err := os.Stat(segment); err != nil && word == haltedFilm {
		told(pipeline.Frames{Done: 1, Total: 5})
		if err := os.WriteFile(segment, []byte("one"), 0o600); err != nil {
			return pipeline.Rendered{}, err
		}
		select {}
	}
	return pipeline.Rendered{Frames: 5, Widest: map[int][4]float64{1: {5, 5, 30, 30}}}, copyTo(r.Out, filepath.Join(filepath.Dir(e.diary), "finished.mp4"))
}

func copyTo(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

func (e *eyes) Screen(ctx context.Context, _ pipeline.Film, s pipeline.Screening, _ func(pipeline.Frames)) (pipeline.Screened, error) {
	pictures, err := e.Stills(ctx, s.Rendering.Out, s.Pictures)
	return pipeline.Screened{Pictures: pictures}, err
}

func (e *eyes) Stills(_ context.Context, _ string, wanted []pipeline.Still) ([][]byte, error) {
	var b bytes.Buffer
	err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8)), nil)
	pictures := make([][]byte, len(wanted))
	for i := range pictures {
		pictures[i] = b.Bytes()
	}
	return pictures, err
}
