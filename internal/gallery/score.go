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

// PLACEHOLDER until measured.
const (
	dlibMean, dlibSD     = 0.52, 0.085
	mobileMean, mobileSD = 0.85, 0.12
	together             = 0.4
	dlibShare            = 0.5
)

func dlibScore(squared float32) float64 {
	return strangers{dlibMean, dlibSD}.z(math.Sqrt(max(0, float64(squared))))
}

func mobileScore(cosine float32) float64 {
	return strangers{mobileMean, mobileSD}.z(1 - float64(cosine))
}

// fused weighs the two z-scores and brings the sum back to the spread of one, so that the result
// is a z-score of its own and one threshold serves both describers and their fusion.
func fused(dlib, mobile float64) float64 {
	const a, b = dlibShare, 1 - dlibShare
	return (a*dlib + b*mobile) / math.Sqrt(a*a+b*b+2*a*b*together)
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
