package obscure

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/consentry/consentry/internal/face"
)

// planes420 makes the three planes of a 4:2:0 picture of noise.
func planes420(w, h int, seed uint64) []Plane {
	rnd := rand.New(rand.NewPCG(seed, 1))
	plane := func(w, h, sub int) Plane {
		p := Plane{Width: w, Height: h, SubX: sub, SubY: sub, Stride: w, Step: 1, Pix8: make([]uint8, w*h)}
		for i := range p.Pix8 {
			p.Pix8[i] = uint8(rnd.Uint32())
		}
		return p
	}
	cw, ch := (w+1)/2, (h+1)/2
	return []Plane{plane(w, h, 1), plane(cw, ch, 2), plane(cw, ch, 2)}
}

func headOf(x, y, size, roll float64) face.Region {
	r := face.HeadRegion(face.Face{Box: face.Box{X: x, Y: y, W: size, H: size}})
	r.Angle = roll
	return r
}

func BenchmarkApply(b *testing.B) {
	var crowd []face.Region
	for i := range 60 {
		crowd = append(crowd, headOf(float64(i%12)*490+50, float64(i/12)*780+100, 60+float64(i)*4, 0.1))
	}
	for _, c := range []struct {
		name    string
		w, h    int
		regions []face.Region
	}{
		{"face200-1920x1280", 1920, 1280, []face.Region{headOf(800, 500, 200, 0.2)}},
		{"crowd60-6000x4000", 6000, 4000, crowd},
		{"crowd60small-6000x4000", 6000, 4000, func() (r []face.Region) {
			for i := range 60 {
				r = append(r, headOf(float64(i%12)*90+50, float64(i/12)*80+100, 70, 0))
			}
			return r
		}()},
		{"everything-6000x4000", 6000, 4000, []face.Region{headOf(0, 0, 12000, 0)}},
	} {
		for _, style := range []Style{SecureBlur, Solid} {
			b.Run(fmt.Sprintf("%s/%s", c.name, style), func(b *testing.B) {
				planes := planes420(c.w, c.h, 1)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := Apply(planes, c.w, c.h, c.regions, style); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
