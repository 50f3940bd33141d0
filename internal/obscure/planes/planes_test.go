package planes

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/obscure"
)

const rate = 25

// scene is one frame with its regions.
type scene struct {
	frame   film.Frame
	regions []Region
	cut     bool
}

// head is a track's region on its way through a film.
type head struct {
	region       face.Region
	dx, dy, turn float64 // for each frame
	from, to     int     // frames on which it is there
}

func randomHead(rnd *rand.Rand, w, h, frames int) head {
	size := math.Exp(rnd.Float64()*5-1) * float64(max(w, h)) / 80 // 0.5 to 70 % of the frame
	from := rnd.IntN(frames)
	return head{
		region: face.Region{
			Centre: face.Point{X: (rnd.Float64()*1.6 - 0.3) * float64(w), Y: (rnd.Float64()*1.6 - 0.3) * float64(h)},
			RX:     size * (0.3 + rnd.Float64()), RY: size * (0.3 + rnd.Float64()),
			Angle: (rnd.Float64() - 0.5) * 7,
		},
		dx: rnd.NormFloat64() * 4, dy: rnd.NormFloat64() * 4, turn: rnd.NormFloat64() * 0.2,
		from: from, to: from + 1 + rnd.IntN(frames),
	}
}

// randomFilm is a short film of noise through which regions move, enter, leave and meet.
func randomFilm(rnd *rand.Rand) []scene {
	const frames = 8
	most := 40
	if rnd.IntN(10) == 0 {
		most = 150
	}
	w, h := 2*(1+rnd.IntN(most)), 2*(1+rnd.IntN(most))
	heads := make([]head, rnd.IntN(5))
	for i := range heads {
		heads[i] = randomHead(rnd, w, h, frames)
	}
	out := make([]scene, frames)
	for n := range out {
		s := scene{frame: noise(rnd, w, h, n), cut: rnd.IntN(6) == 0}
		for i, hd := range heads {
			if n >= hd.from && n < hd.to {
				s.regions = append(s.regions, Region{Track: i + 1, Region: hd.region})
			}
			heads[i].region.Centre.X += hd.dx
			heads[i].region.Centre.Y += hd.dy
			heads[i].region.Angle += hd.turn
		}
		out[n] = s
	}
	return out
}

func noise(rnd *rand.Rand, w, h, n int) film.Frame {
	f := film.Frame{Number: n, At: time.Duration(n) * time.Second / rate, Width: w, Height: h, Pix: make([]byte, w*h*3/2)}
	for i := range f.Pix {
		f.Pix[i] = uint8(rnd.Uint32())
	}
	return f
}

// forRandom runs a property on films that the trial's number determines.
func forRandom(t *testing.T, trials int, property func(t *testing.T, rnd *rand.Rand, scenes []scene, style obscure.Style)) {
	t.Helper()
	for i := range trials {
		rnd := rand.New(rand.NewPCG(uint64(i), 11))
		scenes := randomFilm(rnd)
		style := []obscure.Style{obscure.SecureBlur, obscure.Solid}[i%2]
		t.Run(fmt.Sprint(i), func(t *testing.T) { property(t, rnd, scenes, style) })
	}
}

// painted paints copies of the frames.
func painted(t *testing.T, scenes []scene, style obscure.Style) (frames [][]byte, changed [][]image.Rectangle) {
	t.Helper()
	p, err := New(scenes[0].frame.Width, scenes[0].frame.Height, rate, style)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scenes {
		if s.cut {
			p.Cut()
		}
		f := s.frame
		f.Pix = slices.Clone(f.Pix)
		c, err := p.Paint(&f, s.regions)
		if err != nil {
			t.Fatal(err)
		}
		frames, changed = append(frames, f.Pix), append(changed, c)
	}
	return frames, changed
}

// samplesIn marks the samples of a frame of which one pixel is marked.
func samplesIn(w, h int, pixels []bool) []bool {
	in := slices.Clone(pixels)
	chroma := make([]bool, w*h/4)
	for i, marked := range pixels {
		if marked {
			chroma[i/w/2*(w/2)+i%w/2] = true
		}
	}
	return append(append(in, chroma...), chroma...)
}

