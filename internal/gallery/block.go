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
	rows   []row
	mobile []uint8 // whole groups of dot8.Rows rows
	dlib   []uint8 // dot8.Short for each row
	plain  []int32 // places of the rows that are compared by their templates always
	worst  float64 // largest mobile error of the others
}

// errorsOf says how far a row's bytes are from its templates: |e|. 0 for a template that is not there.
type errorsOf struct{ mobile, dlib float64 }

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
	r.plain = !b.pack(at, &r)
	if r.plain {
		b.plain = append(b.plain, int32(at))
	}
	b.rows = append(b.rows, r)
}

// pack stores a row's bytes. ok is false where they would be of no use.
func (b *block) pack(at int, r *row) (ok bool) {
	if r.mobile == nil {
		return false
	}
	var mobile [dot8.Long]int8
	var dlib [dot8.Short]int8
	_, r.errors.mobile = rounded(r.mobile, mobileStep, mobile[:])
	_, r.errors.dlib = rounded(r.dlib, dlibStep, dlib[:])
	if r.errors.mobile > mobileErrorLimit || r.errors.dlib > dlibErrorLimit {
		return false
	}
	dot8.Store(b.mobile[at/dot8.Rows*dot8.Group:], at%dot8.Rows, &mobile)
	for i, x := range dlib {
		b.dlib[at*dot8.Short+i] = dot8.Unsigned(x)
	}
	b.worst = max(b.worst, r.errors.mobile)
	return true
}

// zeros are the stored bytes of the zero vector.
func zeros(n int) []uint8 {
	return slices.Repeat([]uint8{dot8.Unsigned(0)}, n)
}
