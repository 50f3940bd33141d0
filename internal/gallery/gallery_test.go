package gallery

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/face"
)

// someone makes up a person's templates; near gives the same person in another photograph, further
// off the larger the blur.
func someone(r *rand.Rand) face.Templates {
	return face.Templates{face.DlibResNet: vector(r, dlibLength, 1.4), face.MobileFaceNet: vector(r, mobileLength, 1)}
}

func near(r *rand.Rand, t face.Templates, blur float64) face.Templates {
	out := face.Templates{}
	for _, d := range []face.Describer{face.DlibResNet, face.MobileFaceNet} { // in this order, or a seed would not fix the result
		v, ok := t[d]
		if !ok {
			continue
		}
		long := norm(v)
		w := vector(r, len(v), long*blur)
		for i := range w {
			w[i] += v[i]
		}
		out[d] = scaled(w, long)
	}
	return out
}

func vector(r *rand.Rand, n int, long float64) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return scaled(v, long)
}

func scaled(v []float32, long float64) []float32 {
	k := float32(long / norm(v))
	for i := range v {
		v[i] *= k
	}
	return v
}

func norm(v []float32) float64 { return math.Sqrt(float64(dot(v, v))) }

func without(t face.Templates, d face.Describer) face.Templates {
	out := face.Templates{}
	for k, v := range t {
		if k != d {
			out[k] = v
		}
	}
	return out
}

func seeded(n uint64) *rand.Rand { return rand.New(rand.NewPCG(n, 7)) }

// scene is a made-up gallery and a photograph of its subjects, in all degrees of likeness, and strangers.
func scene(r *rand.Rand) ([]Reference, []face.Templates) {
	var refs []Reference
	var probes []face.Templates
	for i := range 2 + r.IntN(6) {
		p := someone(r)
		for k := range 1 + r.IntN(3) {
			t := near(r, p, 0.4)
			if r.IntN(6) == 0 {
				t = without(t, face.DlibResNet)
			}
			refs = append(refs, Reference{fmt.Sprint(4000 + i), fmt.Sprintf("%d-%d", i, k), t})
		}
		for range r.IntN(3) {
			probes = append(probes, near(r, p, 0.2+1.6*r.Float64()))
		}
		if r.IntN(3) == 0 {
			probes = append(probes, without(near(r, p, 0.5), face.MobileFaceNet))
		}
	}
	return refs, append(probes, someone(r), face.Templates{})
}

