package raster_test

import (
	"errors"
	"image"
	"testing"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/mediatest"
	"github.com/consentry/consentry/internal/media/raster"
)

// FuzzDecode: whatever decodes can be encoded, passes the verifier and compares as the same.
// Seeds are made without tools, so that the target runs everywhere.
func FuzzDecode(f *testing.F) {
	files := map[media.Format][]byte{
		media.JPEG: jpegFile(f, 40, 24, jpegOptions{quality: 80}), media.PNG: pngFile(f, scene(40, 24)),
		media.GIF: gifFile(f, paletted(true)), media.TIFF: tiffFile(f, scene(40, 24), nil), media.BMP: bmpFile(f, scene(40, 24)),
	}
	for format, data := range files {
		f.Add(data)
		f.Add(mediatest.Orient(data, format, 6, 40, 24))
	}
	for _, o := range kinds() {
		f.Add(jpegFile(f, 33, 17, o))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		limits := media.Limits{MaxBytes: 1 << 20, MaxPixels: 1 << 18}
		p, err := raster.Decode(data, limits)
		if err != nil {
			return
		}
		changed := []image.Rectangle{image.Rect(3, 3, 9, 9)}
		if len(data)%2 == 0 {
			changed = nil
		}
		out, grown, err := p.Encode(changed)
		if errors.Is(err, media.ErrDamaged) {
			return // coefficients that no sound encoder writes
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := media.VerifyScrubbed(out); err != nil {
			t.Fatal(err)
		}
		q, err := raster.Decode(out, limits)
		if err != nil {
			t.Fatal(err)
		}
		if d, err := raster.Compare(p, q, grown); err != nil || !d.Within {
			t.Fatalf("%+v, %v", d, err)
		}
	})
}
