package film

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestLayOut: whatever the times and the order of decoding, decoding times rise, none lies behind its presentation,
// and the presentation is to the tick where it was.
func TestLayOut(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		n := 1 + random.IntN(60)
		at := time.Duration(random.IntN(3_000_000)) * time.Microsecond
		var times []time.Duration
		for range n {
			times = append(times, at)
			at += time.Duration(20+random.IntN(500_000)) * time.Microsecond
		}
		ranks := make([]int, n)
		for i := range ranks {
			ranks[i] = i
		}
		for i := 0; i < n; { // groups as an encoder reorders them
			k := min(n, i+1+random.IntN(5))
			random.Shuffle(k-i, func(a, b int) { ranks[i+a], ranks[i+b] = ranks[i+b], ranks[i+a] })
			i = k
		}
		r := &reel{scale: []int{90000, 1_000_000, 50000}[random.IntN(3)]}
		if err := r.layOut(times, ranks, time.Second/25); err != nil {
			t.Fatal(err)
		}
		for i, rank := range ranks {
			if r.dts[i] > r.pts[i] || i > 0 && r.dts[i] <= r.dts[i-1] || r.dts[0] != 0 {
				t.Fatalf("seed %d: picture %d is decoded at %d and shown at %d", seed, i, r.dts[i], r.pts[i])
			}
			if r.pts[i]+r.zero != r.ticks(times[rank]) {
				t.Fatalf("seed %d: picture %d is shown at %d", seed, i, r.pts[i]+r.zero)
			}
		}
		if r.first != r.ticks(times[0]) || r.pts[r.shownLast]+r.zero != r.ticks(times[n-1]) {
			t.Fatalf("seed %d: first %d, last %d", seed, r.first, r.shownLast)
		}
	}
}

// TestTicks: the source's own ticks come back from the microseconds in which they are read.
func TestTicks(t *testing.T) {
	for _, base := range []string{"1/24000", "1/30000", "1/90000", "1/1000", "1/25", "1/15360", "1001/30000", "1/600"} {
		a, b, _ := fraction(base, "/")
		r := &reel{scale: scale(base)}
		for _, k := range []int64{0, 1, 2, 3, 1001, 123_456, 98_765_432} {
			us := (k*int64(a)*1_000_000*2/int64(b) + 1) / 2
			if got, want := r.ticks(time.Duration(us)*time.Microsecond)*int64(b), k*int64(a)*int64(r.scale); got != want {
				t.Errorf("%s: %d ticks become %d / %d", base, k, got, b)
			}
		}
	}
	for base, want := range map[string]int{"1/90000": 90000, "1/25": 12800, "1/1000": 16000, "1/10000000": 90000, "": 90000} {
		if got := scale(base); got != want {
			t.Errorf("%q: %d ticks", base, got)
		}
	}
}

// TestHundreds: over hundreds of segments with pictures out of order, no time stamp drifts.
func TestHundreds(t *testing.T) {
	if testing.Short() {
		t.Skip("many films are made")
	}
	c := clip{file: "n.mp4", make: args("-f lavfi -i testsrc2=s=64x48:r=30000/1001:d=0.4", tone("440"), x264, "-c:a aac")}
	path := c.film(t)
	info, err := tools(t).Probe(t.Context(), path, limits())
	if err != nil {
		t.Fatal(err)
	}
	two := cut(t, t.Context(), path, info, Part{}, cheap(), 7)
	var segments []Segment
	var want []time.Duration
	frame := 0
	for n := range 400 {
		s := Segment{Path: two[n%2].Path}
		for range two[n%2].Times {
			at := time.Duration((int64(frame)*1001*2_000_000/30000+1)/2) * time.Microsecond
			s.Times, frame = append(s.Times, at), frame+1
		}
		segments, want = append(segments, s), append(want, s.Times...)
	}
	out := t.TempDir() + "/out.mp4"
	if err := tools(t).Join(t.Context(), out, segments, path, info, Part{}, cheap(), limits()); err != nil {
		t.Fatal(err)
	}
	made, err := tools(t).Probe(t.Context(), out, limits())
	if err != nil {
		t.Fatal(err)
	}
	got, err := tools(t).pictureTimes(t.Context(), out, made, limits())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d frames, %d expected; the last at %v, expected at %v", len(got), len(want), got[len(got)-1], want[len(want)-1])
	}
	if err := checkFile(t, out); err != nil {
		t.Error(err)
	}
}
