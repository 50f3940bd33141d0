package raster

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/gif"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/obscure"
)

// palette is an upright picture of a palette. The fill sees its colours; Encode keeps every index
// whose pixel still has its colour and maps the others to the nearest.
type palette struct {
	w, h    int
	index   []uint8
	colours color.Palette
	rgba    []uint8 // four bytes a pixel, not premultiplied
	write   writer
}

func newPalette(m *image.Paletted, orientation int, write writer) *palette {
	size := m.Bounds().Size()
	p := &palette{colours: m.Palette, write: write}
	p.index, p.w, p.h = turn(packed(m), size.X, size.Y, 1, orientation)
	table := p.table()
	p.rgba = make([]uint8, 4*len(p.index))
	for i, v := range p.index {
		copy(p.rgba[4*i:4*i+4], table[v][:])
	}
	return p
}

// packed are the indices without padding between rows.
func packed(m *image.Paletted) []uint8 {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	if m.Stride == w {
		return m.Pix[:w*h]
	}
	out := make([]uint8, 0, w*h)
	for y := range h {
		out = append(out, m.Pix[y*m.Stride:y*m.Stride+w]...)
	}
	return out
}

// table are the colours of all 256 indices; decoders refuse pixels beyond the palette's end.
func (p *palette) table() (t [256][4]uint8) {
	for i, c := range p.colours {
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		t[i&255] = [4]uint8{n.R, n.G, n.B, n.A}
	}
	return t
}

func decodeGIF(data []byte) (body, error) {
	m, err := gif.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, damagedBy(err)
	}
	p, ok := m.(*image.Paletted)
	if !ok {
		return nil, fmt.Errorf("decoded to %T: %w", m, media.ErrUnsupported)
	}
	return newPalette(p, 1, writeGIF), nil
}

func writeGIF(m image.Image, _ media.Header) ([]byte, error) {
	p, ok := m.(*image.Paletted)
	if !ok {
		return nil, fmt.Errorf("GIF of %T: %w", m, media.ErrUnsupported)
	}
	var out bytes.Buffer
	if err := gif.EncodeAll(&out, &gif.GIF{Image: []*image.Paletted{p}, Delay: []int{0}}); err != nil {
		return nil, fmt.Errorf("writing GIF: %w", err)
	}
	return media.Strip(out.Bytes(), media.GIF)
}

func (p *palette) size() image.Point { return image.Pt(p.w, p.h) }

func (p *palette) planes() []obscure.Plane {
	out := make([]obscure.Plane, 4)
	for c := range out {
		out[c] = obscure.Plane{Width: p.w, Height: p.h, SubX: 1, SubY: 1, Stride: 4 * p.w, Step: 4, Pix8: p.rgba[c:]}
	}
	return out
}

func (p *palette) bgr(dst []byte) error {
	for i := range p.index {
		dst[3*i], dst[3*i+1], dst[3*i+2] = p.rgba[4*i+2], p.rgba[4*i+1], p.rgba[4*i]
	}
	return nil
}

func (p *palette) strippable() bool { return true }

func (p *palette) tolerance() Tolerance { return Tolerance{} }

func (p *palette) encode(h media.Header, changed []image.Rectangle) ([]byte, []image.Rectangle, error) {
	p.remap()
	m := &image.Paletted{Pix: p.index, Stride: p.w, Rect: image.Rect(0, 0, p.w, p.h), Palette: p.colours}
	out, err := p.write(m, h)
	return out, changed, err
}

func (p *palette) remap() {
	table := p.table()
	known := map[[4]uint8]uint8{}
	for i, v := range p.index {
		px := [4]uint8(p.rgba[4*i : 4*i+4])
		if px == table[v] {
			continue
		}
		near, ok := known[px]
		if !ok {
			near = nearest(px, table[:min(256, len(p.colours))])
			known[px] = near
		}
		p.index[i] = near
		copy(p.rgba[4*i:4*i+4], table[near][:])
	}
}

// nearest is the index of the colour with the least squared distance, the first of several.
func nearest(px [4]uint8, table [][4]uint8) uint8 {
	best, at := 1<<30, 0
	for i, c := range table {
		d := 0
		for k := range px {
			e := int(px[k]) - int(c[k])
			d += e * e
		}
		if d < best {
			best, at = d, i
		}
	}
	return uint8(at)
}
