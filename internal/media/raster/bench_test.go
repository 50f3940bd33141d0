package raster_test

import (
	"image"
	"os"
	"testing"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/raster"
)

// benchFile is a photograph from CONSENTRY_BENCH, else a synthetic JPEG of 1920 × 1280.
func benchFile(b *testing.B) []byte {
	b.Helper()
	if name := os.Getenv("CONSENTRY_BENCH"); name != "" {
		data, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		return data
	}
	return jpegFile(b, 1920, 1280, jpegOptions{quality: 90})
}

func BenchmarkDecode(b *testing.B) {
	data := benchFile(b)
	for b.Loop() {
		decode(b, data)
	}
}

func BenchmarkBGR(b *testing.B) {
	p := decode(b, benchFile(b))
	for b.Loop() {
		m, err := p.BGR()
		if err != nil {
			b.Fatal(err)
		}
		_ = m.Close()
	}
}

func BenchmarkEncode(b *testing.B) {
	p := decode(b, benchFile(b))
	r := []image.Rectangle{image.Rect(400, 300, 640, 600)}
	for b.Loop() {
		if _, _, err := p.Encode(r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWhole is decode, encode, decode of the derivative, and compare.
func BenchmarkWhole(b *testing.B) {
	data := benchFile(b)
	r := []image.Rectangle{image.Rect(400, 300, 640, 600)}
	for b.Loop() {
		p := decode(b, data)
		out, grown, err := p.Encode(r)
		if err != nil {
			b.Fatal(err)
		}
		d, err := raster.Compare(p, decode(b, out), grown)
		if err != nil || !d.Within {
			b.Fatal(d, err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	out, _, err := decode(b, benchFile(b)).Encode(nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := media.VerifyScrubbed(out); err != nil {
			b.Fatal(err)
		}
	}
}
