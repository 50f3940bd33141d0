package gallery

import (
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/consentry/consentry/internal/face"
)

// table is the references and whose they are. A row keeps its number for ever, so that a copy with
// one row more shares all full blocks with the table that it was copied from.
type table struct {
	subjects []subject
	order    []int32 // numbers of the subjects; order[:sorted] by admission number
	sorted   int
	blocks   []*block
	count    int // of rows
	noDlib   int // subjects without a dlib template
	noMobile int // subjects without a MobileFaceNet template
}

// subject is whose rows they are; its number is its place in table.subjects.
type subject struct {
	id           string
	rows         []int32
	dlib, mobile bool // some row has such a template
}

// row is one reference.
type row struct {
	probe
	subject int32 // number
	plain   bool  // its bytes are of no use
	errors  errorsOf
	entry   [sha256.Size]byte
}

func newRow(r Reference) row {
	own := face.Templates{} // nobody else may change what the gallery holds
	for d, v := range r.Templates {
		own[d] = slices.Clone(v)
	}
	return row{probe: newProbe(own), entry: r.entry()}
}

func (t *table) row(at int32) *row { return &t.blocks[at/blockRows].rows[at%blockRows] }

// copied is a table that may be added to: it shares what add does not change.
func (t *table) copied() table {
	next := *t
	next.subjects, next.order, next.blocks = slices.Clone(t.subjects), slices.Clone(t.order), slices.Clone(t.blocks)
	if n := len(next.blocks); n > 0 {
		next.blocks[n-1] = next.blocks[n-1].copied()
	}
	return next
}

// add adds one row. Rows must come sorted by subject, and tidy must follow the last one.
func (t *table) add(id string, r row) {
	n, ok := t.number(id)
	if !ok {
		n = int32(len(t.subjects))
		t.subjects = append(t.subjects, subject{id: id})
		t.order = append(t.order, n)
		t.noDlib, t.noMobile = t.noDlib+1, t.noMobile+1
	}
	r.subject = n
	t.subjects[n].rows = append(slices.Clip(t.subjects[n].rows), int32(t.count))
	t.describe(&t.subjects[n], r.probe)
	if t.count%blockRows == 0 {
		t.blocks = append(t.blocks, &block{})
	}
	t.blocks[len(t.blocks)-1].add(r)
	t.count++
}

func (t *table) describe(s *subject, p probe) {
	if p.dlib != nil && !s.dlib {
		s.dlib = true
		t.noDlib--
	}
	if p.mobile != nil && !s.mobile {
		s.mobile = true
		t.noMobile--
	}
}

// number is that of a subject among the sorted ones or of the one that was added last.
func (t *table) number(id string) (int32, bool) {
	if n := len(t.subjects); n > 0 && t.subjects[n-1].id == id {
		return int32(n - 1), true
	}
	at, ok := slices.BinarySearchFunc(t.order[:t.sorted], id, func(n int32, id string) int {
		return strings.Compare(t.subjects[n].id, id)
	})
	if !ok {
		return 0, false
	}
	return t.order[at], true
}

// tidy sorts the subjects.
func (t *table) tidy() {
	slices.SortFunc(t.order, func(a, b int32) int { return strings.Compare(t.subjects[a].id, t.subjects[b].id) })
	t.sorted = len(t.order)
}
