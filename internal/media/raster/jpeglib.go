package raster

/*
#cgo pkg-config: libjpeg libturbojpeg
#cgo CFLAGS: -O2
#include <stdlib.h>
#include "jpegshim.h"
#include <turbojpeg.h>
*/
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/consentry/consentry/internal/media"
)

// jpegShape is what a JPEG's planes look like.
type jpegShape struct {
	width, height int
	h, v          []int // sampling factors
	quant         [][64]uint16
	colours       int // libjpeg's J_COLOR_SPACE
	progressive   bool
}

// libjpeg's names of colour spaces (jpeglib.h, J_COLOR_SPACE).
const (
	jcsGrey  = 1
	jcsRGB   = 2
	jcsYCbCr = 3
	jcsCMYK  = 4
	jcsYCCK  = 5
)

func (s *jpegShape) maxSampling() (h, v int) {
	for c := range s.h {
		h, v = max(h, s.h[c]), max(v, s.v[c])
	}
	return h, v
}

// mcu is the size in pixels of the block that is coded together.
func (s *jpegShape) mcu() (w, h int) {
	w, h = s.maxSampling()
	return 8 * w, 8 * h
}

// mcus is how many of them the picture has.
func (s *jpegShape) mcus() (across, down int) {
	w, h := s.mcu()
	return (s.width + w - 1) / w, (s.height + h - 1) / h
}

// stride and rows are the samples that a component's plane has in memory: whole MCUs.
func (s *jpegShape) stride(c int) int {
	n, _ := s.mcus()
	return n * 8 * s.h[c]
}

func (s *jpegShape) rows(c int) int {
	_, n := s.mcus()
	return n * 8 * s.v[c]
}

// samples is the size of a component without the padding to whole blocks.
func (s *jpegShape) samples(c int) (w, h int) {
	hm, vm := s.maxSampling()
	return (s.width*s.h[c] + hm - 1) / hm, (s.height*s.v[c] + vm - 1) / vm
}

func (s *jpegShape) c() C.cj_shape {
	var out C.cj_shape
	out.width, out.height, out.components = C.int(s.width), C.int(s.height), C.int(len(s.h))
	out.colourspace = C.int(s.colours)
	if s.progressive {
		out.progressive = 1
	}
	for c := range s.h {
		out.h[c], out.v[c] = C.int(s.h[c]), C.int(s.v[c])
		out.stride[c], out.rows[c] = C.int(s.stride(c)), C.int(s.rows(c))
	}
	for c := range s.quant {
		for i, q := range s.quant[c] {
			out.quant[c][i] = C.uint16_t(q)
		}
	}
	return out
}

// errText carries libjpeg's message, which speaks of markers and codes only.
type errText [C.CJ_ERRLEN]C.char

func (e *errText) wrap(doing string) error {
	return fmt.Errorf("%s: %s: %w", doing, C.GoString(&e[0]), media.ErrDamaged)
}

func bytePtr(b []byte) *C.uint8_t { return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(b))) }

func ucharPtr(b []byte) *C.uchar { return (*C.uchar)(unsafe.Pointer(unsafe.SliceData(b))) }

// planePtrs gives four pointers, nil for components that are not there.
func planePtrs(planes [][]uint8) (p [4]*C.uint8_t) {
	for c := range planes {
		p[c] = bytePtr(planes[c])
	}
	return p
}

// readPlanes decodes into fresh planes and fills in tables and colours of the shape.
func readPlanes(data []byte, s *jpegShape) ([][]uint8, error) {
	planes := make([][]uint8, len(s.h))
	for c := range planes {
		planes[c] = make([]uint8, s.stride(c)*s.rows(c))
	}
	var e errText
	shape := s.c()
	p := planePtrs(planes)
	if C.cj_decode(ucharPtr(data), C.size_t(len(data)), &shape, p[0], p[1], p[2], p[3], &e[0]) != 0 {
		return nil, e.wrap("reading JPEG")
	}
	s.colours = int(shape.colourspace)
	s.quant = make([][64]uint16, len(s.h))
	for c := range s.quant {
		for i := range s.quant[c] {
			s.quant[c][i] = uint16(shape.quant[c][i])
		}
	}
	return planes, nil
}

func takeBytes(b *C.cj_bytes) []byte {
	defer C.cj_free(b)
	return C.GoBytes(unsafe.Pointer(b.data), C.int(b.size))
}

