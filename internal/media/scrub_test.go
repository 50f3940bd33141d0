package media_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"slices"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/mediatest"
)

const sceneW, sceneH = 37, 23

func scene() *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, sceneW, sceneH))
	for y := range sceneH {
		for x := range sceneW {
			m.SetRGBA(x, y, color.RGBA{uint8(6 * x), uint8(9 * y), uint8(x * y), 255})
		}
	}
	return m
}

func paletted() *image.Paletted {
	m := image.NewPaletted(image.Rect(0, 0, sceneW, sceneH), palette.WebSafe)
	for i := range m.Pix {
		m.Pix[i] = uint8(i % 200)
	}
	return m
}

// losslessWebP is a VP8L picture of one pixel, RFC 9649 §3: five prefix codes of one symbol each.
func losslessWebP() []byte {
	bits := []byte{0x2f, 0, 0, 0, 0, 0x88, 0x88, 0x08, 0}
	return mediatest.InWebP(slices.Concat([]byte("RIFF\x00\x00\x00\x00WEBP"), mediatest.RIFFChunk("VP8L", bits)), 1, 1, 0)
}

// files are clean or nearly clean pictures of every format that is stripped.
func files(tb testing.TB) map[media.Format][]byte {
	tb.Helper()
	out := map[media.Format][]byte{}
	encode := func(f media.Format, run func(b *bytes.Buffer) error) {
		var b bytes.Buffer
		if err := run(&b); err != nil {
			tb.Fatal(err)
		}
		out[f] = b.Bytes()
	}
	encode(media.JPEG, func(b *bytes.Buffer) error { return jpeg.Encode(b, scene(), nil) })
	encode(media.PNG, func(b *bytes.Buffer) error { return png.Encode(b, scene()) })
	encode(media.TIFF, func(b *bytes.Buffer) error { return tiff.Encode(b, scene(), nil) })
	encode(media.BMP, func(b *bytes.Buffer) error { return bmp.Encode(b, scene()) })
	encode(media.GIF, func(b *bytes.Buffer) error { return gif.Encode(b, paletted(), nil) })
	out[media.WebP] = losslessWebP()
	return out
}

func size(f media.Format) (w, h int) {
	if f == media.WebP {
		return 1, 1
	}
	return sceneW, sceneH
}

func TestStripTakesOutEveryCarrier(t *testing.T) {
	secret := mediatest.Secret()
	for f, clean := range files(t) {
		w, h := size(f)
		want, err := media.Strip(clean, f)
		if err != nil {
			t.Fatal(f, err)
		}
		if err := media.VerifyScrubbed(want); err != nil {
			t.Errorf("%s: clean file refused: %v", f, err)
		}
		for name, data := range mediatest.Dirty(clean, f, w, h, secret) {
			t.Run(string(f)+"/"+name, func(t *testing.T) { checkCarrier(t, data, want, f, secret) })
		}
	}
}

func checkCarrier(t *testing.T, data, want []byte, f media.Format, secret string) {
	if !bytes.Contains(data, []byte(secret[:9])) && !bytes.Contains(data, []byte("zTXt")) {
		t.Fatal("the test's own file does not carry the secret")
	}
	if err := media.VerifyScrubbed(data); !errors.Is(err, media.ErrNotScrubbed) && !errors.Is(err, media.ErrDamaged) {
		t.Errorf("carrier passes the verifier: %v", err)
	}
	got, err := media.Strip(data, f)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(got, []byte(secret[:9])) {
		t.Error("the secret is still there")
	}
	if err := media.VerifyScrubbed(got); err != nil {
		t.Errorf("stripped file refused: %v", err)
	}
	if bytes.Contains(data, []byte("iCCP")) || bytes.Contains(data, []byte("JFIF")) {
		return // keeps its profile, or a plain JFIF segment
	}
	if !bytes.Equal(got, want) {
		t.Error("stripping gives other bytes than stripping the clean file")
	}
}

