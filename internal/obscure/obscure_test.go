package obscure

import (
	"errors"
	"image"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/face"
)

func grey8(w, h int, at func(x, y int) uint8) Plane {
	p := Plane{Width: w, Height: h, SubX: 1, SubY: 1, Stride: w, Step: 1, Pix8: make([]uint8, w*h)}
	for i := range p.Pix8 {
		p.Pix8[i] = at(i%w, i/w)
	}
	return p
}

func circle(x, y, r float64) face.Region {
	return face.Region{Centre: face.Point{X: x, Y: y}, RX: r, RY: r}
}

func TestApplyRefuses(t *testing.T) {
	good := func() Plane { return grey8(8, 6, func(x, y int) uint8 { return uint8(x * y) }) }
	with := func(f func(*Plane)) Plane { p := good(); f(&p); return p }
	ok := circle(4, 3, 2)
	for name, c := range map[string]struct {
		plane  Plane
		w, h   int
		region face.Region
		style  Style
		want   error
	}{
		"style":           {good(), 8, 6, ok, "pixelate", ErrStyle},
		"no style":        {good(), 8, 6, ok, "", ErrStyle},
		"NaN centre":      {good(), 8, 6, circle(math.NaN(), 3, 2), Solid, ErrRegion},
		"infinite centre": {good(), 8, 6, circle(4, math.Inf(-1), 2), Solid, ErrRegion},
		"infinite radius": {good(), 8, 6, circle(4, 3, math.Inf(1)), Solid, ErrRegion},
		"far centre":      {good(), 8, 6, circle(4e9, 3, 2), Solid, ErrRegion},
		"negative radius": {good(), 8, 6, circle(4, 3, -2), Solid, ErrRegion},
		"zero radius":     {good(), 8, 6, face.Region{RX: 1}, Solid, ErrRegion},
		"NaN angle":       {good(), 8, 6, face.Region{RX: 1, RY: 1, Angle: math.NaN()}, Solid, ErrRegion},
		"no size":         {good(), 0, 6, ok, Solid, ErrPlane},
		"wrong width":     {good(), 9, 6, ok, Solid, ErrPlane},
		"wrong height":    {good(), 8, 7, ok, Solid, ErrPlane},
		"no samples":      {with(func(p *Plane) { p.Pix8 = nil }), 8, 6, ok, Solid, ErrPlane},
		"both depths":     {with(func(p *Plane) { p.Pix16 = make([]uint16, 48) }), 8, 6, ok, Solid, ErrPlane},
		"short slice":     {with(func(p *Plane) { p.Pix8 = p.Pix8[:47] }), 8, 6, ok, Solid, ErrPlane},
		"rows overlap":    {with(func(p *Plane) { p.Stride = 7 }), 8, 6, ok, Solid, ErrPlane},
		"no step":         {with(func(p *Plane) { p.Step = 0 }), 8, 6, ok, Solid, ErrPlane},
		"no subsampling":  {with(func(p *Plane) { p.SubX = 0 }), 8, 6, ok, Solid, ErrPlane},
		"huge stride":     {with(func(p *Plane) { p.Stride = math.MaxInt }), 8, 6, ok, Solid, ErrPlane},
	} {
		t.Run(name, func(t *testing.T) {
			planes := []Plane{good(), c.plane}
			_, err := Apply(planes, c.w, c.h, []face.Region{ok, c.region}, c.style)
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if diff := cmp.Diff(good(), planes[0]); diff != "" {
				t.Error("altered in spite of the error:", diff)
			}
		})
	}
	if _, err := Apply(nil, 8, 6, nil, Solid); !errors.Is(err, ErrPlane) {
		t.Errorf("no planes: got %v, want %v", err, ErrPlane)
	}
}

func TestParseStyle(t *testing.T) {
	for _, s := range []Style{SecureBlur, Solid} {
		if got, err := ParseStyle(string(s)); err != nil || got != s {
			t.Errorf("ParseStyle(%q) = %q, %v", s, got, err)
		}
	}
	if _, err := ParseStyle("mosaic"); !errors.Is(err, ErrStyle) {
		t.Errorf("mosaic: got %v", err)
	}
}

