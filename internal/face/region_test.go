package face

import (
	"math"
	"math/rand/v2"
	"testing"
)

// turned gives landmarks whose eyes say that the head is turned by the angle.
func turned(angle float64) Landmarks {
	l := make(Landmarks, 68)
	sin, cos := math.Sincos(angle)
	for i := 36; i < 42; i++ {
		l[i] = Point{-10 * cos, -10 * sin}
	}
	for i := 42; i < 48; i++ {
		l[i] = Point{10 * cos, 10 * sin}
	}
	return l
}

func TestRoll(t *testing.T) {
	for _, angle := range []float64{0, 0.3, -0.5, 1.2, -1.5} {
		if got := turned(angle).Roll(); math.Abs(got-angle) > 1e-9 {
			t.Errorf("eyes turned by %v give %v", angle, got)
		}
	}
	if got := Landmarks(nil).Roll(); got != 0 {
		t.Errorf("without landmarks: %v", got)
	}
}

// However the head is turned, no pixel of the detected box stays bare.
func TestHeadRegionCoversTheBox(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		f := Face{
			Box:       Box{X: random.Float64() * 500, Y: random.Float64() * 500, W: 5 + random.Float64()*300, H: 5 + random.Float64()*300},
			Landmarks: turned((random.Float64() - 0.5) * 2 * math.Pi),
		}
		r := HeadRegion(f)
		for range 50 {
			p := Point{f.Box.X + random.Float64()*f.Box.W, f.Box.Y + random.Float64()*f.Box.H}
			if !r.Contains(p) {
				t.Fatalf("%v of %v is bare, turned by %v", p, f.Box, r.Angle)
			}
		}
		for _, p := range []Point{{f.Box.X, f.Box.Y}, {f.Box.X + f.Box.W, f.Box.Y + f.Box.H}} {
			if !r.Contains(Point{p.X, p.Y}) && r.level(p) > 1+1e-9 {
				t.Fatalf("the corner %v of %v is bare", p, f.Box)
			}
		}
	}
}

func TestHeadRegionIsAHead(t *testing.T) {
	r := HeadRegion(Face{Box: Box{X: 100, Y: 100, W: 100, H: 100}, Landmarks: turned(0)})
	if r.RX != 70 || r.RY != 70 {
		t.Errorf("half axes %v and %v, want 1.4 times half the box", r.RX, r.RY)
	}
	if r.Centre.X != 150 || r.Centre.Y >= 150 {
		t.Errorf("centre %v, want a little above the box's", r.Centre)
	}
	// A head lying to the right has its hair on the right.
	if lying := HeadRegion(Face{Box: Box{X: 100, Y: 100, W: 100, H: 100}, Landmarks: turned(math.Pi / 2)}); lying.Centre.X <= 150 {
		t.Errorf("centre %v, want it moved towards the hair", lying.Centre)
	}
}

func TestBoundsHoldTheRegion(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		r := Region{
			Centre: Point{random.Float64() * 100, random.Float64() * 100},
			RX:     1 + random.Float64()*50, RY: 1 + random.Float64()*50, Angle: random.Float64() * 7,
		}
		b := r.Bounds()
		for range 100 {
			p := Point{random.Float64()*400 - 150, random.Float64()*400 - 150}
			inside := p.X >= b.X && p.X <= b.X+b.W && p.Y >= b.Y && p.Y <= b.Y+b.H
			if r.Contains(p) && !inside {
				t.Fatalf("%v is in %+v and not in its bounds %+v", p, r, b)
			}
		}
	}
}

func TestIoU(t *testing.T) {
	a := Box{0, 0, 10, 10}
	for _, test := range []struct {
		b    Box
		want float64
	}{
		{a, 1},
		{Box{5, 0, 10, 10}, 1.0 / 3},
		{Box{10, 0, 10, 10}, 0},
		{Box{0, 0, 5, 5}, 0.25},
	} {
		if got := a.IoU(test.b); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("IoU with %v = %v, want %v", test.b, got, test.want)
		}
	}
}

// A head's region depends on its box and its turn only.
func TestTurnedRegion(t *testing.T) {
	for _, angle := range []float64{0, 0.4, -1.2, 3} {
		f := Face{Box: Box{X: 10, Y: 20, W: 30, H: 40}, Landmarks: turned(angle)}
		if got, want := TurnedRegion(f.Box, angle), HeadRegion(f); math.Abs(got.RX-want.RX)+math.Abs(got.Angle-want.Angle)+math.Abs(got.Centre.X-want.Centre.X) > 1e-9 {
			t.Errorf("turned by %v: %+v, want %+v", angle, got, want)
		}
	}
}
