//go:build cgo

package dot8

// #cgo CFLAGS: -O3
// #include "dot8.h"
import "C"

import "unsafe"

// Supported says whether this processor can run the kernel.
func Supported(k Kernel) bool { return C.dot8_supports(C.int(k)) != 0 }

// Hit is laid out as the C code's struct: four numbers of 32 bits.
var _ [unsafe.Sizeof(C.dot8_hit{})]byte = [unsafe.Sizeof(Hit{})]byte{}

func scan(k Kernel, rows []uint8, groups int, probes []int8, limits []int32, hits []Hit) int {
	return int(C.dot8_scan(C.int(k), (*C.uint8_t)(unsafe.SliceData(rows)), C.uint32_t(groups),
		(*C.int8_t)(unsafe.SliceData(probes)), (*C.int32_t)(unsafe.SliceData(limits)), C.uint32_t(len(limits)),
		(*C.dot8_hit)(unsafe.Pointer(unsafe.SliceData(hits)))))
}

func pick(k Kernel, rows []uint8, probes []int8, hits []Hit) {
	C.dot8_pick(C.int(k), (*C.uint8_t)(unsafe.SliceData(rows)), (*C.int8_t)(unsafe.SliceData(probes)),
		(*C.dot8_hit)(unsafe.Pointer(unsafe.SliceData(hits))), C.size_t(len(hits)))
}
