package motion

import (
	"image"
	"math"
	"slices"

	"github.com/consentry/consentry/internal/track"
)

// shots tells shots apart. Each part of a frame is looked for on the frame before; where hardly anything is found again, a new
// shot has begun. What is compared is structure (correlation free of brightness and contrast), so that flashes and
// fades pass; a frame without structure (black, overexposed) is passed over.
type shots struct {
	size  image.Point // of the tiny copy
	last  *tiny       // the last frame with structure
	lost  float64     // share of the parts of the last frame that were not found on the one before
	level float64     // running level of that
	begun bool
}

const (
	tinySide    = 80   // longer side of the tiny copy, pixels
	blockSide   = 16   // of a part that is looked for; a fifth of the picture
	blockStep   = 8    // from one part to the next
	textured    = 3.0  // standard deviation of grey, of 255, from which on a part has structure
	found       = 0.8  // correlation from which on a part was found again
	fewParts    = 0.1  // share of parts with structure below which a frame has none
	lostAtCut   = 0.5  // share of parts not found again from which on it is a cut…
	aboveLevel  = 0.3  // …if it is so much above what was usual just before
	levelWeight = 0.2  // of a new frame in the running level
	confused    = 0.2  // share of parts not found from which on motion is taken for fast
	fastUnknown = 0.05 // the speed that is then reported, of the picture's width
	fastest     = 0.9  // the quantile of the parts' speeds that is reported
)

func newShots(width, height int) shots {
	return shots{size: reduced(width, height, tinySide/float64(max(width, height)))}
}

// see takes the next tiny copy.
func (s *shots) see(grey []uint8) track.Motion {
	now := newTiny(grey, s.size)
	if !s.begun {
		s.begun = true
		s.last = now
		return track.Motion{Cut: true}
	}
	parts := now.parts()
	if len(parts) == 0 || float64(len(parts)) < fewParts*float64(now.blocks()) {
		return track.Motion{}
	}
	m := s.compare(now, parts)
	s.last = now
	return m
}

func (s *shots) compare(now *tiny, parts []image.Point) track.Motion {
	var lost float64
	speeds := make([]float64, 0, len(parts))
	for _, p := range parts {
		shift, z := now.find(p, s.last)
		if z < found {
			lost += 1 / float64(len(parts))
			continue
		}
		speeds = append(speeds, math.Hypot(shift.X, shift.Y)/float64(s.size.X))
	}
	s.lost = lost
	cut := lost >= lostAtCut && lost >= s.level+aboveLevel
	if cut {
		s.level = 0
		return track.Motion{Cut: true}
	}
	s.level += levelWeight * (lost - s.level)
	m := track.Motion{}
	if len(speeds) > 0 {
		slices.Sort(speeds)
		m.Speed = speeds[int(fastest*float64(len(speeds)-1))]
	}
	if lost >= confused {
		m.Speed = max(m.Speed, fastUnknown)
	}
	return m
}
