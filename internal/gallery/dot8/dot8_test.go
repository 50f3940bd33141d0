package dot8

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	diff "github.com/google/go-cmp/cmp"
)

// vectors are rows or probes as numbers.
type vectors struct {
	longs   [][Long]int8
	shorts  [][Short]int8
	squares []float32
}

func random(r *rand.Rand, n int) vectors {
	v := vectors{longs: make([][Long]int8, n), shorts: make([][Short]int8, n), squares: make([]float32, n)}
	for i := range n {
		values(r, v.longs[i][:])
		values(r, v.shorts[i][:])
		v.squares[i] = 4 * r.Float32()
	}
	return v
}

// values are random ones with the extremes among them.
func values(r *rand.Rand, v []int8) {
	for i := range v {
		v[i] = int8(r.IntN(256) - 128)
		if r.IntN(8) == 0 {
			v[i] = []int8{-128, 127}[r.IntN(2)]
		}
	}
}

func (v vectors) gallery() Gallery {
	var g Gallery
	for i := range v.longs {
		if i%Rows == 0 {
			g.Grow()
		}
		g.Set(i, &v.longs[i], &v.shorts[i], v.squares[i])
	}
	return g
}

func (v vectors) probes(limits []Limit) Probes {
	p := Probes{Limits: limits}
	for i := range v.longs {
		p.Longs, p.Shorts = append(p.Longs, v.longs[i][:]...), append(p.Shorts, v.shorts[i][:]...)
	}
	return p
}

// plain is what every kernel must give, written as the definition reads.
func plain(rows, probes vectors, limits []Limit) []Hit {
	hits := []Hit{}
	for r := range rows.longs {
		for p, l := range limits {
			h := Hit{Row: uint32(r), Probe: uint32(p)}
			h.Long = Offset(probes.longs[p][:]) + product(rows.longs[r][:], probes.longs[p][:])
			h.Short = Offset(probes.shorts[p][:]) + product(rows.shorts[r][:], probes.shorts[p][:])
			a, b := float32(l.PerShort*float32(h.Short)), float32(l.PerLong*float32(h.Long))
			root := float32(math.Sqrt(float64(max(0, l.Base+rows.squares[r]-a))))
			if h.Long >= l.Least && b-float32(l.PerRoot*root) >= l.Low {
				hits = append(hits, h)
			}
		}
	}
	return hits
}

func product(a, b []int8) (sum int32) {
	for i, x := range a {
		sum += int32(x) * int32(b[i])
	}
	return sum
}

func sorted(hits []Hit) []Hit {
	slices.SortFunc(hits, func(a, b Hit) int { return cmp.Or(cmp.Compare(a.Row, b.Row), cmp.Compare(a.Probe, b.Probe)) })
	return append([]Hit{}, hits...)
}

func kernels() []Kernel {
	return slices.DeleteFunc([]Kernel{Portable, AVX2, VNNI}, func(k Kernel) bool { return !Supported(k) })
}

// someLimits let all pass, none, those above an integer, or those above a sum of everything.
func someLimits(r *rand.Rand, n int) []Limit {
	limits := make([]Limit, n)
	for i := range limits {
		limits[i] = []Limit{
			{Least: math.MinInt32},
			{Least: math.MaxInt32},
			{Least: int32(r.IntN(1<<20) - 1<<19)},
			{Least: math.MinInt32, PerLong: 1e-6, PerRoot: 1, Base: 2, PerShort: 1e-5 * r.Float32(), Low: r.Float32() - 2},
			{Least: 0, PerLong: 3e-6, PerRoot: 2, Base: -1, PerShort: 1e-6, Low: -1},
		}[r.IntN(5)]
	}
	return limits
}

func TestKernelsAgree(t *testing.T) {
	found := 0
	for _, groups := range []int{0, 1, 2, 3, 5} {
		for _, n := range []int{0, 1, 2, 3, 4, 5, 7, 11, 12, 13, 17, 25} {
			r := rand.New(rand.NewPCG(uint64(groups), uint64(n)))
			rows, probes, limits := random(r, groups*Rows), random(r, n), someLimits(r, n)
			want := plain(rows, probes, limits)
			found += len(want)
			for _, k := range kernels() {
				t.Run(fmt.Sprint(k, groups, "groups", n, "probes"), func(t *testing.T) {
					if d := diff.Diff(want, sorted(Scan(k, rows.gallery(), probes.probes(limits), nil))); d != "" {
						t.Error(d)
					}
				})
			}
		}
	}
	if found == 0 {
		t.Error("nothing is ever found: the test shows nothing")
	}
}

// The largest and the smallest sums there can be, and limits that are met exactly.
func TestExtremesAndExactLimits(t *testing.T) {
	for _, c := range [][2]int8{{127, 127}, {127, -128}, {-128, 127}, {-128, -128}} {
		rows, probes := random(rand.New(rand.NewPCG(1, 1)), 1), random(rand.New(rand.NewPCG(2, 1)), 1)
		for i := range rows.longs[0] {
			rows.longs[0][i], probes.longs[0][i] = c[0], c[1]
		}
		sum := plain(rows, probes, []Limit{{Least: math.MinInt32}})[0].Long
		for over, found := range map[int32]int{0: 1, 1: 0} {
			for _, l := range []Limit{{Least: sum + over}, {Least: math.MinInt32, PerLong: 1, Low: float32(sum + over)}} {
				want := plain(rows, probes, []Limit{l})
				if len(want) != found {
					t.Fatalf("%v, %d over: %v", c, over, want)
				}
				for _, k := range kernels() {
					hits := slices.DeleteFunc(Scan(k, rows.gallery(), probes.probes([]Limit{l}), nil), func(h Hit) bool { return h.Row > 0 })
					if d := diff.Diff(want, sorted(hits)); d != "" {
						t.Errorf("%v of %v, %d over: %s", k, c, over, d)
					}
				}
			}
		}
	}
}

func TestWhatDoesNotFitPanics(t *testing.T) {
	one := random(rand.New(rand.NewPCG(1, 1)), 1)
	cut := one.gallery()
	cut.Longs = cut.Longs[1:]
	for name, f := range map[string]func(){
		"part of a group": func() { Scan(Portable, cut, one.probes(make([]Limit, 1)), nil) },
		"too few probes":  func() { Scan(Portable, one.gallery(), one.probes(make([]Limit, 2)), nil) },
		"no such kernel":  func() { Scan(9, one.gallery(), one.probes(make([]Limit, 1)), nil) },
		"no room":         func() { (&Gallery{}).Set(0, &one.longs[0], &one.shorts[0], 1) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}

func BenchmarkScan(b *testing.B) {
	const groups, n = 64, 100
	r := rand.New(rand.NewPCG(1, 1))
	g, probes := random(r, groups*Rows).gallery(), random(r, n)
	for name, least := range map[string]int32{"long": math.MaxInt32, "both": math.MinInt32} {
		limits := slices.Repeat([]Limit{{Least: least, Low: 1}}, n)
		p := probes.probes(limits)
		for _, k := range kernels() {
			b.Run(name+"/"+k.String(), func(b *testing.B) {
				var hits []Hit
				for b.Loop() {
					hits = Scan(k, g, p, hits)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*groups*Rows*n), "ns/pair")
			})
		}
	}
}
