package raster_test

import (
	"bytes"
	"errors"
	"image"
	"slices"
	"testing"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/mediatest"
	"github.com/consentry/consentry/internal/media/raster"
)

// heifToJPEG is the way of a HEIF picture, which ends as a JPEG of 4:4:4.
func heifToJPEG(tb testing.TB, m image.Image) []byte {
	tb.Helper()
	out, _, err := decode(tb, heifFile(tb, m, ".avif", "-L", "-A")).Encode(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func TestHEIFAndAVIFBecomeJPEG(t *testing.T) {
	r := image.Rect(20, 9, 41, 30)
	for _, c := range []struct {
		ending string
		want   media.Format
		args   []string
	}{{".heic", media.HEIF, nil}, {".avif", media.AVIF, []string{"-A"}}} {
		t.Run(c.ending, func(t *testing.T) {
			data := heifFile(t, scene(w, h), c.ending, c.args...)
			p := decode(t, data)
			if i := p.Info(); i.Format != c.want || i.OutputFormat != media.JPEG || i.Width != w || i.Height != h {
				t.Fatalf("%+v", i)
			}
			for _, changed := range [][]image.Rectangle{nil, {r}} {
				out, grown, err := p.Encode(changed)
				if err != nil {
					t.Fatal(err)
				}
				q := checkDerivative(t, p, out, grown)
				if pl := q.Planes(); pl[1].SubX != 1 || pl[1].SubY != 1 {
					t.Error("chroma is subsampled")
				}
				fill(p, r)
			}
		})
	}
}

// TestHEIFToleranceHolds on the worst case, noise of full contrast.
func TestHEIFToleranceHolds(t *testing.T) {
	p := decode(t, heifFile(t, noise(96, 64), ".avif", "-L", "-A"))
	out, _, err := p.Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := raster.Compare(p, decode(t, out), nil)
	t.Logf("largest %.0f of %.0f, mean %.2f of %.2f", d.Max, d.Tolerance.Max, d.Mean, d.Tolerance.Mean)
	if err != nil || !d.Within {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestHEIFMetadataAndProfile(t *testing.T) {
	secret := mediatest.Secret()
	profile := mediatest.ICC(400)
	jpeg := jpegFile(t, w, h, jpegOptions{quality: 90, icc: profile})
	jpeg = mediatest.InJPEG(jpeg,
		mediatest.JPEGSegment(0xe1, slices.Concat([]byte("Exif\x00\x00"), mediatest.EXIF(6, secret))),
		mediatest.JPEGSegment(0xe1, slices.Concat([]byte("http://ns.adobe.com/xap/1.0/\x00"), mediatest.XMP(secret))))
	data := heifFromJPEG(t, jpeg)
	if !bytes.Contains(data, []byte(secret)) {
		t.Fatal("the test's own file carries no EXIF")
	}
	p := decode(t, data)
	if i := p.Info(); i.Orientation != 1 {
		t.Errorf("EXIF orientation counted: %+v", i)
	}
	out, _, err := p.Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	q := checkDerivative(t, p, out, nil)
	if bytes.Contains(out, []byte(secret)) {
		t.Error("the secret is in the derivative")
	}
	if !bytes.Equal(q.ICC(), profile) {
		t.Errorf("profile of %d bytes became %d", len(profile), len(q.ICC()))
	}
}

func TestHEIFOfSeveralPictures(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir+"/a.png", pngFile(t, scene(64, 64)))
	writeFile(t, dir+"/b.png", pngFile(t, noise(64, 64)))
	tool(t, nil, "heif-enc", "-o", dir+"/out.heic", dir+"/a.png", dir+"/b.png")
	if _, err := raster.Decode(readFile(t, dir+"/out.heic"), media.DefaultLimits()); !errors.Is(err, media.ErrMultiPage) {
		t.Errorf("%v", err)
	}
}

func TestTruncatedHEIFIsAnError(t *testing.T) {
	for _, ending := range []string{".heic", ".avif"} {
		var args []string
		if ending == ".avif" {
			args = []string{"-A"}
		}
		data := heifFile(t, scene(w, h), ending, args...)
		for n := range 40 {
			if _, err := raster.Decode(data[:len(data)*n/40], media.DefaultLimits()); err == nil {
				t.Errorf("%s: %d fortieths decoded", ending, n)
			}
		}
	}
}

func TestHEIFTransparencyIsLaidOnWhite(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 64, 64)) // black, fully transparent
	m.SetNRGBA(0, 0, m.NRGBAAt(0, 0))
	p := decode(t, heifFile(t, m, ".avif", "-A"))
	if v := p.Planes()[0].At(30, 30); v < 250 {
		t.Errorf("luma %d below full transparency, want white", v)
	}
}
