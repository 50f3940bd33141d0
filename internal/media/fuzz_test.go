package media_test

import (
	"bytes"
	"testing"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/mediatest"
)

func seed(f *testing.F) {
	for format, clean := range files(f) {
		w, h := size(format)
		f.Add(clean)
		for _, d := range mediatest.Dirty(clean, format, w, h, mediatest.Secret()) {
			f.Add(d)
		}
		f.Add(mediatest.Orient(clean, format, 6, w, h))
	}
	f.Add(heif(mediatest.ICC(200), ispe(64, 48)))
}

// small keeps the fuzzer from spending its time on large pictures.
func small() media.Limits { return media.Limits{MaxBytes: 1 << 20, MaxPixels: 1 << 20} }

func FuzzSniff(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if format, err := media.Sniff(data); (err == nil) == (format == "") {
			t.Fatalf("%q, %v", format, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := media.Parse(data, small())
		if err == nil && (h.Width < 1 || h.Height < 1 || h.Orientation < 1 || h.Orientation > 8) {
			t.Fatalf("%+v", h)
		}
	})
}

// FuzzStrip: what Strip returns passes the verifier, and stripping again changes nothing.
func FuzzStrip(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := media.Parse(data, small())
		if err != nil {
			return
		}
		out, err := media.Strip(data, h.Format)
		if err != nil {
			return
		}
		again, err := media.Strip(out, h.Format)
		if err != nil || !bytes.Equal(out, again) {
			t.Fatalf("stripping twice: %v", err)
		}
	})
}

func FuzzVerifyScrubbed(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := media.Parse(data, small()); err != nil {
			return // the verifier's callers have checked the limits
		}
		if media.VerifyScrubbed(data) == nil && bytes.Contains(data, []byte("Exif\x00\x00II*\x00")) {
			t.Fatal("EXIF in a file that passes")
		}
	})
}
