package film

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
	"time"

	"go.uber.org/goleak"

	"github.com/consentry/consentry/internal/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// read decodes a film to its end and gives the error, which is never io.EOF.
func readAll(t testing.TB, path string, limits Limits) (frames int, err error) {
	t.Helper()
	info, err := tools(t).Probe(t.Context(), path, limits)
	if err != nil {
		return 0, err
	}
	d, err := tools(t).Open(t.Context(), path, info, Part{}, limits)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	var f Frame
	for {
		if err := d.Next(&f); err != nil {
			if again := d.Next(&f); !errors.Is(again, err) {
				t.Errorf("first %v, then %v", err, again)
			}
			return frames, err
		}
		frames++
	}
}

func TestNoTools(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := FindTools(); !errors.Is(err, ErrNoFFmpeg) {
		t.Error(err)
	}
	missing := Tools{FFmpeg: "/nonexistent/ffmpeg", FFprobe: "/nonexistent/ffprobe"}
	if _, err := missing.Open(t.Context(), "film.mp4", Info{}, Part{}, limits()); !errors.Is(err, ErrNoFFmpeg) {
		t.Error(err)
	}
}

// TestDamaged: a film that was cut short, or is damaged in the middle, never ends like one that is whole. VP8 and VP9 are
// not among those that are scratched: their coding decodes any bytes to pictures.
func TestDamaged(t *testing.T) {
	shortened := func(b []byte) []byte { return b[:len(b)*3/5] }
	scratched := func(b []byte) []byte {
		for i := range 600 {
			b[len(b)/2+i] = byte(i*i>>3) ^ 0x5a
		}
		return b
	}
	for name, c := range map[string]struct {
		how    string
		damage func([]byte) []byte
	}{
		"cutfront.mp4":      {x264 + " -movflags +faststart", shortened},
		"cutfragments.mp4":  {x264 + " -movflags frag_keyframe+empty_moov", shortened},
		"cut.mkv":           {x264, shortened},
		"cut.avi":           {"-c:v mjpeg", shortened},
		"cut.gif":           {"", shortened},
		"cut.ts":            {x264, func(b []byte) []byte { return b[:len(b)*3/5/188*188+100] }},
		"scratched.mp4":     {x264, scratched},
		"scratched.mkv":     {x264, scratched},
		"scratched.avi":     {"-c:v mpeg4 -b:v 2M", scratched},
		"scratched.ts":      {x264, scratched},
		"scratchedhevc.mp4": {"-c:v libx265 -preset ultrafast -x265-params log-level=error -crf 10", scratched},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "cutfront.mp4" && name != "cut.mkv" {
				t.Skip("one of each kind will do")
			}
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, name)
			ffmpeg(t, dir, args(picture(""), c.how, name)...)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, c.damage(data), 0o600); err != nil {
				t.Fatal(err)
			}
			n, err := readAll(t, path, limits())
			if !errors.Is(err, media.ErrDamaged) {
				t.Errorf("%d frames, then %v", n, err)
			}
		})
	}
}

// TestRefused: what is no film, or none that is read here.
func TestRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("many films are made")
	}
	small, few := limits(), limits()
	small.MaxBytes, few.MaxPixels = 1000, 160*120-1
	cover := [][]string{args(picture(""), "-frames:v 1 cover.png")}
	for _, c := range []struct {
		clip
		limits Limits
		want   error
	}{
		{clip{name: "sound only", file: "a.m4a", make: args(tone("440"), "-c:a aac")}, limits(), ErrNoVideo},
		{clip{name: "cover art only", file: "c.mp4", before: cover, make: args(tone("440"), "-i cover.png -map 0 -map 1 -c:a aac -c:v png -disposition:v attached_pic")}, limits(), ErrNoVideo},
		{clip{name: "no frames", file: "0.avi", make: args(picture(""), "-t 0 -c:v mjpeg")}, limits(), ErrNoFrames},
		{clip{name: "no frames and no size", file: "0.mkv", make: args(picture(""), "-t 0 -c:v mjpeg")}, limits(), media.ErrDamaged},
		{clip{name: "too many bytes", file: "b.mp4", make: args(picture(""), x264)}, small, media.ErrTooLarge},
		{clip{name: "too many pixels", file: "p.mp4", make: args(picture(""), x264)}, few, media.ErrTooLarge},
		{clip{name: "odd codec", file: "x.avi", make: args(picture(""), "-c:v asv1")}, limits(), media.ErrUnsupported},
		{clip{name: "picture", file: "p.png", make: args(picture(""), "-frames:v 1")}, limits(), media.ErrUnsupported},
		{
			clip{
				name: "size change", file: "s.avi", make: args("-f mjpeg -i both.mjpeg -c copy"),
				before: [][]string{args(picture(""), "-c:v mjpeg small.mjpeg"), args("-f lavfi -i testsrc2=s=320x240:r=25:d=1 -c:v mjpeg big.mjpeg"), args("-i concat:small.mjpeg|big.mjpeg -c copy both.mjpeg")},
			}, limits(), ErrSizeChange,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if n, err := readAll(t, c.film(t), c.limits); !errors.Is(err, c.want) {
				t.Errorf("%d frames, then %v", n, err)
			}
		})
	}
}