// inside is the oracle: it looks at 25 points of each pixel through face.Region alone.
func inside(w, h int, regions []Region) []bool {
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
	return samplesIn(w, h, in)
}

func TestFilmsThatDifferOnlyInsideComeOutTheSame(t *testing.T) {
	forRandom(t, 150, func(t *testing.T, rnd *rand.Rand, scenes []scene, style obscure.Style) {
		other := slices.Clone(scenes)
		for i := range other {
			f := &other[i].frame
			f.Pix = slices.Clone(f.Pix)
			for k, in := range inside(f.Width, f.Height, scenes[i].regions) {
				if in {
					f.Pix[k] = uint8(rnd.Uint32())
				}
			}
		}
		a, _ := painted(t, scenes, style)
		b, _ := painted(t, other, style)
		for i := range a {
			if !bytes.Equal(a[i], b[i]) {
				t.Fatalf("frame %d differs: something of the inside came out", i)
			}
		}
	})
}

func TestNothingChangesBeyondTheReturnedRectangles(t *testing.T) {
	forRandom(t, 150, func(t *testing.T, _ *rand.Rand, scenes []scene, style obscure.Style) {
		frames, changed := painted(t, scenes, style)
		for i, s := range scenes {
			f := s.frame
			touched := make([]bool, f.Width*f.Height)
			for _, r := range changed[i] {
				if !r.In(image.Rect(0, 0, f.Width, f.Height)) {
					t.Fatalf("frame %d: %v is outside of the frame", i, r)
				}
				for y := r.Min.Y; y < r.Max.Y; y++ {
					for x := r.Min.X; x < r.Max.X; x++ {
						touched[y*f.Width+x] = true
					}
				}
			}
			for k, may := range samplesIn(f.Width, f.Height, touched) {
				if !may && frames[i][k] != f.Pix[k] {
					t.Fatalf("frame %d: sample %d changed outside of %v", i, k, changed[i])
				}
			}
		}
	})
}

func TestOrderOfRegionsDoesNotMatter(t *testing.T) {
	forRandom(t, 60, func(t *testing.T, rnd *rand.Rand, scenes []scene, style obscure.Style) {
		other := slices.Clone(scenes)
		perms := make([][]int, len(scenes))
		for i := range other {
			perms[i] = rnd.Perm(len(scenes[i].regions))
			other[i].regions = nil
			for _, k := range perms[i] {
				other[i].regions = append(other[i].regions, scenes[i].regions[k])
			}
		}
		a, changedA := painted(t, scenes, style)
		b, changedB := painted(t, other, style)
		for i := range a {
			if !bytes.Equal(a[i], b[i]) {
				t.Fatalf("frame %d differs", i)
			}
			for k, from := range perms[i] {
				if changedB[i][k] != changedA[i][from] {
					t.Fatalf("frame %d: rectangle %v, was %v", i, changedB[i][k], changedA[i][from])
				}
			}
		}
	})
}

func TestFillStaysWithinTheRangeOfItsSurroundings(t *testing.T) {
	forRandom(t, 60, func(t *testing.T, _ *rand.Rand, scenes []scene, style obscure.Style) {
		for _, s := range scenes {
			in := inside(s.frame.Width, s.frame.Height, s.regions)
			for k := range s.frame.Pix {
				s.frame.Pix[k] = 16 + s.frame.Pix[k]%220
				if in[k] {
					s.frame.Pix[k] = 255
				}
			}
		}
		frames, _ := painted(t, scenes, style)
		for i := range frames {
			for k, v := range frames[i] {
				if v < 16 || v > 235 {
					t.Fatalf("frame %d: sample %d is %d, limited range ends at 16 and 235", i, k, v)
				}
			}
		}
	})
}

func headAt(track int, x, y, size, roll float64) Region {
	return Region{Track: track, Region: face.TurnedRegion(face.Box{X: x, Y: y, W: size, H: size}, roll)}
}