// spliceJPEG writes data's coefficients again, those of the MCUs in mask from the planes. A nil mask
// copies all.
func spliceJPEG(data []byte, s *jpegShape, planes [][]uint8, mask []byte, icc []byte) ([]byte, error) {
	var e errText
	var out C.cj_bytes
	shape := s.c()
	p := planePtrs(planes)
	across, down := s.mcus()
	if C.cj_splice(ucharPtr(data), C.size_t(len(data)), &shape, p[0], p[1], p[2], p[3],
		bytePtr(mask), C.int(across), C.int(down), ucharPtr(icc), C.size_t(len(icc)), &out, &e[0]) != 0 {
		return nil, e.wrap("writing JPEG")
	}
	return takeBytes(&out), nil
}

// encodeJPEG writes planes, padded to whole MCUs, with the shape's tables.
func encodeJPEG(s *jpegShape, planes [][]uint8, icc []byte) ([]byte, error) {
	var e errText
	var out C.cj_bytes
	shape := s.c()
	p := planePtrs(planes)
	if C.cj_encode(&shape, p[0], p[1], p[2], p[3], ucharPtr(icc), C.size_t(len(icc)), &out, &e[0]) != 0 {
		return nil, e.wrap("writing JPEG")
	}
	return takeBytes(&out), nil
}

// qualityTables are libjpeg's tables of a quality 1–100.
func qualityTables(quality int) (luma, chroma [64]uint16, err error) {
	var e errText
	l, c := (*C.uint16_t)(unsafe.Pointer(&luma[0])), (*C.uint16_t)(unsafe.Pointer(&chroma[0]))
	if C.cj_tables(C.int(quality), l, c, &e[0]) != 0 {
		return luma, chroma, e.wrap("making tables")
	}
	return luma, chroma, nil
}

// turnJPEG turns a file without loss so that it stands upright. ok is false where its size or
// sampling does not allow that.
func turnJPEG(data []byte, s *jpegShape, orientation int) (out []byte, ok bool, err error) {
	op, ok := perfectTurn(s, orientation)
	if !ok {
		return nil, false, nil
	}
	var e errText
	var b C.cj_bytes
	progressive := 0
	if s.progressive {
		progressive = 1
	}
	if C.cj_turn(ucharPtr(data), C.size_t(len(data)), op, C.int(progressive), &b, &e[0]) != 0 {
		return nil, false, e.wrap("turning JPEG")
	}
	return takeBytes(&b), true, nil
}

// perfectTurn names TurboJPEG's operation, where the edges that become top or left fall on whole
// MCUs (the condition of jtransform_perfect_transform).
func perfectTurn(s *jpegShape, orientation int) (C.int, bool) {
	w, h := s.mcu()
	wide, tall := s.width%w == 0, s.height%h == 0
	if s.subsampling() < 0 || s.h[len(s.h)-1] != 1 || s.v[len(s.v)-1] != 1 {
		return 0, false // TurboJPEG wants the usual factors
	}
	switch orientation {
	case 2:
		return C.TJXOP_HFLIP, wide
	case 3:
		return C.TJXOP_ROT180, wide && tall
	case 4:
		return C.TJXOP_VFLIP, tall
	case 5:
		return C.TJXOP_TRANSPOSE, true
	case 6:
		return C.TJXOP_ROT90, tall
	case 7:
		return C.TJXOP_TRANSVERSE, wide && tall
	case 8:
		return C.TJXOP_ROT270, wide
	}
	return 0, false
}

// subsampling is TurboJPEG's name of the sampling of a grey or YCbCr picture, -1 for others. Only
// the ratio between the components counts: some encoders write 4:4:4 with factors of 1×2.
func (s *jpegShape) subsampling() int {
	if len(s.h) == 1 {
		return C.TJSAMP_GRAY
	}
	if len(s.h) != 3 || s.h[1] != s.h[2] || s.v[1] != s.v[2] {
		return -1
	}
	switch [2]int{s.h[0] / s.h[1], s.v[0] / s.v[1]} {
	case [2]int{1, 1}:
		return C.TJSAMP_444
	case [2]int{2, 1}:
		return C.TJSAMP_422
	case [2]int{2, 2}:
		return C.TJSAMP_420
	case [2]int{1, 2}:
		return C.TJSAMP_440
	case [2]int{4, 1}:
		return C.TJSAMP_411
	}
	return -1
}

// planesToBGR converts planes of a common subsampling.
func planesToBGR(s *jpegShape, planes [][]uint8, dst []byte) error {
	var e errText
	p := planePtrs(planes)
	var strides [3]C.int
	for c := range planes {
		strides[c] = C.int(s.stride(c))
	}
	if C.cj_bgr(p[0], p[1], p[2], &strides[0], C.int(s.width), C.int(s.height), C.int(s.subsampling()), bytePtr(dst), &e[0]) != 0 {
		return e.wrap("converting colours")
	}
	return nil
}
