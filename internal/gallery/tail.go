package gallery

import "math"

// Model is where the score for a false match rate was read off.
type Model string

// The models.
const (
	// ModelDefault is strangers as the scale of scores was made by: normal, 0 ± 1.
	ModelDefault Model = "default"
	// ModelCounted is the gallery's own pairs, counted.
	ModelCounted Model = "counted"
	// ModelNormal is a normal distribution with the mean and the standard deviation of the pairs.
	ModelNormal Model = "normal"
	// ModelPareto is a generalized Pareto distribution fitted to the highest hundredth of the pairs.
	ModelPareto Model = "pareto"
)

// Tail is the upper end of the impostor distribution, and the score that follows from it.
//
//   - Where at least 30 pairs would reach it, the score is counted: after 30 errors a rate is known to
//     within 30 % with 90 % confidence (Doddington's rule of 30, ISO/IEC 19795-1:2021).
//   - Beyond that it is the higher one of two models: a normal distribution, and, from 10,000
//     pairs on, a generalized Pareto distribution above the 99th percentile, which is what the excess
//     over a high limit tends to whatever the distribution (Pickands, Annals of Statistics 3(1), 1975), fitted by
//     probability-weighted moments (Hosking and Wallis, Technometrics 29(3), 1987). Its shape is kept to
//     at most 0, as scores have an upper end (about 10): siblings in the gallery would make it
//     look heavier, and for them there is Alike.
//   - With less than 10,000 pairs it is at least that of ModelDefault.
type Tail struct {
	Model Model   `json:"model"`
	Score float64 `json:"score"` // that the wanted share of pairs reaches
	// The fit of ModelPareto: above From the excess has this Scale and Shape. 0 for other models.
	From  float64 `json:"from,omitempty"`
	Scale float64 `json:"scale,omitempty"`
	Shape float64 `json:"shape,omitempty"`
}

const (
	ruleOf30  = 30
	manyPairs = 10_000
	upperTail = 0.01 // the share of pairs that the Pareto distribution is fitted to: 100 or more
)

// newTail finds the score that the share fmr of pairs reaches. The scores are sorted.
func newTail(scores []float64, mean, sd, fmr float64) Tail {
	if float64(len(scores))*fmr >= ruleOf30 {
		at := len(scores) - int(float64(len(scores))*fmr)
		return Tail{Model: ModelCounted, Score: math.Nextafter(scores[at-1], math.Inf(1))}
	}
	t := Tail{Model: ModelDefault, Score: normalScore(0, 1, fmr)}
	if n := len(scores); n >= ruleOf30 {
		if s := normalScore(mean, sd, fmr); s > t.Score || n >= manyPairs {
			t = Tail{Model: ModelNormal, Score: s}
		}
	}
	if len(scores) < manyPairs {
		return t
	}
	if p := pareto(scores, fmr); p.Score > t.Score {
		t = p
	}
	return t
}

// normalScore is what a share of a normal distribution reaches.
func normalScore(mean, sd, share float64) float64 {
	return mean + sd*math.Sqrt2*math.Erfcinv(2*share)
}

// pareto fits the excesses over the limit that a hundredth of the sorted scores exceed.
func pareto(scores []float64, fmr float64) Tail {
	above := int(upperTail * float64(len(scores)))
	from := scores[len(scores)-above-1]
	var b0, a1 float64 // the mean, and the mean weighted by how many exceed
	for i, x := range scores[len(scores)-above:] {
		b0 += (x - from) / float64(above)
		a1 += (x - from) / float64(above) * (1 - (float64(i)+0.65)/float64(above))
	}
	if b0 <= 2*a1 || a1 <= 0 { // not the moments of any such distribution: all excesses the same
		return Tail{Model: ModelPareto, Score: scores[len(scores)-1], From: from}
	}
	t := Tail{Model: ModelPareto, From: from, Shape: 2 - b0/(b0-2*a1), Scale: 2 * b0 * a1 / (b0 - 2*a1)}
	if t.Shape > 0 {
		t.Shape, t.Scale = 0, b0
	}
	t.Score = from + t.excess(float64(above)/float64(len(scores))/fmr)
	return t
}

// excess is what one in so many excesses reaches.
func (t Tail) excess(oneIn float64) float64 {
	if t.Shape == 0 {
		return t.Scale * math.Log(oneIn)
	}
	return t.Scale / t.Shape * math.Expm1(t.Shape*math.Log(oneIn))
}
