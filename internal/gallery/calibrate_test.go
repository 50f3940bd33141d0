package gallery

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/face"
)

func TestCalibrationKeepsItsPromises(t *testing.T) {
	for seed := range uint64(40) {
		r := seeded(seed)
		refs, _ := town(r, []int{0, 1, 3, 25, 120}[seed%5])
		target := Target{FalseConfident: math.Pow(10, -4*r.Float64()) * 0.9, GenuineKept: 0.9 + 0.099*r.Float64()}
		c := Calibrate(refs, target)
		d := DefaultThresholds()
		th := c.Thresholds
		if th.Confident < d.Confident || th.Confident < c.Tail.Score || th.Unsure > d.Unsure || th.Unsure < lowestUnsure || math.IsNaN(th.Confident) {
			t.Errorf("seed %d: %+v", seed, c)
		}
		if _, err := New(refs, th); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
		th.Confident, th.Unsure = d.Confident, d.Unsure
		if diff := cmp.Diff(d, th); diff != "" {
			t.Errorf("seed %d: %s", seed, diff)
		}
		for _, line := range c.Plain() {
			if strings.Contains(line, "NaN") || strings.Contains(line, "%!") || strings.Contains(line, "Inf") {
				t.Errorf("seed %d: %s", seed, line)
			}
		}
		r.Shuffle(len(refs), func(i, j int) { refs[i], refs[j] = refs[j], refs[i] })
		again := Calibrate(append(refs, Reference{"1", "bad", nil}), target)
		if diff := cmp.Diff(c, again); diff != "" {
			t.Errorf("seed %d, in another order: %s", seed, diff)
		}
	}
}

// The wanted rate is met by strangers that the calibration never saw, in a crowd that the defaults
// are far too loose for. The rate is one that a test can count.
func TestStrangersAreSeldomConfident(t *testing.T) {
	const subjects, searches, wanted = 150, 3000, 0.01
	r := seeded(4)
	refs := Alike().references(r, subjects, 1)
	c := Calibrate(refs, Target{FalseConfident: wanted, GenuineKept: 0.995})
	confident := map[string]int{}
	for name, th := range map[string]Thresholds{"calibrated": c.Thresholds, "default": DefaultThresholds()} {
		th.Margin = 0 // which would make them fewer, but that is not what is calibrated
		g := build(t, refs, th)
		strangers := Alike().references(seeded(5), searches, 1)
		for _, s := range strangers {
			if g.MatchPhotograph([]face.Templates{s.Templates})[0].Band == Confident {
				confident[name]++
			}
		}
	}
	if got := float64(confident["calibrated"]) / searches; got > 2*wanted || got < wanted/10 {
		t.Errorf("%v of the strangers are confident, wanted %v", got, wanted)
	}
	if confident["default"] < 10*confident["calibrated"] {
		t.Errorf("%v: the test shows nothing", confident)
	}
}

// blurred are pairs of photographs of which some are hardly alike.
func blurred(r *rand.Rand, subjects int, blur func() float64) []Reference {
	var refs []Reference
	for i := range subjects {
		p := someone(r)
		for k := range 4 {
			refs = append(refs, Reference{fmt.Sprint(i), fmt.Sprint(k), near(r, p, blur())})
		}
	}
	return refs
}

func TestUnsureFollowsTheGenuinePairs(t *testing.T) {
	r := seeded(6)
	sharp := func() float64 { return 0.3 }
	worn := func() float64 { return 0.87 + 0.2*r.Float64() }
	lost := func() float64 { return 2 + r.Float64() }
	for name, c := range map[string]struct {
		refs     []Reference
		measured bool
		unsure   func(Calibration) float64
	}{
		"sharp: the default":      {blurred(r, 110, sharp), true, func(Calibration) float64 { return 3.5 }},
		"worn: the quantile":      {blurred(r, 110, worn), true, func(c Calibration) float64 { return c.GenuineQuantile }},
		"lost: the floor":         {blurred(r, 110, lost), true, func(Calibration) float64 { return lowestUnsure }},
		"few subjects: no answer": {blurred(r, 90, worn), false, func(Calibration) float64 { return 3.5 }},
		"few pairs: no answer":    {blurred(r, 99, worn)[:396], false, func(Calibration) float64 { return 3.5 }},
	} {
		t.Run(name, func(t *testing.T) {
			got := Calibrate(c.refs, DefaultTarget())
			if got.UnsureMeasured != c.measured || got.Thresholds.Unsure != c.unsure(got) {
				t.Errorf("%+v", got)
			}
			kept := share(got.genuineScores(calibrated(c.refs)), got.GenuineQuantile)
			if kept < 0.995 || kept > 0.9999 {
				t.Errorf("%v of the pairs lie above the quantile", kept)
			}
		})
	}
}

func TestTargetsThatAreNone(t *testing.T) {
	refs := General().references(seeded(7), 10, 2)
	want := Calibrate(refs, DefaultTarget())
	for _, target := range []Target{{}, {-1, 2}, {math.NaN(), math.Inf(1)}, {1, 0}} {
		if diff := cmp.Diff(want, Calibrate(refs, target)); diff != "" {
			t.Errorf("%+v: %s", target, diff)
		}
	}
}

// More pairs than are compared: a fixed choice of them says what all would.
func TestChoiceOfPairs(t *testing.T) {
	if testing.Short() {
		t.Skip("compares six million pairs")
	}
	samples := calibrated(General().references(seeded(8), 2300, 1))
	some := impostorScores(samples)
	if n := len(some); n > mostPairs || n < mostPairs*99/100 {
		t.Errorf("%d pairs", n)
	}
	if diff := cmp.Diff(some, impostorScores(samples)); diff != "" {
		t.Error("another choice each time")
	}
	mean, sd := meanAndSD(some)
	all, allSD := meanAndSD(impostorScores(samples[:1900]))
	if math.Abs(mean-all) > 0.02 || math.Abs(sd-allSD) > 0.02 {
		t.Errorf("%v ± %v of some, %v ± %v of all", mean, sd, all, allSD)
	}
}

func TestRatesOfSearches(t *testing.T) {
	for _, n := range []int{1, 7, 1000, 100000} {
		for _, rate := range []float64{0.3, 1e-2, 1e-4} {
			if got := ofSearches(ofPairs(rate, n), n); math.Abs(got-rate) > 1e-9*rate {
				t.Errorf("%d references: %v, want %v", n, got, rate)
			}
		}
	}
}