func TestNothingOutsideLeavesGrey(t *testing.T) {
	for _, style := range []Style{SecureBlur, Solid} {
		eight := grey8(31, 17, func(x, y int) uint8 { return uint8(x + y) })
		sixteen := Plane{Width: 16, Height: 9, SubX: 2, SubY: 2, Stride: 16, Step: 1, Pix16: make([]uint16, 16*9)}
		changed, err := Apply([]Plane{eight, sixteen}, 31, 17, []face.Region{circle(10, 10, 1e9)}, style)
		if err != nil {
			t.Fatal(err)
		}
		if want := []image.Rectangle{image.Rect(0, 0, 31, 17)}; !cmp.Equal(changed, want) {
			t.Errorf("changed %v, want %v", changed, want)
		}
		for i, v := range eight.Pix8 {
			if v != 128 {
				t.Fatalf("%s: element %d is %d, want 128", style, i, v)
			}
		}
		for i, v := range sixteen.Pix16 {
			if v != 32768 {
				t.Fatalf("%s: element %d is %d, want 32768", style, i, v)
			}
		}
	}
}

func TestSmallestPictures(t *testing.T) {
	for _, style := range []Style{SecureBlur, Solid} {
		one := grey8(1, 1, func(int, int) uint8 { return 9 })
		if _, err := Apply([]Plane{one}, 1, 1, []face.Region{circle(0.5, 0.5, 0.01)}, style); err != nil || one.Pix8[0] != 128 {
			t.Errorf("%s: 1×1 hidden gives %d, %v; want 128", style, one.Pix8[0], err)
		}
		line := grey8(40, 1, func(int, int) uint8 { return 50 })
		line.Pix8[20] = 255
		if _, err := Apply([]Plane{line}, 40, 1, []face.Region{circle(20.5, 0.5, 0.4)}, style); err != nil || line.Pix8[20] != 50 {
			t.Errorf("%s: hidden pixel of a line is %d, %v; want 50", style, line.Pix8[20], err)
		}
	}
}

