package raster_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	gopalette "image/color/palette"
	"image/draw"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/image/tiff"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/mediatest"
	"github.com/consentry/consentry/internal/media/raster"
)

const w, h = 67, 45

func drawn[T draw.Image](m T) T {
	draw.Draw(m, m.Bounds(), scene(w, h), image.Point{}, draw.Src)
	return m
}

func withAlpha(m *image.NRGBA) *image.NRGBA {
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = uint8(i / 16) // some of it fully transparent, with colours below
	}
	return m
}

func withAlpha64(m *image.NRGBA64) *image.NRGBA64 {
	for i := 6; i < len(m.Pix); i += 8 {
		m.Pix[i] = uint8(i / 32)
	}
	return m
}

func paletted(transparent bool) *image.Paletted {
	p := slices.Clone(gopalette.WebSafe)
	if transparent {
		p[3] = color.RGBA{}
	}
	m := drawn(image.NewPaletted(image.Rect(0, 0, w, h), p))
	if transparent {
		for i := range 50 {
			m.Pix[i] = 3
		}
	}
	return m
}

// losslessFiles are pictures of the formats that lose nothing.
func losslessFiles(tb testing.TB) map[string][]byte {
	r := image.Rect(0, 0, w, h)
	two := drawn(image.NewPaletted(r, color.Palette{color.Black, color.White}))
	return map[string][]byte{
		"PNG RGB":                    pngFile(tb, scene(w, h)),
		"PNG RGBA":                   pngFile(tb, withAlpha(drawn(image.NewNRGBA(r)))),
		"PNG grey":                   pngFile(tb, drawn(image.NewGray(r))),
		"PNG grey 16":                pngFile(tb, drawn(image.NewGray16(r))),
		"PNG RGB 16":                 pngFile(tb, drawn(image.NewRGBA64(r))),
		"PNG RGBA 16":                pngFile(tb, withAlpha64(drawn(image.NewNRGBA64(r)))),
		"PNG palette":                pngFile(tb, paletted(false)),
		"PNG palette, alpha":         pngFile(tb, paletted(true)),
		"PNG two colours":            pngFile(tb, two),
		"PNG interlaced":             interlacedPNG(scene(w, h)),
		"GIF":                        gifFile(tb, paletted(false)),
		"GIF, transparent":           gifFile(tb, paletted(true)),
		"GIF two colours":            gifFile(tb, two),
		"BMP RGB":                    bmpFile(tb, scene(w, h)),
		"BMP alpha":                  bmpFile(tb, withAlpha(drawn(image.NewNRGBA(r)))),
		"BMP palette":                bmpFile(tb, paletted(false)),
		"TIFF RGB":                   tiffFile(tb, scene(w, h), nil),
		"TIFF RGB, packed":           tiffFile(tb, scene(w, h), &tiff.Options{Compression: tiff.Deflate, Predictor: true}),
		"TIFF RGBA":                  tiffFile(tb, withAlpha(drawn(image.NewNRGBA(r))), nil),
		"TIFF premultiplied":         tiffFile(tb, premultiplied(), nil),
		"TIFF RGBA 16":               tiffFile(tb, withAlpha64(drawn(image.NewNRGBA64(r))), nil),
		"TIFF RGB 16":                tiffFile(tb, drawn(image.NewRGBA64(r)), nil),
		"TIFF grey":                  tiffFile(tb, drawn(image.NewGray(r)), nil),
		"TIFF grey 16":               tiffFile(tb, drawn(image.NewGray16(r)), nil),
		"TIFF CMYK":                  cmykTIFF(tb, false),
		"TIFF CMYK 16, packed":       cmykTIFF(tb, true),
		"TIFF palette":               tiffFile(tb, paletted(false), nil),
		"WebP lossless":              webpFile(tb, scene(w, h), "-lossless"),
		"WebP lossless, alpha":       webpFile(tb, withAlpha(drawn(image.NewNRGBA(r))), "-lossless", "-exact"),
		"WebP lossless, two colours": webpFile(tb, two, "-lossless"),
	}
}

