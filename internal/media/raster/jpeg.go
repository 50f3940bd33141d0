package raster

import (
	"fmt"
	"image"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/obscure"
)

// jpegBody holds component planes as libjpeg's accurate integer DCT gives them.
type jpegBody struct {
	shape    jpegShape
	channels [][]uint8
	// source is an upright JPEG whose coefficients are the picture. It is nil where the picture
	// could not be turned without loss, or never was a JPEG; then all is coded afresh.
	source []byte
}

func shapeOf(h media.Header) jpegShape {
	s := jpegShape{width: h.Width, height: h.Height, progressive: h.JPEG.Progressive}
	for _, c := range h.JPEG.Components {
		s.h, s.v = append(s.h, c.H), append(s.v, c.V)
	}
	return s
}

func decodeJPEG(data []byte, h media.Header, limits media.Limits) (body, error) {
	data = data[:h.JPEG.End]
	s := shapeOf(h)
	if h.Orientation != 1 {
		out, ok, err := turnJPEG(data, &s, h.Orientation)
		if err != nil {
			return nil, err
		}
		if !ok {
			return decodeTurned(data, h)
		}
		data = out
		adobe := h.JPEG.HasAdobe
		if h, err = media.Parse(data, limits); err != nil {
			return nil, fmt.Errorf("reading the turned JPEG: %w", err)
		}
		h.JPEG.HasAdobe = h.JPEG.HasAdobe || adobe
		s = shapeOf(h)
	}
	planes, err := readPlanes(data, &s)
	if err != nil {
		return nil, err
	}
	return &jpegBody{shape: s, channels: planes, source: data}, s.check(h)
}

// check refuses colours that cannot be shown to the detector with certainty.
func (s *jpegShape) check(h media.Header) error {
	switch s.colours {
	case jcsGrey, jcsRGB, jcsYCbCr:
		return nil
	case jcsCMYK, jcsYCCK:
		if !h.JPEG.HasAdobe {
			return fmt.Errorf("CMYK JPEG that does not say whether it is inverted: %w", media.ErrUnsupported)
		}
		return nil
	}
	return fmt.Errorf("JPEG colour space %d: %w", s.colours, media.ErrUnsupported)
}

// decodeTurned decodes first and turns the planes, for pictures whose size is no multiple of the
// MCU where it would have to be. They are coded afresh with their own tables.
func decodeTurned(data []byte, h media.Header) (body, error) {
	s := shapeOf(h)
	planes, err := readPlanes(data, &s)
	if err != nil {
		return nil, err
	}
	if err := s.check(h); err != nil {
		return nil, err
	}
	t := s.turned(h.Orientation)
	for c := range planes {
		w, n := s.samples(c)
		out := make([]uint8, t.stride(c)*t.rows(c))
		upright(out, planes[c], w, n, 1, s.stride(c), t.stride(c), h.Orientation)
		planes[c] = out
	}
	return &jpegBody{shape: t, channels: planes}, nil
}

// turned is the shape after standing upright: tables and sampling turn with the picture.
func (s *jpegShape) turned(orientation int) jpegShape {
	t := *s
	if !turned(orientation) {
		return t
	}
	t.width, t.height, t.h, t.v = s.height, s.width, s.v, s.h
	t.quant = make([][64]uint16, len(s.quant))
	for c := range t.quant {
		for i := range 64 {
			t.quant[c][i] = s.quant[c][i%8*8+i/8]
		}
	}
	return t
}

func (b *jpegBody) size() image.Point { return image.Pt(b.shape.width, b.shape.height) }

func (b *jpegBody) planes() []obscure.Plane {
	hm, vm := b.shape.maxSampling()
	out := make([]obscure.Plane, len(b.channels))
	for c := range out {
		w, h := b.shape.samples(c)
		out[c] = obscure.Plane{
			Width: w, Height: h, SubX: hm / b.shape.h[c], SubY: vm / b.shape.v[c],
			Stride: b.shape.stride(c), Step: 1, Pix8: b.channels[c],
		}
	}
	return out
}

