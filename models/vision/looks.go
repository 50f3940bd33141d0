package vision

import (
	"fmt"
	"image"
	"math"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
)

// look is a way of showing the detector a candidate again.
type look struct {
	face     float64 // pixels: side of the candidate as it is shown
	side     int     // pixels: side of what is shown, the candidate in its middle
	mirrored bool
}

// looks are two views with different sampling. Of the sizes 24, 28, 32, 44, 64 and 90 tried on the
// crowds, the samples and a clip, these two told faces from hands and folds best: with the same
// recall they leave two thirds of the false detections that one look of 32 pixels leaves.
func looks() []look {
	return []look{{face: 24, side: 96, mirrored: true}, {face: 28, side: 128}}
}

const (
	lookSame = 0.4  // intersection over union from which on a box of the look is the candidate
	lookFrom = 0.02 // score from which on boxes of the look are read
)

// lookAgain is the best score, 0 to 1, that the detector gives the candidate when it sees it so.
func (f *Finder) lookAgain(p *pyramid, b face.Box, l look) (float64, error) {
	level := p.shownAt(b, l.face)
	b = level.fromPicture(b)
	side, c := b.Size()*float64(l.side)/l.face, b.Centre()
	v := view{
		box:  face.Box{X: c.X - side/2, Y: c.Y - side/2, W: side, H: side},
		size: image.Pt(l.side, l.side), mirrored: l.mirrored,
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

// Weights of two logistic regressions over the candidates of the 14 crowds and six samples: faces
// of 12 pixels and more that YuNet is sure of (0.7) against boxes that it does not see at 0.3 at any
// of four scales. Small faces meet fewer anchors, so that a hit of theirs counts for more.
const (
	firstScore, firstHits, firstSize, firstNone = 0.44, 1.89, -2.96, -4.47
	againScore, againHits, againSize, againNone = 0.43, 1.23, -2.51, -1.06
	againLook                                   = 0.68
	// wholeHits is the size in pixels of the finest level from which on it meets all its anchors.
	wholeHits = 48.0
	// largeSize asks more of large candidates, up to hugeSize pixels of the finest level: of the
	// yardstick's 70 faces above 100 pixels none lay between −1.4 and 4.9, of the false ones 20.
	largeSize, hugeSize = -0.7, 128.0
	// hopeless and plain bound what is worth a second look.
	hopeless, plain = -3.5, 4.5
)

// Weights of a logistic regression over large candidates that were still in doubt after the looks:
// faces of the samples and crowds, also turned, half hidden, blurred and darkened, against
// everything else in those pictures. The detector's score says nothing more here. The portraits and a
// clip's frames were held out: of their 21 large false ones 4 remain.
const (
	steadyHits, steadyLook, steadyUnrest, steadyNone = 2.39, 0.91, -2.19, -10.2
	// leastUnrest is what half of all large faces stay below; less says nothing more.
	leastUnrest = 0.011
	// unsteady is the size in pixels of the finest level from which on landmarks are asked. Smaller
	// ones are half behind others in crowds, where landmarks jump on true faces too.
	unsteady = 96.0
	// steady is the log odds from which on they need not be asked: of 959 large faces, of which three
	// quarters were spoiled, 80 are below, and 9 of those are lost for 164 of 202 false ones.
	steady = 3.5
)

// impression is what is known of a candidate before it is looked at again.
type impression struct {
	score float64 // the detector's best, 0 to 1
	hits  int     // how often the detector named it
	size  float64 // pixels of the finest level searched
}

// small is the logarithm of the size up to wholeHits, 0 from there on.
func (i impression) small() float64 { return math.Log(math.Min(i.size, wholeHits) / wholeHits) }

// large is the logarithm of the size from wholeHits to hugeSize, 0 below.
func (i impression) large() float64 {
	return math.Log(math.Max(wholeHits, math.Min(i.size, hugeSize)) / wholeHits)
}

// first is the log odds that the candidate is a face by the first look alone. Below hopeless and
// above plain no second look is worth its time: hardly a yardstick's face was below, no false
// detection above.
func (i impression) first() float64 {
	return firstScore*logOdds(i.score) + firstHits*math.Log(float64(i.hits)) + firstSize*i.small() + firstNone
}

// again is the log odds after further looks, given the sum of their log odds.
func (i impression) again(sum float64) float64 {
	return againScore*logOdds(i.score) + againHits*math.Log(float64(i.hits)) + againLook*sum +
		againSize*i.small() + largeSize*i.large() + againNone
}

// settled is the log odds of a large candidate after its landmarks were fitted twice, given the sum
// of the looks' log odds.
func (i impression) settled(sum, unrest float64) float64 {
	return steadyHits*math.Log(float64(i.hits)) + steadyLook*sum +
		steadyUnrest*math.Log(math.Max(unrest, leastUnrest)) + steadyNone
}

// judge gives a candidate its final score, with further looks where the first is not enough.
func (f *Finder) judge(img gocv.Mat, p *pyramid, c candidate, finest float64) (face.Face, error) {
	i := impression{score: c.Score, hits: c.hits, size: c.Box.Size() * finest}
	z := i.first()
	if z > hopeless && z < plain {
		sum, err := f.allLooks(p, c.Box)
		if err != nil {
			return face.Face{}, err
		}
		z = i.again(sum)
		if i.size >= unsteady && z < steady && z >= logOdds(f.options.Threshold) {
			unrest, err := f.landmarks.unrest(img, c.Box)
			if err != nil {
				return face.Face{}, fmt.Errorf("look at the landmarks: %w", err)
			}
			z = math.Min(z, i.settled(sum, unrest)) // landmarks can only take away
		}
	}
	c.Score = 1 / (1 + math.Exp(-z))
	return c.Face, nil
}

// allLooks is the sum of the log odds of all looks at the candidate.
func (f *Finder) allLooks(p *pyramid, b face.Box) (sum float64, err error) {
	for _, l := range looks() {
		s, err := f.lookAgain(p, b, l)
		if err != nil {
			return 0, err
		}
		sum += logOdds(s)
	}
	return sum, nil
}

// logOdds stays within ±6.9: beyond a thousandth the network's scores say nothing more.
func logOdds(p float64) float64 {
	p = math.Min(math.Max(p, 1e-3), 1-1e-3)
	return math.Log(p / (1 - p))
}
