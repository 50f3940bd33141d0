package track

import "math"

const (
	shortest = 0.5  // seconds that a face is carried on at least, before its first and after its last sighting
	longest  = 1.2  // seconds that it is carried on while the flow is sure
	handover = 0.2  // seconds that it is carried on at most where another face is seen in its place
	fast     = 0.02 // of the picture's width in one frame: from here on every frame is searched
	rarest   = 8.0  // searches a second at least, where that many frames are shown: faces move as far at ten frames a second as at 30
)

// rate is the number of frames a second, within what can be carried with reason.
func (o Options) rate() float64 { return min(240, max(2, o.Rate)) }

// frames is how many frames the seconds are, rounded up.
func (o Options) frames(seconds float64) int { return int(math.Ceil(seconds * o.rate())) }

// every is the interval of searches, within its bounds.
func (o Options) every() int { return min(12, max(1, min(o.Every, int(math.Round(o.rate()/rarest))))) }

// pace is by how much more happens between two frames than at 25 a second, for which growth is stated.
func (o Options) pace() float64 { return 25 / o.rate() }

// Keep is how many of the last frames a Flow has to keep for this builder.
func (o Options) Keep() int { return o.frames(longest) + 2 }

// Search says whether the whole of a frame is to be searched (at low rates more often than Every says), given the number of frames since the last such search, its
// motion, and whether it is the first or the last frame of a shot. It does not depend on what was found, so that searches
// can run ahead of the builder.
func (o Options) Search(since int, m Motion, first, last bool) bool {
	return first || last || m.Cut || since >= o.every() || m.Speed >= fast
}
