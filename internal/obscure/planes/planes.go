// Package planes obscures regions in the planes of a film's frames, one frame after the other.
//
// It promises what obscure promises, over time too: every sample inside of the union of a frame's regions becomes a function of
// samples outside of the union on this frame, and of samples outside of their own unions on earlier frames of the same shot. Two
// films that differ only inside of the regions, each frame's own, come out the same to the bit. What lay bare beside a region on
// an earlier frame may thus tint a later fill, blurred to a ninth of a head; it is for the caller to cover a face from the first
// frame on which it can be seen. Beyond the feather no sample changes.
//
// It does not flicker: the fill of a track follows its surroundings with a delay of 0.3 s. A painter that begins in the middle of
// a shot knows nothing of what came before, so that the fills there differ a little from those of one that began earlier.
package planes

import (
	"fmt"
	"image"
	"math"
	"time"

	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/obscure"
)

// Region is what hides the face of one track on one frame.
type Region = obscure.Tracked

// Painter paints the frames of one film in order. It is not safe for concurrent use.
type Painter struct {
	width, height int
	usual         time.Duration // between two frames
	sequence      *obscure.Sequence
	before        time.Duration // time stamp of the frame before
	begun         bool
}

// New makes a painter for frames of width × height pixels, both even, at rate frames a second on the average. An error wraps
// [obscure.ErrStyle] or [obscure.ErrPlane].
func New(width, height int, rate float64, style obscure.Style) (*Painter, error) {
	if width < 2 || height < 2 || width%2 != 0 || height%2 != 0 || !(rate > 0) || math.IsInf(rate, 0) {
		return nil, fmt.Errorf("paint a film: %w: %d×%d pixels, %v frames a second", obscure.ErrPlane, width, height, rate)
	}
	s, err := obscure.NewSequence(style)
	if err != nil {
		return nil, fmt.Errorf("paint a film: %w", err)
	}
	return &Painter{width: width, height: height, usual: time.Duration(float64(time.Second) / rate), sequence: s}, nil
}

// Paint obscures the regions in the frame and returns for each, in the same order, the rectangle of pixels that changed for it:
// empty where it lies outside of the frame. A track may have one region only; the regions' order does not matter to the frame.
// A track without a region on a frame is forgotten.
//
// On an error nothing is altered; it wraps [obscure.ErrRegion] or [obscure.ErrPlane], the latter for a frame of another size.
func (p *Painter) Paint(f *film.Frame, regions []Region) ([]image.Rectangle, error) {
	if f.Width != p.width || f.Height != p.height || len(f.Pix) != p.width*p.height*3/2 {
		return nil, fmt.Errorf("paint frame %d: %w: %d×%d pixels in %d bytes instead of %d×%d", f.Number, obscure.ErrPlane,
			f.Width, f.Height, len(f.Pix), p.width, p.height)
	}
	changed, err := p.sequence.Apply(planesOf(f), f.Width, f.Height, regions, p.elapsed(f.At))
	if err != nil {
		return nil, fmt.Errorf("paint frame %d: %w", f.Number, err)
	}
	p.before, p.begun = f.At, true
	return changed, nil
}

// Cut forgets earlier frames: a new shot begins.
func (p *Painter) Cut() { p.sequence.Cut() }

// elapsed is the time since the frame before, or what is usual where time stamps do not rise.
func (p *Painter) elapsed(at time.Duration) time.Duration {
	if !p.begun || at <= p.before {
		return p.usual
	}
	return at - p.before
}

func planesOf(f *film.Frame) []obscure.Plane {
	plane := func(pix []byte, sub int) obscure.Plane {
		w, h := f.Width/sub, f.Height/sub
		return obscure.Plane{Width: w, Height: h, SubX: sub, SubY: sub, Stride: w, Step: 1, Pix8: pix}
	}
	y, u, v := f.Planes()
	return []obscure.Plane{plane(y, 1), plane(u, 2), plane(v, 2)}
}