// still is a film of noise in which one head stays where it is.
func still(frames int) []scene {
	rnd := rand.New(rand.NewPCG(3, 3))
	out := make([]scene, frames)
	for n := range out {
		out[n] = scene{frame: noise(rnd, 160, 120, n), regions: []Region{headAt(1, 60, 40, 40, 0)}}
	}
	return out
}

// unsteadiness is the mean change of the fill's luma from frame to frame, at places well inside.
func unsteadiness(frames [][]byte) float64 {
	var sum, n float64
	for i := 1; i < len(frames); i++ {
		for y := 45; y < 75; y++ {
			for x := 65; x < 95; x++ {
				sum += math.Abs(float64(frames[i][y*160+x]) - float64(frames[i-1][y*160+x]))
				n++
			}
		}
	}
	return sum / n
}

func TestDoesNotFlicker(t *testing.T) {
	for _, style := range []obscure.Style{obscure.SecureBlur, obscure.Solid} {
		t.Run(string(style), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(5, 5))
			smooth := still(40)
			for _, s := range smooth {
				level := rnd.IntN(100) // lighting that flickers as a whole, which no mean over a frame takes away
				for k := range s.frame.Pix {
					s.frame.Pix[k] = uint8(level + int(s.frame.Pix[k])%100)
				}
			}
			alone := slices.Clone(smooth)
			for i := range alone {
				alone[i].cut = true
			}
			a, _ := painted(t, smooth, style)
			b, _ := painted(t, alone, style)
			// First-order smoothing over 0.3 s at 25 frames a second lets through a tenth.
			if with, without := unsteadiness(a), unsteadiness(b); without < 10 || with > without/5 {
				t.Errorf("the fill changes by %.2f from frame to frame, %.2f without smoothing", with, without)
			}
		})
	}
}

func TestFillFollowsItsSurroundings(t *testing.T) {
	scenes := still(40)
	for i, s := range scenes {
		for k := range s.frame.Pix {
			s.frame.Pix[k] = 50
			if i > 0 {
				s.frame.Pix[k] = 200
			}
		}
	}
	frames, _ := painted(t, scenes, obscure.SecureBlur)
	const middle = 60*160 + 80
	if v := frames[1][middle]; v < 50 || v > 80 {
		t.Errorf("one frame after the change the fill is %d, want little more than 50", v)
	}
	// 0.3 s after the change: 63 % of the way.
	if v := frames[8][middle]; v < 135 || v > 160 {
		t.Errorf("0.3 s after the change the fill is %d, want about 145", v)
	}
	if v := frames[39][middle]; v < 198 {
		t.Errorf("1.5 s after the change the fill is %d, want 200", v)
	}
}

// A film with one frame a second must not be behind by seconds.
func TestFillFollowsByTimeStamps(t *testing.T) {
	scenes := still(3)
	for i, s := range scenes {
		scenes[i].frame.At = time.Duration(i) * time.Second
		for k := range s.frame.Pix {
			s.frame.Pix[k] = uint8(50 + 100*i)
		}
	}
	frames, _ := painted(t, scenes, obscure.SecureBlur)
	if v := frames[1][60*160+80]; v < 140 {
		t.Errorf("a second after the change the fill is %d, want about 146", v)
	}
}

func TestEarlierFramesAreForgotten(t *testing.T) {
	// Each frame ends as if it were the first of its film.
	fresh := func(s scene) []byte {
		frames, _ := painted(t, []scene{s}, obscure.SecureBlur)
		return frames[0]
	}
	t.Run("at a cut", func(t *testing.T) {
		scenes := still(4)
		scenes[3].cut = true
		frames, _ := painted(t, scenes, obscure.SecureBlur)
		if bytes.Equal(frames[2], fresh(scenes[2])) || !bytes.Equal(frames[3], fresh(scenes[3])) {
			t.Error("want earlier frames in what comes before the cut, and none in what follows")
		}
	})
	t.Run("when the track ends", func(t *testing.T) {
		scenes := still(4)
		scenes[2].regions = nil
		frames, _ := painted(t, scenes, obscure.SecureBlur)
		if !bytes.Equal(frames[3], fresh(scenes[3])) {
			t.Error("a track that was gone for a frame remembers")
		}
	})
	t.Run("by another track", func(t *testing.T) {
		scenes := still(4)
		scenes[3].regions = []Region{headAt(2, 60, 40, 40, 0)}
		frames, _ := painted(t, scenes, obscure.SecureBlur)
		if !bytes.Equal(frames[3], fresh(scenes[3])) {
			t.Error("a new track remembers what an old one saw")
		}
	})
}

