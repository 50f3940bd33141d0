package vision

import (
	"fmt"
	"image"
	"math"

	"github.com/consentry/consentry/internal/face"
)

// A second look shows the detector the candidate alone, mirrored, at the size at which it is best
// at telling faces from hands and folds. Of the sizes 32, 40, 64 and 90 tried on the 14 crowds and
// the six samples, 32 told them apart best: faces 0.97 in the middle, others 0.07.
const (
	lookFace = 32   // pixels: side of the candidate as it is shown
	lookSide = 128  // pixels: side of what is shown, the candidate in its middle
	lookSame = 0.4  // intersection over union from which on a box of the look is the candidate
	lookFrom = 0.02 // score from which on boxes of the look are read
)

// secondLook is the best score, 0 to 1, that the detector gives the candidate when it sees it again.
func (f *Finder) secondLook(p *pyramid, b face.Box) (float64, error) {
	level := p.shownAt(b, lookFace)
	b = level.fromPicture(b)
	side, c := b.Size()*lookSide/lookFace, b.Centre()
	v := view{
		box:  face.Box{X: c.X - side/2, Y: c.Y - side/2, W: side, H: side},
		size: image.Pt(lookSide, lookSide), mirrored: true,
	}
	v.sample(level.mat, &f.look)
	seen, err := f.detector.detect(f.look, lookFrom)
	if err != nil {
		return 0, fmt.Errorf("look again: %w", err)
	}
	best := 0.0
	for _, s := range seen {
		if v.backBox(s.Box).IoU(b) >= lookSame {
			best = math.Max(best, s.Score)
		}
	}
	return best, nil
}

// Weights of a logistic regression over candidates of the 14 crowds and six samples: 212 faces
// that YuNet is sure of (0.7) against 306 boxes that it does not see at 0.3 at any of four
// scales; those that are plain at first sight are left out of both. Small faces meet fewer
// anchors, so that a hit of theirs counts for more.
const (
	weightFirst  = 0.30
	weightHits   = 2.03
	weightSecond = 1.10
	weightSize   = -2.68
	weightNone   = -3.57
	wholeHits    = 48.0 // pixels of the finest level from which on size makes no difference
)

// weigh makes one score, 0 to 1, of a first look, its hits, a second look and the candidate's size
// in pixels of the finest level.
func weigh(first float64, hits int, second, size float64) float64 {
	small := math.Log(math.Min(size, wholeHits) / wholeHits)
	z := weightFirst*logOdds(first) + weightHits*math.Log(float64(hits)) + weightSecond*logOdds(second) +
		weightSize*small + weightNone
	return 1 / (1 + math.Exp(-z))
}

// logOdds stays within ±6.9: beyond a thousandth the network's scores say nothing more.
func logOdds(p float64) float64 {
	p = math.Min(math.Max(p, 1e-3), 1-1e-3)
	return math.Log(p / (1 - p))
}
