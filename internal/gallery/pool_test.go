package gallery_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
)

// seen is a view of a person: that person's own direction, and some of the noise of the moment.
func seen(random *rand.Rand, person int, noise float64) face.Face {
	return face.Face{
		Box:     face.Box{W: 120, H: 120},
		Quality: face.Quality{Sharpness: 100},
		Templates: face.Templates{
			face.DlibResNet:    direction(random, 128, person, noise, 1.4),
			face.MobileFaceNet: direction(random, 512, person, noise, 1),
		},
	}
}

func direction(random *rand.Rand, length, person int, noise, norm float64) []float32 {
	v := make([]float64, length)
	var sum float64
	for i := range v {
		v[i] = random.NormFloat64() * noise / math.Sqrt(float64(length))
		if i == person {
			v[i]++
		}
		sum += v[i] * v[i]
	}
	out := make([]float32, length)
	for i, x := range v {
		out[i] = float32(norm * x / math.Sqrt(sum))
	}
	return out
}

func score(t *testing.T, a, b face.Templates) float64 {
	t.Helper()
	s, ok := gallery.Score(a, b)
	if !ok {
		t.Fatal("they cannot be compared")
	}
	return s
}

// What several views say together is nearer to the person than what each of them says.
func TestPoolIsBetterThanItsViews(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	reference := seen(random, 3, 0).Templates
	for range 50 {
		var views []face.Face
		best := math.Inf(-1)
		for range 6 {
			v := seen(random, 3, 1.2)
			views = append(views, v)
			best = max(best, score(t, v.Templates, reference))
		}
		if got := score(t, gallery.Pool(views), reference); got <= best {
			t.Fatalf("together %.2f, the best alone %.2f", got, best)
		}
	}
}

func TestPoolOfOneIsThatOne(t *testing.T) {
	v := seen(rand.New(rand.NewPCG(1, 2)), 5, 1)
	got := gallery.Pool([]face.Face{v})
	for d, want := range v.Templates {
		for i, x := range want {
			if math.Abs(float64(got[d][i]-x)) > 1e-6 {
				t.Fatalf("%s: number %d is %v, was %v", d, i, got[d][i], x)
			}
		}
	}
}

func TestPoolLeavesOutWhatCannotBeUsed(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	good := seen(random, 5, 0)
	notNumbers := seen(random, 5, 0)
	notNumbers.Templates[face.MobileFaceNet][7] = float32(math.NaN())
	notNumbers.Templates[face.DlibResNet] = nil
	short := seen(random, 5, 0)
	short.Templates[face.MobileFaceNet] = short.Templates[face.MobileFaceNet][:100]
	opposite := seen(random, 5, 0)
	for _, v := range opposite.Templates {
		for i := range v {
			v[i] = -v[i]
		}
	}
	for name, test := range map[string]struct {
		views        []face.Face
		dlib, mobile bool
	}{
		"nothing":                     {nil, false, false},
		"no templates":                {[]face.Face{{}}, false, false},
		"not a number":                {[]face.Face{notNumbers}, false, false},
		"not a number beside a good":  {[]face.Face{notNumbers, good}, true, true},
		"too short beside a good":     {[]face.Face{short, good}, true, true},
		"too short":                   {[]face.Face{short}, true, false},
		"two that contradict":         {[]face.Face{good, opposite}, false, false},
		"one describer declined once": {[]face.Face{good, {Templates: face.Templates{face.MobileFaceNet: good.Templates[face.MobileFaceNet]}}}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			got := gallery.Pool(test.views)
			if (got[face.DlibResNet] != nil) != test.dlib || (got[face.MobileFaceNet] != nil) != test.mobile {
				t.Errorf("dlib %v, MobileFaceNet %v; want %v, %v", got[face.DlibResNet] != nil, got[face.MobileFaceNet] != nil, test.dlib, test.mobile)
			}
			if test.mobile && score(t, got, good.Templates) < 9 {
				t.Errorf("scores %.1f with what it is made of", score(t, got, good.Templates))
			}
		})
	}
}

// A blurred, small or averted view does not outweigh a good one.
func TestPoolListensToGoodViews(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	good, other := seen(random, 5, 0), seen(random, 6, 0)
	for name, spoil := range map[string]func(*face.Face){
		"blurred":           func(f *face.Face) { f.Quality.Sharpness = 8 },
		"small":             func(f *face.Face) { f.Box.W, f.Box.H = 20, 20 },
		"averted":           func(f *face.Face) { f.Quality.Yaw = -0.75 },
		"not a number":      func(f *face.Face) { f.Quality.Sharpness = math.NaN() },
		"no size":           func(f *face.Face) { f.Box = face.Box{} },
		"doubly negative":   func(f *face.Face) { f.Quality.Sharpness, f.Quality.Yaw = -100, 5 },
		"yaw beyond belief": func(f *face.Face) { f.Quality.Yaw = math.Inf(1) },
	} {
		t.Run(name, func(t *testing.T) {
			bad := other
			spoil(&bad)
			pooled := gallery.Pool([]face.Face{bad, good})
			if mine, theirs := score(t, pooled, good.Templates), score(t, pooled, other.Templates); mine < theirs+5 {
				t.Errorf("scores %.1f with the good view and %.1f with the bad one", mine, theirs)
			}
		})
	}
}

func TestSamePerson(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var faces []face.Templates
	for _, person := range []int{1, 2, 1, 3, 2, 1} {
		faces = append(faces, seen(random, person, 0.3).Templates)
	}
	faces = append(faces, face.Templates{})
	pairs := gallery.DefaultThresholds().SamePerson(faces)
	want := map[[2]int]bool{{0, 2}: true, {0, 5}: true, {2, 5}: true, {1, 4}: true}
	if len(pairs) != len(want) {
		t.Fatalf("%v, want %v", pairs, want)
	}
	for i, p := range pairs {
		if !want[[2]int{p.A, p.B}] {
			t.Errorf("%v is no pair", p)
		}
		if i > 0 && pairs[i-1].Score < p.Score {
			t.Error("a better pair comes later")
		}
	}
}

// Pairs need more than a confident match does, and more still where only one describer spoke.
func TestSamePersonLimits(t *testing.T) {
	at := func(cosine float64) face.Templates {
		m := make([]float32, 512)
		m[0], m[1] = float32(cosine), float32(math.Sqrt(1-cosine*cosine))
		return face.Templates{face.MobileFaceNet: m}
	}
	th := gallery.DefaultThresholds()
	for _, beyond := range []float64{-0.05, 0.05} {
		want := th.Confident + th.Margin + th.Single + beyond
		cosine := 1 - 0.976 + 0.102*want // the score's definition turned round
		got := th.SamePerson([]face.Templates{at(1), at(cosine)})
		if (len(got) == 1) != (beyond > 0) {
			t.Errorf("with a score of %.2f: %v", want, got)
		}
	}
}