func TestICCSurvivesByteForByte(t *testing.T) {
	profile := mediatest.ICC(150_000) // three JPEG segments
	for f, clean := range files(t) {
		w, h := size(f)
		var data []byte
		switch f {
		case media.JPEG:
			var segments [][]byte
			for i := range 3 {
				part := profile[i*60_000 : min(len(profile), (i+1)*60_000)]
				segments = append(segments, mediatest.JPEGSegment(0xe2, slices.Concat([]byte("ICC_PROFILE\x00"), []byte{byte(i + 1), 3}, part)))
			}
			slices.Reverse(segments) // any order is allowed
			data = mediatest.InJPEG(clean, segments...)
		case media.PNG:
			data = mediatest.InPNG(clean, mediatest.PNGChunk("iCCP", mediatest.ICCP("Display P3", profile)))
		case media.WebP:
			data = mediatest.InWebP(clean, w, h, 32, mediatest.RIFFChunk("ICCP", profile))
		case media.TIFF:
			data = mediatest.InTIFF(clean, nil, mediatest.TIFFField{Tag: 34675, Kind: 7, Count: uint32(len(profile)), Value: profile})
		default:
			continue
		}
		out, err := media.Strip(data, f)
		if err != nil {
			t.Fatal(f, err)
		}
		h2, err := media.Parse(out, media.DefaultLimits())
		if err != nil || !bytes.Equal(h2.ICC, profile) {
			t.Errorf("%s: profile of %d bytes came out as %d: %v", f, len(profile), len(h2.ICC), err)
		}
		if err := media.VerifyScrubbed(out); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
}

func TestVerifyRefusesFalseProfiles(t *testing.T) {
	bad := mediatest.ICC(300)
	copy(bad[36:], "text")
	clean := files(t)
	for f, data := range map[media.Format][]byte{
		media.JPEG: mediatest.InJPEG(clean[media.JPEG], mediatest.JPEGSegment(0xe2, slices.Concat([]byte("ICC_PROFILE\x00\x01\x01"), bad))),
		media.PNG:  mediatest.InPNG(clean[media.PNG], mediatest.PNGChunk("iCCP", mediatest.ICCP("icc", bad))),
		media.WebP: mediatest.InWebP(clean[media.WebP], 1, 1, 32, mediatest.RIFFChunk("ICCP", bad)),
		media.TIFF: mediatest.InTIFF(clean[media.TIFF], nil, mediatest.TIFFField{Tag: 34675, Kind: 7, Count: 300, Value: bad}),
	} {
		if err := media.VerifyScrubbed(data); !errors.Is(err, media.ErrNotScrubbed) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

// TestVerifySeesSlack puts bytes where a decoder does not look.
func TestVerifySeesSlack(t *testing.T) {
	clean := files(t)
	pngClean := must(t)(media.Strip(clean[media.PNG], media.PNG))
	idat := bytes.Index(pngClean, []byte("IDAT"))
	n := int(binary.BigEndian.Uint32(pngClean[idat-4:]))
	body := pngClean[idat+4 : idat+4+n]
	slack := slices.Concat(pngClean[:idat-4], mediatest.PNGChunk("IDAT", append(slices.Clone(body), "secret"...)), pngClean[idat+4+n+4:])
	bmpPadded := slices.Clone(must(t)(media.Strip(clean[media.BMP], media.BMP)))
	bmpPadded[54+3*sceneW] = 'x' // 37 pixels are 111 bytes, so a row has one byte of padding
	jpegFill := slices.Concat(clean[media.JPEG][:2], []byte{0xff}, clean[media.JPEG][2:])
	for name, data := range map[string][]byte{"PNG stream": slack, "BMP row": bmpPadded, "JPEG fill bytes": jpegFill} {
		if err := media.VerifyScrubbed(data); !errors.Is(err, media.ErrNotScrubbed) && !errors.Is(err, media.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func must(tb testing.TB) func([]byte, error) []byte {
	return func(b []byte, err error) []byte {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return b
	}
}

func TestStripRefusesToLoseTheOrientation(t *testing.T) {
	for f, clean := range files(t) {
		w, h := size(f)
		data := mediatest.Orient(clean, f, 6, w, h)
		if bytes.Equal(data, clean) {
			continue
		}
		if _, err := media.Strip(data, f); !errors.Is(err, media.ErrNotUpright) {
			t.Errorf("%s: %v", f, err)
		}
	}
}
