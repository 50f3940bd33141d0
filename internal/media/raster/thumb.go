package raster

import (
	"bytes"
	"fmt"
	"image"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/media"
)

// thumbQuality suits a contact sheet of some hundred pictures in one HTML file.
const thumbQuality = 80

// Thumbnail is a small JPEG of the picture as it is now, at most longest pixels on its longer side
// and never enlarged, without profile and metadata. Colours are taken for sRGB.
func Thumbnail(p *Picture, longest int) ([]byte, error) {
	m, err := p.BGR()
	if err != nil {
		return nil, err
	}
	defer m.Close() //nolint:errcheck // frees memory only
	return small(m, longest)
}

// small leaves m as it is.
func small(m gocv.Mat, longest int) ([]byte, error) {
	size := image.Pt(m.Cols(), m.Rows())
	scale := min(1, float64(max(1, longest))/float64(max(size.X, size.Y)))
	to := image.Pt(max(1, int(float64(size.X)*scale+0.5)), max(1, int(float64(size.Y)*scale+0.5)))
	resized := gocv.NewMat()
	defer resized.Close() //nolint:errcheck // frees memory only
	if to != size {
		gocv.Resize(m, &resized, to, 0, 0, gocv.InterpolationArea)
	} else {
		m.CopyTo(&resized)
	}
	buf, err := gocv.IMEncodeWithParams(gocv.JPEGFileExt, resized, []int{gocv.IMWriteJpegQuality, thumbQuality})
	if err != nil {
		return nil, fmt.Errorf("writing thumbnail: %w", err)
	}
	defer buf.Close()
	return media.Strip(bytes.Clone(buf.GetBytes()), media.JPEG)
}
