package raster_test

import (
	"errors"
	"image"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/mediatest"
	"github.com/consentry/consentry/internal/media/raster"
)

// kinds are the JPEGs that exist in the wild, and some that hardly do.
func kinds() map[string]jpegOptions {
	return map[string]jpegOptions{
		"4:2:0":            {quality: 85},
		"4:2:2":            {quality: 85, h: []int{2, 1, 1}, v: []int{1, 1, 1}},
		"4:4:0":            {quality: 85, h: []int{1, 1, 1}, v: []int{2, 1, 1}},
		"4:4:4":            {quality: 85, h: []int{1, 1, 1}, v: []int{1, 1, 1}},
		"4:1:1":            {quality: 85, h: []int{4, 1, 1}, v: []int{1, 1, 1}},
		"4:1:0":            {quality: 85, h: []int{4, 1, 1}, v: []int{2, 1, 1}},
		"4:4:4 as 1×2":     {quality: 85, h: []int{1, 1, 1}, v: []int{2, 2, 2}},
		"luma coarser":     {quality: 85, h: []int{1, 2, 2}, v: []int{1, 1, 1}},
		"grey":             {quality: 85, colours: raster.Grey, h: []int{1}, v: []int{1}},
		"grey, odd factor": {quality: 85, colours: raster.Grey, h: []int{2}, v: []int{2}},
		"RGB":              {quality: 85, colours: raster.RGB, h: []int{1, 1, 1}, v: []int{1, 1, 1}},
		"CMYK":             {quality: 85, colours: raster.CMYK, h: []int{1, 1, 1, 1}, v: []int{1, 1, 1, 1}},
		"YCCK":             {quality: 85, colours: raster.YCCK, h: []int{2, 1, 1, 2}, v: []int{2, 1, 1, 2}},
		"progressive":      {quality: 85, progressive: true},
		"progressive CMYK": {quality: 85, progressive: true, colours: raster.CMYK, h: []int{1, 1, 1, 1}, v: []int{1, 1, 1, 1}},
		"quality 100":      {quality: 100, h: []int{1, 1, 1}, v: []int{1, 1, 1}},
		"quality 20":       {quality: 20},
		"with profile":     {quality: 85, icc: mediatest.ICC(100_000)},
	}
}

// fill sets every sample that a rectangle touches to a value of its own.
func fill(p *raster.Picture, r image.Rectangle) {
	for c, pl := range p.Planes() {
		for y := r.Min.Y / pl.SubY; y < min(pl.Height, (r.Max.Y+pl.SubY-1)/pl.SubY); y++ {
			for x := r.Min.X / pl.SubX; x < min(pl.Width, (r.Max.X+pl.SubX-1)/pl.SubX); x++ {
				v := uint16(60 + 40*c)
				if pl.Pix16 != nil {
					v *= 257
				}
				pl.Set(x, y, v)
			}
		}
	}
}

func TestJPEGUnchangedIsBitIdentical(t *testing.T) {
	for name, o := range kinds() {
		t.Run(name, func(t *testing.T) {
			data := jpegFile(t, 67, 45, o)
			p := decode(t, data)
			out, changed, err := p.Encode(nil)
			if err != nil || changed != nil {
				t.Fatal(changed, err)
			}
			q := checkDerivative(t, p, out, nil)
			if diff := cmp.Diff(raster.Samples(decode(t, data)), raster.Samples(q)); diff != "" {
				t.Error("samples differ")
			}
			if raster.ColourSpace(p) != raster.ColourSpace(q) || q.Info().BitDepth != 8 {
				t.Errorf("colour space %d became %d", raster.ColourSpace(p), raster.ColourSpace(q))
			}
			if !slices.Equal(q.ICC(), o.icc) {
				t.Error("profile not kept")
			}
		})
	}
}

// checkDerivative proves what every derivative must be: scrubbed, and the same outside of changed.
func checkDerivative(t *testing.T, p *raster.Picture, out []byte, changed []image.Rectangle) *raster.Picture {
	t.Helper()
	if err := media.VerifyScrubbed(out); err != nil {
		t.Fatalf("derivative: %v", err)
	}
	q := decode(t, out)
	d, err := raster.Compare(p, q, changed)
	if err != nil || !d.Within {
		t.Fatalf("compare: %+v, %v", d, err)
	}
	if q.Info().Format != p.Info().OutputFormat || q.Bounds() != p.Bounds() {
		t.Errorf("%v %v became %v %v", p.Info().OutputFormat, p.Bounds(), q.Info().Format, q.Bounds())
	}
	return q
}

