package look

import "github.com/consentry/consentry/internal/media/raster"

// view is a decoded picture and, once somebody has asked for it, the same in the form that the
// models look at.
type view struct {
	picture *raster.Picture
	file    []byte // what it was decoded from, where that is asked for again
	mat     *raster.Mat
}

// bgr is valid until close.
func (v *view) bgr() (raster.Mat, error) {
	if v.mat == nil {
		m, err := v.picture.BGR()
		if err != nil {
			return raster.Mat{}, err
		}
		v.mat = &m
	}
	return *v.mat, nil
}

// close frees what the garbage collector does not know of. A nil view may be closed.
func (v *view) close() {
	if v == nil || v.mat == nil {
		return
	}
	_ = v.mat.Close() // frees memory only; it has no way to fail
	v.mat = nil
}
