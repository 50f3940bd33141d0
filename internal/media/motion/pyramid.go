package motion

// #cgo pkg-config: opencv4
// #cgo CXXFLAGS: -std=c++11
// #include <stdlib.h>
// void *consentry_pyramid(const unsigned char *grey, int width, int height, int side, int levels);
// void consentry_pyramid_free(void *made);
// int consentry_lucas_kanade(void *before, void *after, const float *from, float *to, unsigned char *found, int points,
//                            int side, int levels, int rounds, double precision, double flatness);
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"gocv.io/x/gocv"
)

// pyramid is a small copy at several sizes, with the slopes of its grey. gocv v0.31 makes both anew in every call that follows points,
// which takes four times as long as to follow those of five faces.
type pyramid struct{ made unsafe.Pointer }

// errOpenCV is what is known of what went wrong in OpenCV.
var errOpenCV = errors.New("OpenCV failed")

func newPyramid(grey gocv.Mat) (pyramid, error) {
	data, err := grey.DataPtrUint8()
	if err != nil {
		return pyramid{}, fmt.Errorf("read a small copy: %w", err)
	}
	if len(data) < grey.Cols()*grey.Rows() || len(data) == 0 {
		return pyramid{}, fmt.Errorf("read a small copy: %d bytes: %w", len(data), errOpenCV)
	}
	made := C.consentry_pyramid((*C.uchar)(&data[0]), C.int(grey.Cols()), C.int(grey.Rows()), window, levels)
	if made == nil {
		return pyramid{}, fmt.Errorf("reduce a small copy: %w", errOpenCV)
	}
	return pyramid{made}, nil
}

// close frees the pyramid, if there is one.
func (p *pyramid) close() {
	if p.made != nil {
		C.consentry_pyramid_free(p.made)
		p.made = nil
	}
}

// follow finds the points of p in o (Lucas and Kanade), beginning where they would be if all had moved by the guess. There is at
// least one point.
func (p *pyramid) follow(o *pyramid, from []gocv.Point2f, guess gocv.Point2f) (to []gocv.Point2f, found []bool, err error) {
	to, flags := make([]gocv.Point2f, len(from)), make([]byte, len(from))
	for i, q := range from {
		to[i] = gocv.Point2f{X: q.X + guess.X, Y: q.Y + guess.Y}
	}
	ok := C.consentry_lucas_kanade(p.made, o.made, (*C.float)(&from[0].X), (*C.float)(&to[0].X), (*C.uchar)(&flags[0]), C.int(len(from)),
		window, levels, rounds, precision, flatness)
	if ok == 0 {
		return nil, nil, fmt.Errorf("follow points: %w", errOpenCV)
	}
	found = make([]bool, len(from))
	for i, f := range flags {
		found[i] = f != 0
	}
	return to, found, nil
}