func TestJPEGChangedKeepsTheRestBitIdentical(t *testing.T) {
	rects := map[string]image.Rectangle{
		"inside": image.Rect(20, 9, 33, 22), "corner": image.Rect(60, 40, 67, 45), "origin": image.Rect(0, 0, 1, 1),
		"over the edge": image.Rect(50, -10, 90, 20), "all": image.Rect(0, 0, 67, 45),
	}
	for name, o := range kinds() {
		for where, r := range rects {
			t.Run(name+"/"+where, func(t *testing.T) {
				data := jpegFile(t, 67, 45, o)
				p := decode(t, data)
				fill(p, r.Intersect(p.Bounds()))
				out, changed, err := p.Encode([]image.Rectangle{r})
				if err != nil {
					t.Fatal(err)
				}
				q := checkDerivative(t, p, out, changed)
				checkFilled(t, q, r.Intersect(p.Bounds()))
				for _, c := range changed {
					if !c.In(p.Bounds()) || !r.Intersect(p.Bounds()).In(c) {
						t.Errorf("changed %v for %v", c, r)
					}
				}
			})
		}
	}
}

// checkFilled: blocks that lie in r as a whole hold exactly what was put there.
func checkFilled(t *testing.T, q *raster.Picture, r image.Rectangle) {
	t.Helper()
	for c, pl := range q.Planes() {
		for y := (r.Min.Y + 31) / 32 * 32; y+32 <= r.Max.Y; y++ {
			for x := (r.Min.X + 31) / 32 * 32; x+32 <= r.Max.X; x++ {
				got, want := int(pl.At(x/pl.SubX, y/pl.SubY)), 60+40*c
				if max(got-want, want-got) > 3 {
					t.Fatalf("channel %d at %d,%d is %d, want about %d", c, x, y, got, want)
				}
			}
		}
	}
}

// TestCompareSeesAChangeOutside is the proof that the comparison can fail.
func TestCompareSeesAChangeOutside(t *testing.T) {
	data := jpegFile(t, 64, 64, jpegOptions{quality: 90})
	r := []image.Rectangle{image.Rect(16, 16, 32, 32)}
	p := decode(t, data)
	out, changed, err := p.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	for c := range p.Planes() {
		p := decode(t, data)
		pl := p.Planes()[c]
		pl.Set(pl.Width-1, pl.Height-1, pl.At(pl.Width-1, pl.Height-1)^1)
		if d, err := raster.Compare(p, decode(t, out), changed); err != nil || d.Within || d.Max != 1 {
			t.Errorf("channel %d: %+v, %v", c, d, err)
		}
		if d, err := raster.Compare(p, decode(t, out), append(changed, image.Rect(60, 60, 64, 64))); err != nil || !d.Within {
			t.Errorf("channel %d, declared: %+v, %v", c, d, err)
		}
	}
}

// TestPaddingDoesNotKeepTheSource: samples beyond the picture's edge, which no viewer shows, come
// from the changed ones. Two pictures that differ only in a changed edge give the same bytes.
func TestPaddingDoesNotKeepTheSource(t *testing.T) {
	r := image.Rect(48, 32, 67, 45)
	var files [2][]byte
	for i := range files {
		m := func(c, x, y int) uint8 {
			if sub := []int{1, 2, 2}[c]; x*sub >= r.Min.X && y*sub >= r.Min.Y {
				return uint8(20 + 200*i)
			}
			return uint8(3*x + 2*y + 20*c)
		}
		data := must[[]byte](t)(raster.MakeJPEG(67, 45, 90, raster.YCbCr, []int{2, 1, 1}, []int{2, 1, 1}, false, nil, m))
		p := decode(t, data)
		fill(p, r)
		out, _, err := p.Encode([]image.Rectangle{r})
		if err != nil {
			t.Fatal(err)
		}
		files[i] = out
	}
	if !slices.Equal(files[0], files[1]) {
		t.Error("the derivative depends on what was changed")
	}
}

