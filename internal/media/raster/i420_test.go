package raster_test

import (
	"testing"

	"github.com/consentry/consentry/internal/media/raster"
)

func TestFromI420(t *testing.T) {
	const w, h = 6, 4
	for name, test := range map[string]struct{ y, u, v, b, g, r uint8 }{
		"black": {16, 128, 128, 0, 0, 0},
		"white": {235, 128, 128, 255, 255, 255},
		"red":   {81, 90, 240, 0, 0, 255},
		"blue":  {41, 240, 110, 255, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			pix := make([]byte, w*h*3/2)
			for i := range pix {
				switch {
				case i < w*h:
					pix[i] = test.y
				case i < w*h*5/4:
					pix[i] = test.u
				default:
					pix[i] = test.v
				}
			}
			m := raster.NewMat()
			defer m.Close()
			if err := raster.FromI420(pix, w, h, &m); err != nil {
				t.Fatal(err)
			}
			bgr, err := m.DataPtrUint8()
			if err != nil || m.Cols() != w || m.Rows() != h {
				t.Fatal(m.Cols(), m.Rows(), err)
			}
			for i, want := range []uint8{test.b, test.g, test.r} {
				if d := int(bgr[i]) - int(want); d < -2 || d > 2 {
					t.Errorf("channel %d is %d, want %d", i, bgr[i], want)
				}
			}
		})
	}
}

func TestFromI420RefusesOtherSizes(t *testing.T) {
	m := raster.NewMat()
	defer m.Close()
	for _, test := range []struct{ n, w, h int }{{0, 0, 0}, {35, 6, 4}, {37, 6, 4}, {22, 5, 3}, {36, -6, -4}} {
		if err := raster.FromI420(make([]byte, test.n), test.w, test.h, &m); err == nil {
			t.Errorf("%d bytes of %d×%d were taken", test.n, test.w, test.h)
		}
	}
}
