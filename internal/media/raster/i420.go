package raster

import (
	"fmt"

	"gocv.io/x/gocv"
)

// yuvToBGR is OpenCV's COLOR_YUV2BGR_I420, which gocv names otherwise: BT.601, 16–235. Films of high definition
// are mostly BT.709, so that greens and reds are a few levels off, which neither detector nor describers mind.
const yuvToBGR = gocv.ColorConversionCode(101)

// NewMat is an empty picture for FromI420 to fill; close it.
func NewMat() Mat { return gocv.NewMat() }

// FromI420 fills dst with a frame in BGR, 8 bit, and uses its memory again where the size is the same. pix is the plane of
// Y, width × height bytes, followed by U and V of half the size each way; both sides are even.
func FromI420(pix []byte, width, height int, dst *Mat) error {
	if width < 2 || height < 2 || width%2 != 0 || height%2 != 0 || len(pix) != width*height*3/2 {
		return fmt.Errorf("convert a frame: %d bytes for %d×%d pixels", len(pix), width, height)
	}
	yuv, err := gocv.NewMatFromBytes(height*3/2, width, gocv.MatTypeCV8U, pix)
	if err != nil {
		return fmt.Errorf("convert a frame: %w", err)
	}
	gocv.CvtColor(yuv, dst, yuvToBGR)
	if err := yuv.Close(); err != nil {
		return fmt.Errorf("convert a frame: %w", err)
	}
	return nil
}
