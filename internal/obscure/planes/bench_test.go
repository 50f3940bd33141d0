package planes

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/consentry/consentry/internal/obscure"
)

func BenchmarkPaint(b *testing.B) {
	apart, crowded := make([]Region, 5), make([]Region, 5)
	for i := range 5 {
		apart[i] = headAt(i, 80+360*float64(i), 300, 200, 0.1)
		crowded[i] = headAt(i, 400+220*float64(i), 300+30*float64(i), 200, 0.1)
	}
	for _, c := range []struct {
		name    string
		regions []Region
	}{{"5 heads", apart}, {"5 heads close together", crowded}, {"1 head", apart[:1]}, {"all", []Region{headAt(1, -2000, -2000, 6000, 0)}}} {
		for _, style := range []obscure.Style{obscure.SecureBlur, obscure.Solid} {
			b.Run(fmt.Sprintf("1080p %s/%s", c.name, style), func(b *testing.B) {
				f := noise(rand.New(rand.NewPCG(1, 1)), 1920, 1080, 0)
				p, err := New(1920, 1080, rate, style)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					if _, err := p.Paint(&f, c.regions); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
