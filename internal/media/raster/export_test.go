package raster

import "github.com/consentry/consentry/internal/obscure"

// Colour spaces for MakeJPEG.
const (
	Grey  = jcsGrey
	RGB   = jcsRGB
	YCbCr = jcsYCbCr
	CMYK  = jcsCMYK
	YCCK  = jcsYCCK
)

// MakeJPEG writes a JPEG of any colour space and sampling, with samples from f.
func MakeJPEG(width, height, quality, colours int, h, v []int, progressive bool, icc []byte, f func(c, x, y int) uint8) ([]byte, error) {
	luma, chroma, err := qualityTables(quality)
	if err != nil {
		return nil, err
	}
	b := &jpegBody{shape: jpegShape{width: width, height: height, h: h, v: v, colours: colours, progressive: progressive}}
	for c := range h {
		q := luma
		if c == 1 || c == 2 {
			q = chroma
		}
		b.shape.quant = append(b.shape.quant, q)
		b.channels = append(b.channels, make([]uint8, b.shape.stride(c)*b.shape.rows(c)))
		w, n := b.shape.samples(c)
		for y := range n {
			for x := range w {
				b.channels[c][y*b.shape.stride(c)+x] = f(c, x, y)
			}
		}
	}
	b.extend()
	return encodeJPEG(&b.shape, b.channels, icc)
}

// KeepsCoefficients says whether the picture still has the source's coefficients.
func KeepsCoefficients(p *Picture) bool {
	b, ok := p.body.(*jpegBody)
	return ok && b.source != nil
}

// ColourSpace is libjpeg's number of it.
func ColourSpace(p *Picture) int {
	b, ok := p.body.(*jpegBody)
	if !ok {
		return 0
	}
	return b.shape.colours
}

// Stored is the reference for orientation in tests.
func Stored(o, x, y, w, h int) (int, int) { return stored(o, x, y, w, h) }

// Planes copies all samples of all planes.
func Samples(p *Picture) [][]uint16 {
	var out [][]uint16
	for _, pl := range p.Planes() {
		out = append(out, flat(pl))
	}
	return out
}

func flat(p obscure.Plane) []uint16 {
	out := make([]uint16, 0, p.Width*p.Height)
	for y := range p.Height {
		for x := range p.Width {
			out = append(out, p.At(x, y))
		}
	}
	return out
}