func build(t *testing.T, refs []Reference, th Thresholds) *Gallery {
	t.Helper()
	g, err := New(refs, th)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// scenes runs a property over many made-up photographs.
func scenes(t *testing.T, property func(t *testing.T, r *rand.Rand, refs []Reference, probes []face.Templates)) {
	for seed := range uint64(60) {
		r := seeded(seed)
		refs, probes := scene(r)
		property(t, r, refs, probes)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func TestOrderOfReferencesChangesNothing(t *testing.T) {
	scenes(t, func(t *testing.T, r *rand.Rand, refs []Reference, probes []face.Templates) {
		a := build(t, refs, DefaultThresholds())
		mixed := slices.Clone(refs)
		r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		b := build(t, mixed, DefaultThresholds())
		if diff := cmp.Diff(a.MatchPhotograph(probes), b.MatchPhotograph(probes)); diff != "" {
			t.Error(diff)
		}
		if a.Digest() != b.Digest() {
			t.Error("digest depends on the order")
		}
	})
}

func TestOrderOfProbesChangesOnlyTheOrder(t *testing.T) {
	scenes(t, func(t *testing.T, r *rand.Rand, refs []Reference, probes []face.Templates) {
		g := build(t, refs, DefaultThresholds())
		want := g.MatchPhotograph(probes)
		order := r.Perm(len(probes))
		mixed := make([]face.Templates, len(probes))
		for i, o := range order {
			mixed[i] = probes[o]
		}
		for i, m := range g.MatchPhotograph(mixed) {
			if diff := cmp.Diff(want[order[i]], m); diff != "" {
				t.Error(diff)
			}
		}
	})
}

func TestAnotherReferenceNeverLowersItsSubject(t *testing.T) {
	open := Thresholds{Confident: 1e6, Unsure: -1e6} // names the best subject of every face
	scenes(t, func(t *testing.T, r *rand.Rand, refs []Reference, probes []face.Templates) {
		subject := refs[r.IntN(len(refs))].Subject
		var own []Reference
		for _, ref := range refs {
			if ref.Subject == subject {
				own = append(own, ref)
			}
		}
		before := build(t, own, open).MatchPhotograph(probes)
		more := append(own, Reference{subject, "new", someone(r)})
		for i, m := range build(t, more, open).MatchPhotograph(probes) {
			if before[i].Subject != "" && m.Score < before[i].Score {
				t.Errorf("face %d: %v after %v", i, m.Score, before[i].Score)
			}
		}
	})
}

func TestSubjectIsConfidentForOneFaceOnly(t *testing.T) {
	loose := Thresholds{Confident: 1, Unsure: 0}
	confident := 0
	scenes(t, func(t *testing.T, r *rand.Rand, refs []Reference, probes []face.Templates) {
		for _, th := range []Thresholds{DefaultThresholds(), loose} {
			seen := map[string]bool{}
			for _, m := range build(t, refs, th).MatchPhotograph(append(probes, probes...)) {
				if m.Band == Confident && seen[m.Subject] {
					t.Errorf("%s is two faces", m.Subject)
				}
				seen[m.Subject] = seen[m.Subject] || m.Band == Confident
			}
			for _, m := range build(t, refs, th).MatchPhotograph(probes) {
				if m.Band == Confident {
					confident++
				}
			}
		}
	})
	if confident == 0 {
		t.Error("no scene has a confident match: the test shows nothing")
	}
}

func TestRaisingUnsureNeverTurnsNoneIntoUnsure(t *testing.T) {
	scenes(t, func(t *testing.T, r *rand.Rand, refs []Reference, probes []face.Templates) {
		low, high := DefaultThresholds(), DefaultThresholds()
		low.Unsure, high.Unsure = 4*r.Float64()-1, 4
		low.Unsure = min(low.Unsure, high.Unsure)
		lower := build(t, refs, low).MatchPhotograph(probes)
		for i, m := range build(t, refs, high).MatchPhotograph(probes) {
			if lower[i].Band == None && m.Band != None {
				t.Errorf("face %d: none at %v, %s at %v", i, low.Unsure, m.Band, high.Unsure)
			}
		}
	})
}

func TestSelfMatchIsTheHighestScore(t *testing.T) {
	scenes(t, func(t *testing.T, r *rand.Rand, refs []Reference, _ []face.Templates) {
		for _, a := range refs {
			self, ok := Score(a.Templates, a.Templates)
			if !ok || self < DefaultThresholds().Confident {
				t.Errorf("self score %v, %v", self, ok)
			}
			for _, b := range refs {
				ab, _ := Score(a.Templates, b.Templates)
				ba, _ := Score(b.Templates, a.Templates)
				if ab > self+1e-3 || ab != ba {
					t.Errorf("score %v and %v, self %v", ab, ba, self)
				}
			}
		}
	})
}

func TestNewRefuses(t *testing.T) {
	good := someone(seeded(1))
	spoilt := func(d face.Describer, x float32) face.Templates {
		t := near(seeded(2), good, 0)
		t[d][5] = x
		return t
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, c := range map[string]struct {
		ref  Reference
		want error
	}{
		"nobody":        {Reference{"", "d", good}, ErrNoSubject},
		"no template":   {Reference{"1", "d", nil}, ErrNoTemplate},
		"empty vector":  {Reference{"1", "d", face.Templates{face.DlibResNet: {}}}, ErrBadTemplate},
		"short vector":  {Reference{"1", "d", face.Templates{face.MobileFaceNet: make([]float32, 128)}}, ErrBadTemplate},
		"zero vector":   {Reference{"1", "d", face.Templates{face.MobileFaceNet: make([]float32, 512)}}, ErrBadTemplate},
		"not a number":  {Reference{"1", "d", spoilt(face.MobileFaceNet, nan)}, ErrBadTemplate},
		"infinite":      {Reference{"1", "d", spoilt(face.DlibResNet, inf)}, ErrBadTemplate},
		"huge":          {Reference{"1", "d", spoilt(face.DlibResNet, 3e38)}, ErrBadTemplate},
		"new describer": {Reference{"1", "d", face.Templates{"other": vector(seeded(3), 512, 1)}}, ErrBadTemplate},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := New([]Reference{{"0", "d", good}, c.ref}, DefaultThresholds()); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestThresholdsThatContradict(t *testing.T) {
	for name, change := range map[string]func(*Thresholds){
		"unsure above confident": func(t *Thresholds) { t.Unsure = t.Confident + 1 },
		"not a number":           func(t *Thresholds) { t.Margin = math.NaN() },
		"infinite":               func(t *Thresholds) { t.Confident = math.Inf(1) },
		"negative margin":        func(t *Thresholds) { t.Exclusive = -1 },
	} {
		th := DefaultThresholds()
		change(&th)
		if _, err := New(nil, th); !errors.Is(err, ErrThresholds) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDigestNamesEverything(t *testing.T) {
	r := seeded(4)
	refs := []Reference{{"1", "a", someone(r)}, {"2", "b", someone(r)}}
	want := build(t, refs, DefaultThresholds()).Digest()
	strict := DefaultThresholds()
	strict.Confident++
	for name, other := range map[string]*Gallery{
		"thresholds": build(t, refs, strict),
		"one less":   build(t, refs[:1], DefaultThresholds()),
		"subject":    build(t, []Reference{refs[0], {"3", "b", refs[1].Templates}}, DefaultThresholds()),
		"photograph": build(t, []Reference{refs[0], {"2", "c", refs[1].Templates}}, DefaultThresholds()),
		"templates":  build(t, []Reference{refs[0], {"2", "b", refs[0].Templates}}, DefaultThresholds()),
	} {
		if other.Digest() == want {
			t.Errorf("%s does not change the digest", name)
		}
	}
}
