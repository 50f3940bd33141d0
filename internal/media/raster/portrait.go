package raster

import (
	"fmt"
	"image"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/media"
)

// Cut is a small JPEG of a part of a picture in BGR, at most longest pixels on its longer side and
// never enlarged, without profile and metadata. Only what lies in the picture is taken; it is an
// error where nothing does.
func Cut(m gocv.Mat, part image.Rectangle, longest int) ([]byte, error) {
	part = part.Intersect(image.Rect(0, 0, m.Cols(), m.Rows()))
	if part.Empty() {
		return nil, fmt.Errorf("cutting out a part beside the picture: %w", media.ErrDamaged)
	}
	cut := m.Region(part)
	defer cut.Close() //nolint:errcheck // frees memory only
	return small(cut, longest)
}
