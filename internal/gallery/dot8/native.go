//go:build cgo

package dot8

// #cgo CFLAGS: -O3
// #cgo LDFLAGS: -lm
// #include "dot8.h"
import "C"

import "unsafe"

// Supported says whether this processor can run the kernel.
func Supported(k Kernel) bool { return C.dot8_supports(C.int(k)) != 0 }

// Hit and Limit are laid out as the structs of the C code: numbers of 32 bits in the same order.
var (
	_ [unsafe.Sizeof(C.dot8_hit{})]byte   = [unsafe.Sizeof(Hit{})]byte{}
	_ [unsafe.Sizeof(C.dot8_limit{})]byte = [unsafe.Sizeof(Limit{})]byte{}
)

func scan(k Kernel, g Gallery, p Probes, hits []Hit) int {
	return int(C.dot8_scan(C.int(k),
		(*C.uint8_t)(unsafe.SliceData(g.Longs)), (*C.uint8_t)(unsafe.SliceData(g.Shorts)),
		(*C.float)(unsafe.SliceData(g.Squares)), C.uint32_t(g.Groups()),
		(*C.int8_t)(unsafe.SliceData(p.Longs)), (*C.int8_t)(unsafe.SliceData(p.Shorts)),
		(*C.dot8_limit)(unsafe.Pointer(unsafe.SliceData(p.Limits))), C.uint32_t(len(p.Limits)),
		(*C.dot8_hit)(unsafe.Pointer(unsafe.SliceData(hits)))))
}
