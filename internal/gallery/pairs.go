package gallery

import (
	"cmp"
	"slices"

	"github.com/consentry/consentry/internal/face"
)

// Pair are two of a list of faces that are alike.
type Pair struct {
	A, B  int // places in the list, A < B
	Score float64
}

// SamePerson lists the pairs of faces that are clearly of one person, whoever that is: they score higher
// than a confident match needs by Margin, one standard deviation of strangers more, as many more pairs are looked at than there
// are references of one subject. The best pair comes first.
//
// Of the pooled pairs of portraits that [Pool] speaks of, 25 of 108 genuine ones reach 6.0 and no stranger more than 4.55.
func (t Thresholds) SamePerson(faces []face.Templates) []Pair {
	probes := make([]probe, len(faces))
	for i, f := range faces {
		probes[i] = newProbe(f)
	}
	var pairs []Pair
	for a, p := range probes {
		for b, q := range probes[a+1:] {
			if score, ok := p.score(q); ok && score >= t.samePerson(p.single(q)) {
				pairs = append(pairs, Pair{A: a, B: a + 1 + b, Score: score})
			}
		}
	}
	slices.SortFunc(pairs, func(x, y Pair) int {
		return cmp.Or(cmp.Compare(y.Score, x.Score), cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B))
	})
	return pairs
}

func (t Thresholds) samePerson(single bool) float64 {
	if single {
		return t.Confident + t.Margin + t.Single
	}
	return t.Confident + t.Margin
}
