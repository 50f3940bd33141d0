// Package dot8 computes inner products of vectors of bytes, many at once: the rows of a gallery
// against the faces of a photograph.
//
// It promises that every kernel gives the same integers; they differ in speed only. Rows hold
// values from 0 to 255 and probes from −128 to 127: that is what the fastest instructions of x86-64 take, and
// no sum of 512 such products leaves the range of 32 bits. A signed row is stored with 128 added,
// which adds 128 times the sum of the probe's values to each result: see Offset.
package dot8

import "fmt"

// Lengths of vectors, and how many rows are laid out together.
const (
	Long  = 512         // values of a row that Scan compares
	Short = 128         // values of a row that Pick compares
	Rows  = 16          // rows of a group
	Group = Rows * Long // bytes of a group
)

// Kernel is one way to compute.
type Kernel int

// The kernels. VNNI is AVX-512 with the instructions for neural networks (x86-64 servers since
// 2019, Zen 4 and later), AVX2 is for nearly every other x86-64 since 2013, Portable is plain C,
// or Go where there is no C compiler.
const (
	Portable Kernel = iota
	AVX2
	VNNI
)

// String names the kernel.
func (k Kernel) String() string {
	switch k {
	case Portable:
		return "portable"
	case AVX2:
		return "AVX2"
	case VNNI:
		return "AVX-512 VNNI"
	}
	return fmt.Sprintf("kernel %d", int(k))
}

// Best is the fastest kernel that this processor can run.
func Best() Kernel {
	for _, k := range []Kernel{VNNI, AVX2} {
		if Supported(k) {
			return k
		}
	}
	return Portable
}

// Hit is one row and one probe. Row counts from the first row that was given.
type Hit struct {
	Row, Probe uint32
	Sum        int32 // of Scan
	Picked     int32 // of Pick
}

// Store lays a signed row out as row number lane (0 to Rows−1) of a group of Group bytes. Four values of
// each row stand together, then those of the next row: a vector register holds four values of 16 rows.
func Store(group []uint8, lane int, row *[Long]int8) {
	for i, x := range row {
		group[i/4*4*Rows+4*lane+i%4] = Unsigned(x)
	}
}

// Unsigned is how a value of a signed row is stored.
func Unsigned(x int8) uint8 { return uint8(int(x) + 128) }

// Offset is what storing rows with 128 added puts on top of each inner product with a probe.
func Offset(probe []int8) int32 {
	var sum int32
	for _, x := range probe {
		sum += int32(x)
	}
	return 128 * sum
}

// Scan finds all pairs of a row and a probe whose inner product, Offset included, is at least the
// probe's limit. rows is a number of whole groups, probes one vector of Long values for each
// limit. The hits, in no particular order, replace what the slice held; Picked is not set.
// It panics where the lengths do not fit together: nothing from outside decides them.
func Scan(k Kernel, rows []uint8, probes []int8, limits []int32, hits []Hit) []Hit {
	groups := len(rows) / Group
	if len(rows) != groups*Group || len(probes) != len(limits)*Long || !Supported(k) {
		panic("dot8: scanning what does not fit together")
	}
	if len(rows) == 0 || len(limits) == 0 {
		return hits[:0]
	}
	if room := groups * Rows * len(limits); cap(hits) < room {
		hits = make([]Hit, room)
	}
	hits = hits[:cap(hits)]
	return hits[:scan(k, rows, groups, probes, limits, hits)]
}

// Pick sets Picked of each hit to the inner product of its row and its probe in two other lists of
// vectors of Short values, one after the other; rows are stored with 128 added. It panics where a hit lies outside.
func Pick(k Kernel, rows []uint8, probes []int8, hits []Hit) {
	for _, h := range hits {
		if int(h.Row+1)*Short > len(rows) || int(h.Probe+1)*Short > len(probes) {
			panic("dot8: picking what is not there")
		}
	}
	if len(hits) > 0 {
		pick(k, rows, probes, hits)
	}
}
