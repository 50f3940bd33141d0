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
// fades pass; a frame without structure (black, overexposed) is passed over, and while a flash lasts, frames are compared with the one
// before it.
type shots struct {
	size  image.Point // of the tiny copy
	last  *tiny       // the last frame with structure, nil before there was one
	lost  float64     // share of the parts of the last frame that were not found on the one before
	level float64     // running level of that
	new   float64     // share of the last frame that shows what was not near there on the one before
	begun bool
	blank bool // the frame before had no structure, and that not for being overexposed
	glare int  // frames in a row that were far brighter than the last
}

const (
	tinySide    = 80    // longer side of the tiny copy, pixels
	blockSide   = 16    // of a part that is looked for; a fifth of the picture
	blockStep   = 8     // from one part to the next
	textured    = 3.0   // standard deviation of grey, of 255, from which on a part has structure
	found       = 0.8   // correlation from which on a part was found again
	fewParts    = 0.1   // share of parts with structure below which a frame has none
	lostAtCut   = 0.5   // share of parts not found again from which on it is a cut…
	lostAtFlash = 0.65  // …the same in a flash…
	aboveLevel  = 0.3   // …if it is so much above what was usual just before
	levelWeight = 0.2   // of a new frame in the running level
	confused    = 0.2   // share of parts not found from which on motion is taken for fast…
	sudden      = 0.004 // …and share of what was not near there before: a running child's head
	together    = 2.0   // tiny pixels up to which parts move alike
	mostLost    = 0.5   // share of parts not found up to which the others say how the whole moved
	fastUnknown = 0.05  // the speed that is then reported, of the picture's width
	fastest     = 0.9   // the quantile of the parts' speeds that is reported

	white        = 228.0 // grey from which on a pixel shows nothing; 235 is white in a film
	mostWhite    = 0.7   // share of a part from which on it shows nothing
	glaring      = 0.25  // share of the picture that is white in a flash at least…
	flaring      = 0.15  // …and by how much more that is than just before
	blinding     = 0.6   // share that is white from which on the rest of the picture says nothing either
	longestFlash = 5     // frames
)

func newShots(width, height int) shots {
	return shots{size: reduced(width, height, tinySide/float64(max(width, height)))}
}

// see takes the next tiny copy.
func (s *shots) see(grey []uint8) track.Motion {
	now := newTiny(grey, s.size)
	m := track.Motion{Cut: !s.begun}
	s.begun = true
	parts := now.parts()
	if len(parts) == 0 || float64(len(parts)) < fewParts*float64(len(now.corners())) {
		s.blank = now.whiteness < glaring
		return m
	}
	defer func() { s.blank = false }()
	flash := s.flashes(now)
	if flash && (s.last == nil || now.whiteness >= blinding) {
		return m
	}
	if s.last != nil {
		m = s.compare(now, parts, flash)
	} else if s.blank {
		m.Cut = true
	}
	if s.blank { // strobe light on a dark stage: what is lit for one frame must be searched on that frame
		m.Speed = max(m.Speed, fastUnknown)
	}
	if !flash || m.Cut {
		s.last = now
	}
	return m
}

// flashes says that the frame is lit by a flash: much more of it is white than of the last one. A scene that stays so is no flash;
// that it is a new one is known a moment later then.
func (s *shots) flashes(now *tiny) bool {
	before := 0.0
	if s.last != nil {
		before = s.last.whiteness
	}
	if now.whiteness < glaring || now.whiteness < before+flaring || s.glare >= longestFlash {
		s.glare = 0
		return false
	}
	s.glare++
	return true
}

func (s *shots) compare(now *tiny, parts []image.Point, flash bool) track.Motion {
	shifts, missing := now.findAll(parts, s.last, near())
	if float64(len(missing)) >= lostAtCut*float64(len(parts)) {
		shifts = append(shifts, alike(now, missing, s.last)...)
	}
	s.lost = 1 - float64(len(shifts))/float64(len(parts))
	limit := max(lostAtCut, s.level+aboveLevel)
	if flash {
		limit = max(limit, lostAtFlash)
	}
	if s.lost >= limit {
		s.level = 0
		return track.Motion{Cut: true}
	}
	s.level += levelWeight * (s.lost - s.level)
	m := s.speed(shifts)
	width := float64(s.size.X)
	s.new = now.fresh(s.last, image.Pt(int(math.Round(m.Pan.X*width)), int(math.Round(m.Pan.Y*width))))
	if s.lost >= confused || s.new >= sudden {
		m.Speed = max(m.Speed, fastUnknown)
	}
	return m
}

// findAll gives by how much the parts that are found again moved, and the others.
func (t *tiny) findAll(parts []image.Point, before *tiny, reach image.Point) (shifts []face.Point, missing []image.Point) {
	for _, p := range parts {
		if shift, z := t.find(p, before, reach); z >= found {
			shifts = append(shifts, shift)
		} else {
			missing = append(missing, p)
		}
	}
	return shifts, missing
}

// alike looks farther away for what was not found nearby: a camera that is swung. Over so many places anything resembles something, so that
// only those parts count that moved as half of them did.
func alike(now *tiny, parts []image.Point, before *tiny) []face.Point {
	shifts, _ := now.findAll(parts, before, far())
	if len(shifts) == 0 {
		return nil
	}
	var xs, ys []float64
	for _, p := range shifts {
		xs, ys = append(xs, p.X), append(ys, p.Y)
	}
	x, y := median(xs), median(ys)
	return slices.DeleteFunc(shifts, func(p face.Point) bool { return math.Hypot(p.X-x, p.Y-y) > together })
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