func premultiplied() *image.RGBA {
	m := scene(w, h)
	for i := 0; i < len(m.Pix)/2; i += 4 {
		m.Pix[i], m.Pix[i+1], m.Pix[i+2], m.Pix[i+3] = m.Pix[i]/2, m.Pix[i+1]/2, m.Pix[i+2]/2, 128
	}
	return m
}

// cmykTIFF has inks that make the scene.
func cmykTIFF(tb testing.TB, deep bool) []byte {
	m := scene(w, h)
	t := media.TIFFImage{Width: w, Height: h, Channels: 4, Photometric: media.TIFFCMYK, Packed: deep}
	for _, v := range m.Pix {
		v = 255 - v // of opaque alpha: no black ink
		if deep {
			t.Pix16 = append(t.Pix16, uint16(v)*257)
		} else {
			t.Pix8 = append(t.Pix8, v)
		}
	}
	return must[[]byte](tb)(t.Encode())
}

// interlacedPNG writes the seven passes by hand: Go's encoder does not interlace.
func interlacedPNG(m *image.RGBA) []byte {
	var raw []byte
	for _, p := range [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
		for y := p[1]; y < h; y += p[3] {
			raw = append(raw, 0)
			for x := p[0]; x < w; x += p[2] {
				c := m.RGBAAt(x, y)
				raw = append(raw, c.R, c.G, c.B)
			}
		}
	}
	packed := mediatest.ICCP("", raw)[2:]
	return slices.Concat([]byte("\x89PNG\r\n\x1a\n"), mediatest.PNGChunk("IHDR", []byte{0, 0, 0, w, 0, 0, 0, h, 8, 2, 0, 0, 1}),
		mediatest.PNGChunk("IDAT", packed), mediatest.PNGChunk("IEND", nil))
}

func formatOf(name string) media.Format {
	return media.Format(strings.ToLower(strings.Trim(strings.Fields(name)[0], ",")))
}

func TestLosslessUnchangedIsIdentical(t *testing.T) {
	for name, data := range losslessFiles(t) {
		t.Run(name, func(t *testing.T) {
			p := decode(t, data)
			out, changed, err := p.Encode(nil)
			if err != nil || changed != nil {
				t.Fatal(changed, err)
			}
			q := checkDerivative(t, p, out, nil)
			if diff := cmp.Diff(raster.Samples(decode(t, data)), raster.Samples(q)); diff != "" {
				t.Error("samples differ")
			}
			if p.Info().Format != formatOf(name) {
				t.Errorf("format %s", p.Info().Format)
			}
		})
	}
}

func TestLosslessChangedKeepsTheRest(t *testing.T) {
	r := image.Rect(20, 9, 41, 30)
	for name, data := range losslessFiles(t) {
		t.Run(name, func(t *testing.T) {
			p := decode(t, data)
			before := raster.Samples(decode(t, data))
			fill(p, r)
			out, changed, err := p.Encode([]image.Rectangle{r})
			if err != nil {
				t.Fatal(err)
			}
			q := checkDerivative(t, p, out, changed)
			if diff := cmp.Diff([]image.Rectangle{r}, changed); diff != "" {
				t.Error(diff)
			}
			if len(q.Planes()) == len(p.Planes()) && cmp.Equal(before, raster.Samples(q)) {
				t.Error("nothing changed")
			}
			if a, b := p.Info(), q.Info(); a.BitDepth > 4 && a.BitDepth != b.BitDepth {
				t.Errorf("%d bits became %d", a.BitDepth, b.BitDepth)
			}
		})
	}
}

