package obscure

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/face"
)

// picture is a random picture of a random layout.
type picture struct {
	w, h   int
	planes []Plane
}

// clone copies the samples; interleaved planes keep sharing one slice.
func (p picture) clone() picture {
	q := picture{w: p.w, h: p.h, planes: slices.Clone(p.planes)}
	if p.planes[0].Step > 1 {
		// One shared slice: cut the copies from it at the same places.
		whole8, whole16 := slices.Clone(p.planes[0].Pix8), slices.Clone(p.planes[0].Pix16)
		for i := range q.planes {
			if whole8 != nil {
				q.planes[i].Pix8 = whole8[i:]
			} else {
				q.planes[i].Pix16 = whole16[i:]
			}
		}
		return q
	}
	for i := range q.planes {
		q.planes[i].Pix8 = slices.Clone(p.planes[i].Pix8)
		q.planes[i].Pix16 = slices.Clone(p.planes[i].Pix16)
	}
	return q
}

func randomPicture(rnd *rand.Rand) picture {
	p := picture{w: 1 + rnd.IntN(90), h: 1 + rnd.IntN(90)}
	deep := rnd.IntN(2) == 0
	switch rnd.IntN(3) {
	case 0: // interleaved, with padding at the end of each row
		step := 1 + rnd.IntN(4)
		stride := p.w*step + rnd.IntN(5)
		pix8, pix16 := noise(rnd, stride*p.h, deep)
		for i := range step {
			pl := Plane{Width: p.w, Height: p.h, SubX: 1, SubY: 1, Stride: stride, Step: step}
			if deep {
				pl.Pix16 = pix16[i:]
			} else {
				pl.Pix8 = pix8[i:]
			}
			p.planes = append(p.planes, pl)
		}
	default: // planar, chroma subsampled
		subs := [][2]int{{1, 1}, {2, 1}, {2, 2}, {1, 2}, {4, 1}, {4, 4}}
		sub := subs[rnd.IntN(len(subs))]
		for _, s := range [][2]int{{1, 1}, sub, sub} {
			pl := Plane{SubX: s[0], SubY: s[1], Step: 1}
			pl.Width, pl.Height = (p.w+s[0]-1)/s[0], (p.h+s[1]-1)/s[1]
			pl.Stride = pl.Width + rnd.IntN(5)
			pl.Pix8, pl.Pix16 = noise(rnd, pl.Stride*pl.Height, deep)
			p.planes = append(p.planes, pl)
		}
	}
	return p
}

func noise(rnd *rand.Rand, n int, deep bool) (pix8 []uint8, pix16 []uint16) {
	if deep {
		pix16 = make([]uint16, n)
		for i := range pix16 {
			pix16[i] = uint16(rnd.Uint32())
		}
		return nil, pix16
	}
	pix8 = make([]uint8, n)
	for i := range pix8 {
		pix8[i] = uint8(rnd.Uint32())
	}
	return pix8, nil
}

func randomRegions(rnd *rand.Rand, w, h int) []face.Region {
	regions := make([]face.Region, rnd.IntN(5))
	for i := range regions {
		size := math.Exp(rnd.Float64()*6 - 1.5) // 0.2 to 90 px
		regions[i] = face.Region{
			Centre: face.Point{X: (rnd.Float64()*1.6 - 0.3) * float64(w), Y: (rnd.Float64()*1.6 - 0.3) * float64(h)},
			RX:     size * (0.3 + rnd.Float64()), RY: size * (0.3 + rnd.Float64()),
			Angle: (rnd.Float64() - 0.5) * 7,
		}
	}
	return regions
}

// insidePixels is the oracle: it knows nothing of runs or levels of areas, and looks at 25 points
// of each pixel through face.Region alone.
func insidePixels(w, h int, regions []face.Region) []bool {
	in := make([]bool, w*h)
	for _, r := range regions {
		near := r.Bounds()
		for i := range in {
			x, y := float64(i%w), float64(i/w)
			if near.Intersection(face.Box{X: x - 1, Y: y - 1, W: 3, H: 3}) == 0 {
				continue // only to save time: bounds hold the whole region
			}
			for k := 0; k < 25 && !in[i]; k++ {
				in[i] = r.Contains(face.Point{X: x + float64(k%5)/4, Y: y + float64(k/5)/4})
			}
		}
	}
	return in
}

