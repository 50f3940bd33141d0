// Package dot8 computes inner products of vectors of bytes, many at once: the rows of a gallery
// against the faces of a photograph. Each row and each probe is a long vector and a short one.
//
// It promises that every kernel gives the same numbers; they differ in speed only. Rows hold
// values from 0 to 255 and probes from −128 to 127: that is what the fastest instructions of x86-64 take, and
// no sum of 512 such products leaves the range of 32 bits. A signed row is stored with 128 added,
// which adds 128 times the sum of the probe's values to each product: see Offset.
package dot8

import "fmt"

// Lengths of vectors, and how many rows are laid out together.
const (
	Long       = 512          // values of a long vector
	Short      = 128          // values of a short vector
	Rows       = 16           // rows of a group
	LongGroup  = Rows * Long  // bytes of a group's long vectors
	ShortGroup = Rows * Short // bytes of a group's short vectors
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

// Limit says which rows are wanted for a probe: those for which
//
//	long ≥ Least  and  PerLong·long − PerRoot·√max(0, Base + square − PerShort·short) ≥ Low,
//
// where long and short are the inner products, Offset included, and square is the row's. The second
// part is computed in float32 as it is written, each operation rounded to nearest.
type Limit struct {
	Least                                 int32
	PerLong, PerRoot, Base, PerShort, Low float32
}

// Gallery is rows in whole groups; Set fills it.
type Gallery struct {
	Longs, Shorts []uint8
	Squares       []float32 // one for each row
}

// Probes are vectors one after the other, with one limit for each.
type Probes struct {
	Longs, Shorts []int8
	Limits        []Limit
}

// Hit is a pair of a row and a probe with its inner products, Offset included.
type Hit struct {
	Row, Probe  uint32
	Long, Short int32
}

// Grow adds a group of rows that are all zero.
func (g *Gallery) Grow() {
	var longs [LongGroup]uint8
	for i := range longs {
		longs[i] = unsigned(0)
	}
	g.Longs = append(g.Longs, longs[:]...)
	g.Shorts = append(g.Shorts, longs[:ShortGroup]...)
	g.Squares = append(g.Squares, make([]float32, Rows)...)
}

// Set stores a row. It panics where Grow has not made room for it.
func (g *Gallery) Set(row int, long *[Long]int8, short *[Short]int8, square float32) {
	store(g.Longs[row/Rows*LongGroup:], row%Rows, long[:])
	store(g.Shorts[row/Rows*ShortGroup:], row%Rows, short[:])
	g.Squares[row] = square
}

// Part is some groups of the gallery, in place. Hits count rows from its beginning.
func (g *Gallery) Part(from, to int) Gallery {
	return Gallery{
		Longs: g.Longs[from*LongGroup : to*LongGroup], Shorts: g.Shorts[from*ShortGroup : to*ShortGroup],
		Squares: g.Squares[from*Rows : to*Rows],
	}
}

// Groups is how many groups there are.
func (g *Gallery) Groups() int { return len(g.Squares) / Rows }

// store lays a row out. Four values of each row of a group stand together, then the next four: so a
// vector register holds four values of 16 rows, and its lanes are the rows' sums at the end.
func store(group []uint8, lane int, row []int8) {
	for i, x := range row {
		group[i/4*4*Rows+4*lane+i%4] = unsigned(x)
	}
}

func unsigned(x int8) uint8 { return uint8(int(x) + 128) }

// Offset is what storing rows with 128 added puts on top of each inner product with a probe.
func Offset(probe []int8) int32 {
	var sum int32
	for _, x := range probe {
		sum += int32(x)
	}
	return 128 * sum
}

// Scan finds the pairs that are wanted. The hits, in no particular order, replace what the slice
// held. It panics where the lengths do not fit together: nothing from outside decides them.
func Scan(k Kernel, g Gallery, p Probes, hits []Hit) []Hit {
	groups, n := g.Groups(), len(p.Limits)
	if len(g.Squares) != groups*Rows || len(g.Longs) != groups*LongGroup || len(g.Shorts) != groups*ShortGroup ||
		len(p.Longs) != n*Long || len(p.Shorts) != n*Short || !Supported(k) {
		panic("dot8: scanning what does not fit together")
	}
	if groups == 0 || n == 0 {
		return hits[:0]
	}
	if room := groups * Rows * n; cap(hits) < room {
		hits = make([]Hit, room)
	}
	hits = hits[:cap(hits)]
	return hits[:scan(k, g, p, hits)]
}
