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

// plain is what every kernel must give, written as the definition reads.
func plain(rows [][Long]int8, probes []int8, limits []int32) []Hit {
	var hits []Hit
	for p, limit := range limits {
		for r, row := range rows {
			var sum int32
			for i, x := range row {
				sum += int32(x) * int32(probes[p*Long+i])
			}
			if sum += Offset(probes[p*Long : (p+1)*Long]); sum >= limit {
				hits = append(hits, Hit{Row: uint32(r), Probe: uint32(p), Sum: sum})
			}
		}
	}
	sortHits(hits)
	return hits
}

func sortHits(hits []Hit) {
	slices.SortFunc(hits, func(a, b Hit) int { return cmp.Or(cmp.Compare(a.Row, b.Row), cmp.Compare(a.Probe, b.Probe)) })
}

func kernels() []Kernel {
	return slices.DeleteFunc([]Kernel{Portable, AVX2, VNNI}, func(k Kernel) bool { return !Supported(k) })
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

func TestKernelsAgree(t *testing.T) {
	for _, k := range kernels() {
		for _, groups := range []int{0, 1, 2, 3, 5} {
			for _, n := range []int{0, 1, 2, 3, 4, 5, 7, 11, 12, 13, 17, 25} {
				t.Run(fmt.Sprint(k, groups, "groups", n, "probes"), func(t *testing.T) {
					r := rand.New(rand.NewPCG(uint64(groups), uint64(n)))
					rows, packed := make([][Long]int8, groups*Rows), make([]uint8, groups*Group)
					for i := range rows {
						values(r, rows[i][:])
						Store(packed[i/Rows*Group:], i%Rows, &rows[i])
					}
					probes, limits := make([]int8, n*Long), make([]int32, n)
					values(r, probes)
					for i := range limits {
						limits[i] = []int32{math.MinInt32, 0, math.MaxInt32, int32(r.IntN(1<<20) - 1<<19)}[r.IntN(4)]
					}
					hits := Scan(k, packed, probes, limits, nil)
					sortHits(hits)
					if d := diff.Diff(plain(rows, probes, limits), append([]Hit(nil), hits...)); d != "" {
						t.Error(d)
					}
				})
			}
		}
	}
}

// The largest and the smallest sums there can be, and a limit that is met exactly.
func TestExtremesAndExactLimit(t *testing.T) {
	for _, k := range kernels() {
		for _, c := range [][2]int8{{127, 127}, {127, -128}, {-128, 127}, {-128, -128}} {
			var row [Long]int8
			probe := make([]int8, Long)
			for i := range row {
				row[i], probe[i] = c[0], c[1]
			}
			packed := make([]uint8, Group)
			Store(packed, 3, &row)
			want := int32(Long)*int32(c[0])*int32(c[1]) + Offset(probe)
			for over, found := range map[int32]bool{0: true, 1: false} {
				hits := Scan(k, packed, probe, []int32{want + over}, nil)
				hits = slices.DeleteFunc(hits, func(h Hit) bool { return h.Row != 3 })
				if (len(hits) == 1) != found || found && hits[0].Sum != want {
					t.Errorf("%v of %v, %d over the sum: %v, want %d", k, c, over, hits, want)
				}
			}
		}
	}
}

func TestPickAgrees(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	signed, probes := make([]int8, 9*Short), make([]int8, 4*Short)
	values(r, signed)
	values(r, probes)
	rows := make([]uint8, len(signed))
	for i, x := range signed {
		rows[i] = Unsigned(x)
	}
	for _, k := range kernels() {
		var hits []Hit
		for range 50 {
			hits = append(hits, Hit{Row: r.Uint32N(9), Probe: r.Uint32N(4)})
		}
		Pick(k, rows, probes, hits)
		for _, h := range hits {
			q := probes[h.Probe*Short:][:Short]
			want := Offset(q)
			for i, x := range q {
				want += int32(x) * int32(signed[int(h.Row)*Short+i])
			}
			if h.Picked != want {
				t.Errorf("%v: %d, want %d", k, h.Picked, want)
			}
		}
	}
}

func TestWhatDoesNotFitPanics(t *testing.T) {
	for name, f := range map[string]func(){
		"part of a group": func() { Scan(Portable, make([]uint8, 5), nil, nil, nil) },
		"too few probes":  func() { Scan(Portable, make([]uint8, Group), make([]int8, 3), make([]int32, 1), nil) },
		"no such kernel":  func() { Scan(9, make([]uint8, Group), make([]int8, Long), make([]int32, 1), nil) },
		"row outside":     func() { Pick(Portable, make([]uint8, Short), make([]int8, Short), []Hit{{Row: 1}}) },
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
	rows, probes, limits := make([]uint8, groups*Group), make([]int8, n*Long), make([]int32, n)
	for i := range limits {
		limits[i] = math.MaxInt32
	}
	for _, k := range kernels() {
		b.Run(k.String(), func(b *testing.B) {
			var hits []Hit
			for b.Loop() {
				hits = Scan(k, rows, probes, limits, hits)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*groups*Rows*n), "ns/pair")
		})
	}
}
