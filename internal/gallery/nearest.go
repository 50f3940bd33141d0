package gallery

import (
	"github.com/consentry/consentry/internal/face"
)

// Nearest is the enrolled subject that a face is most like, except one (who is the face; may be
// empty). ok is false where there is nobody else or the face cannot be compared.
func (g *Gallery) Nearest(t face.Templates, except string) (subject string, score float64, ok bool) {
	s := g.newSearch(t, []string{except})
	g.table.run([]quest{s})
	best := s.candidate(&g.table).best
	return best.subject, best.score, best.found
}

// BestOf is the highest score of a face with the references of one subject. ok is false where the
// subject is not enrolled or shares no describer with the face.
func (g *Gallery) BestOf(t face.Templates, subject string) (score float64, ok bool) {
	n, ok := g.table.number(subject)
	if !ok {
		return 0, false
	}
	best := g.bestOf(newProbe(t), n)
	return best.score, best.found
}

// Spread says how alike the references of one subject are: the lowest and the mean score between
// two of them, and between how many. References of other subjects than the first one's count for
// nothing, as do those that New would refuse.
func Spread(refs []Reference) (lowest, mean float64, pairs int) {
	var sum float64
	for i, a := range refs {
		for _, b := range refs[:i] {
			score, ok := Score(a.Templates, b.Templates)
			if !ok || a.Subject != refs[0].Subject || b.Subject != a.Subject {
				continue
			}
			if pairs == 0 || score < lowest {
				lowest = score
			}
			sum += score
			pairs++
		}
	}
	if pairs == 0 {
		return 0, 0, 0
	}
	return lowest, sum / float64(pairs), pairs
}
