package motion

import (
	"image"
	"math"
	"slices"

	"github.com/consentry/consentry/internal/face"
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
	mostLost    = 0.5  // share of parts not found up to which the others say how the whole moved
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
	shifts := make([]face.Point, 0, len(parts))
	for _, p := range parts {
		if shift, z := now.find(p, s.last); z >= found {
			shifts = append(shifts, shift)
		}
	}
	s.lost = 1 - float64(len(shifts))/float64(len(parts))
	if s.lost >= lostAtCut && s.lost >= s.level+aboveLevel {
		s.level = 0
		return track.Motion{Cut: true}
	}
	s.level += levelWeight * (s.lost - s.level)
	m := s.speed(shifts)
	if s.lost >= confused {
		m.Speed = max(m.Speed, fastUnknown)
	}
	return m
}

// speed is that of the fastest large part, and of the picture as a whole if most parts were found again.
func (s *shots) speed(shifts []face.Point) track.Motion {
	if len(shifts) == 0 {
		return track.Motion{}
	}
	var xs, ys, lengths []float64
	for _, p := range shifts {
		x, y := p.X/float64(s.size.X), p.Y/float64(s.size.X)
		xs, ys, lengths = append(xs, x), append(ys, y), append(lengths, math.Hypot(x, y))
	}
	slices.Sort(lengths)
	m := track.Motion{Speed: lengths[int(fastest*float64(len(lengths)-1))]}
	if s.lost <= mostLost {
		m.Pan = face.Point{X: median(xs), Y: median(ys)}
	}
	return m
}
