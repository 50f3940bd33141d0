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

// DefaultThresholds. PLACEHOLDER until measured.
func DefaultThresholds() Thresholds {
	return Thresholds{Confident: 4, Single: 0.5, Unsure: 2.5, Margin: 1, Exclusive: 3}
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
