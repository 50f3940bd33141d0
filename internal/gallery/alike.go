package gallery

import (
	"maps"
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
// A lower limit would be no use: with Confident calibrated to one false match in 10,000 searches, about
// one subject in 75 of 1,000 and one in 40 of 50,000 has somebody within Margin by chance; with
// Unsure as the limit, a fifth of 1,000 and nearly all of 50,000 (strangers as in the general set, z-scores normal).
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
	found := map[string]bool{}
	for _, own := range g.table.subjects[number].rows {
		p := g.table.row(own).probe
		for at := range int32(g.table.count) {
			r := g.table.row(at)
			if score, ok := p.score(r.probe); ok && score >= limit && r.subject != number {
				found[g.table.subjects[r.subject].id] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}
