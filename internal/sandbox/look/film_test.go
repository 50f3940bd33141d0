package look_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/media/raster"
	"github.com/consentry/consentry/internal/obscure"
	"github.com/consentry/consentry/internal/sandbox/look"
	"github.com/consentry/consentry/internal/track"
	"github.com/consentry/consentry/pipeline"
)

// The tests here need ffmpeg, which the set-up promises, and no weights: a face is a white square.

const (
	filmWidth, filmHeight = 320, 240
	side                  = 40 // of the square
)

func ffmpeg(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("ffmpeg", append([]string{"-v", "error", "-nostdin", "-y"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg %q: %v\n%s", args, err, out)
	}
}

// squares makes a film of so many frames in which squares of the colour move to the right over something grey.
func squares(t *testing.T, frames int, colour string, places ...int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "film.mp4")
	inputs := []string{
		"-f", "lavfi", "-i", fmt.Sprintf("testsrc2=s=%dx%d:r=25,hue=s=0,lutyuv=y=40+val/4", filmWidth, filmHeight),
		"-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100",
	}
	graph, last := "", "0:v"
	for i, top := range places {
		inputs = append(inputs, "-f", "lavfi", "-i", fmt.Sprintf("color=%s:s=%dx%d:r=25", colour, side, side))
		graph += fmt.Sprintf("[%s][%d:v]overlay=x='20+3*n':y=%d[v%d];", last, i+2, top, i)
		last = fmt.Sprintf("v%d", i)
	}
	graph += fmt.Sprintf("[%s]format=yuv420p[v]", last)
	ffmpeg(t, append(inputs, "-filter_complex", graph, "-map", "[v]", "-map", "1:a", "-frames:v", fmt.Sprint(frames),
		"-t", fmt.Sprintf("%.3f", float64(frames)/25), "-c:v", "libx264", "-preset", "ultrafast", "-qp", "1", "-c:a", "aac", path)...)
	return path
}

// white sees the squares of a picture: columns that are white somewhere, one face for each run of rows.
func white(m raster.Mat) []face.Face {
	bgr, err := m.DataPtrUint8()
	if err != nil {
		return nil
	}
	w, h := m.Cols(), m.Rows()
	var faces []face.Face
	top := -1
	for y := range h + 1 {
		left, right := w, 0
		for x := range w {
			if y < h && bgr[3*(y*w+x)] > 225 {
				left, right = min(left, x), max(right, x+1)
			}
		}
		switch {
		case right-left >= side/2 && top < 0:
			top = y
			faces = append(faces, face.Face{Box: face.Box{X: float64(left), Y: float64(y), W: float64(right - left)}, Score: 0.99})
		case right-left < side/2 && top >= 0:
			faces[len(faces)-1].Box.H = float64(y - top)
			top = -1
		}
	}
	return slices.DeleteFunc(faces, func(f face.Face) bool { return f.Box.H < side/2 })
}

func imagining(t *testing.T) *look.Eyes {
	t.Helper()
	e := newEyes(t)
	look.Imagine(e, white)
	return e
}

func watch(t *testing.T, e *look.Eyes, f pipeline.Film) pipeline.Watched {
	t.Helper()
	var told atomic.Int64
	w, err := e.Watch(t.Context(), f, pipeline.WatchOptions{}, func(f pipeline.Frames) { told.Store(int64(f.Done)) })
	if err != nil {
		t.Fatal(err)
	}
	if told.Load() != int64(len(w.Times)) {
		t.Errorf("told of %d frames at the end, of %d", told.Load(), len(w.Times))
	}
	return w
}

// rendering covers the tracks.
func rendering(t *testing.T, w pipeline.Watched, tracks ...track.Track) pipeline.Rendering {
	t.Helper()
	dir := t.TempDir()
	r := pipeline.Rendering{
		Info: w.Info, Times: w.Times, Shots: w.Shots, Style: obscure.SecureBlur,
		Encoding: film.Encoding{Codec: "h264", CRF: 23, Preset: "ultrafast"}, Folder: dir, Out: filepath.Join(dir, "out.mp4"),
	}
	for _, tr := range tracks {
		r.Covers = append(r.Covers, track.CoverOf(tr))
	}
	return r
}

func render(t *testing.T, e *look.Eyes, f pipeline.Film, r pipeline.Rendering) pipeline.Rendered {
	t.Helper()
	made, err := e.Render(t.Context(), f, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if made.Frames != len(r.Times) {
		t.Fatalf("%d frames rendered, of %d", made.Frames, len(r.Times))
	}
	return made
}

func screen(t *testing.T, e *look.Eyes, f pipeline.Film, s pipeline.Screening) pipeline.Screened {
	t.Helper()
	seen, err := e.Screen(t.Context(), f, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func TestFilmFromEndToEnd(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	e, f := imagining(t), pipeline.Film{Path: squares(t, 40, "white", 20, 150)}
	w := watch(t, e, f)
	if len(w.Times) != 40 || len(w.Tracks) != 2 || len(w.Shots) != 1 {
		t.Fatalf("%d frames, %d tracks, shots %v", len(w.Times), len(w.Tracks), w.Shots)
	}
	for _, tr := range w.Tracks {
		if tr.First() != 0 || tr.Last() != 39 || len(tr.Views) != 0 {
			t.Errorf("track %d reaches from %d to %d, %d views", tr.ID, tr.First(), tr.Last(), len(tr.Views))
		}
	}
	r := rendering(t, w, w.Tracks[0])
	made := render(t, e, f, r)
	if widest := made.Widest[w.Tracks[0].ID]; made.Remuxed || widest[2] < side || widest[3] < side {
		t.Errorf("rendered: %+v", made)
	}
	seen := screen(t, e, f, pipeline.Screening{Rendering: r, Known: w.Tracks, Hidden: []int{w.Tracks[0].ID}})
	if seen.Fault != "" || len(seen.Faces) != 0 {
		t.Errorf("the finished film: %+v", seen)
	}
}

func TestScreenTellsFaces(t *testing.T) {
	e, f := imagining(t), pipeline.Film{Path: squares(t, 30, "white", 20, 150)}
	w := watch(t, e, f)
	r := rendering(t, w)
	if made := render(t, e, f, r); !made.Remuxed {
		t.Error("a film of which all is shown was encoded")
	}
	bare := w.Tracks[0].ID
	seen := screen(t, e, f, pipeline.Screening{Rendering: r, Known: w.Tracks, Hidden: []int{bare}})
	if seen.Fault != "" || len(seen.Faces) == 0 {
		t.Fatalf("a face that was left bare is not seen: %+v", seen)
	}
	for _, s := range seen.Faces {
		if s.Hidden != bare || s.Face.Score < 0.9 {
			t.Errorf("seen: %+v", s)
		}
	}
	if seen = screen(t, e, f, pipeline.Screening{Rendering: r, Known: w.Tracks}); len(seen.Faces) != 0 {
		t.Errorf("faces of tracks that are shown are told: %+v", seen.Faces)
	}
	seen = screen(t, e, f, pipeline.Screening{Rendering: r, Known: w.Tracks[:1]})
	if len(seen.Faces) == 0 || seen.Faces[0].Hidden != 0 {
		t.Errorf("a face that is not known is told so: %+v", seen.Faces)
	}
}

// What is under a cover cannot be told from the finished film.
func TestFilmDoesNotDependOnWhatIsObscured(t *testing.T) {
	e := imagining(t)
	one := pipeline.Film{Path: squares(t, 30, "white", 100)}
	w := watch(t, e, one)
	first := rendering(t, w, w.Tracks...)
	render(t, e, one, first)
	for _, colour := range []string{"black"} {
		other := pipeline.Film{Path: squares(t, 30, colour, 100)}
		r := rendering(t, w, w.Tracks...)
		render(t, e, other, r)
		if !bytes.Equal(file(t, first.Out), file(t, r.Out)) {
			t.Errorf("a square that is %s shows in the finished film", colour)
		}
	}
}

func file(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestPartOfAFilm(t *testing.T) {
	e := imagining(t)
	f := pipeline.Film{Path: squares(t, 60, "white", 100), Part: film.Part{From: 400 * time.Millisecond, To: 1600 * time.Millisecond}}
	w := watch(t, e, f)
	if len(w.Times) != 30 || w.Times[0] != 400*time.Millisecond {
		t.Fatalf("%d frames from %v", len(w.Times), w.Times[0])
	}
	r := rendering(t, w, w.Tracks...)
	render(t, e, f, r)
	if seen := screen(t, e, f, pipeline.Screening{Rendering: r, Known: w.Tracks, Hidden: []int{1}}); seen.Fault != "" {
		t.Error(seen.Fault)
	}
}

// A film in which nothing moves is searched once.
func TestStandingPictureIsSearchedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "film.mp4")
	ffmpeg(t, "-f", "lavfi", "-i", "color=gray:s=320x240:r=25", "-vf", "drawbox=100:100:40:40:white:fill,format=yuv420p", "-frames:v", "30", path)
	e := newEyes(t)
	var searched atomic.Int64
	look.Imagine(e, func(m raster.Mat) []face.Face { searched.Add(1); return white(m) })
	w := watch(t, e, pipeline.Film{Path: path})
	if searched.Load() != 1 || len(w.Tracks) != 1 || w.Tracks[0].Last() != 29 {
		t.Errorf("%d searches, tracks %+v", searched.Load(), w.Tracks)
	}
}

func TestCanceledWatchLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	e, f := imagining(t), pipeline.Film{Path: squares(t, 60, "white", 100)}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := e.Watch(ctx, f, pipeline.WatchOptions{}, func(f pipeline.Frames) {
		if f.Done == 10 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a canceled film: %v", err)
	}
	if w := watch(t, e, f); len(w.Times) != 60 {
		t.Errorf("the next film has %d frames", len(w.Times))
	}
}

func TestDamagedFilmIsAnError(t *testing.T) {
	e, path := imagining(t), squares(t, 60, "white", 100)
	data := file(t, path)
	for i := len(data) / 3; i < len(data)/3+4000 && i < len(data); i++ {
		data[i] ^= 0x5a
	}
	write(t, path, data)
	if _, err := e.Watch(t.Context(), pipeline.Film{Path: path}, pipeline.WatchOptions{}, nil); !errors.Is(err, media.ErrDamaged) {
		t.Errorf("a damaged film: %v", err)
	}
}

func TestRenderRefusesAnotherFilm(t *testing.T) {
	e, f := imagining(t), pipeline.Film{Path: squares(t, 30, "white", 100)}
	w := watch(t, e, f)
	for name, change := range map[string]func(*pipeline.Rendering){
		"a frame less":   func(r *pipeline.Rendering) { r.Times = r.Times[:29] },
		"a frame more":   func(r *pipeline.Rendering) { r.Times = append(slices.Clone(r.Times), time.Minute) },
		"a frame beside": func(r *pipeline.Rendering) { r.Times = slices.Clone(r.Times); r.Times[7] += time.Millisecond },
	} {
		r := rendering(t, w, w.Tracks...)
		change(&r)
		if _, err := e.Render(t.Context(), f, r, nil); !errors.Is(err, film.ErrDifferent) || exists(r.Out) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStills(t *testing.T) {
	e, path := imagining(t), squares(t, 200, "white", 100)
	at := func(frame int) time.Duration { return time.Duration(frame) * 40 * time.Millisecond }
	box := func(frame int) face.Box { return face.Box{X: float64(20 + 3*frame), Y: 100, W: side, H: side} }
	cover := face.HeadRegion(face.Face{Box: box(60)})
	stills, err := e.Stills(t.Context(), path, []pipeline.Still{
		{At: at(80), Box: box(80), Side: 32},
		{At: at(3), Box: box(3), Side: 100},
		{At: at(60), Box: box(60), Side: 40, Covers: []face.Region{cover}},
		{At: at(60), Box: box(60), Side: 40},
		{At: at(199), Side: 160},
		{At: at(60) + 13*time.Millisecond, Box: box(60), Side: 40}, // between two frames: the nearer one
		{At: time.Hour, Side: 16},
	}[:6])
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		size  image.Point
		white bool
	}{{image.Pt(32, 32), true}, {image.Pt(40, 40), true}, {image.Pt(40, 40), false}, {image.Pt(40, 40), true}, {image.Pt(160, 120), false}, {image.Pt(40, 40), true}} {
		img, err := jpeg.Decode(bytes.NewReader(stills[i]))
		if err != nil {
			t.Fatal(err)
		}
		r, _, _, _ := img.At(img.Bounds().Dx()/2, img.Bounds().Dy()/2).RGBA()
		if img.Bounds().Size() != want.size || (r>>8 > 220) != want.white {
			t.Errorf("still %d: %v, grey %d in the middle", i, img.Bounds().Size(), r>>8)
		}
		if err := media.VerifyScrubbed(stills[i]); err != nil {
			t.Errorf("still %d: %v", i, err)
		}
	}
	beside := pipeline.Still{At: at(60) + 13*time.Millisecond, Side: 40, Covers: []face.Region{cover}}
	if _, err := e.Stills(t.Context(), path, []pipeline.Still{beside}); !errors.Is(err, film.ErrDifferent) {
		t.Errorf("covers beside their frame: %v", err)
	}
}
