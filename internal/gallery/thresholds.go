package gallery

import (
	"errors"
	"fmt"
	"math"
)

// Thresholds divide the scores into bands. All are in the unit of Score.
type Thresholds struct {
	// Confident is the lowest score of a confident match where both describers spoke.
	Confident float64 `json:"confident"`
	// Single is added to Confident where only one describer spoke of probe and reference.
	Single float64 `json:"single"`
	// Unsure is the lowest score of an unsure match, whoever spoke. At most Confident.
	Unsure float64 `json:"unsure"`
	// Margin is by how much the best subject must lead the runner-up to be confident.
	Margin float64 `json:"margin"`
	// Exclusive is by how much a subject's confident face must lead another face of the same
	// photograph, itself merely unsure, for that one to be taken for somebody else.
	Exclusive float64 `json:"exclusive"`
}

// ErrThresholds is wrapped by New where thresholds contradict each other.
var ErrThresholds = errors.New("thresholds cannot be used")

// DefaultThresholds come from two sets: "general", 199 faces of adults of many origins with 107
// genuine and 19,395 impostor pairs, and "hard", 43 faces of young women of one origin with 39 and
// 864. All pairs were compared, bad photographs included.
//
//   - Confident 5.0: false matches 2 in 19,395 (one of them the same face found twice) and 0 in 864
//     (95 % interval up to 0.44 %). Genuine pairs below it, which become unsure or none:
//     17 of 107 and 25 of 39.
//   - Unsure 2.75: no genuine pair that both describers spoke of lies below (0 of 81), and 13 of
//     the 65 pairs with a face turned away or blurred, of which only MobileFaceNet spoke, do. The price: 0.8 % of strangers of
//     the general set and 20 % of the hard one are unsure against one subject.
//   - Single 0.5: only one voice, so half a standard deviation more.
//   - Margin 1.0: one standard deviation of strangers; nearer than that, which of the two it is, is chance.
//   - Exclusive 3.0: the winner leads the other face by more than two different people of the hard
//     set are ever above the average stranger (2.9 of its own standard deviations).
//
// 0.6, dlib's customary distance, is a score of 2.2: a third of the strangers of the hard set pass it.
func DefaultThresholds() Thresholds {
	return Thresholds{Confident: 5, Single: 0.5, Unsure: 2.75, Margin: 1, Exclusive: 3}
}

func (t Thresholds) validate() error {
	for _, x := range []float64{t.Confident, t.Single, t.Unsure, t.Margin, t.Exclusive} {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("%w: a threshold is not a number", ErrThresholds)
		}
	}
	if t.Unsure > t.Confident {
		return fmt.Errorf("%w: unsure above confident", ErrThresholds)
	}
	if t.Single < 0 || t.Margin < 0 || t.Exclusive < 0 {
		return fmt.Errorf("%w: a margin below zero", ErrThresholds)
	}
	return nil
}
