package raster

import (
	"image"
	"image/color"

	"github.com/consentry/consentry/internal/media"
)

func decodeTIFF(data []byte, h media.Header) (body, error) {
	t, err := media.DecodeTIFF(data)
	if err != nil {
		return nil, err
	}
	if t.Photometric == media.TIFFPalette {
		return paletteTIFF(t, h), nil
	}
	s := &samples{w: t.Width, h: t.Height, step: t.Channels, channels: t.Channels, pix8: t.Pix8, pix16: t.Pix16, cmyk: t.Photometric == media.TIFFCMYK}
	s.write = func(s *samples, h media.Header) ([]byte, error) {
		out := *t
		out.Width, out.Height, out.Pix8, out.Pix16, out.ICC = s.w, s.h, s.pix8, s.pix16, h.ICC
		return out.Encode()
	}
	s.upright(h.Orientation)
	return s, nil
}

// paletteTIFF keeps the 16-bit colour map for writing; the fill works on its upper 8 bits.
func paletteTIFF(t *media.TIFFImage, h media.Header) body {
	m := &image.Paletted{Pix: t.Pix8, Stride: t.Width, Rect: image.Rect(0, 0, t.Width, t.Height)}
	for i := range 256 {
		r, g, b := t.ColorMap[i], t.ColorMap[256+i], t.ColorMap[512+i]
		m.Palette = append(m.Palette, color.NRGBA{R: uint8(r >> 8), G: uint8(g >> 8), B: uint8(b >> 8), A: 255})
	}
	return newPalette(m, h.Orientation, func(m image.Image, h media.Header) ([]byte, error) {
		size := m.Bounds().Size()
		out := *t
		out.Width, out.Height, out.Pix8, out.ICC = size.X, size.Y, packed(m.(*image.Paletted)), h.ICC //nolint:forcetypeassert // palette hands over what it is
		return out.Encode()
	})
}
