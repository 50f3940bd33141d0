package vision

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/face"
)

func scored(x, y, w, h, score float64) face.Face {
	return face.Face{Box: face.Box{X: x, Y: y, W: w, H: h}, Score: score}
}

func TestMergeDuplicates(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   []face.Face
		want []int // hits of what is kept, best first
	}{
		{"nothing", nil, nil},
		{"one", []face.Face{scored(0, 0, 20, 26, 0.9)}, []int{1}},
		{"the same face at two scales", []face.Face{scored(0, 0, 20, 26, 0.8), scored(1, 1, 21, 25, 0.9)}, []int{2}},
		{"neighbours cheek to cheek", []face.Face{scored(0, 0, 20, 26, 0.9), scored(15, 0, 20, 26, 0.8)}, []int{1, 1}},
		{"a face and a part of it", []face.Face{scored(0, 0, 60, 78, 0.9), scored(10, 10, 20, 26, 0.8)}, []int{1, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var hits []int
			for _, c := range mergeDuplicates(tt.in) {
				hits = append(hits, c.hits)
			}
			if d := cmp.Diff(tt.want, hits); d != "" {
				t.Error(d)
			}
		})
	}
}

func randomFaces(r *rand.Rand, n int) []face.Face {
	var fs []face.Face
	for range n {
		side := 10 + r.Float64()*60
		fs = append(fs, scored(r.Float64()*200, r.Float64()*200, side, side*1.3, r.Float64()))
	}
	return fs
}

func TestMergeDuplicatesIgnoresOrderAndLosesNoPlace(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test's dice
	for range 50 {
		in := randomFaces(r, 40)
		want := mergeDuplicates(in)
		shuffled := slices.Clone(in)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if d := cmp.Diff(want, mergeDuplicates(shuffled), cmp.AllowUnexported(candidate{})); d != "" {
			t.Fatal("the order matters:", d)
		}
		total := 0
		for _, c := range want {
			total += c.hits
		}
		if total != len(in) {
			t.Fatalf("%d boxes went in, %d are accounted for", len(in), total)
		}
		for i, a := range want {
			for _, b := range want[:i] {
				if a.Box.IoU(b.Box) >= sameFace {
					t.Fatal("two of what is kept are one face")
				}
			}
		}
	}
}

func TestDropParts(t *testing.T) {
	t.Parallel()
	whole := scored(100, 100, 100, 130, 0.99)
	tests := []struct {
		name string
		f    face.Face
		kept bool
	}{
		{"an eye and its brow", scored(110, 120, 40, 45, 0.7), false},
		{"a mouth and chin", scored(125, 180, 50, 48, 0.9), false},
		{"a chin half outside the box", scored(125, 205, 50, 48, 0.6), false},
		{"a fringe across the forehead", scored(100, 50, 95, 115, 0.8), false},
		{"another sure face half in front", scored(100, 50, 95, 115, 0.92), true},
		{"a small face in front, surer than the large one", scored(110, 160, 50, 60, 0.995), true},
		{"a neighbour who overlaps a little", scored(180, 100, 100, 130, 0.8), true},
		{"a child's face below, a quarter inside", scored(130, 200, 60, 78, 0.8), true},
		{"somebody elsewhere", scored(400, 100, 30, 39, 0.4), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := dropParts([]face.Face{whole, tt.f})
			has := slices.ContainsFunc(got, func(g face.Face) bool { return g.Box == tt.f.Box })
			if has != tt.kept {
				t.Errorf("kept: %v, want %v", has, tt.kept)
			}
		})
	}
}

// A face that is itself doubtful must not silence another one next to it.
func TestDoubtfulFaceSilencesNoNeighbour(t *testing.T) {
	t.Parallel()
	got := dropParts([]face.Face{scored(0, 0, 100, 130, 0.8), scored(30, 30, 100, 130, 0.6)})
	if len(got) != 2 {
		t.Errorf("%d faces left, want 2", len(got))
	}
}

func TestImpressionRisesWithEvidence(t *testing.T) {
	t.Parallel()
	base := impression{score: 0.7, hits: 4, size: 40}
	surer, oftener := base, base
	surer.score, oftener.hits = 0.9, 8
	for name, better := range map[string]impression{"score": surer, "hits": oftener} {
		if better.first() <= base.first() || better.again(0) <= base.again(0) {
			t.Errorf("more %s does not raise the odds", name)
		}
	}
	if base.again(1) <= base.again(0) {
		t.Error("a better second look does not raise the odds")
	}
	larger := base
	larger.size = 90
	if larger.again(0) >= base.again(0) {
		t.Error("a large candidate needs no more evidence than a small one")
	}
}

func TestLogOddsIsBounded(t *testing.T) {
	t.Parallel()
	for _, p := range []float64{-1, 0, 1e-9, 0.5, 1, 2} {
		if v := logOdds(p); !(v > -7 && v < 7) {
			t.Errorf("log odds of %v are %v", p, v)
		}
	}
}

// The search by cells must give what comparing each with each gives.
func TestMergeDuplicatesEqualsBruteForce(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // a test's dice
	for range 30 {
		in := randomFaces(r, 150)
		var want []candidate
		for _, f := range slices.SortedFunc(slices.Values(in), byScore) {
			i := slices.IndexFunc(want, func(k candidate) bool { return k.Box.IoU(f.Box) >= sameFace })
			if i < 0 {
				want = append(want, candidate{Face: f, hits: 1})
				continue
			}
			want[i].hits++
		}
		if d := cmp.Diff(want, mergeDuplicates(in), cmp.AllowUnexported(candidate{})); d != "" {
			t.Fatal(d)
		}
	}
}
