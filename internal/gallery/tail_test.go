package gallery

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func drawn(n int, one func(r *rand.Rand) float64) []float64 {
	r := seeded(11)
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = one(r)
	}
	slices.Sort(xs)
	return xs
}

func tailOf(scores []float64, fmr float64) Tail {
	mean, sd := meanAndSD(scores)
	return newTail(scores, mean, sd, fmr)
}

func TestTailModels(t *testing.T) {
	normal := func(r *rand.Rand) float64 { return r.NormFloat64() }
	closer := func(r *rand.Rand) float64 { return 1.5 + 1.2*r.NormFloat64() }
	heavier := func(r *rand.Rand) float64 { return r.ExpFloat64() - 1 }
	for name, c := range map[string]struct {
		scores []float64
		fmr    float64
		model  Model
		want   float64 // the true score
		within float64
	}{
		"counted":               {drawn(100000, normal), 1e-3, ModelCounted, 3.09, 0.1},
		"just enough to count":  {drawn(30000, heavier), 1e-3, ModelCounted, 5.9, 0.5},
		"beyond what is there":  {drawn(20000, normal), 1e-7, ModelNormal, 5.2, 0.4},
		"closer than the scale": {drawn(400, closer), 1e-6, ModelNormal, 7.2, 0.5},
		"few":                   {drawn(29, closer), 1e-6, ModelDefault, 4.753, 0.001},
		"none":                  {nil, 1e-6, ModelDefault, 4.753, 0.001},
		"heavier than normal":   {drawn(100000, heavier), 1e-7, ModelPareto, 15.1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			got := tailOf(c.scores, c.fmr)
			if got.Model != c.model || math.Abs(got.Score-c.want) > c.within {
				t.Errorf("%+v, want %v by %s", got, c.want, c.model)
			}
		})
	}
}

// What is counted is met exactly: not more than the wanted share reaches the score.
func TestCountedTailIsMet(t *testing.T) {
	for seed := range uint64(20) {
		r := seeded(seed)
		scores := drawn(1000+r.IntN(5000), func(*rand.Rand) float64 { return math.Round(10*r.NormFloat64()) / 10 }) // many are equal
		for _, fmr := range []float64{0.03, 0.1, 0.5, 0.999} {
			tail := tailOf(scores, fmr)
			if tail.Model != ModelCounted || share(scores, tail.Score) > fmr {
				t.Errorf("seed %d: %v reach %+v", seed, share(scores, tail.Score), tail)
			}
		}
	}
}

// The fit itself, against distributions whose shape is known.
func TestParetoFit(t *testing.T) {
	for name, c := range map[string]struct {
		one   func(r *rand.Rand) float64
		shape float64
	}{
		"exponential":       {func(r *rand.Rand) float64 { return r.ExpFloat64() }, 0},
		"uniform":           {func(r *rand.Rand) float64 { return r.Float64() }, -1},
		"triangular":        {func(r *rand.Rand) float64 { return 1 - math.Sqrt(r.Float64()) }, -0.5},
		"heavy, kept to 0":  {func(r *rand.Rand) float64 { return 1 / r.Float64() }, 0},
		"all the same, odd": {func(*rand.Rand) float64 { return 2 }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := pareto(drawn(500000, c.one), 1e-5)
			if math.Abs(got.Shape-c.shape) > 0.1 || got.Shape > 0 || math.IsNaN(got.Score) || math.IsInf(got.Score, 0) {
				t.Errorf("%+v, want the shape %v", got, c.shape)
			}
		})
	}
}

// A stricter target never lowers the score, wherever the models change over.
func TestStricterIsHigher(t *testing.T) {
	for _, n := range []int{0, 29, 30, 9999, 10000, 40000} {
		scores := drawn(n, func(r *rand.Rand) float64 { return r.NormFloat64() })
		last := math.Inf(-1)
		for fmr := 1e-4; fmr > 1e-12; fmr /= 3 {
			tail := tailOf(scores, fmr)
			if tail.Score < last {
				t.Errorf("%d pairs: %v after %v at %v", n, tail.Score, last, fmr)
			}
			last = tail.Score
		}
	}
}