// eachSample calls f for every sample, saying whether it covers a pixel that is inside.
func (p picture) eachSample(inside []bool, f func(pl *Plane, x, y int, in bool)) {
	for i := range p.planes {
		pl := &p.planes[i]
		for y := range pl.Height {
			for x := range pl.Width {
				in := false
				for py := y * pl.SubY; py < min((y+1)*pl.SubY, p.h); py++ {
					for px := x * pl.SubX; px < min((x+1)*pl.SubX, p.w); px++ {
						in = in || inside[py*p.w+px]
					}
				}
				f(pl, x, y, in)
			}
		}
	}
}

// forRandom runs a property on pictures and regions that the trial's number determines.
func forRandom(t *testing.T, trials int, property func(t *testing.T, rnd *rand.Rand, p picture, regions []face.Region, style Style)) {
	t.Helper()
	for i := range trials {
		rnd := rand.New(rand.NewPCG(uint64(i), 7))
		p := randomPicture(rnd)
		regions := randomRegions(rnd, p.w, p.h)
		style := []Style{SecureBlur, Solid}[i%2]
		t.Run(fmt.Sprint(i), func(t *testing.T) { property(t, rnd, p, regions, style) })
	}
}

func mustApply(t *testing.T, p picture, regions []face.Region, style Style) []image.Rectangle {
	t.Helper()
	changed, err := Apply(p.planes, p.w, p.h, regions, style)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

func TestResultDoesNotDependOnInside(t *testing.T) {
	forRandom(t, 300, func(t *testing.T, rnd *rand.Rand, p picture, regions []face.Region, style Style) {
		other := p.clone()
		other.eachSample(insidePixels(p.w, p.h, regions), func(pl *Plane, x, y int, in bool) {
			if in {
				pl.Set(x, y, uint16(rnd.Uint32()))
			}
		})
		a, b := mustApply(t, p, regions, style), mustApply(t, other, regions, style)
		if diff := cmp.Diff(a, b); diff != "" {
			t.Error("changed rectangles differ", diff)
		}
		for i := range p.planes {
			if !slices.Equal(p.planes[i].Pix8, other.planes[i].Pix8) || !slices.Equal(p.planes[i].Pix16, other.planes[i].Pix16) {
				t.Fatalf("plane %d differs: something of the inside came out", i)
			}
		}
	})
}

func TestNothingOutsideOfChangedRectanglesChanges(t *testing.T) {
	forRandom(t, 300, func(t *testing.T, _ *rand.Rand, p picture, regions []face.Region, style Style) {
		before := p.clone()
		changed := mustApply(t, p, regions, style)
		bounds := image.Rect(0, 0, p.w, p.h)
		touched := make([]bool, p.w*p.h)
		for i, r := range changed {
			if !r.In(bounds) {
				t.Fatalf("rectangle %d is %v, outside of the picture", i, r)
			}
			for y := r.Min.Y; y < r.Max.Y; y++ {
				for x := r.Min.X; x < r.Max.X; x++ {
					touched[y*p.w+x] = true
				}
			}
		}
		i := 0
		var want []uint16
		before.eachSample(touched, func(pl *Plane, x, y int, _ bool) { want = append(want, pl.At(x, y)) })
		p.eachSample(touched, func(pl *Plane, x, y int, in bool) {
			if !in && pl.At(x, y) != want[i] {
				t.Fatalf("sample (%d, %d) changed outside of %v", x, y, changed)
			}
			i++
		})
		checkPadding(t, before, p)
	})
}

// checkPadding looks at the elements between the end of a row and the start of the next.
func checkPadding(t *testing.T, before, after picture) {
	t.Helper()
	pl := before.planes[0]
	for y := range pl.Height - 1 {
		for i := y*pl.Stride + pl.Width*pl.Step; i < (y+1)*pl.Stride; i++ {
			if pl.Pix8 != nil && pl.Pix8[i] != after.planes[0].Pix8[i] || pl.Pix16 != nil && pl.Pix16[i] != after.planes[0].Pix16[i] {
				t.Fatalf("padding element %d of row %d changed", i, y)
			}
		}
	}
}

// A feather that reached inside, or a fill that used the inside, would leave a trace of the
// inside's bright samples over flat, dark surroundings.
func TestFlatSurroundingsGiveFlatInside(t *testing.T) {
	forRandom(t, 200, func(t *testing.T, rnd *rand.Rand, p picture, regions []face.Region, style Style) {
		const dark = 37
		inside := insidePixels(p.w, p.h, regions)
		everyIn := true
		p.eachSample(inside, func(pl *Plane, x, y int, in bool) {
			everyIn = everyIn && in
			if !in {
				pl.Set(x, y, dark)
			} else {
				pl.Set(x, y, uint16(200+rnd.IntN(56)))
			}
		})
		mustApply(t, p, regions, style)
		p.eachSample(inside, func(pl *Plane, x, y int, _ bool) {
			got := pl.At(x, y)
			if got != dark && got != uint16(grey(pl).v[0]) {
				t.Fatalf("sample (%d, %d) of a plane subsampled by %d×%d is %d", x, y, pl.SubX, pl.SubY, got)
			}
		})
	})
}

// The fill must neither be brighter than the brightest nor darker than the darkest outside sample.
func TestFillStaysWithinTheRangeOfItsSurroundings(t *testing.T) {
	forRandom(t, 100, func(t *testing.T, _ *rand.Rand, p picture, regions []face.Region, style Style) {
		inside := insidePixels(p.w, p.h, regions)
		p.eachSample(inside, func(pl *Plane, x, y int, in bool) {
			v := pl.At(x, y)%100 + 100
			if in {
				v = 1
			}
			pl.Set(x, y, v)
		})
		mustApply(t, p, regions, style)
		p.eachSample(inside, func(pl *Plane, x, y int, _ bool) {
			got := pl.At(x, y)
			if (got < 100 || got > 199) && got != uint16(grey(pl).v[0]) {
				t.Fatalf("sample (%d, %d) is %d, surroundings are 100 to 199", x, y, got)
			}
		})
	})
}

func TestSameBytesOnEachRun(t *testing.T) {
	forRandom(t, 20, func(t *testing.T, _ *rand.Rand, p picture, regions []face.Region, style Style) {
		copies := make(chan picture, 4)
		for range cap(copies) {
			go func(q picture) {
				_, _ = Apply(q.planes, q.w, q.h, regions, style) // an error shows below as a difference
				copies <- q
			}(p.clone())
		}
		mustApply(t, p, regions, style)
		for range cap(copies) {
			if diff := cmp.Diff(p.planes, (<-copies).planes); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

// runs against the definition: every sample whose area holds a point of the region is inside.
func TestRunsHoldEverySampleThatTouches(t *testing.T) {
	forRandom(t, 200, func(t *testing.T, rnd *rand.Rand, p picture, regions []face.Region, _ Style) {
		for pi := range p.planes {
			pl := &p.planes[pi]
			for _, r := range regions {
				s := makeShape(r, pl)
				for range 300 {
					pt := face.Point{X: r.Centre.X + (rnd.Float64()*2-1)*2*r.RX, Y: r.Centre.Y + (rnd.Float64()*2-1)*2*r.RY}
					x, y := int(math.Floor(pt.X/s.subX)), int(math.Floor(pt.Y/s.subY))
					if x < 0 || y < 0 || x >= pl.Width || y >= pl.Height || !r.Contains(pt) {
						continue
					}
					if in := s.innerRun(y); !in.has(x) {
						t.Fatalf("%+v touches sample (%d, %d), run is %v", r, x, y, in)
					}
					if out := s.outerRun(y); !out.has(x) {
						t.Fatalf("outer run %v leaves out (%d, %d)", out, x, y)
					}
				}
			}
		}
	})
}
