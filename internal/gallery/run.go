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

// questsAtOnce is how many faces one pass over the gallery compares. More would need more room for
// hits and gain nothing: the rows' bytes are read once for all of them.
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
	t      *table
	kernel dot8.Kernel
	quests []quest
	probes []codedProbe
	bytes  dot8.Probes
	hits   []dot8.Hit
}

func newPass(t *table, quests []quest) *pass {
	n := len(quests)
	p := &pass{t: t, kernel: dot8.Best(), quests: quests, probes: make([]codedProbe, n), bytes: dot8.Probes{
		Longs: make([]int8, n*dot8.Long), Shorts: make([]int8, n*dot8.Short), Limits: make([]dot8.Limit, n),
	}}
	for i, q := range quests {
		c := codedProbe{probe: q.face()}
		c.mobileBytes = code(c.mobile, mobileStep, p.bytes.Longs[i*dot8.Long:(i+1)*dot8.Long])
		if c.dlib != nil {
			c.dlibBytes = code(c.dlib, dlibStep, p.bytes.Shorts[i*dot8.Short:(i+1)*dot8.Short])
		}
		p.probes[i] = c
	}
	return p
}

// run begins with few rows at a time, so that the floors rise soon.
func (p *pass) run() {
	groups := 1
	for n, b := range p.t.blocks {
		first := int32(n * blockRows)
		for _, at := range b.plain {
			for i, q := range p.quests {
				p.t.weigh(q, p.probes[i].probe, first+at)
			}
		}
		for from, of := 0, b.bytes.Groups(); from < of; {
			to := min(of, from+groups)
			p.scan(b, first, from, to)
			from, groups = to, min(blockRows/dot8.Rows, 2*groups)
		}
	}
}

// scan goes through some groups of a block.
func (p *pass) scan(b *block, first int32, from, to int) {
	for i, q := range p.quests {
		p.bytes.Limits[i] = p.probes[i].limit(b, q.floor())
	}
	p.hits = dot8.Scan(p.kernel, b.bytes.Part(from, to), p.bytes, p.hits)
	for _, h := range p.hits {
		at := from*dot8.Rows + int(h.Row)
		if at >= len(b.rows) || b.rows[at].plain {
			continue
		}
		if q, c := p.quests[h.Probe], &p.probes[h.Probe]; c.most(&b.rows[at], h) >= q.floor() {
			p.t.weigh(q, c.probe, first+int32(at))
		}
	}
}
