package gallery

import (
	"slices"

	"github.com/consentry/consentry/internal/gallery/dot8"
)

// blockRows is how many rows share a block: a copy with one row more has to copy 0.8 MB at most,
// and the list of blocks stays short.
const blockRows = 1024

// block is up to blockRows rows and their bytes. The bytes of a row that has none, or bad ones, are
// those of the zero vector, and the row is in plain.
type block struct {
	rows        []row
	mobile      []uint8 // whole groups of dot8.Rows rows
	dlib        []uint8 // dot8.Short for each row
	plain       []int32 // places of the rows that are compared by their templates always
	mobileError float64 // largest |e| of the others
	dlibError   float64
	dlibLong    float64 // largest length of a dlib template of the others
}

func (b *block) copied() *block {
	next := *b
	next.rows, next.plain = slices.Clone(b.rows), slices.Clone(b.plain)
	next.mobile, next.dlib = slices.Clone(b.mobile), slices.Clone(b.dlib)
	return &next
}

func (b *block) add(r row) {
	at := len(b.rows)
	if at%dot8.Rows == 0 {
		b.mobile = append(b.mobile, zeros(dot8.Group)...)
	}
	b.dlib = append(b.dlib, zeros(dot8.Short)...)
	b.rows = append(b.rows, r)
	if !b.pack(at, r.probe) {
		b.rows[at].plain = true
		b.plain = append(b.plain, int32(at))
	}
}

// pack stores a row's bytes. ok is false where they would be of no use.
func (b *block) pack(at int, p probe) (ok bool) {
	if p.mobile == nil {
		return false
	}
	var mobile [dot8.Long]int8
	_, mobileError := rounded(p.mobile, mobileStep, mobile[:])
	var dlib [dot8.Short]int8
	dlibLong, dlibError := rounded(p.dlib, dlibStep, dlib[:])
	if mobileError > mobileErrorLimit || dlibError > dlibErrorLimit {
		return false
	}
	dot8.Store(b.mobile[at/dot8.Rows*dot8.Group:], at%dot8.Rows, &mobile)
	for i, x := range dlib {
		b.dlib[at*dot8.Short+i] = dot8.Unsigned(x)
	}
	b.mobileError = max(b.mobileError, mobileError)
	b.dlibError = max(b.dlibError, dlibError)
	b.dlibLong = max(b.dlibLong, dlibLong+dlibError)
	return true
}

// zeros are the stored bytes of the zero vector.
func zeros(n int) []uint8 {
	return slices.Repeat([]uint8{dot8.Unsigned(0)}, n)
}