func (b *jpegBody) strippable() bool { return false } // encode copies coefficients, which scrubs better

func (b *jpegBody) tolerance() Tolerance {
	if b.source != nil {
		return Tolerance{}
	}
	return requantised(b.shape.quant)
}

func (b *jpegBody) encode(h media.Header, changed []image.Rectangle) ([]byte, []image.Rectangle, error) {
	grown := b.grown(changed)
	if b.source == nil {
		b.extend()
		out, err := encodeJPEG(&b.shape, b.channels, h.ICC)
		return out, grown, err
	}
	out, err := spliceJPEG(b.source, &b.shape, b.channels, b.mask(changed), h.ICC)
	return out, grown, err
}

// grown are the rectangles whose pixels a viewer may show differently. Where chroma is subsampled by
// two, viewers interpolate it, and a changed chroma sample reaches one pixel beyond its own.
func (b *jpegBody) grown(changed []image.Rectangle) []image.Rectangle {
	w, h := b.shape.mcu()
	margin := 0
	if w > 8 || h > 8 {
		margin = 1
	}
	out := make([]image.Rectangle, len(changed))
	for i, r := range changed {
		out[i] = grow(r, w, h, margin)
	}
	return out
}

// mask marks the MCUs that a rectangle touches, nil for none.
func (b *jpegBody) mask(changed []image.Rectangle) []byte {
	if len(changed) == 0 {
		return nil
	}
	w, h := b.shape.mcu()
	across, down := b.shape.mcus()
	mask := make([]byte, across*down)
	for _, r := range changed {
		for y := r.Min.Y / h; y <= (r.Max.Y-1)/h; y++ {
			for x := r.Min.X / w; x <= (r.Max.X-1)/w; x++ {
				mask[y*across+x] = 1
			}
		}
	}
	return mask
}

// extend repeats the last sample of rows and columns into the padding.
func (b *jpegBody) extend() {
	for c, p := range b.channels {
		w, h := b.shape.samples(c)
		stride := b.shape.stride(c)
		for y := range h {
			row := p[y*stride : (y+1)*stride]
			for x := w; x < stride; x++ {
				row[x] = row[w-1]
			}
		}
		for y := h; y < b.shape.rows(c); y++ {
			copy(p[y*stride:(y+1)*stride], p[(h-1)*stride:h*stride])
		}
	}
}

func (b *jpegBody) bgr(dst []byte) error {
	if b.shape.subsampling() >= 0 && (b.shape.colours == jcsYCbCr || b.shape.colours == jcsGrey) {
		return planesToBGR(&b.shape, b.channels, dst)
	}
	b.convert(dst)
	return nil
}

// convert is the slow way for rare samplings and colours; chroma is not interpolated.
func (b *jpegBody) convert(dst []byte) {
	planes := b.planes()
	var v [4]uint8
	for y := range b.shape.height {
		for x := range b.shape.width {
			for c := range planes {
				p := &planes[c]
				v[c] = p.Pix8[p.Offset(x/p.SubX, y/p.SubY)]
			}
			out := dst[3*(y*b.shape.width+x):]
			out[2], out[1], out[0] = toRGB(v, b.shape.colours)
		}
	}
}

// toRGB turns one pixel of any colour space of a JPEG into RGB. CMYK with an Adobe marker is stored
// inverted, 255 for no ink, so that ink multiplies.
func toRGB(v [4]uint8, colours int) (r, g, b uint8) {
	switch colours {
	case jcsGrey:
		return v[0], v[0], v[0]
	case jcsYCbCr:
		return ycc(v[0], v[1], v[2])
	case jcsYCCK:
		r, g, b = ycc(v[0], v[1], v[2])
		r, g, b = 255-r, 255-g, 255-b
	case jcsCMYK, jcsRGB:
		r, g, b = v[0], v[1], v[2]
	}
	if colours == jcsRGB {
		return r, g, b
	}
	k := uint16(v[3])
	return uint8(uint16(r) * k / 255), uint8(uint16(g) * k / 255), uint8(uint16(b) * k / 255)
}
