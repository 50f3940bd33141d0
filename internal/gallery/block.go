package gallery

import (
	"math"
	"slices"

	"github.com/consentry/consentry/internal/gallery/dot8"
)

// blockRows is how many rows share a block: a copy with one row more has to copy 0.8 MB at most,
// and the list of blocks stays short.
const blockRows = 1024

// block is up to blockRows rows and their bytes. The bytes of a row that has none, or bad ones, are
// those of the zero vector, and the row is in plain.
type block struct {
	rows    []row
	bytes   dot8.Gallery
	plain   []int32  // places of the rows that are compared by their templates always
	worst   errorsOf // the largest ones of the others
	longest float64  // length of the longest dlib template of the others
}

// errorsOf says how far a row's bytes are from its templates: |e|. 0 for a template that is not there.
type errorsOf struct{ mobile, dlib float64 }

func (b *block) copied() *block {
	next := *b
	next.rows, next.plain = slices.Clone(b.rows), slices.Clone(b.plain)
	next.bytes = dot8.Gallery{Longs: slices.Clone(b.bytes.Longs), Shorts: slices.Clone(b.bytes.Shorts), Squares: slices.Clone(b.bytes.Squares)}
	return &next
}

func (b *block) add(r row) {
	at := len(b.rows)
	if at%dot8.Rows == 0 {
		b.bytes.Grow()
	}
	r.plain = !b.pack(at, &r)
	if r.plain {
		b.plain = append(b.plain, int32(at))
	}
	b.rows = append(b.rows, r)
}

// noDlib is the square of a row without a dlib template: it makes its distance 0, the best there can be.
const noDlib = -1e30

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
	square := r.dlibSquared
	if r.dlib == nil {
		square = noDlib
	}
	b.bytes.Set(at, &mobile, &dlib, square)
	b.worst = errorsOf{max(b.worst.mobile, r.errors.mobile), max(b.worst.dlib, r.errors.dlib)}
	b.longest = max(b.longest, longerThan(r.dlibSquared))
	return true
}

// longerThan is a bound on a template's length, from its squared length as computed in float32.
func longerThan(squared float32) float64 { return math.Sqrt(float64(squared)) * (1 + floatSlack) }
