// Package raster decodes picture files to their native samples, stands them upright, and writes
// them again with nothing but the picture and its colour profile in them.
//
// It promises that outside of what was changed no sample differs wherever the format allows: a JPEG
// keeps its coefficients bit for bit, lossless formats keep their samples, and where a format
// allows neither (lossy WebP, HEIF and AVIF that leave as JPEG) Compare states the bound. A
// truncated or damaged file is an error and never a picture with made-up parts.
//
// It uses C libraries on foreign bytes and therefore runs in a child process only.
package raster

import (
	"fmt"
	"image"
	"runtime"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/obscure"
)

// body is a decoded upright picture in the samples of its format.
type body interface {
	size() image.Point
	planes() []obscure.Plane
	// bgr fills dst, width × height × 3 bytes.
	bgr(dst []byte) error
	// encode writes the picture with the profile, and says what may differ from the source.
	encode(h media.Header, changed []image.Rectangle) ([]byte, []image.Rectangle, error)
	// tolerance is how far the derivative may be from the source outside of what was changed.
	tolerance() Tolerance
	// strippable says whether an unchanged upright picture keeps its samples when only its
	// container is stripped.
	strippable() bool
}

// Picture is a decoded picture. It is not safe for use by several goroutines.
type Picture struct {
	header media.Header
	info   media.Info
	source []byte // the file, for the lossless path; nil where it does not stand upright
	body   body
}

// Decode reads a whole picture file and stands it upright. It keeps data, which the caller must not
// change afterwards. Errors wrap media.ErrDamaged, ErrUnsupported, ErrTooLarge, ErrAnimated,
// ErrMultiPage or ErrVideo.
func Decode(data []byte, limits media.Limits) (*Picture, error) {
	h, err := media.Parse(data, limits)
	if err != nil {
		return nil, fmt.Errorf("reading the header: %w", err)
	}
	p := &Picture{header: h, info: h.Info()}
	if h.Orientation == 1 {
		p.source = data
	}
	if p.body, err = decodeBody(data, h, limits); err != nil {
		return nil, fmt.Errorf("decoding %s: %w", h.Format, err)
	}
	size := p.body.size()
	if err := limits.CheckSize(size.X, size.Y); err != nil {
		return nil, err
	}
	if (size.X != p.info.Width || size.Y != p.info.Height) && h.Format != media.HEIF && h.Format != media.AVIF {
		return nil, fmt.Errorf("decoded to %v, header says %d × %d: %w", size, p.info.Width, p.info.Height, media.ErrDamaged)
	}
	p.info.Width, p.info.Height = size.X, size.Y
	return p, nil
}

func decodeBody(data []byte, h media.Header, limits media.Limits) (body, error) {
	switch h.Format {
	case media.JPEG:
		return decodeJPEG(data, h, limits)
	case media.PNG:
		return decodePNG(data, h)
	case media.GIF:
		return decodeGIF(data)
	case media.BMP:
		return decodeBMP(data)
	case media.TIFF:
		return decodeTIFF(data, h)
	case media.WebP:
		return decodeWebP(data, h)
	case media.HEIF, media.AVIF:
		return decodeHEIF(data, limits)
	}
	return nil, fmt.Errorf("format %q: %w", h.Format, media.ErrUnsupported)
}

// Info says what the picture is. Width and Height are upright.
func (p *Picture) Info() media.Info { return p.info }

// ICC is the colour profile that the derivative will carry, nil for none.
func (p *Picture) ICC() []byte { return p.header.ICC }

// Bounds are (0, 0) to (Width, Height).
func (p *Picture) Bounds() image.Rectangle { return image.Rectangle{Max: p.body.size()} }

// BGR is the upright picture in 8-bit BGR, as it is now. Alpha is ignored: the colours under
// transparent pixels are looked at like any others. 16 bits are cut to 8. The caller closes it.
func (p *Picture) BGR() (gocv.Mat, error) {
	size := p.body.size()
	m := gocv.NewMatWithSize(size.Y, size.X, gocv.MatTypeCV8UC3)
	dst, err := m.DataPtrUint8()
	if err == nil {
		err = p.body.bgr(dst)
	}
	if err != nil {
		_ = m.Close()
		return gocv.Mat{}, fmt.Errorf("converting to BGR: %w", err)
	}
	runtime.KeepAlive(m)
	return m, nil
}

// Planes are the picture's channels, upright: Y, Cb, Cr of most JPEGs at their own resolution, grey,
// R, G, B and alpha, or C, M, Y, K. Changing samples changes the picture. Palette pictures show R, G,
// B and alpha; Encode maps the changed pixels to the nearest of the palette's colours.
func (p *Picture) Planes() []obscure.Plane { return p.body.planes() }

// Encode gives the finished file: the picture and its profile, nothing else. changed are the
// rectangles, in pixels of the upright picture, outside of which the caller changed no sample. The
// rectangles returned cover them and every pixel that a viewer may show differently because of
// them: whole MCUs of a JPEG, and the pixel beyond whose chroma is interpolated. Where nothing
// changed the lossless path is taken, so that the samples are the source's.
func (p *Picture) Encode(changed []image.Rectangle) ([]byte, []image.Rectangle, error) {
	changed = clip(changed, p.Bounds())
	if len(changed) == 0 && p.source != nil && p.body.strippable() {
		out, err := media.Strip(p.source, p.header.Format)
		if err != nil {
			return nil, nil, fmt.Errorf("stripping %s: %w", p.header.Format, err)
		}
		return out, nil, nil
	}
	out, grown, err := p.body.encode(p.header, changed)
	if err != nil {
		return nil, nil, fmt.Errorf("encoding %s: %w", p.info.OutputFormat, err)
	}
	return out, clip(grown, p.Bounds()), nil
}

// clip cuts rectangles to bounds and leaves out the empty ones.
func clip(rects []image.Rectangle, bounds image.Rectangle) []image.Rectangle {
	var out []image.Rectangle
	for _, r := range rects {
		if r = r.Intersect(bounds); !r.Empty() {
			out = append(out, r)
		}
	}
	return out
}

// grow widens a rectangle to multiples of a block, and then by margin pixels.
func grow(r image.Rectangle, blockW, blockH, margin int) image.Rectangle {
	return image.Rect(
		r.Min.X/blockW*blockW-margin, r.Min.Y/blockH*blockH-margin,
		(r.Max.X+blockW-1)/blockW*blockW+margin, (r.Max.Y+blockH-1)/blockH*blockH+margin,
	)
}

// Mat is what BGR returns, for those who may hold one without knowing OpenCV.
type Mat = gocv.Mat
