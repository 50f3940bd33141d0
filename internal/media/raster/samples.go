package raster

import (
	"image"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/obscure"
)

// samples is an upright picture of interleaved samples, as PNG, BMP, TIFF and lossless WebP have it.
type samples struct {
	w, h     int
	step     int // samples from one pixel to the next
	channels int // 1 grey, 3 RGB, 4 RGB and alpha, or CMYK; a fourth sample of a step without meaning is left alone
	pix8     []uint8
	pix16    []uint16 // exactly one of pix8 and pix16 is set
	cmyk     bool     // inks: 0 is none
	write    func(s *samples, h media.Header) ([]byte, error)
}

func (s *samples) size() image.Point { return image.Pt(s.w, s.h) }

func (s *samples) planes() []obscure.Plane {
	out := make([]obscure.Plane, s.channels)
	for c := range out {
		out[c] = obscure.Plane{Width: s.w, Height: s.h, SubX: 1, SubY: 1, Stride: s.w * s.step, Step: s.step}
		if s.pix8 != nil {
			out[c].Pix8 = s.pix8[c:]
		} else {
			out[c].Pix16 = s.pix16[c:]
		}
	}
	return out
}

func (s *samples) strippable() bool { return true }

func (s *samples) tolerance() Tolerance { return Tolerance{} }

func (s *samples) bgr(dst []byte) error {
	r, g, b := 0, 1, 2
	if s.channels == 1 {
		g, b = 0, 0
	}
	n := s.w * s.h
	if s.cmyk {
		s.inksToBGR(dst)
		return nil
	}
	if s.pix8 != nil {
		for i := range n {
			px, out := s.pix8[i*s.step:], dst[3*i:3*i+3]
			out[0], out[1], out[2] = px[b], px[g], px[r]
		}
		return nil
	}
	for i := range n {
		px, out := s.pix16[i*s.step:], dst[3*i:3*i+3]
		out[0], out[1], out[2] = uint8(px[b]>>8), uint8(px[g]>>8), uint8(px[r]>>8)
	}
	return nil
}

// inksToBGR multiplies what each ink lets through.
func (s *samples) inksToBGR(dst []byte) {
	light := func(i int) int {
		if s.pix8 != nil {
			return 255 - int(s.pix8[i])
		}
		return 255 - int(s.pix16[i]>>8)
	}
	for i := range s.w * s.h {
		k := light(4*i + 3)
		for c := range 3 {
			dst[3*i+2-c] = uint8(light(4*i+c) * k / 255)
		}
	}
}

func (s *samples) encode(h media.Header, changed []image.Rectangle) ([]byte, []image.Rectangle, error) {
	out, err := s.write(s, h)
	return out, changed, err
}

// upright turns the samples; the planes must be taken afterwards.
func (s *samples) upright(orientation int) {
	w, h := s.w, s.h
	if s.pix8 != nil {
		s.pix8, s.w, s.h = turn(s.pix8, w, h, s.step, orientation)
		return
	}
	s.pix16, s.w, s.h = turn(s.pix16, w, h, s.step, orientation)
}
