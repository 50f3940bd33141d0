package gallery

import (
	"cmp"
	"math"
	"slices"
)

// Target is what a calibration aims at.
type Target struct {
	// FalseConfident is how many searches for people who are not enrolled may end in a confident
	// match, as a share. One search is one face.
	FalseConfident float64 `json:"false_confident"`
	// GenuineKept is the share of the pairs of references of one subject that must be at least unsure.
	GenuineKept float64 `json:"genuine_kept"`
}

// DefaultTarget allows one false confident match in 10,000 faces, and keeps 99.5 % of the genuine pairs.
func DefaultTarget() Target { return Target{FalseConfident: 1e-4, GenuineKept: 0.995} }

// orDefault replaces what is no share between 0 and 1.
func (t Target) orDefault() Target {
	d := DefaultTarget()
	if !(t.FalseConfident > 0 && t.FalseConfident < 1) {
		t.FalseConfident = d.FalseConfident
	}
	if !(t.GenuineKept > 0 && t.GenuineKept < 1) {
		t.GenuineKept = d.GenuineKept
	}
	return t
}

// Calibration is what a gallery's own references say of the thresholds.
type Calibration struct {
	Thresholds Thresholds `json:"thresholds"` // what New should be given; only Confident and Unsure differ from the defaults
	Target     Target     `json:"target"`
	Subjects   int        `json:"subjects"`
	References int        `json:"references"`

	ImpostorPairs int     `json:"impostor_pairs"` // of references of different subjects that were compared
	ImpostorMean  float64 `json:"impostor_mean"`  // of their scores
	ImpostorSD    float64 `json:"impostor_sd"`
	FMR           float64 `json:"fmr"` // false match rate per pair that Target.FalseConfident comes to
	Tail          Tail    `json:"tail"`

	GenuinePairs     int     `json:"genuine_pairs"`    // of references of one subject that were compared
	GenuineSubjects  int     `json:"genuine_subjects"` // subjects that they are of
	GenuineQuantile  float64 `json:"genuine_quantile"` // the score that the share Target.GenuineKept of them reaches
	GenuineConfident float64 `json:"genuine_confident"`
	UnsureMeasured   bool    `json:"unsure_measured"` // Unsure comes from the genuine pairs; else it is the default

	// StrangersAsked is the share of searches for people who are not enrolled that end in unsure, as far as
	// the references tell.
	StrangersAsked float64 `json:"strangers_asked"`
}

const (
	// mostPairs is how many pairs are compared at most, of each kind: a second's work.
	mostPairs = 2_000_000
	// lowestUnsure is the floor of Unsure. In the hard set 12 of 20 strangers already reach 3.25 with
	// seven subjects enrolled; of strangers of the general set one pair in 160 reaches 2.5, so that with 100
	// subjects every second stranger would be asked about, with 500 nearly all.
	lowestUnsure = 2.5
	// genuineBelow is how many genuine pairs must lie below the quantile for it to be one: with three the
	// share below it is known to a factor of three. For 99.5 % these are 600 pairs.
	genuineBelow = 3
	// genuineSubjects is of how many subjects they must be: pairs of one subject are not independent.
	genuineSubjects = 100
)

// Calibrate sets the thresholds by the references themselves; those that New would refuse count for
// nothing. The same references and target give the same answer, in whatever order they come.
// A target that is no share between 0 and 1 is replaced by the default.
//
// Confident: a search compares a face with all N references, so that with a false match rate FMR per
// pair a share 1−(1−FMR)^N of the searches for strangers ends in a false match (ISO/IEC 19795-1:2021,
// identification from verification rates; Daugman, Proc. IEEE 94(11), 2006, §III). Solved for FMR,
// the score that only so many impostor pairs reach is read off the gallery's own distribution: see Tail. It
// is never below the default, as references are better photographs than what is searched for.
//
// Unsure: the score that the wanted share of genuine pairs reaches, where at least 600 pairs of
// 100 subjects are there to say so (for 99.5 %), but not above the default and not below 2.5; else the default.
//
// Margin and the others stay: they are distances between scores, whose unit is a stranger's
// standard deviation in every gallery.
func Calibrate(refs []Reference, target Target) Calibration {
	c := Calibration{Thresholds: DefaultThresholds(), Target: target.orDefault()}
	usable := calibrated(refs)
	c.count(usable)
	impostors, genuine := impostorScores(usable), c.genuineScores(usable)
	c.setConfident(impostors)
	c.setUnsure(genuine)
	c.StrangersAsked = ofSearches(share(impostors, c.Thresholds.Unsure), c.References)
	c.GenuineConfident = share(genuine, c.Thresholds.Confident)
	return c
}

