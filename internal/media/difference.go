package media

// Difference says how far a derivative is from its original outside of what was to be changed, on
// the scale of 8 bits.
type Difference struct {
	Max    float64 `json:"max"`    // of any sample
	Mean   float64 `json:"mean"`   // of the channel where it is largest
	Within bool    `json:"within"` // both are within what the format allows
}
