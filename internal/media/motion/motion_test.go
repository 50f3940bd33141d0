package motion

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/track"
)

// texture is smooth noise: values at any place, the same for the same seed.
type texture struct {
	grid []float64
	side int
}

func newTexture(seed uint64) texture {
	random := rand.New(rand.NewPCG(seed, 9))
	t := texture{side: 64, grid: make([]float64, 64*64)}
	for i := range t.grid {
		t.grid[i] = random.Float64()
	}
	return t
}

func (t texture) at(x, y float64) float64 {
	sum, weight := 0.0, 0.0
	for _, period := range []float64{48, 16, 6} {
		sum += period * t.smooth(x/period, y/period)
		weight += period
	}
	return sum / weight
}

func (t texture) smooth(x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	u, v := x-fx, y-fy
	at := func(i, j float64) float64 {
		n := t.side
		return t.grid[((int(j)%n+n)%n)*n+(int(i)%n+n)%n]
	}
	top := at(fx, fy)*(1-u) + at(fx+1, fy)*u
	bottom := at(fx, fy+1)*(1-u) + at(fx+1, fy+1)*u
	return top*(1-v) + bottom*v
}

// picture of the texture, shifted by x, y and enlarged by zoom about the middle.
func (t texture) picture(w, h int, x, y, zoom float64) []byte {
	pix := make([]byte, w*h)
	for j := range h {
		for i := range w {
			u := (float64(i)-float64(w)/2-x)/zoom + 1000
			v := (float64(j)-float64(h)/2-y)/zoom + 1000
			pix[j*w+i] = byte(30 + 200*t.at(u, v))
		}
	}
	return pix
}

const testW, testH = 320, 180

func see(t *testing.T, w *Watcher, f *Follower, n int, pix []byte) (cut bool) {
	t.Helper()
	s, m, err := w.See(pix)
	if err != nil {
		t.Fatal(err)
	}
	f.Push(n, s)
	return m.Cut
}

func open(t *testing.T) (*Watcher, *Follower) {
	t.Helper()
	w, err := NewWatcher(testW, testH)
	if err != nil {
		t.Fatal(err)
	}
	f, err := NewFollower(testW, testH, 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return w, f
}

func TestFollow(t *testing.T) {
	for _, test := range []struct {
		name       string
		x, y, zoom float64
	}{
		{"still", 0, 0, 1},
		{"right", 5, 0, 1},
		{"up and left", -4, -7, 1},
		{"far", 16, 0, 1},
		{"farther than points are found", 56, 0, 1},
		{"nearer", 0, 0, 1.04},
		{"away and down", 3, 3, 0.97},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, f := open(t)
			tex := newTexture(3)
			see(t, w, f, 0, tex.picture(testW, testH, 0, 0, 1))
			see(t, w, f, 1, tex.picture(testW, testH, test.x, test.y, test.zoom))
			box := face.Box{X: 140, Y: 60, W: 40, H: 50}
			moved, err := f.Follow(0, 1, []face.Box{box})
			if err != nil {
				t.Fatal(err)
			}
			c, got := box.Centre(), moved[0].Box.Centre()
			wantX := (c.X-testW/2)*test.zoom + testW/2 + test.x
			wantY := (c.Y-testH/2)*test.zoom + testH/2 + test.y
			if math.Hypot(got.X-wantX, got.Y-wantY) > 0.7 {
				t.Errorf("centre %v, want %.1f, %.1f", got, wantX, wantY)
			}
			if zoom := moved[0].Box.W / box.W; math.Abs(zoom-test.zoom) > 0.012 {
				t.Errorf("grew by %.3f, want %.3f", zoom, test.zoom)
			}
			if moved[0].Sure < 0.7 {
				t.Errorf("sure only to %.2f", moved[0].Sure)
			}
		})
	}
}

func TestFollowSeveralAtOnce(t *testing.T) {
	w, f := open(t)
	tex := newTexture(4)
	see(t, w, f, 0, tex.picture(testW, testH, 0, 0, 1))
	see(t, w, f, 1, tex.picture(testW, testH, 6, -3, 1))
	var boxes []face.Box
	for i := range 20 {
		boxes = append(boxes, face.Box{X: 40 + float64(i%5)*45, Y: 25 + float64(i/5)*30, W: 30, H: 30})
	}
	moved, err := f.Follow(0, 1, boxes)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range moved {
		if math.Abs(m.Box.X-boxes[i].X-6) > 0.7 || math.Abs(m.Box.Y-boxes[i].Y+3) > 0.7 {
			t.Errorf("box %d went to %v from %v", i, m.Box, boxes[i])
		}
	}
	back, err := f.Follow(1, 0, []face.Box{moved[0].Box})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(back[0].Box.X-boxes[0].X) > 1 {
		t.Errorf("backwards to %v, want %v", back[0].Box, boxes[0])
	}
}