// sample is one reference as a calibration wants it.
type sample struct {
	probe
	subject, digest string
}

// calibrated are the references that can be compared, in an order of their own.
func calibrated(refs []Reference) []sample {
	var samples []sample
	for _, r := range refs {
		if r.check() == nil {
			samples = append(samples, sample{newProbe(r.Templates), r.Subject, r.Digest})
		}
	}
	slices.SortStableFunc(samples, func(a, b sample) int {
		return cmp.Or(cmp.Compare(a.subject, b.subject), cmp.Compare(a.digest, b.digest))
	})
	return samples
}

func (c *Calibration) count(samples []sample) {
	c.References = len(samples)
	for i, s := range samples {
		if i == 0 || samples[i-1].subject != s.subject {
			c.Subjects++
		}
	}
}

// impostorScores are those of all pairs of different subjects, sorted, or of a fixed choice of them.
func impostorScores(samples []sample) []float64 {
	var scores []float64
	add := func(a, b *sample) {
		if a.subject == b.subject {
			return
		}
		if s, ok := a.score(b.probe); ok {
			scores = append(scores, s)
		}
	}
	if n := len(samples); n*(n-1)/2 <= mostPairs {
		for i := range samples {
			for j := range i {
				add(&samples[i], &samples[j])
			}
		}
	} else {
		for k := range uint64(mostPairs) {
			add(&samples[scattered(2*k)%uint64(n)], &samples[scattered(2*k+1)%uint64(n)])
		}
	}
	slices.Sort(scores)
	return scores
}

// scattered is SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): numbers that are even enough to choose
// pairs by, and the same in every run.
func scattered(k uint64) uint64 {
	k = (k + 1) * 0x9e3779b97f4a7c15
	k = (k ^ k>>30) * 0xbf58476d1ce4e5b9
	k = (k ^ k>>27) * 0x94d049bb133111eb
	return k ^ k>>31
}

// genuineScores are those of pairs of one subject, sorted.
func (c *Calibration) genuineScores(samples []sample) []float64 {
	var scores []float64
	last := ""
	for i := range samples {
		for j := i - 1; j >= 0 && samples[j].subject == samples[i].subject && len(scores) < mostPairs; j-- {
			if s, ok := samples[i].score(samples[j].probe); ok {
				scores = append(scores, s)
				if samples[i].subject != last {
					last = samples[i].subject
					c.GenuineSubjects++
				}
			}
		}
	}
	slices.Sort(scores)
	c.GenuinePairs = len(scores)
	return scores
}

func (c *Calibration) setConfident(impostors []float64) {
	c.FMR = ofPairs(c.Target.FalseConfident, c.References)
	c.ImpostorPairs = len(impostors)
	c.ImpostorMean, c.ImpostorSD = meanAndSD(impostors)
	c.Tail = newTail(impostors, c.ImpostorMean, c.ImpostorSD, c.FMR)
	c.Thresholds.Confident = max(c.Thresholds.Confident, c.Tail.Score)
}

func (c *Calibration) setUnsure(genuine []float64) {
	// The smallest amount more than the share, for shares that no float64 holds.
	below := int((1-c.Target.GenuineKept)*float64(len(genuine)) + 1e-9)
	if len(genuine) > 0 {
		c.GenuineQuantile = genuine[below]
	}
	if below >= genuineBelow && c.GenuineSubjects >= genuineSubjects {
		c.UnsureMeasured = true
		c.Thresholds.Unsure = max(lowestUnsure, min(c.Thresholds.Unsure, c.GenuineQuantile))
	}
}

// ofPairs is the rate per pair with which a rate per search against n references is met.
func ofPairs(perSearch float64, n int) float64 {
	return -math.Expm1(math.Log1p(-perSearch) / float64(max(1, n)))
}

// ofSearches is the rate per search against n references that a rate per pair makes.
func ofSearches(perPair float64, n int) float64 {
	return -math.Expm1(float64(n) * math.Log1p(-perPair))
}

// share is how many of the sorted scores reach the limit. 0 of none.
func share(sorted []float64, limit float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	at, _ := slices.BinarySearch(sorted, limit)
	return float64(len(sorted)-at) / float64(len(sorted))
}

// meanAndSD are 0 of nothing; the standard deviation is 0 of one.
func meanAndSD(xs []float64) (mean, sd float64) {
	for _, x := range xs {
		mean += x / float64(len(xs))
	}
	for _, x := range xs {
		sd += (x - mean) * (x - mean) / float64(max(1, len(xs)-1))
	}
	return mean, math.Sqrt(sd)
}
