package film

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// tools are the programs; without them nothing here can be tested, and the set-up promises them.
func tools(t testing.TB) Tools {
	t.Helper()
	found, err := FindTools()
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func limits() Limits {
	l := DefaultLimits()
	l.Stall = 20 * time.Second
	return l
}

// ffmpeg runs ffmpeg in the folder.
func ffmpeg(t testing.TB, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command(tools(t).FFmpeg, append([]string{"-v", "error", "-nostdin", "-y"}, args...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg %q: %v\n%s", args, err, out)
	}
}

// rounds is what came out of decoding a film, cutting it into segments and joining them.
type rounds struct {
	source, out string
	info        Info
	times       []time.Duration
}

// cheap is an encoding for tests.
func cheap() Encoding { return Encoding{Codec: "h264", CRF: 28, Preset: "veryfast"} }

// roundTrip decodes the part of the film, encodes it in segments of so many frames, and joins them.
func roundTrip(t testing.TB, path string, part Part, e Encoding, each int) rounds {
	t.Helper()
	ctx, tools := t.Context(), tools(t)
	info, err := tools.Probe(ctx, path, limits())
	if err != nil {
		t.Fatal(err)
	}
	r := rounds{source: path, out: filepath.Join(t.TempDir(), "out.mp4"), info: info}
	segments := cut(t, ctx, path, info, part, e, each)
	for _, s := range segments {
		r.times = append(r.times, s.Times...)
	}
	if err := tools.Join(ctx, r.out, segments, path, info, part, e, limits()); err != nil {
		t.Fatal(err)
	}
	return r
}

// cut decodes the part of the film and encodes it in segments of so many frames.
func cut(t testing.TB, ctx context.Context, path string, info Info, part Part, e Encoding, each int) []Segment {
	t.Helper()
	tools := tools(t)
	decoder, err := tools.Open(ctx, path, info, part, limits())
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	var segments []Segment
	var encoder *Encoder
	var f Frame
	finish := func() {
		s, err := encoder.Close()
		if err != nil {
			t.Fatal(err)
		}
		segments = append(segments, s)
		encoder = nil
	}
	for {
		err := decoder.Next(&f)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if encoder == nil {
			name := filepath.Join(t.TempDir(), "segment.mp4")
			if encoder, err = tools.Create(ctx, name, info, e, limits()); err != nil {
				t.Fatal(err)
			}
			defer encoder.Abort()
		}
		if err := encoder.Write(&f); err != nil {
			t.Fatal(err)
		}
		if f.Number%each == each-1 {
			finish()
		}
	}
	if encoder != nil {
		finish()
	}
	return segments
}
