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
	// Yield is the score from which on an unsure face is never taken for somebody else, however far
	// the confident one leads: it may be a poster or a mirror, and it is for a person to decide.
	Yield float64 `json:"yield"`
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
//   - Unsure 3.5: the lowest score at which most strangers are still left alone where everybody looks
//     alike. With one photograph of each of seven people enrolled from the hard set, 2 of 16 searches
//     for them end in none (at 4.0 it is 6, at 3.25 it is 1) and 6 of 20 strangers in unsure (none at
//     4.0, 12 at 3.25). Of 3,613 pairs of small faces of 32 px and more within the group photographs
//     1.2 % reach it (0.4 % reach 4.0). What is unsure waits for a person and what is none may be
//     published, so the lower one was chosen. Below 3.5 genuine pairs remain that no threshold
//     saves (profiles): enrol several references, and where none may be missed obscure unknown faces.
//   - Single 0.5: only one voice, so half a standard deviation more.
//   - Margin 1.0: one standard deviation of strangers; nearer than that, which of the two it is, is chance.
//   - Exclusive 3.0: the winner leads the other face by three standard deviations of strangers,
//     where chance alone leads by that much once in 700 pairs.
//   - Yield 4.0: strangers between Unsure and 4.0 are common (see there), above it they are rare; a
//     second, blurred picture of the subject beside her own face scored 4.6.
//
// 0.6, dlib's customary distance, is a score of 2.2: three quarters of the strangers of the hard set pass it.
func DefaultThresholds() Thresholds {
	return Thresholds{Confident: 5, Single: 0.5, Unsure: 3.5, Margin: 1, Exclusive: 3, Yield: 4}
}

func (t Thresholds) validate() error {
	for _, x := range []float64{t.Confident, t.Single, t.Unsure, t.Margin, t.Exclusive, t.Yield} {
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
