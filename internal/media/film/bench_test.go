package film

import (
	"errors"
	"io"
	"path/filepath"
	"testing"
)

// hd makes two seconds of 1080p.
func hd(b *testing.B) (string, Info) {
	b.Helper()
	dir := b.TempDir()
	ffmpeg(b, dir, args("-f lavfi -i testsrc2=s=1920x1080:r=30:d=2 -c:v libx264 -preset veryfast hd.mp4")...)
	path := filepath.Join(dir, "hd.mp4")
	info, err := tools(b).Probe(b.Context(), path, limits())
	if err != nil {
		b.Fatal(err)
	}
	return path, info
}

// through decodes the film once and gives each frame to use.
func through(b *testing.B, path string, info Info, use func(*Frame) error) (frames int) {
	b.Helper()
	d, err := tools(b).Open(b.Context(), path, info, Part{}, limits())
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	var f Frame
	for {
		err := d.Next(&f)
		if errors.Is(err, io.EOF) {
			return frames
		}
		if err == nil {
			err = use(&f)
		}
		if err != nil {
			b.Fatal(err)
		}
		frames++
	}
}

// BenchmarkDecode is how many frames of 1080p come out a second.
func BenchmarkDecode(b *testing.B) {
	path, info := hd(b)
	frames := 0
	for b.Loop() {
		frames += through(b, path, info, func(*Frame) error { return nil })
	}
	b.ReportMetric(float64(frames)/b.Elapsed().Seconds(), "frames/s")
}

// BenchmarkDecodeEncode is how many go through decoder and encoder.
func BenchmarkDecodeEncode(b *testing.B) {
	path, info := hd(b)
	frames := 0
	for b.Loop() {
		e, err := tools(b).Create(b.Context(), filepath.Join(b.TempDir(), "s.mp4"), info, DefaultEncoding(), limits())
		if err != nil {
			b.Fatal(err)
		}
		frames += through(b, path, info, e.Write)
		if _, err := e.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(frames)/b.Elapsed().Seconds(), "frames/s")
}

// BenchmarkFFmpeg is the same by ffmpeg alone, in one process.
func BenchmarkFFmpeg(b *testing.B) {
	path, _ := hd(b)
	frames := 0
	for b.Loop() {
		ffmpeg(b, b.TempDir(), "-i", path, "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "out.mp4")
		frames += 60
	}
	b.ReportMetric(float64(frames)/b.Elapsed().Seconds(), "frames/s")
}
