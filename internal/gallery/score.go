package gallery

import (
	"math"

	"github.com/consentry/consentry/internal/face"
)

// Lengths of the templates.
const (
	dlibLength   = 128
	mobileLength = 512
)

// Limits on a template's length in space. MobileFaceNet's are of unit length up to rounding;
// dlib's were measured between 1.2 and 1.6.
const (
	unitSlack = 0.01
	dlibShort = 0.5
	dlibLong  = 4.0
)

// usable says whether a template can be compared at all: known describer, right length, finite
// numbers, and of a length in space that this describer gives.
func usable(d face.Describer, v []float32) bool {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	norm := math.Sqrt(sum) // a NaN or Inf anywhere makes it NaN or Inf, which no range holds
	switch d {
	case face.DlibResNet:
		return len(v) == dlibLength && norm >= dlibShort && norm <= dlibLong
	case face.MobileFaceNet:
		return len(v) == mobileLength && norm >= 1-unitSlack && norm <= 1+unitSlack
	}
	return false
}

// strangers says how the distances between faces of different people are spread, and so what a
// distance is worth.
type strangers struct{ mean, sd float64 }

// z is the number of standard deviations by which a distance is smaller than that between two
// strangers.
func (s strangers) z(distance float64) float64 { return (s.mean - distance) / s.sd }

// Two different people as the describers see them. Measured on the 19,395 pairs of different
// people among 199 faces of 40 px and more (14 group photographs, the six samples, a street clip;
// adults of many origins; 14,358 of the pairs with dlib): dlib's Euclidean distance 0.796 ± 0.092,
// MobileFaceNet's cosine distance 0.976 ± 0.102, their z-scores going together with r = 0.44. Among young women of one
// origin (43 faces) it is 0.556 ± 0.066 and 0.823 ± 0.123: strangers sit two standard deviations closer
// there, and children do too. The thresholds allow for that, not the scale.
const (
	dlibMean, dlibSD     = 0.80, 0.093
	mobileMean, mobileSD = 0.976, 0.102
	together             = 0.44
)

// dlibShare is dlib's part in the fused score. Genuine pairs stand 6.8 standard deviations above
// strangers with MobileFaceNet and 4.5 with dlib (2.6 and 1.1 in the one-origin set), and the two err
// together, so that Fisher's weights give dlib little: a tenth was the largest share with which
// fusion was never worse than MobileFaceNet alone at false match rates from 0.1 to 1 %; at a half it missed 32 of 39
// pairs instead of 25.
const dlibShare = 0.1

func dlibScore(squared float32) float64 {
	return strangers{dlibMean, dlibSD}.z(math.Sqrt(max(0, float64(squared))))
}

func mobileScore(cosine float32) float64 {
	return strangers{mobileMean, mobileSD}.z(1 - float64(cosine))
}

// fused weighs the two z-scores and brings the sum back to the spread of one, so that the result
// is a z-score of its own and one threshold serves both describers and their fusion.
func fused(dlib, mobile float64) float64 {
	return (dlibShare*dlib + (1-dlibShare)*mobile) / spread()
}

// spread is the standard deviation of the weighted sum of the two z-scores of strangers.
func spread() float64 {
	const a, b = dlibShare, 1 - dlibShare
	return math.Sqrt(a*a + b*b + 2*a*b*together)
}

// probe is one face as the search wants it; a nil vector is one that the describer declined or
// that cannot be used.
type probe struct {
	dlib, mobile []float32
	dlibSquared  float32
}

func newProbe(t face.Templates) probe {
	var p probe
	if v := t[face.DlibResNet]; usable(face.DlibResNet, v) {
		p.dlib, p.dlibSquared = v, dot(v, v)
	}
	if v := t[face.MobileFaceNet]; usable(face.MobileFaceNet, v) {
		p.mobile = v
	}
	return p
}

func (p probe) described() bool { return p.dlib != nil || p.mobile != nil }

// single says whether only one describer spoke of both faces.
func (p probe) single(q probe) bool {
	return p.dlib == nil || q.dlib == nil || p.mobile == nil || q.mobile == nil
}

// score compares two faces by what both describers said of both. ok is false where no describer
// spoke of both.
func (p probe) score(q probe) (score float64, ok bool) {
	dlib := p.dlib != nil && q.dlib != nil
	mobile := p.mobile != nil && q.mobile != nil
	var ds, ms float64
	if dlib {
		ds = dlibScore(p.dlibSquared + q.dlibSquared - 2*dot(p.dlib, q.dlib))
	}
	if mobile {
		ms = mobileScore(dot(p.mobile, q.mobile))
	}
	switch {
	case dlib && mobile:
		return fused(ds, ms), true
	case dlib:
		return ds, true
	case mobile:
		return ms, true
	}
	return 0, false
}

// Score says how alike two faces are: the number of standard deviations by which they are more
// alike than two different people are on average. 0 is a stranger, the same photograph twice
// about 10. ok is false where no describer spoke of both faces.
func Score(a, b face.Templates) (score float64, ok bool) {
	return newProbe(a).score(newProbe(b))
}

// dot is the inner product of two vectors of the same length, a multiple of four. Four sums that
// do not wait for each other make it twice as fast as one.
func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	for i := 0; i+4 <= len(a); i += 4 {
		x, y := a[i:i+4:i+4], b[i:i+4:i+4]
		s0 += x[0] * y[0]
		s1 += x[1] * y[1]
		s2 += x[2] * y[2]
		s3 += x[3] * y[3]
	}
	return (s0 + s1) + (s2 + s3)
}