// long makes a film that outlasts any test, in a form that takes no time to make: one frame of raw pictures, repeated.
func long(t testing.TB) (string, Info) {
	t.Helper()
	dir := t.TempDir()
	ffmpeg(t, dir, args("-f lavfi -i testsrc2=s=320x240:r=25:d=20 -c:v mjpeg -q:v 20 long.avi")...)
	path := filepath.Join(dir, "long.jpg") // the name says nothing
	if err := os.Rename(filepath.Join(dir, "long.avi"), path); err != nil {
		t.Fatal(err)
	}
	info, err := tools(t).Probe(t.Context(), path, limits())
	if err != nil {
		t.Fatal(err)
	}
	return path, info
}

// TestInterrupted: decoder and encoder say why they could not go on.
func TestInterrupted(t *testing.T) {
	path, info := long(t)
	const stall = 300 * time.Millisecond // from the first frame on: until then, the machine may be busy
	for name, c := range map[string]struct {
		how  func(c *child, cancel func())
		want error
	}{
		"killed":   {func(c *child, _ func()) { c.kill() }, ErrDied},
		"stalled":  {func(c *child, _ func()) { _ = syscall.Kill(c.cmd.Process.Pid, syscall.SIGSTOP) }, ErrStalled},
		"canceled": {func(_ *child, cancel func()) { cancel() }, context.Canceled},
	} {
		if testing.Short() && name != "killed" {
			continue
		}
		t.Run("decoder "+name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			d, err := tools(t).Open(ctx, path, info, Part{}, limits())
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			var f Frame
			if err := d.Next(&f); err != nil {
				t.Fatal(err)
			}
			d.pixels.stall, d.lines.stall = stall, stall
			c.how(d.child, cancel)
			for err == nil {
				err = d.Next(&f)
			}
			if !errors.Is(err, c.want) {
				t.Error(err)
			}
			if err := syscall.Kill(d.child.cmd.Process.Pid, 0); !errors.Is(err, syscall.ESRCH) {
				t.Error("the child is still there")
			}
		})
		t.Run("encoder "+name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			dir := t.TempDir()
			e, err := tools(t).Create(ctx, filepath.Join(dir, "s.mp4"), info, cheap(), limits())
			if err != nil {
				t.Fatal(err)
			}
			f := Frame{Width: info.Width, Height: info.Height, Pix: make([]byte, info.Width*info.Height*3/2)}
			if err := e.Write(&f); err != nil {
				t.Fatal(err)
			}
			e.mux.out.stall = stall
			c.how(e.child, cancel)
			for err == nil {
				f.At += time.Millisecond
				err = e.Write(&f)
			}
			if !errors.Is(err, c.want) {
				t.Error(err)
			}
			if _, again := e.Close(); !errors.Is(again, c.want) {
				t.Error(again)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
				t.Errorf("%v is left, %v", left, err)
			}
		})
	}
}

