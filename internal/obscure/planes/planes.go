// Package planes obscures regions in the planes of a film's frames, one frame after the other.
//
// It promises what obscure promises, over time too: every sample inside of a region becomes a function of samples outside of
// all regions, of this frame and of earlier ones of the same shot. It does not flicker: the fill of a track follows its
// surroundings slowly. Beyond the feather no sample changes.
package planes

import (
	"errors"
	"image"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/obscure"
)

var errStub = errors.New("not written yet")

// Region is what hides the face of one track on one frame.
type Region struct {
	Track int
	face.Region
}

// Painter paints the frames of one film in order.
type Painter struct{}

// New makes a painter for frames of width × height pixels at rate frames a second.
func New(width, height int, rate float64, style obscure.Style) (*Painter, error) {
	return nil, errStub
}

// Paint obscures the regions in the frame and returns for each the rectangle of pixels that changed for it. On an error nothing is altered.
func (p *Painter) Paint(f *film.Frame, regions []Region) ([]image.Rectangle, error) {
	return nil, errStub
}

// Cut forgets earlier frames: a new shot begins.
func (p *Painter) Cut() {}
