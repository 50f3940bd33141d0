package gallery

import (
	"math"

	"github.com/consentry/consentry/internal/gallery/dot8"
)

// Templates rounded to bytes are a quarter of the templates' size and can be compared ten times as
// fast. They never decide anything: they only show which rows cannot reach a score, and the others are
// scored by their templates.
//
// A row v is kept as v = step·q + e, q a vector of whole numbers from −127 to 127. With a probe
// u = s·p + d, kept in the same way, u·v = s·step·(p·q) + (s·p)·e + d·v, so that by Cauchy and Schwarz
//
//	u·v ≤ s·step·(p·q) + |s·p|·|e| + |d|·|v|.
//
// All rows have the same step, so that one whole number is the limit for all of them; components that
// it cannot reach are cut off, which makes e longer and the bound no less true.

// The steps of the rows. For MobileFaceNet ±127 steps are four standard deviations of the components
// of a unit vector of 512 numbers, the width at which rounding to 255 levels errs least where they are
// normal; for dlib they were chosen on the same photographs as the thresholds.
const (
	mobileStep = 4 * 0.0442 / 127
	dlibStep   = 0.5 / 127
)

// Limits on |e|: a row that is rounded worse is compared by its templates always. Of one that has normal
// components |e| is 0.009 for MobileFaceNet and 0.013 for dlib.
const (
	mobileErrorLimit = 0.03
	dlibErrorLimit   = 0.06
)

// Slack for the rounding of the sums of products of templates themselves, which are computed in float32:
// 131 operations err by 131·2⁻²⁴ = 7.8e-6 of the product of the lengths at most (Higham, Accuracy
// and Stability of Numerical Algorithms, 2002, §3.1), in whatever order and with or without fused operations.
const floatSlack = 1e-5

// rounded rounds v to whole steps. long is |step·q| and err |v − step·q|.
func rounded(v []float32, step float64, q []int8) (long, err float64) {
	for i, x := range v {
		n := math.RoundToEven(max(-127, min(127, float64(x)/step)))
		q[i] = int8(n)
		d := float64(x) - n*step
		long += n * n
		err += d * d
	}
	return step * math.Sqrt(long), math.Sqrt(err)
}

// coded is a probe's vector of one describer as bytes.
type coded struct {
	unit      float64 // what a step of the inner product with a row's bytes is worth
	long, err float64 // |s·p| and |d|
	offset    int32
}

func code(v []float32, rowStep float64, q []int8) *coded {
	var largest float64
	for _, x := range v {
		largest = max(largest, math.Abs(float64(x)))
	}
	step := largest / 127
	long, err := rounded(v, step, q)
	return &coded{unit: step * rowStep, long: long, err: err, offset: dot8.Offset(q)}
}

// slack is by how much the templates' inner product may exceed that of the bytes, for rows of at
// most the given length and error.
func (c *coded) slack(long, err float64) float64 {
	return c.long*err + c.err*long + floatSlack*(c.long+c.err)*long
}

// most is the most that the templates' inner product can be.
func (c *coded) most(sum int32, slack float64) float64 {
	return c.unit*float64(sum-c.offset) + slack
}

// codedProbe is a probe with its bytes.
type codedProbe struct {
	probe
	mobileBytes, dlibBytes *coded // dlibBytes is nil where there is no dlib template
}

// Slack for the arithmetic of a dot8.Limit in float32. No term of the score exceeds 80, and none of the squared
// distance 150, and the few operations on each err by 2⁻²⁴ of it: by 2e-5 and 5e-5 at most in all.
const (
	scoreSlack  = 2e-4
	squareSlack = 2e-4
)

// limit is what bytes of the block's rows must reach for the row to be able to have the score.
//
// The score's upper bound is a line in the long product, which bounds the cosine, less a multiple of
// the root of a line in the short one, which bounds dlib's squared distance. The part
// that needs no root stands in Least: it takes the distance for 0.
func (c *codedProbe) limit(b *block, score float64) dot8.Limit {
	m := c.mobileBytes
	share, root := 1.0, 0.0
	var base, perShort float64
	if d := c.dlibBytes; d != nil {
		share, root = (1-dlibShare)/spread(), dlibShare/spread()/dlibSD
		perShort = 2 * d.unit
		base = float64(c.dlibSquared) + perShort*float64(d.offset) - 2*d.slack(b.longest, b.worst.dlib) -
			2*floatSlack*(float64(c.dlibSquared)+b.longest*b.longest) - squareSlack
	}
	perLong := share * m.unit / mobileSD
	slack := m.slack(1+unitSlack, b.worst.mobile)
	constant := share*(slack-m.unit*float64(m.offset)+mobileMean-1)/mobileSD + root*dlibMean
	low := score - constant - scoreSlack
	return dot8.Limit{
		Least:   int32(max(math.MinInt32, min(math.MaxInt32, math.Floor(low/perLong)))),
		PerLong: float32(perLong), PerRoot: float32(root), Base: float32(base), PerShort: float32(perShort), Low: float32(low),
	}
}

// most is the highest score that a row can have, by its bytes: the same bound as the limit's, with
// the row's own errors and in float64.
func (c *codedProbe) most(r *row, h dot8.Hit) float64 {
	m := c.mobileBytes
	mobile := strangers{mobileMean, mobileSD}.z(1 - m.most(h.Long, m.slack(1+unitSlack, r.errors.mobile)))
	if c.dlibBytes == nil || r.dlib == nil {
		return mobile
	}
	both := float64(c.dlibSquared) + float64(r.dlibSquared)
	d := c.dlibBytes
	least := both - 2*d.most(h.Short, d.slack(longerThan(r.dlibSquared), r.errors.dlib)) - 2*floatSlack*both
	return fused(strangers{dlibMean, dlibSD}.z(math.Sqrt(max(0, least))), mobile)
}
