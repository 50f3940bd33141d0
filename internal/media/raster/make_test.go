package raster_test

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"math"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/raster"
)

// scene is a synthetic picture: gradients, a disc, stripes and some noise, and a different colour in
// each corner, so that every orientation shows.
func scene(w, h int) *image.RGBA {
	rnd := rand.New(rand.NewPCG(1, 2))
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetRGBA(x, y, scenePixel(x, y, w, h, rnd))
		}
	}
	return m
}

func scenePixel(x, y, w, h int, rnd *rand.Rand) color.RGBA {
	fx, fy := float64(x)/float64(w), float64(y)/float64(h)
	if math.Hypot(fx-0.3, fy-0.4) < 0.12 {
		return color.RGBA{220, uint8(120 + 60*fx), 40, 255}
	}
	switch {
	case fx < 0.2 && fy < 0.2:
		return color.RGBA{250, 10, 10, 255}
	case fx > 0.8 && fy < 0.2:
		return color.RGBA{10, 250, 10, 255}
	case fx < 0.2 && fy > 0.8:
		return color.RGBA{10, 10, 250, 255}
	}
	n := rnd.IntN(24)
	return color.RGBA{uint8(40 + 150*fx + float64(n)), uint8(60 + 140*fy), uint8(90 + 60*math.Sin(20*fx) + float64(n)), 255}
}

func must[T any](tb testing.TB) func(v T, err error) T {
	tb.Helper()
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func decode(tb testing.TB, data []byte) *raster.Picture {
	tb.Helper()
	return must[*raster.Picture](tb)(raster.Decode(data, media.DefaultLimits()))
}

type jpegOptions struct {
	quality     int
	colours     int   // raster.YCbCr where 0
	h, v        []int // sampling, 2×2 of luma where nil
	progressive bool
	icc         []byte
}

// jpegFile is the scene as a JPEG of any colour space and sampling. The scene's red, green and blue
// stand in for whatever the channels mean: the codec does not care.
func jpegFile(tb testing.TB, w, h int, o jpegOptions) []byte {
	tb.Helper()
	if o.colours == 0 {
		o.colours = raster.YCbCr
	}
	if o.h == nil {
		o.h, o.v = []int{2, 1, 1}, []int{2, 1, 1}
	}
	m := scene(w, h)
	hm, vm := slices.Max(o.h), slices.Max(o.v)
	return must[[]byte](tb)(raster.MakeJPEG(w, h, o.quality, o.colours, o.h, o.v, o.progressive, o.icc, func(c, x, y int) uint8 {
		px := m.RGBAAt(min(w-1, x*hm/o.h[c]), min(h-1, y*vm/o.v[c]))
		return []uint8{px.G, px.R, px.B, 200 - px.G/2}[c]
	}))
}

// tool runs a program that reads standard input and writes standard output. The programs are those
// of the Debian packages webp and libheif-examples, which make deps installs.
func tool(tb testing.TB, in []byte, name string, args ...string) []byte {
	tb.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if testing.Short() {
			tb.Skipf("%s is not installed", name)
		}
		tb.Fatalf("%s is not installed: make deps", name)
	}
	cmd := exec.Command(path, args...)
	cmd.Stdin = bytes.NewReader(in)
	var out, text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &text
	if err := cmd.Run(); err != nil {
		tb.Fatalf("%s: %v\n%s", name, err, text.String())
	}
	return out.Bytes()
}

func pngFile(tb testing.TB, m image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func gifFile(tb testing.TB, m *image.Paletted) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{m}, Delay: []int{0}}); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func bmpFile(tb testing.TB, m image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := bmp.Encode(&b, m); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func tiffFile(tb testing.TB, m image.Image, o *tiff.Options) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := tiff.Encode(&b, m, o); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func webpFile(tb testing.TB, m image.Image, args ...string) []byte {
	tb.Helper()
	return tool(tb, pngFile(tb, m), "cwebp", append([]string{"-quiet", "-o", "-"}, append(args, "--", "-")...)...)
}

// heifFile goes through heif-enc, which writes to a file only; the name's ending picks the codec.
func heifFile(tb testing.TB, m image.Image, ending string, args ...string) []byte {
	tb.Helper()
	dir := tb.TempDir()
	in, out := filepath.Join(dir, "in.png"), filepath.Join(dir, "out"+ending)
	writeFile(tb, in, pngFile(tb, m))
	tool(tb, nil, "heif-enc", append(args, "-o", out, in)...)
	return readFile(tb, out)
}

// heifFromJPEG keeps what heif-enc takes over from a JPEG: EXIF, XMP and profile.
func heifFromJPEG(tb testing.TB, jpeg []byte) []byte {
	tb.Helper()
	dir := tb.TempDir()
	in, out := filepath.Join(dir, "in.jpg"), filepath.Join(dir, "out.heic")
	writeFile(tb, in, jpeg)
	tool(tb, nil, "heif-enc", "-o", out, in)
	return readFile(tb, out)
}