// TestFillIsWritten: in formats without a palette the changed samples come back as they were set.
func TestFillIsWritten(t *testing.T) {
	r := image.Rect(20, 9, 41, 30)
	for name, data := range losslessFiles(t) {
		if strings.Contains(name, "palette") || strings.Contains(name, "colours") || strings.HasPrefix(name, "GIF") {
			continue
		}
		p := decode(t, data)
		fill(p, r)
		out, _, err := p.Encode([]image.Rectangle{r})
		if err != nil {
			t.Fatal(name, err)
		}
		if d, err := raster.Compare(p, decode(t, out), nil); err != nil || !d.Within {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
}

func TestPaletteIsKept(t *testing.T) {
	for name, data := range map[string][]byte{"PNG": pngFile(t, paletted(true)), "GIF": gifFile(t, paletted(true))} {
		p := decode(t, data)
		r := image.Rect(20, 9, 41, 30)
		for c, pl := range p.Planes() {
			for y := r.Min.Y; y < r.Max.Y; y++ {
				for x := r.Min.X; x < r.Max.X; x++ {
					pl.Set(x, y, []uint16{0x98, 0x34, 0xcb, 0xff}[c]) // near 0x99, 0x33, 0xcc
				}
			}
		}
		out, changed, err := p.Encode([]image.Rectangle{r})
		if err != nil {
			t.Fatal(name, err)
		}
		q := checkDerivative(t, p, out, changed)
		var got []uint16
		for _, pl := range q.Planes() {
			got = append(got, pl.At(25, 15))
		}
		if diff := cmp.Diff([]uint16{0x99, 0x33, 0xcc, 0xff}, got); diff != "" {
			t.Errorf("%s: nearest colour: %s", name, diff)
		}
		if a := q.Planes()[3].At(5, 0); a != 0 {
			t.Errorf("%s: transparency lost: %d", name, a)
		}
	}
}

func TestOrientationsOfOtherFormats(t *testing.T) {
	for name, data := range losslessFiles(t) {
		f := formatOf(name)
		if f == media.GIF || f == media.BMP {
			continue // cannot say so
		}
		for o := 1; o <= 8; o++ {
			t.Run(name+strconv.Itoa(o), func(t *testing.T) {
				checkOrientation(t, decode(t, data), mediatest.Orient(data, f, o, w, h), o)
			})
		}
	}
}

func TestLossyWebP(t *testing.T) {
	r := image.Rect(20, 9, 41, 30)
	for name, data := range map[string][]byte{
		"plain": webpFile(t, scene(w, h), "-q", "80"),
		"alpha": webpFile(t, withAlpha(drawn(image.NewNRGBA(image.Rect(0, 0, w, h)))), "-q", "80", "-exact"),
	} {
		t.Run(name, func(t *testing.T) {
			p := decode(t, data)
			out, _, err := p.Encode(nil)
			if err != nil {
				t.Fatal(err)
			}
			q := checkDerivative(t, p, out, nil)
			if d, err := raster.Compare(p, q, nil); err != nil || d.Max != 0 {
				t.Errorf("unchanged: %+v, %v", d, err)
			}
			fill(p, r)
			out, changed, err := p.Encode([]image.Rectangle{r})
			if err != nil {
				t.Fatal(err)
			}
			q = checkDerivative(t, p, out, changed)
			checkFilled(t, q, r)
			for o := 2; o <= 8; o++ {
				p := decode(t, mediatest.Orient(data, media.WebP, o, w, h))
				out, _, err := p.Encode(nil)
				if err != nil {
					t.Fatal(err)
				}
				checkDerivative(t, p, out, nil)
			}
		})
	}
}

// TestLossyWebPTolerance measures the worst case on which the tolerance rests: noise of full
// contrast in every channel.
func TestLossyWebPTolerance(t *testing.T) {
	for name, m := range map[string]image.Image{"noise": noise(160, 120), "scene": scene(160, 120)} {
		p := decode(t, mediatest.Orient(webpFile(t, m, "-q", "100"), media.WebP, 3, 160, 120))
		out, _, err := p.Encode(nil)
		if err != nil {
			t.Fatal(err)
		}
		d, err := raster.Compare(p, decode(t, out), nil)
		t.Logf("%s: largest %.0f, mean %.2f", name, d.Max, d.Mean)
		if err != nil || !d.Within {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
}

// noise is black and white of full contrast, in each channel by itself.
func noise(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	x := uint32(1)
	for i := range m.Pix {
		x = x*1664525 + 1013904223
		m.Pix[i] = uint8(int32(x) >> 31)
		if i%4 == 3 {
			m.Pix[i] = 255
		}
	}
	return m
}

func TestTruncatedFilesAreErrors(t *testing.T) {
	files := losslessFiles(t)
	files["WebP lossy"] = webpFile(t, scene(w, h), "-q", "80")
	for name, data := range files {
		for n := range 50 {
			cut := data[:len(data)*n/50]
			if _, err := raster.Decode(cut, media.DefaultLimits()); !errors.Is(err, media.ErrDamaged) && !errors.Is(err, media.ErrUnsupported) {
				t.Errorf("%s: %d of %d bytes: %v", name, len(cut), len(data), err)
			}
		}
	}
}

func TestBGRIsUprightAndInOrder(t *testing.T) {
	r := image.Rect(0, 0, w, h)
	files := losslessFiles(t)
	files["JPEG 4:4:4"] = pngToJPEG(t)
	files["WebP lossy"] = webpFile(t, scene(w, h), "-q", "100")
	for name, data := range files {
		if strings.Contains(name, "grey") || strings.Contains(name, "two") || strings.Contains(name, "premultiplied") {
			continue
		}
		m, err := decode(t, data).BGR()
		if err != nil {
			t.Fatal(name, err)
		}
		for _, c := range []struct {
			at   image.Point
			want [3]uint8
		}{{image.Pt(8, 4), [3]uint8{10, 10, 250}}, {image.Pt(62, 4), [3]uint8{10, 250, 10}}, {image.Pt(4, 40), [3]uint8{250, 10, 10}}} {
			got := m.GetVecbAt(c.at.Y, c.at.X)
			for i := range 3 {
				if d := int(got[i]) - int(c.want[i]); max(d, -d) > 14 {
					t.Errorf("%s at %v: %v, want %v", name, c.at, got, c.want)
				}
			}
		}
		if m.Cols() != r.Dx() || m.Rows() != r.Dy() {
			t.Errorf("%s: %d × %d", name, m.Cols(), m.Rows())
		}
		_ = m.Close()
	}
}

func pngToJPEG(t *testing.T) []byte {
	t.Helper()
	return heifToJPEG(t, scene(w, h))
}

func TestCarriersDoNotReachTheDerivative(t *testing.T) {
	secret := mediatest.Secret()
	files := map[string][]byte{
		"jpeg": jpegFile(t, w, h, jpegOptions{quality: 85}), "png": pngFile(t, scene(w, h)), "gif": gifFile(t, paletted(false)),
		"tiff": tiffFile(t, scene(w, h), nil), "webp": webpFile(t, scene(w, h)), "bmp": bmpFile(t, scene(w, h)),
	}
	for format, clean := range files {
		for name, data := range mediatest.Dirty(clean, media.Format(format), w, h, secret) {
			t.Run(format+"/"+name, func(t *testing.T) {
				if media.VerifyScrubbed(data) == nil {
					t.Fatal("the verifier does not see the carrier")
				}
				for _, changed := range [][]image.Rectangle{nil, {image.Rect(8, 8, 20, 20)}} {
					p := decode(t, data)
					out, grown, err := p.Encode(changed)
					if err != nil {
						t.Fatal(err)
					}
					checkDerivative(t, p, out, grown)
					if bytes.Contains(out, []byte(secret[:9])) {
						t.Error("the secret is in the derivative")
					}
				}
			})
		}
	}
}

func TestThumbnailIsSmallAndClean(t *testing.T) {
	for name, data := range losslessFiles(t) {
		out, err := raster.Thumbnail(decode(t, data), 32)
		if err != nil {
			t.Fatal(name, err)
		}
		if err := media.VerifyScrubbed(out); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if i := decode(t, out).Info(); i.Format != media.JPEG || i.Width != 32 || i.Height != 21 || i.ICCBytes != 0 {
			t.Errorf("%s: %+v", name, i)
		}
	}
}
