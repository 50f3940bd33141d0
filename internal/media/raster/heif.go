package raster

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/strukturag/libheif/go/heif"

	"github.com/consentry/consentry/internal/media"
)

// heifQuality is the JPEG quality in which HEIF and AVIF leave, without chroma subsampling.
const heifQuality = 95

// decodeHEIF decodes the primary picture, already upright by its irot and imir properties, to the
// full-range YCbCr of the JPEG that it becomes. Where it has alpha it is laid on white, because
// a JPEG would otherwise show what the transparency hid.
func decodeHEIF(data []byte, limits media.Limits) (body, error) {
	handle, err := openHEIF(data)
	if err != nil {
		return nil, err
	}
	w, h := handle.GetWidth(), handle.GetHeight()
	if err := limits.CheckSize(w, h); err != nil {
		return nil, err
	}
	chroma, step := heif.Chroma(heif.ChromaInterleavedRGB), 3
	if handle.HasAlphaChannel() {
		chroma, step = heif.ChromaInterleavedRGBA, 4
	}
	m, err := handle.DecodeImage(heif.ColorspaceRGB, chroma, nil)
	if err != nil {
		return nil, heifError(err)
	}
	if m.GetWidth(heif.ChannelInterleaved) != w || m.GetHeight(heif.ChannelInterleaved) != h {
		return nil, fmt.Errorf("HEIF decoded to another size than it says: %w", media.ErrDamaged)
	}
	px, err := m.GetPlane(heif.ChannelInterleaved)
	if err != nil {
		return nil, heifError(err)
	}
	b, err := newHEIFBody(px, w, h, step)
	runtime.KeepAlive(m)
	// The binding frees libheif's pictures in finalizers, and their size does not count towards the
	// next collection: at 24 megapixels they would stay for as long as the picture does.
	runtime.GC()
	return b, err
}

func openHEIF(data []byte) (*heif.ImageHandle, error) {
	ctx, err := heif.NewContext()
	if err != nil {
		return nil, fmt.Errorf("opening libheif: %w", err)
	}
	if err := ctx.ReadFromMemory(data); err != nil {
		return nil, heifError(err)
	}
	if n := ctx.GetNumberOfTopLevelImages(); n != 1 {
		return nil, fmt.Errorf("HEIF of %d pictures: %w", n, media.ErrMultiPage)
	}
	handle, err := ctx.GetPrimaryImageHandle()
	if err != nil {
		return nil, heifError(err)
	}
	return handle, nil
}

func heifError(err error) error {
	var h *heif.HeifError
	if errors.As(err, &h) && (h.Code == heif.ErrorUnsupportedFeature || h.Code == heif.ErrorUnsupportedFiletype) {
		return fmt.Errorf("%w: %w", media.ErrUnsupported, err)
	}
	return fmt.Errorf("%w: %w", media.ErrDamaged, err)
}

func newHEIFBody(px *heif.ImageAccess, w, h, step int) (body, error) {
	luma, chroma, err := qualityTables(heifQuality)
	if err != nil {
		return nil, err
	}
	b := &jpegBody{shape: jpegShape{
		width: w, height: h, h: []int{1, 1, 1}, v: []int{1, 1, 1},
		quant: [][64]uint16{luma, chroma, chroma}, colours: jcsYCbCr,
	}}
	if px.Stride < w*step || len(px.Plane) < (h-1)*px.Stride+w*step {
		return nil, fmt.Errorf("HEIF pixels are short: %w", media.ErrDamaged)
	}
	stride := b.shape.stride(0)
	for range 3 {
		b.channels = append(b.channels, make([]uint8, stride*b.shape.rows(0)))
	}
	for y := range h {
		row := px.Plane[y*px.Stride:]
		for x := range w {
			p := row[x*step : x*step+step]
			r, g, bl := p[0], p[1], p[2]
			if step == 4 {
				r, g, bl = onWhite(r, p[3]), onWhite(g, p[3]), onWhite(bl, p[3])
			}
			at := y*stride + x
			b.channels[0][at], b.channels[1][at], b.channels[2][at] = toYCC(r, g, bl)
		}
	}
	return b, nil
}

func onWhite(v, alpha uint8) uint8 {
	return uint8((int(v)*int(alpha) + 255*(255-int(alpha)) + 127) / 255)
}
