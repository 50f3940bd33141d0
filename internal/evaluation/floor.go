package evaluation

import (
	"errors"
	"fmt"
	"image"
	"time"

	"gocv.io/x/gocv"
)

// floorQuality is that of the sample photographs, near enough.
const floorQuality = 95

// CodecFloor is the time to decode and encode these JPEG photographs once each on one thread and to do
// nothing else: what every program that changes a photograph has to pay.
func CodecFloor(photographs [][]byte) (time.Duration, error) {
	start := time.Now()
	for i, data := range photographs {
		if err := recode(data); err != nil {
			return 0, fmt.Errorf("photograph %d: %w", i+1, err)
		}
	}
	return time.Since(start), nil
}

func recode(data []byte) error {
	img, err := gocv.IMDecode(data, gocv.IMReadColor)
	if err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	defer img.Close() //nolint:errcheck // frees memory only
	if img.Empty() {
		return errors.New("decode: no picture")
	}
	out, err := gocv.IMEncodeWithParams(gocv.JPEGFileExt, img, []int{gocv.IMWriteJpegQuality, floorQuality})
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	out.Close()
	return nil
}

// Large makes a JPEG photograph of 6000 × 4000 pixels out of another one, with four of it at a third
// of the width each, so that there are many faces of ordinary size in 24 megapixels.
func Large(photograph []byte) ([]byte, error) {
	img, err := gocv.IMDecode(photograph, gocv.IMReadColor)
	if err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	defer img.Close() //nolint:errcheck // frees memory only
	large := gocv.NewMat()
	defer large.Close() //nolint:errcheck // frees memory only
	gocv.Resize(img, &large, image.Pt(6000, 4000), 0, 0, gocv.InterpolationCubic)
	tile := gocv.NewMat()
	defer tile.Close() //nolint:errcheck // frees memory only
	gocv.Resize(img, &tile, image.Pt(2000, 1400), 0, 0, gocv.InterpolationCubic)
	for _, at := range []image.Point{{X: 100, Y: 100}, {X: 3900, Y: 100}, {X: 100, Y: 2500}, {X: 3900, Y: 2500}} {
		part := large.Region(image.Rectangle{Min: at, Max: at.Add(image.Pt(2000, 1400))})
		tile.CopyTo(&part)
		if err := part.Close(); err != nil {
			return nil, fmt.Errorf("compose: %w", err)
		}
	}
	out, err := gocv.IMEncodeWithParams(gocv.JPEGFileExt, large, []int{gocv.IMWriteJpegQuality, floorQuality})
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	defer out.Close()
	return append([]byte(nil), out.GetBytes()...), nil
}
