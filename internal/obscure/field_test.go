package obscure

import (
	"math/rand/v2"
	"testing"
)

func TestSum8IsTheSum(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	bright := make([]uint8, 9000)
	for i := range bright {
		bright[i] = 255
	}
	for range 300 {
		pix, step := bright, 1+rnd.IntN(3)
		if rnd.IntN(2) == 0 {
			pix, _ = noise(rnd, 3000, false)
		}
		n := rnd.IntN(len(pix)/step + 1)
		if got, want := sum8(pix, n, step), sum(pix, n, step); got != want {
			t.Fatalf("%d samples, step %d: %d, want %d", n, step, got, want)
		}
	}
}