// TestEncoderRefuses: an encoder takes only frames of its film, in order.
func TestEncoderRefuses(t *testing.T) {
	if testing.Short() {
		t.Skip("many films are made")
	}
	info := Info{Width: 32, Height: 16, Rate: 25, Scale: 90000}
	frame := func() *Frame { return &Frame{Width: 32, Height: 16, At: time.Second, Pix: make([]byte, 32*16*3/2)} }
	for name, c := range map[string]struct {
		change func(*Frame)
		want   error
	}{
		"size":  {func(f *Frame) { f.Width = 16 }, ErrSizeChange},
		"bytes": {func(f *Frame) { f.Pix = f.Pix[1:] }, ErrSizeChange},
		"again": {func(*Frame) {}, ErrDifferent},
		"back":  {func(f *Frame) { f.At = 0 }, ErrDifferent},
	} {
		dir := t.TempDir()
		e, err := tools(t).Create(t.Context(), filepath.Join(dir, "s.mp4"), info, cheap(), limits())
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Write(frame()); err != nil {
			t.Fatal(err)
		}
		f := frame()
		c.change(f)
		if err := e.Write(f); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		e.Abort()
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("%s: %v is left, %v", name, left, err)
		}
	}
	for _, e := range []Encoding{{Codec: "vp9", Preset: "fast"}, {Codec: "h264", CRF: 52, Preset: "fast"}, {Codec: "h264", Preset: "x:y"}} {
		if _, err := tools(t).Create(t.Context(), filepath.Join(t.TempDir(), "s.mp4"), info, e, limits()); err == nil {
			t.Errorf("%+v was taken", e)
		}
	}
	e, err := tools(t).Create(t.Context(), filepath.Join(t.TempDir(), "s.mp4"), info, cheap(), limits())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Close(); !errors.Is(err, ErrNoFrames) {
		t.Error(err)
	}
}

// script puts a program in front of ffmpeg.
func script(t testing.TB, text string) Tools {
	t.Helper()
	real := tools(t)
	path := filepath.Join(t.TempDir(), "ffmpeg")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+strings.ReplaceAll(text, "ffmpeg", real.FFmpeg)+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return Tools{FFmpeg: path, FFprobe: real.FFprobe}
}

// TestNoSpace: a disk that is full is told from other failures. The limit on the size of a file makes the same calls
// fail at the same places, with another number.
func TestNoSpace(t *testing.T) {
	if testing.Short() {
		t.Skip("many films are made")
	}
	path, info := long(t)
	full := script(t, `trap "" XFSZ; ulimit -f 8; exec ffmpeg "$@"`)
	dir := t.TempDir()
	e, err := full.Create(t.Context(), filepath.Join(dir, "s.mp4"), info, Encoding{Codec: "h264", CRF: 1, Preset: "ultrafast"}, limits())
	if err != nil {
		t.Fatal(err)
	}
	d, err := tools(t).Open(t.Context(), path, info, Part{To: time.Second}, limits())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var f Frame
	for err == nil {
		if err = d.Next(&f); errors.Is(err, io.EOF) {
			_, err = e.Close()
		} else if err == nil {
			err = e.Write(&f)
		}
	}
	if !errors.Is(err, ErrNoSpace) {
		t.Error(err)
	}
	segments := cut(t, t.Context(), path, info, Part{To: time.Second}, Encoding{Codec: "h264", CRF: 1, Preset: "ultrafast"}, 25)
	if err := full.Join(t.Context(), filepath.Join(dir, "out.mp4"), segments, path, info, Part{To: time.Second}, cheap(), limits()); !errors.Is(err, ErrNoSpace) {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

// TestJoinInterrupted: joining is watched by what ffmpeg reads and writes.
func TestJoinInterrupted(t *testing.T) {
	if testing.Short() {
		t.Skip("many films are made")
	}
	path, info := long(t)
	part := Part{To: 400 * time.Millisecond}
	segments := cut(t, t.Context(), path, info, part, cheap(), 5)
	quick := limits()
	quick.Stall = 300 * time.Millisecond
	dir := t.TempDir()
	for text, want := range map[string]error{"exec sleep 600": ErrStalled, "kill -9 $$": ErrDied, "exit 1": ErrDied} {
		allowed := limits()
		if errors.Is(want, ErrStalled) {
			allowed = quick
		}
		if err := script(t, text).Join(t.Context(), filepath.Join(dir, "o.mp4"), segments, path, info, part, cheap(), allowed); !errors.Is(err, want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	other := slices.Clone(segments)
	other[1] = cut(t, t.Context(), path, info, Part{From: 200 * time.Millisecond, To: part.To}, Encoding{Codec: "h264", CRF: 28, Preset: "slow"}, 5)[0]
	lost := slices.Clone(segments)
	lost[0].Times = lost[0].Times[1:]
	for name, segments := range map[string][]Segment{"other settings": other, "a frame lost": lost, "out of order": {segments[1], segments[0]}} {
		if err := tools(t).Join(t.Context(), filepath.Join(dir, "o.mp4"), segments, path, info, part, cheap(), limits()); !errors.Is(err, ErrDifferent) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := tools(t).Join(t.Context(), filepath.Join(dir, "o.mp4"), nil, path, info, part, cheap(), limits()); !errors.Is(err, ErrNoFrames) {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}