func TestTruncatedJPEGIsDamaged(t *testing.T) {
	for _, progressive := range []bool{false, true} {
		data := jpegFile(t, 160, 120, jpegOptions{quality: 85, progressive: progressive})
		for n := range 100 {
			cut := data[:len(data)*n/100]
			if _, err := raster.Decode(cut, media.DefaultLimits()); !errors.Is(err, media.ErrDamaged) {
				t.Errorf("progressive %v, %d of %d bytes: %v", progressive, len(cut), len(data), err)
			}
			if n < 20 {
				continue // before the first scan
			}
			ended := append(slices.Clone(cut), 0xff, 0xd9)
			if _, err := raster.Decode(ended, media.DefaultLimits()); err == nil && !progressive {
				t.Errorf("%d of %d bytes and an end marker: decoded", len(cut), len(data))
			}
		}
	}
}

func TestOnePixel(t *testing.T) {
	for name, o := range kinds() {
		p := decode(t, jpegFile(t, 1, 1, o))
		fill(p, p.Bounds())
		out, changed, err := p.Encode([]image.Rectangle{p.Bounds()})
		if err != nil {
			t.Fatal(name, err)
		}
		checkDerivative(t, p, out, changed)
	}
}

// TestJPEGOrientations compares each pixel of the upright picture with the stored one, in sizes that
// can be turned without loss and in sizes that cannot.
func TestJPEGOrientations(t *testing.T) {
	for _, size := range []image.Point{{64, 48}, {67, 45}, {64, 45}, {67, 48}} {
		for _, kind := range []string{"4:2:0", "4:2:2", "4:4:4", "grey", "CMYK", "progressive", "4:1:0"} {
			o := kinds()[kind]
			o.icc = mediatest.ICC(200)
			data := jpegFile(t, size.X, size.Y, o)
			for orientation := 1; orientation <= 8; orientation++ {
				t.Run(kind+size.String()+strconv.Itoa(orientation), func(t *testing.T) {
					checkOrientation(t, decode(t, data), mediatest.Orient(data, media.JPEG, orientation, size.X, size.Y), orientation)
				})
			}
		}
	}
}

func checkOrientation(t *testing.T, flat *raster.Picture, data []byte, orientation int) {
	t.Helper()
	p := decode(t, data)
	size := flat.Bounds().Max
	if i := p.Info(); i.Orientation != orientation || (orientation >= 5) != (i.Width == size.Y && size.X != size.Y) {
		t.Fatalf("%+v for %v", i, size)
	}
	a, b := flat.Planes()[0], p.Planes()[0]
	for y := range b.Height {
		for x := range b.Width {
			sx, sy := raster.Stored(orientation, x, y, size.X, size.Y)
			d := int(a.At(sx, sy)) - int(b.At(x, y))
			if max(d, -d) > 2 { // the inverse transform rounds rows and columns differently
				t.Fatalf("upright %d,%d is %d, stored %d,%d is %d", x, y, b.At(x, y), sx, sy, a.At(sx, sy))
			}
		}
	}
	fill(p, image.Rect(20, 20, 30, 30))
	out, changed, err := p.Encode([]image.Rectangle{image.Rect(20, 20, 30, 30)})
	if err != nil {
		t.Fatal(err)
	}
	q := checkDerivative(t, p, out, changed)
	if q.Info().Orientation != 1 || !slices.Equal(p.ICC(), q.ICC()) {
		t.Error("derivative is not upright or lost its profile")
	}
}

func TestPerfectTurnsKeepCoefficients(t *testing.T) {
	data := jpegFile(t, 64, 48, kinds()["4:2:0"])
	for o := 1; o <= 8; o++ {
		if p := decode(t, mediatest.Orient(data, media.JPEG, o, 64, 48)); !raster.KeepsCoefficients(p) {
			t.Errorf("orientation %d is coded afresh", o)
		}
	}
}

func TestCMYKWithoutAdobeMarkerIsRefused(t *testing.T) {
	data := jpegFile(t, 32, 32, kinds()["CMYK"])
	i := slices.Index(data, 0xee)
	data = slices.Concat(data[:i-1], data[i+15:])
	if _, err := raster.Decode(data, media.DefaultLimits()); !errors.Is(err, media.ErrUnsupported) {
		t.Errorf("%v", err)
	}
}
