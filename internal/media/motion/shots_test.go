package motion

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consentry/consentry/internal/face"
)

// scene gives the picture of each frame.
type scene func(n int) []byte

// brighter is pix times gain plus offset.
func brighter(pix []byte, gain, offset float64) []byte {
	for i, p := range pix {
		pix[i] = byte(min(255, max(0, float64(p)*gain+offset)))
	}
	return pix
}

func mixed(a, b []byte, w float64) []byte {
	for i := range a {
		a[i] = byte(float64(a[i])*(1-w) + float64(b[i])*w)
	}
	return a
}

func noisy(pix []byte, sigma float64, seed uint64) []byte {
	random := rand.New(rand.NewPCG(seed, 1))
	for i, p := range pix {
		pix[i] = byte(min(255, max(0, float64(p)+sigma*random.NormFloat64())))
	}
	return pix
}

func TestShots(t *testing.T) {
	a, b := newTexture(11), newTexture(12)
	still := func(x texture) []byte { return x.picture(testW, testH, 0, 0, 1) }
	panned := func(x texture, by float64) []byte { return x.picture(testW, testH, by, 0, 1) }
	for _, test := range []struct {
		name string
		cuts []int
		scene
	}{
		{"nothing moves", []int{0}, func(int) []byte { return still(a) }},
		{"a hard cut", []int{0, 6}, func(n int) []byte {
			if n < 6 {
				return still(a)
			}
			return still(b)
		}},
		{"a hard cut between fast pans", []int{0, 6}, func(n int) []byte {
			if n < 6 {
				return panned(a, 20*float64(n))
			}
			return panned(b, -20*float64(n))
		}},
		{"a whip pan", []int{0}, func(n int) []byte { return panned(a, 30*float64(n)) }},
		{"a zoom", []int{0}, func(n int) []byte { return a.picture(testW, testH, 0, 0, 1+0.05*float64(n)) }},
		{"a flash", []int{0}, func(n int) []byte {
			if n == 5 || n == 8 {
				return brighter(still(a), 1.3, 50)
			}
			return still(a)
		}},
		{"a flash that shows nothing but white", []int{0}, func(n int) []byte {
			if n == 5 {
				return brighter(still(a), 3, 255)
			}
			return still(a)
		}},
		{"a flash on the first frame, and another that lasts", []int{0}, func(n int) []byte {
			switch n {
			case 0, 5:
				return brighter(still(a), 0.8, 190)
			case 6:
				return brighter(still(a), 0.8, 110)
			}
			return still(a)
		}},
		{"a cut into a bright scene", []int{0, 6}, func(n int) []byte {
			if n < 6 {
				return still(a)
			}
			return brighter(still(b), 1.7, 0)
		}},
		{"a cut into a scene that is mostly white, which might be a flash", []int{0, 10}, func(n int) []byte {
			if n < 5 {
				return still(a)
			}
			return brighter(still(b), 2, 10)
		}},
		{"noise in the dark", []int{0}, func(n int) []byte { return noisy(brighter(still(a), 0.2, 5), 8, uint64(n)) }},
		{"a slow dissolve", []int{0}, func(n int) []byte { return mixed(still(a), still(b), float64(n)/11) }},
		{"through black into another scene", []int{0, 8}, func(n int) []byte {
			switch {
			case n < 5:
				return still(a)
			case n < 8:
				return make([]byte, testW*testH)
			default:
				return still(b)
			}
		}},
		{"through black and back", []int{0}, func(n int) []byte {
			if n >= 5 && n < 8 {
				return make([]byte, testW*testH)
			}
			return still(a)
		}},
		{"cuts one frame after the other", []int{0, 4, 5, 6}, func(n int) []byte {
			if n < 4 || n == 5 {
				return still(a)
			}
			return still(b)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, f := open(t)
			var cuts []int
			for n := range 12 {
				if see(t, w, f, n, test.scene(n)) {
					cuts = append(cuts, n)
				}
			}
			if !slices.Equal(cuts, test.cuts) {
				t.Errorf("cuts at %v, want %v", cuts, test.cuts)
			}
		})
	}
}

// What is lit for single frames of a dark stage is searched on each of them: the first begins a shot, the others count as fast.
func TestStrobeOnBlack(t *testing.T) {
	lit, dark := newTexture(11).picture(testW, testH, 0, 0, 1), make([]byte, testW*testH)
	w, err := NewWatcher(testW, testH)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for n := range 40 {
		y := dark
		if n%12 == 7 {
			y = lit
		}
		small, m, err := w.See(y)
		if err != nil {
			t.Fatal(err)
		}
		small.Close()
		if n%12 == 7 && !m.Cut && m.Speed < fastUnknown {
			t.Errorf("frame %d is lit, and nothing says so: %+v", n, m)
		}
		if m.Cut != (n == 0 || n == 7) {
			t.Errorf("frame %d: cut %v", n, m.Cut)
		}
	}
}

func TestSpeed(t *testing.T) {
	a := newTexture(21)
	for _, step := range []float64{0, 4, 16, 32} {
		w, f := open(t)
		see(t, w, f, 0, a.picture(testW, testH, 0, 0, 1))
		s, m, err := w.See(a.picture(testW, testH, step, -step/4, 1))
		if err != nil {
			t.Fatal(err)
		}
		f.Push(1, s)
		want := face.Point{X: step / testW, Y: -step / 4 / testW}
		if math.Abs(m.Speed-math.Hypot(want.X, want.Y)) > 0.004 {
			t.Errorf("%v pixels of %v: speed %.4f", step, testW, m.Speed)
		}
		if math.Abs(m.Pan.X-want.X) > 0.003 || math.Abs(m.Pan.Y-want.Y) > 0.003 {
			t.Errorf("%v pixels of %v: pan %.4f, want %.4f", step, testW, m.Pan, want)
		}
	}
}

// Something small that flies through the picture counts as well; the same at a walk does not.
func TestSpeedOfSomethingSmall(t *testing.T) {
	a, b := newTexture(33), newTexture(34)
	ball := func(x int) []byte {
		pix, moving := a.picture(testW, testH, 0, 0, 1), brighter(b.picture(testW, testH, float64(x), 0, 1), 0.5, 120)
		for y := 80; y < 110; y++ {
			copy(pix[y*testW+x:y*testW+x+25], moving[y*testW+x:y*testW+x+25])
		}
		return pix
	}
	for _, step := range []int{2, 30} {
		w, f := open(t)
		see(t, w, f, 0, ball(100))
		s, m, err := w.See(ball(100 + step))
		if err != nil {
			t.Fatal(err)
		}
		f.Push(1, s)
		if fast := m.Speed >= 0.02; fast != (step == 30) || m.Cut {
			t.Errorf("%d pixels: speed %.3f, cut %v", step, m.Speed, m.Cut)
		}
	}
}

// A large part that moves fast counts, though the rest stands still.
func TestSpeedOfAPart(t *testing.T) {
	a, b := newTexture(31), newTexture(32)
	halves := func(by float64) []byte {
		pix, moving := a.picture(testW, testH, 0, 0, 1), b.picture(testW, testH, by, 0, 1)
		for y := range testH {
			copy(pix[y*testW+testW/2:(y+1)*testW], moving[y*testW+testW/2:(y+1)*testW])
		}
		return pix
	}
	w, f := open(t)
	see(t, w, f, 0, halves(0))
	s, m, err := w.See(halves(16))
	if err != nil {
		t.Fatal(err)
	}
	f.Push(1, s)
	if m.Speed < 0.03 {
		t.Errorf("speed %.3f, want 0.05", m.Speed)
	}
}