func TestRegionOutsideOfThePictureChangesNothing(t *testing.T) {
	want := grey8(20, 20, func(x, y int) uint8 { return uint8(13 * x * y) })
	got := grey8(20, 20, func(x, y int) uint8 { return uint8(13 * x * y) })
	changed, err := Apply([]Plane{got}, 20, 20, []face.Region{circle(-50, 5, 20), circle(1e8, 1e8, 5)}, SecureBlur)
	if err != nil {
		t.Fatal(err)
	}
	if !changed[0].Empty() || !changed[1].Empty() {
		t.Errorf("changed %v, want none", changed)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSolidRegionsThatTouchShareOneTone(t *testing.T) {
	p := grey8(200, 100, func(x, _ int) uint8 { return uint8(x) })
	if _, err := Apply([]Plane{p}, 200, 100, []face.Region{circle(80, 50, 25), circle(120, 50, 25), circle(180, 50, 8)}, Solid); err != nil {
		t.Fatal(err)
	}
	a, b, c := p.At(70, 50), p.At(130, 50), p.At(180, 50)
	if a != b || a != p.At(100, 50) {
		t.Errorf("tones %d, %d and %d between, want one", a, b, p.At(100, 50))
	}
	if c == a {
		t.Errorf("the region apart has the same tone %d", c)
	}
}

// A star, a streak or a seam shows as a step between neighbours. Surroundings of the hardest kind,
// black against white, two overlapping regions in between: no step inside may exceed 5 of 255.
func TestSecureBlurIsCalm(t *testing.T) {
	regions := []face.Region{circle(170, 200, 80), circle(270, 220, 80)}
	p := grey8(440, 400, func(x, y int) uint8 {
		if (x/40+y/40)%2 == 0 || x > 220 {
			return 255
		}
		return 0
	})
	if _, err := Apply([]Plane{p}, 440, 400, regions, SecureBlur); err != nil {
		t.Fatal(err)
	}
	inside := insidePixels(440, 400, regions)
	for y := range 399 {
		for x := range 439 {
			i := y*440 + x
			if !inside[i] || !inside[i+1] || !inside[i+440] {
				continue
			}
			for _, o := range []uint16{p.At(x+1, y), p.At(x, y+1)} {
				if d := math.Abs(float64(p.At(x, y)) - float64(o)); d > 5 {
					t.Fatalf("step of %v at (%d, %d)", d, x, y)
				}
			}
		}
	}
}

// The feather must fade: no step at the region's edge greater than the feather explains.
func TestFeatherFades(t *testing.T) {
	p := grey8(300, 300, func(x, _ int) uint8 {
		if x < 150 {
			return 0
		}
		return 250
	})
	if _, err := Apply([]Plane{p}, 300, 300, []face.Region{circle(150, 150, 70)}, SecureBlur); err != nil {
		t.Fatal(err)
	}
	for x := 40; x < 110; x++ {
		if d := math.Abs(float64(p.At(x, 150)) - float64(p.At(x+1, 150))); d > 25 {
			t.Errorf("step of %v at x = %d", d, x)
		}
	}
}

// Each sample is written once, whatever region comes first: only rounding may differ.
func TestOrderOfRegionsDoesNotMatter(t *testing.T) {
	regions := []face.Region{circle(40, 50, 20), circle(60, 45, 25), circle(52, 70, 14)}
	at := func(x, y int) uint8 { return uint8(x*7 ^ y*13) }
	a, b := grey8(100, 100, at), grey8(100, 100, at)
	if _, err := Apply([]Plane{a}, 100, 100, regions, SecureBlur); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(regions)
	if _, err := Apply([]Plane{b}, 100, 100, regions, SecureBlur); err != nil {
		t.Fatal(err)
	}
	for i := range a.Pix8 {
		if d := int(a.Pix8[i]) - int(b.Pix8[i]); d < -1 || d > 1 {
			t.Fatalf("(%d, %d): %d or %d", i%100, i/100, a.Pix8[i], b.Pix8[i])
		}
	}
}

func FuzzApply(f *testing.F) {
	f.Add(uint16(40), uint16(30), uint8(2), uint8(1), 20.0, 15.0, 8.0, 9.0, 0.3, 25.0, 15.0, 6.0, uint64(1))
	f.Add(uint16(1), uint16(1), uint8(1), uint8(3), 0.0, 0.0, 1e9, 1e-9, -4.0, 1e8, -1e8, 1e-300, uint64(2))
	f.Add(uint16(7), uint16(99), uint8(4), uint8(1), math.NaN(), 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, math.Inf(1), uint64(3))
	f.Fuzz(func(t *testing.T, w, h uint16, sub, step uint8, x, y, rx, ry, angle, x2, y2, r2 float64, seed uint64) {
		if w > 200 || h > 200 || sub > 16 || step > 8 {
			t.Skip("large pictures only cost time")
		}
		s := max(1, int(sub))
		p := Plane{Width: (int(w) + s - 1) / s, Height: (int(h) + s - 1) / s, SubX: s, SubY: s, Step: max(1, int(step))}
		p.Stride = p.Width * p.Step
		p.Pix8 = make([]uint8, p.Stride*p.Height)
		for i := range p.Pix8 {
			p.Pix8[i] = uint8(uint64(i) * seed >> 7)
		}
		a := picture{w: int(w), h: int(h), planes: []Plane{p}}
		b := a
		b.planes = []Plane{p}
		b.planes[0].Pix8 = append([]uint8(nil), p.Pix8...)
		regions := []face.Region{{Centre: face.Point{X: x, Y: y}, RX: rx, RY: ry, Angle: angle}, circle(x2, y2, r2)}
		b.eachSample(insidePixels(b.w, b.h, regions), func(pl *Plane, x, y int, in bool) {
			if in {
				pl.Set(x, y, ^pl.At(x, y))
			}
		})
		style := []Style{SecureBlur, Solid}[seed%2]
		changed, err := Apply(a.planes, a.w, a.h, regions, style)
		if err != nil {
			return
		}
		if _, err := Apply(b.planes, b.w, b.h, regions, style); err != nil {
			t.Fatal("refused the second of two pictures that differ only inside:", err)
		}
		if len(changed) != len(regions) || !cmp.Equal(a.planes, b.planes) {
			t.Fatal("something of the inside came out")
		}
	})
}
