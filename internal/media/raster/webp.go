package raster

/*
#cgo pkg-config: libwebp
#include "webpshim.h"
*/
import "C"

import (
	"bytes"
	"fmt"
	"image"
	"unsafe"

	"golang.org/x/image/webp"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/obscure"
)

// webpQuality is that of lossy WebP. The source's own cannot be told from its bytes, and what was
// already coded once must lose as little as the format allows without growing out of proportion.
const webpQuality = 95

func decodeWebP(data []byte, h media.Header) (body, error) {
	m, err := webp.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, damagedBy(err)
	}
	switch m := m.(type) {
	case *image.YCbCr:
		return newLossyWebP(m, nil, 0, h.Orientation)
	case *image.NYCbCrA:
		return newLossyWebP(&m.YCbCr, m.A, m.AStride, h.Orientation)
	}
	return fromImage(m, h.Orientation, writeWebP)
}

// writeWebP writes a lossless one.
func writeWebP(m image.Image, h media.Header) ([]byte, error) {
	n, ok := m.(*image.NRGBA)
	if !ok {
		return nil, fmt.Errorf("lossless WebP of %T: %w", m, media.ErrUnsupported)
	}
	var out C.cw_bytes
	code := C.cw_lossless(bytePtr(n.Pix), C.int(n.Stride), C.int(n.Rect.Dx()), C.int(n.Rect.Dy()), &out)
	return finishWebP(&out, code, h)
}

func finishWebP(out *C.cw_bytes, code C.int, h media.Header) ([]byte, error) {
	if code != 0 {
		return nil, fmt.Errorf("writing WebP: code %d: %w", code, media.ErrUnsupported)
	}
	defer C.cw_free(out)
	return media.WithWebPICC(C.GoBytes(unsafe.Pointer(out.data), C.int(out.size)), h.ICC)
}

// lossyWebP holds the 4:2:0 planes that VP8 codes, and alpha at full size or nil.
type lossyWebP struct {
	w, h       int
	y, u, v, a []uint8
}

func (p *lossyWebP) chroma() (w, h int) { return (p.w + 1) / 2, (p.h + 1) / 2 }

func newLossyWebP(m *image.YCbCr, alpha []uint8, alphaStride, orientation int) (body, error) {
	if m.SubsampleRatio != image.YCbCrSubsampleRatio420 {
		return nil, fmt.Errorf("WebP sampling %v: %w", m.SubsampleRatio, media.ErrUnsupported)
	}
	size := m.Rect.Size()
	p := &lossyWebP{w: size.X, h: size.Y}
	if turned(orientation) {
		p.w, p.h = p.h, p.w
	}
	stand := func(src []uint8, w, h, stride int) []uint8 {
		dst := make([]uint8, w*h)
		uw := w
		if turned(orientation) {
			uw = h
		}
		upright(dst, src, w, h, 1, stride, uw, orientation)
		return dst
	}
	p.y = stand(m.Y, size.X, size.Y, m.YStride)
	p.u = stand(m.Cb, (size.X+1)/2, (size.Y+1)/2, m.CStride)
	p.v = stand(m.Cr, (size.X+1)/2, (size.Y+1)/2, m.CStride)
	if alpha != nil {
		p.a = stand(alpha, size.X, size.Y, alphaStride)
	}
	return p, nil
}

func (p *lossyWebP) size() image.Point { return image.Pt(p.w, p.h) }

func (p *lossyWebP) planes() []obscure.Plane {
	cw, ch := p.chroma()
	out := []obscure.Plane{
		{Width: p.w, Height: p.h, SubX: 1, SubY: 1, Stride: p.w, Step: 1, Pix8: p.y},
		{Width: cw, Height: ch, SubX: 2, SubY: 2, Stride: cw, Step: 1, Pix8: p.u},
		{Width: cw, Height: ch, SubX: 2, SubY: 2, Stride: cw, Step: 1, Pix8: p.v},
	}
	if p.a != nil {
		out = append(out, obscure.Plane{Width: p.w, Height: p.h, SubX: 1, SubY: 1, Stride: p.w, Step: 1, Pix8: p.a})
	}
	return out
}

func (p *lossyWebP) bgr(dst []byte) error {
	cw, _ := p.chroma()
	for y := range p.h {
		for x := range p.w {
			c := y/2*cw + x/2
			at := y*p.w + x
			dst[3*at+2], dst[3*at+1], dst[3*at] = video(p.y[at], p.u[c], p.v[c])
		}
	}
	return nil
}

func (p *lossyWebP) strippable() bool { return true }

func (p *lossyWebP) tolerance() Tolerance { return Tolerance{Max: webpMax, Mean: webpMean} }

// encode codes the whole picture again. The rectangles are grown to macroblocks; the loop filter
// reaches 8 pixels beyond.
func (p *lossyWebP) encode(h media.Header, changed []image.Rectangle) ([]byte, []image.Rectangle, error) {
	cw, _ := p.chroma()
	var out C.cw_bytes
	code := C.cw_lossy(bytePtr(p.y), bytePtr(p.u), bytePtr(p.v), bytePtr(p.a),
		C.int(p.w), C.int(cw), C.int(p.w), C.int(p.w), C.int(p.h), webpQuality, &out)
	data, err := finishWebP(&out, code, h)
	grown := make([]image.Rectangle, len(changed))
	for i, r := range changed {
		grown[i] = grow(r, 16, 16, 8)
	}
	return data, grown, err
}