func TestPlacesOfRegions(t *testing.T) {
	for _, c := range []struct {
		name    string
		region  Region
		changed image.Rectangle // must be held by what is returned; empty: nothing changes
		grey    bool
	}{
		{"outside", headAt(1, 400, 40, 40, 0), image.Rectangle{}, false},
		{"far outside", headAt(1, -1e8, 1e8, 40, 0), image.Rectangle{}, false},
		{"at the left edge", headAt(1, -20, 40, 40, 0.3), image.Rect(0, 40, 20, 80), false},
		{"at the corner", headAt(1, 140, 100, 40, 0), image.Rect(140, 100, 160, 120), false},
		{"all of the frame", headAt(1, -400, -400, 1000, 0), image.Rect(0, 0, 160, 120), true},
	} {
		for _, style := range []obscure.Style{obscure.SecureBlur, obscure.Solid} {
			t.Run(c.name+"/"+string(style), func(t *testing.T) {
				scenes := still(3)
				for i := range scenes {
					scenes[i].regions = []Region{c.region}
				}
				frames, changed := painted(t, scenes, style)
				for i, f := range frames {
					if c.changed.Empty() && (!changed[i][0].Empty() || !bytes.Equal(f, scenes[i].frame.Pix)) {
						t.Errorf("frame %d changed in %v", i, changed[i][0])
					}
					if !c.changed.In(changed[i][0]) {
						t.Errorf("frame %d changed in %v only, want %v", i, changed[i][0], c.changed)
					}
					if c.grey && (slices.Min(f) != 128 || slices.Max(f) != 128) {
						t.Errorf("frame %d is %d to %d, want 128", i, slices.Min(f), slices.Max(f))
					}
				}
			})
		}
	}
}

func TestErrorsAlterNothing(t *testing.T) {
	good := headAt(1, 60, 40, 40, 0)
	flat := Region{Track: 2, Region: face.Region{RX: 10}}
	for _, c := range []struct {
		name    string
		regions []Region
		spoil   func(f *film.Frame)
		want    error
	}{
		{"no height", []Region{good, flat}, func(*film.Frame) {}, obscure.ErrRegion},
		{"one track twice", []Region{good, good}, func(*film.Frame) {}, obscure.ErrRegion},
		{"another size", []Region{good}, func(f *film.Frame) { f.Width, f.Height = 120, 160 }, obscure.ErrPlane},
		{"too few bytes", []Region{good}, func(f *film.Frame) { f.Pix = f.Pix[:len(f.Pix)-1] }, obscure.ErrPlane},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := still(1)[0].frame
			c.spoil(&f)
			before := slices.Clone(f.Pix)
			p, err := New(160, 120, rate, obscure.SecureBlur)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Paint(&f, c.regions); !errors.Is(err, c.want) {
				t.Errorf("error is %v, want %v", err, c.want)
			}
			if !bytes.Equal(f.Pix, before) {
				t.Error("the frame has changed")
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		w, h  int
		rate  float64
		style obscure.Style
		want  error
	}{
		{"nothing", 0, 0, 25, obscure.SecureBlur, obscure.ErrPlane},
		{"an odd width", 161, 120, 25, obscure.SecureBlur, obscure.ErrPlane},
		{"an odd height", 160, 121, 25, obscure.SecureBlur, obscure.ErrPlane},
		{"no rate", 160, 120, 0, obscure.SecureBlur, obscure.ErrPlane},
		{"no number", 160, 120, math.NaN(), obscure.SecureBlur, obscure.ErrPlane},
		{"an unknown style", 160, 120, 25, "pixelate", obscure.ErrStyle},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := New(c.w, c.h, c.rate, c.style); !errors.Is(err, c.want) {
				t.Errorf("error is %v, want %v", err, c.want)
			}
		})
	}
}
