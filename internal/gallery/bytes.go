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

func code(v []float32, rowStep float64, q []int8) coded {
	var largest float64
	for _, x := range v {
		largest = max(largest, math.Abs(float64(x)))
	}
	step := largest / 127
	long, err := rounded(v, step, q)
	return coded{unit: step * rowStep, long: long, err: err, offset: dot8.Offset(q)}
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

// limit is the lowest sum with which the templates' inner product may still be at least the wanted one.
func (c *coded) limit(wanted, slack float64) int32 {
	x := math.Floor((wanted-slack)/c.unit) + float64(c.offset)
	return int32(max(math.MinInt32, min(math.MaxInt32, x)))
}

// leastCosine is the lowest cosine with which a face can reach a score, whatever dlib says.
// It lies a little lower than that, for the rounding of the way back.
func leastCosine(score float64, dlib bool) float64 {
	z := score
	if dlib {
		z = min(z, (score*spread()-dlibShare*dlibScore(0))/(1-dlibShare))
	}
	return 1 - (mobileMean - z*mobileSD) - 1e-9
}

// mostDlib is the highest z-score of dlib's distance to a row of the given squared length.
func (c *coded) mostDlib(sum int32, own, row, err float64) float64 {
	both := own + row
	slack := c.slack(math.Sqrt(row)*(1+floatSlack), err)
	least := both - 2*c.most(sum, slack) - 2*floatSlack*both
	return strangers{dlibMean, dlibSD}.z(math.Sqrt(max(0, least)))
}
