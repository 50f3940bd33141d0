package gallery

import (
	"slices"
	"sync"
)

// memory keeps who was found to be alike, by subject.
type memory struct {
	mu    sync.Mutex
	alike map[string][]string
}

func newMemory() *memory { return &memory{alike: map[string][]string{}} }

// Alike lists the other enrolled subjects who may be taken for this one, sorted: those with a
// reference that scores within Margin of Confident, or higher, against one of the subject's. A face
// that is surely one of the two can then be the other by chance. It lists nobody for a subject that is not enrolled.
//
// A lower limit would be of no use. In made-up galleries of strangers, calibrated, 0 of 300 subjects have
// somebody within Margin by chance among 300 and among 1,000, and 6 of 300 among 50,000; with Unsure as the limit 12,
// 23 and 298 of 300 would, and all of them where everybody is of one origin.
//
// It is one search for each reference, done when first asked for and then remembered.
func (g *Gallery) Alike(subject string) []string {
	n, ok := g.table.number(subject)
	if !ok {
		return nil
	}
	g.alike.mu.Lock()
	defer g.alike.mu.Unlock()
	found, ok := g.alike.alike[subject]
	if !ok {
		found = g.within(n, g.thresholds.Confident-g.thresholds.Margin)
		g.alike.alike[subject] = found
	}
	return slices.Clone(found)
}

// within lists the other subjects with a reference that scores at least the limit against one of
// the subject's.
func (g *Gallery) within(number int32, limit float64) []string {
	found := map[int32]bool{}
	var quests []quest
	for _, at := range g.table.subjects[number].rows {
		quests = append(quests, &gathering{probe: g.table.row(at).probe, own: number, least: limit, found: found})
	}
	g.table.run(quests)
	ids := make([]string, 0, len(found))
	for n := range found {
		ids = append(ids, g.table.subjects[n].id)
	}
	slices.Sort(ids)
	return ids
}

// gathering finds all other subjects who reach a score.
type gathering struct {
	probe probe
	own   int32
	least float64
	found map[int32]bool
}

func (g *gathering) face() probe    { return g.probe }
func (g *gathering) floor() float64 { return g.least }

func (g *gathering) offer(_ *table, p place) {
	if p.subject != g.own && p.score >= g.least {
		g.found[p.subject] = true
	}
}
