package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/obscure"
	"github.com/consentry/consentry/internal/sandbox"
	"github.com/consentry/consentry/internal/track"
	"github.com/consentry/consentry/pipeline"
)

// The trickster is a Cinema as well; here the path of the film says how it behaves.

func (c *trickster) Watch(_ context.Context, f pipeline.Film, o pipeline.WatchOptions, told func(pipeline.Frames)) (pipeline.Watched, error) {
	switch f.Path {
	case "die":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "hang":
		told(pipeline.Frames{Done: 1, Total: 2})
		select {}
	case "stalled":
		return pipeline.Watched{}, fmt.Errorf("after 7 frames: %w", errors.Join(film.ErrStalled, media.ErrDamaged))
	case "grown":
		w := watched()
		w.Times = make([]time.Duration, 2_000_000)
		return w, nil
	}
	if dir, ok := strings.CutPrefix(f.Path, "grandchild:"); ok {
		spawn(dir, told)
	}
	told(pipeline.Frames{Done: 3, Total: 7})
	told(pipeline.Frames{Done: 4, Total: 7}) // too soon after the first to be worth sending
	w := watched()
	w.Info.Frames, w.Info.Duration = o.Every, f.Part.From
	return w, nil
}

// spawn starts a process as film starts ffmpeg, leaves its number in the folder, and never ends.
func spawn(dir string, told func(pipeline.Frames)) {
	cmd := exec.Command("sleep", "600")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "pid"), fmt.Append(nil, cmd.Process.Pid), 0o600); err != nil {
		panic(err)
	}
	told(pipeline.Frames{Done: 1, Total: 2})
	select {}
}

func watched() pipeline.Watched {
	return pipeline.Watched{
		Info: film.Info{Width: 320, Height: 240, Rate: 25}, Times: []time.Duration{0, 40 * time.Millisecond}, Shots: []int{0},
		Tracks: []track.Track{{
			ID: 1, Path: []track.Position{{Frame: 0, Box: face.Box{X: 1, Y: 2, W: 3, H: 4}, Seen: true}}, Score: 0.9, Seen: 1,
			Views: []track.View{{Face: face.Face{Templates: face.Templates{face.DlibResNet: {0.25}}}}},
		}},
	}
}

func (c *trickster) Render(_ context.Context, f pipeline.Film, r pipeline.Rendering, _ func(pipeline.Frames)) (pipeline.Rendered, error) {
	return pipeline.Rendered{Frames: len(r.Times), Remuxed: f.Path == r.Out, Widest: map[int][4]float64{r.Covers[0].Track: {1, 2, 3, 4}}}, nil
}

func (c *trickster) Screen(_ context.Context, _ pipeline.Film, s pipeline.Screening, _ func(pipeline.Frames)) (pipeline.Screened, error) {
	return pipeline.Screened{Fault: s.Rendering.Folder, Faces: []pipeline.Seen{{Frame: 5, Hidden: s.Hidden[0]}}, Pictures: [][]byte{[]byte("one"), {}, []byte("three")}}, nil
}

func (c *trickster) Stills(_ context.Context, path string, wanted []pipeline.Still) ([][]byte, error) {
	var all [][]byte
	for _, w := range wanted {
		all = append(all, fmt.Appendf(nil, "%s %v %d", path, w.At, w.Side))
	}
	return all, nil
}

func TestFilmAnswersCrossUnchanged(t *testing.T) {
	ctx, p := t.Context(), newProcess(t)
	var told []pipeline.Frames
	f := pipeline.Film{Path: "film", Part: film.Part{From: time.Second}}
	got, err := p.Watch(ctx, f, pipeline.WatchOptions{Every: 3}, func(f pipeline.Frames) { told = append(told, f) })
	want := watched()
	want.Info.Frames, want.Info.Duration = 3, time.Second
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Fatalf("Watch: %v\n%s", err, diff)
	}
	if diff := cmp.Diff([]pipeline.Frames{{Done: 3, Total: 7}}, told); diff != "" {
		t.Error("told: ", diff)
	}
	r := pipeline.Rendering{Times: got.Times, Covers: []track.Cover{{Track: 4}}, Style: obscure.Solid, Out: "film", Folder: "folder"}
	made, err := p.Render(ctx, f, r, nil)
	if diff := cmp.Diff(pipeline.Rendered{Frames: 2, Remuxed: true, Widest: map[int][4]float64{4: {1, 2, 3, 4}}}, made); err != nil || diff != "" {
		t.Fatalf("Render: %v\n%s", err, diff)
	}
	seen, err := p.Screen(ctx, f, pipeline.Screening{Rendering: r, Hidden: []int{4}}, nil)
	if diff := cmp.Diff(pipeline.Screened{Fault: "folder", Faces: []pipeline.Seen{{Frame: 5, Hidden: 4}}, Pictures: [][]byte{[]byte("one"), {}, []byte("three")}}, seen); err != nil || diff != "" {
		t.Fatalf("Screen: %v\n%s", err, diff)
	}
	stills, err := p.Stills(ctx, "film", []pipeline.Still{{At: time.Second, Side: 64}, {At: time.Minute, Side: 320}})
	if diff := cmp.Diff([][]byte{[]byte("film 1s 64"), []byte("film 1m0s 320")}, stills); err != nil || diff != "" {
		t.Fatalf("Stills: %v\n%s", err, diff)
	}
	if stills, err := p.Stills(ctx, "film", nil); err != nil || len(stills) != 0 {
		t.Fatalf("no stills: %q, %v", stills, err)
	}
}

