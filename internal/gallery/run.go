package gallery

import (
	"slices"

	"github.com/consentry/consentry/internal/gallery/dot8"
)

// quest is what runs over the rows for one face.
type quest interface {
	// face is what is compared.
	face() probe
	// floor is the score below which no row has to be offered any more. It never falls.
	floor() float64
	// offer is told of a row and its score.
	offer(t *table, p place)
}

// together at once: what one pass over the gallery compares. More faces would need more room for
// hits, and gain nothing: the rows' bytes are read once for all of them.
const questsAtOnce = 128

// run offers each quest all rows that reach its floor, and perhaps others. Their scores are those of the
// templates; bytes only show which rows cannot reach it.
func (t *table) run(quests []quest) {
	var fast []quest
	for _, q := range quests {
		switch p := q.face(); {
		case p.mobile != nil:
			fast = append(fast, q)
		case p.dlib != nil:
			t.runPlain(q)
		}
	}
	for some := range slices.Chunk(fast, questsAtOnce) {
		newPass(t, some).run()
	}
}

// runPlain compares a face with all rows by their templates.
func (t *table) runPlain(q quest) {
	p := q.face()
	for at := range int32(t.count) {
		t.weigh(q, p, at)
	}
}

// weigh compares a face with one row by its templates.
func (t *table) weigh(q quest, p probe, at int32) {
	r := t.row(at)
	if score, ok := p.score(r.probe); ok && score >= q.floor() {
		q.offer(t, place{subject: r.subject, row: at, score: score, found: true})
	}
}

// pass is one way through all rows with a few faces.
type pass struct {
	t            *table
	kernel       dot8.Kernel
	quests       []quest
	probes       []probe
	mobile, dlib []coded
	mobileBytes  []int8
	dlibBytes    []int8
	limits       []int32
	hits         []dot8.Hit
}

func newPass(t *table, quests []quest) *pass {
	n := len(quests)
	p := &pass{
		t: t, kernel: dot8.Best(), quests: quests, probes: make([]probe, n),
		mobile: make([]coded, n), dlib: make([]coded, n), limits: make([]int32, n),
		mobileBytes: make([]int8, n*dot8.Long), dlibBytes: make([]int8, n*dot8.Short),
	}
	for i, q := range quests {
		f := q.face()
		p.probes[i] = f
		p.mobile[i] = code(f.mobile, mobileStep, p.mobileBytes[i*dot8.Long:(i+1)*dot8.Long])
		if f.dlib != nil {
			p.dlib[i] = code(f.dlib, dlibStep, p.dlibBytes[i*dot8.Short:(i+1)*dot8.Short])
		}
	}
	return p
}

// run begins with few rows at a time, so that the floors rise soon.
func (p *pass) run() {
	const most = blockRows / dot8.Rows
	groups := 1
	for n, b := range p.t.blocks {
		first := int32(n * blockRows)
		for _, at := range b.plain {
			for i, q := range p.quests {
				p.t.weigh(q, p.probes[i], first+at)
			}
		}
		for from, of := 0, len(b.mobile)/dot8.Group; from < of; {
			to := min(of, from+groups)
			p.scan(b, first, from, to)
			from, groups = to, min(most, 2*groups)
		}
	}
}

// scan goes through some groups of a block.
func (p *pass) scan(b *block, first int32, from, to int) {
	for i, q := range p.quests {
		wanted := leastCosine(q.floor(), p.probes[i].dlib != nil)
		p.limits[i] = p.mobile[i].limit(wanted, p.mobile[i].slack(1+unitSlack, b.worst))
	}
	p.find(b, from, to)
	for _, h := range p.hits {
		if q := p.quests[h.Probe]; p.most(b, h) >= q.floor() {
			p.t.weigh(q, p.probes[h.Probe], first+int32(h.Row))
		}
	}
}

// find sets the hits: the pairs that reach the limits, with both inner products.
func (p *pass) find(b *block, from, to int) {
	p.hits = dot8.Scan(p.kernel, b.mobile[from*dot8.Group:to*dot8.Group], p.mobileBytes, p.limits, p.hits)
	p.inBlock(b, from*dot8.Rows)
	dot8.Pick(p.kernel, b.dlib, p.dlibBytes, p.hits)
}

// inBlock counts the hits' rows from the block's beginning and drops those that are no row.
func (p *pass) inBlock(b *block, first int) {
	kept := p.hits[:0]
	for _, h := range p.hits {
		h.Row += uint32(first)
		if int(h.Row) < len(b.rows) && !b.rows[h.Row].plain {
			kept = append(kept, h)
		}
	}
	p.hits = kept
}

// most is the highest score that a row can have, by its bytes.
func (p *pass) most(b *block, h dot8.Hit) float64 {
	u, v := p.probes[h.Probe], &b.rows[h.Row]
	c := &p.mobile[h.Probe]
	mobile := strangers{mobileMean, mobileSD}.z(1 - c.most(h.Sum, c.slack(1+unitSlack, v.errors.mobile)))
	if u.dlib == nil || v.dlib == nil {
		return mobile
	}
	return fused(p.dlib[h.Probe].mostDlib(h.Picked, float64(u.dlibSquared), float64(v.dlibSquared), v.errors.dlib), mobile)
}
