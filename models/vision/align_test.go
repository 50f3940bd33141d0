package vision

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"

	goface "github.com/Kagami/go-face"
	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
)

func near(a, b face.Point, by float64) bool { return math.Hypot(a.X-b.X, a.Y-b.Y) <= by }

func TestBestSimilarityRecoversATurn(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		want := similarity{r.NormFloat64(), r.NormFloat64(), 100 * r.NormFloat64(), 100 * r.NormFloat64()}
		var from, to []face.Point
		for range 5 {
			p := face.Point{X: 100 * r.Float64(), Y: 100 * r.Float64()}
			from, to = append(from, p), append(to, want.apply(p))
		}
		got, back := bestSimilarity(from, to), want.inverse()
		for i, p := range from {
			if !near(got.apply(p), to[i], 1e-6) || !near(back.apply(to[i]), p, 1e-6) {
				t.Fatalf("%v for %v", got, want)
			}
		}
	}
}

// A dot in the picture must come out where the similarity says, through shrinking and warping.
func TestWarpPutsPixelsWhereTheyBelong(t *testing.T) {
	for _, size := range []float64{60, 188, 600} {
		img := gocv.NewMatWithSize(1000, 1200, gocv.MatTypeCV8UC3)
		defer img.Close()
		box := face.Box{X: 400, Y: 200, W: size * 0.8, H: size}
		dot := face.Point{X: box.X + box.W*0.3, Y: box.Y + box.H*0.6}
		radius := int(size / 15)
		gocv.Circle(&img, image.Pt(int(dot.X), int(dot.Y)), radius, color.RGBA{255, 255, 255, 0}, -1)
		c, err := cutFaceOut(img, box)
		if err != nil {
			t.Fatal(err)
		}
		f := face.Face{Box: box, Landmarks: tilted(box, 0.3)}
		to := uprightCrop(&f)
		crop := c.warp(to, dlibCrop, dlibCrop)
		want := to.apply(face.Point{X: math.Floor(dot.X) + 0.5, Y: math.Floor(dot.Y) + 0.5})
		if got := bright(crop); !near(got, want, 0.6) {
			t.Errorf("face of %.0f px: dot at %v, want %v", size, got, want)
		}
		if centre := to.apply(box.Centre()); !near(centre, face.Point{X: dlibCrop / 2, Y: dlibCrop / 2}, 1e-6) {
			t.Errorf("box centre at %v", centre)
		}
		_, _ = crop.Close(), c.close()
	}
}

// tilted are landmarks with eyes on a line turned by this angle.
func tilted(b face.Box, angle float64) face.Landmarks {
	l := make(face.Landmarks, 68)
	sin, cos := math.Sincos(angle)
	c := b.Centre()
	for i := range l {
		side := -1.0
		if i >= 42 && i < 48 {
			side = 1
		}
		l[i] = face.Point{X: c.X + side*cos*b.W/4, Y: c.Y + side*sin*b.W/4}
	}
	return l
}

// bright is the centre of gravity of a picture's light.
func bright(m gocv.Mat) face.Point {
	var sum, x, y float64
	for r := range m.Rows() {
		for c := range m.Cols() {
			v := float64(m.GetUCharAt(r, 3*c))
			sum, x, y = sum+v, x+v*(float64(c)+0.5), y+v*(float64(r)+0.5)
		}
	}
	return face.Point{X: x / sum, Y: y / sum}
}

func TestCentralFace(t *testing.T) {
	at := func(x0, y0, x1, y1 int) goface.Face { return goface.Face{Rectangle: image.Rect(x0, y0, x1, y1)} }
	for name, c := range map[string]struct {
		found []goface.Face
		want  int
	}{
		"nobody":         {nil, -1},
		"only neighbour": {[]goface.Face{at(0, 0, 60, 60)}, -1},
		"the one":        {[]goface.Face{at(0, 0, 60, 60), at(30, 30, 120, 120)}, 1},
		"nearer of two":  {[]goface.Face{at(0, 0, 90, 90), at(35, 35, 120, 120)}, 1},
	} {
		if got := central(c.found); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestYaw(t *testing.T) {
	l := tilted(face.Box{X: 0, Y: 0, W: 100, H: 100}, 0.4)
	left, right, _ := l.Eyes()
	for name, c := range map[string]struct {
		nose face.Point
		want float64
	}{
		"frontal":    {face.Point{X: (left.X + right.X) / 2, Y: (left.Y + right.Y) / 2}, 0},
		"over right": {right, 1},
		"over left":  {left, -1},
		"beyond":     {face.Point{X: right.X + 500, Y: right.Y}, 1},
	} {
		l[30] = c.nose
		if got := yaw(l); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if yaw(make(face.Landmarks, 68)) != 1 || yaw(nil) != 0 {
		t.Error("collapsed or missing landmarks")
	}
}