func TestFilmErrorsKeepTheirKinds(t *testing.T) {
	_, err := newProcess(t).Watch(t.Context(), pipeline.Film{Path: "stalled"}, pipeline.WatchOptions{}, nil)
	if !errors.Is(err, film.ErrStalled) || !errors.Is(err, media.ErrDamaged) || errors.Is(err, film.ErrDied) || errors.Is(err, pipeline.ErrCrashed) {
		t.Errorf("came back as %v", err)
	}
}

// A child that is ended from outside in the middle of a call died; it does not answer that it was told to.
func TestEndedChildDoesNotAnswer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	asked, parent, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer parent.Close()
	var said bytes.Buffer
	ended := make(chan error, 1)
	go func() { ended <- sandbox.Serve(ctx, asked, &said, &canceler{cancel: cancel}) }()
	request := []byte(`{"call":"find"}`)
	prefix := make([]byte, 12)
	prefix[3] = byte(len(request))
	if _, err := parent.Write(append(prefix, request...)); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) || said.Len() > 0 {
		t.Errorf("Serve = %v, and it said %q", err, said.String())
	}
}

// canceler is ended while it looks for faces.
type canceler struct {
	trickster
	cancel func()
}

func (c *canceler) Find(ctx context.Context) ([]face.Face, error) {
	c.cancel()
	return nil, ctx.Err()
}

func TestLongFilmFits(t *testing.T) {
	w, err := newProcess(t).Watch(t.Context(), pipeline.Film{Path: "grown"}, pipeline.WatchOptions{}, nil)
	if err != nil || len(w.Times) != 2_000_000 {
		t.Fatalf("%d frames, %v", len(w.Times), err)
	}
}

func TestDeathCostsOneFilmCall(t *testing.T) {
	p := newProcess(t)
	if _, err := p.Watch(t.Context(), pipeline.Film{Path: "die"}, pipeline.WatchOptions{}, nil); !errors.Is(err, pipeline.ErrCrashed) {
		t.Fatalf("Watch = %v, want a crash", err)
	}
	if _, err := p.Watch(t.Context(), pipeline.Film{Path: "film"}, pipeline.WatchOptions{}, nil); err != nil {
		t.Fatalf("the next film: %v", err)
	}
}

func TestHangingChildIsEnded(t *testing.T) {
	p := newProcess(t)
	sandbox.SetStall(p, 300*time.Millisecond)
	_, err := p.Watch(t.Context(), pipeline.Film{Path: "hang"}, pipeline.WatchOptions{}, nil)
	if !errors.Is(err, pipeline.ErrCrashed) || !errors.Is(err, film.ErrStalled) {
		t.Fatalf("Watch = %v, want a stall", err)
	}
}

// ffmpeg runs in a process group of its own, so that the group's end does not reach it.
func TestGrandchildrenDieWithTheCall(t *testing.T) {
	p, dir := newProcess(t), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := p.Watch(ctx, pipeline.Film{Path: "grandchild:" + dir}, pipeline.WatchOptions{}, func(pipeline.Frames) { cancel() })
	if !errors.Is(err, context.Canceled) || errors.Is(err, pipeline.ErrCrashed) {
		t.Fatalf("Watch = %v, want it cancelled", err)
	}
	pid, err := os.ReadFile(filepath.Join(dir, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); alive(t, string(pid)); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the grandchild lives on")
		}
	}
}

// alive says whether the process runs; a dead one may wait for somebody to reap it.
func alive(t *testing.T, pid string) bool {
	t.Helper()
	stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z") && !strings.HasPrefix(after, "X")
}