// What cannot be followed stays where it was, and nobody is sure of it.
func TestFollowWhatIsGone(t *testing.T) {
	w, f := open(t)
	see(t, w, f, 0, newTexture(1).picture(testW, testH, 0, 0, 1))
	see(t, w, f, 1, newTexture(2).picture(testW, testH, 0, 0, 1))
	see(t, w, f, 2, make([]byte, testW*testH))
	boxes := []face.Box{{X: 140, Y: 60, W: 40, H: 50}, {X: -200, Y: 0, W: 50, H: 50}, {X: 10, Y: 10, W: 1, H: 1}}
	moved, err := f.Follow(0, 1, boxes)
	if err != nil {
		t.Fatal(err)
	}
	if moved[0].Sure > 0.4 || moved[1] != (track.Moved{Box: boxes[1]}) {
		t.Errorf("%+v", moved)
	}
	moved, err = f.Follow(2, 1, boxes)
	if err != nil {
		t.Fatal(err)
	}
	if moved[0] != (track.Moved{Box: boxes[0]}) {
		t.Errorf("from a black frame: %+v", moved[0])
	}
}

func TestFollowOnlyNeighboursThatAreKept(t *testing.T) {
	w, f := open(t)
	for n := range 6 {
		see(t, w, f, n, make([]byte, testW*testH))
	}
	for _, pair := range [][2]int{{1, 2}, {0, 1}, {5, 6}, {2, 1}} {
		if _, err := f.Follow(pair[0], pair[1], nil); !errors.Is(err, ErrNotKept) {
			t.Errorf("%v: %v", pair, err)
		}
	}
	for _, pair := range [][2]int{{3, 5}, {4, 4}} {
		if _, err := f.Follow(pair[0], pair[1], nil); err == nil {
			t.Errorf("%v are taken for neighbours", pair)
		}
	}
	if moved, err := f.Follow(5, 4, nil); err != nil || len(moved) != 0 {
		t.Errorf("no boxes: %v, %v", moved, err)
	}
}

func TestWrongSizes(t *testing.T) {
	if _, err := NewWatcher(0, 10); err == nil {
		t.Error("watches nothing")
	}
	if _, err := NewFollower(10, -1, 3); err == nil {
		t.Error("follows through nothing")
	}
	w, _ := open(t)
	if _, _, err := w.See(make([]byte, testW)); err == nil {
		t.Error("takes half a frame")
	}
}

// The smallest and the oddest pictures are watched without harm.
func TestOddSizes(t *testing.T) {
	for _, size := range [][2]int{{2, 2}, {1, 1}, {2, 400}, {400, 2}, {8, 8}, {90, 160}, {3000, 20}} {
		w, err := NewWatcher(size[0], size[1])
		if err != nil {
			t.Fatal(err)
		}
		f, err := NewFollower(size[0], size[1], 2)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 3 {
			see(t, w, f, n, newTexture(uint64(n)).picture(size[0], size[1], 0, 0, 1))
		}
		if _, err := f.Follow(1, 2, []face.Box{{X: 0, Y: 0, W: float64(size[0]), H: float64(size[1])}}); err != nil {
			t.Errorf("%v: %v", size, err)
		}
		if err := errors.Join(w.Close(), f.Close()); err != nil {
			t.Error(err)
		}
	}
}

// However many frames are kept, only so many pyramids are.
func TestPyramidsAreBounded(t *testing.T) {
	const frames = mostPyramids + 10
	w, err := NewWatcher(32, 32)
	if err != nil {
		t.Fatal(err)
	}
	f, err := NewFollower(32, 32, frames)
	if err != nil {
		t.Fatal(err)
	}
	for n := range frames {
		see(t, w, f, n, newTexture(6).picture(32, 32, float64(n), 0, 1))
		if n == 0 {
			continue
		}
		if _, err := f.Follow(n-1, n, []face.Box{{X: 8, Y: 8, W: 16, H: 16}}); err != nil {
			t.Fatal(err)
		}
	}
	for n := frames - 1; n > 0; n-- {
		if _, err := f.Follow(n, n-1, []face.Box{{X: 8, Y: 8, W: 16, H: 16}}); err != nil {
			t.Fatal(err)
		}
		if len(f.reduced) > mostPyramids {
			t.Fatalf("%d pyramids", len(f.reduced))
		}
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Error(err)
	}
	if len(f.reduced)+len(f.kept) != 0 {
		t.Errorf("%d pyramids and %d copies are left", len(f.reduced), len(f.kept))
	}
}
