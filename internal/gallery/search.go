package gallery

import (
	"math"
	"slices"

	"github.com/consentry/consentry/internal/face"
)

// search is one face's search while it goes on. Rows may be offered in any order, and a row whose
// score is below floor need not be offered at all: neither changes the answer.
type search struct {
	probe        probe
	not          []int32 // subjects that are left out, sorted
	best, second place
}

// place is who holds the first or the second place so far.
type place struct {
	subject int32
	row     int32
	score   float64
	found   bool
}

func (g *Gallery) newSearch(t face.Templates, not []string) *search {
	s := &search{probe: newProbe(t)}
	for _, id := range not {
		if n, ok := g.table.number(id); ok {
			s.not = append(s.not, n)
		}
	}
	slices.Sort(s.not)
	s.not = slices.Compact(s.not)
	return s
}

func (s *search) face() probe { return s.probe }

func (s *search) excludes(subject int32) bool {
	if len(s.not) == 0 {
		return false
	}
	_, ok := slices.BinarySearch(s.not, subject)
	return ok
}

// floor is the score below which a row can change nothing any more: two subjects do better.
func (s *search) floor() float64 {
	if !s.second.found {
		return math.Inf(-1)
	}
	return s.second.score
}

// offer puts one scored row in its place. Of equal scores the lower admission number comes first,
// and of one subject's the row that was enrolled first.
func (s *search) offer(t *table, n place) {
	switch {
	case s.excludes(n.subject):
	case s.best.found && s.best.subject == n.subject:
		if n.before(t, s.best) {
			s.best = n
		}
	case n.before(t, s.best):
		s.best, s.second = n, s.best
	case n.before(t, s.second):
		s.second = n
	}
}

// before says whether a place is better than another. Of one subject it may be the other's own row.
func (n place) before(t *table, o place) bool {
	switch {
	case !o.found || n.score != o.score:
		return !o.found || n.score > o.score
	case n.subject == o.subject:
		return n.row < o.row
	}
	return t.subjects[n.subject].id < t.subjects[o.subject].id
}

// candidate is the answer.
func (s *search) candidate(t *table) candidate {
	return candidate{
		probe: s.probe, best: s.contender(t, s.best), second: s.contender(t, s.second),
		incomparable: s.incomparable(t),
	}
}

func (s *search) contender(t *table, p place) contender {
	if !p.found {
		return contender{}
	}
	return contender{
		subject: t.subjects[p.subject].id, score: p.score,
		single: s.probe.single(t.row(p.row).probe), found: true,
	}
}

// incomparable says whether some subject that is not left out shares no describer with the probe.
func (s *search) incomparable(t *table) bool {
	var lacking int
	switch {
	case !s.probe.described() || s.probe.dlib != nil && s.probe.mobile != nil:
		return false
	case s.probe.dlib != nil:
		lacking = t.noDlib
	default:
		lacking = t.noMobile
	}
	for _, n := range s.not {
		if sub := t.subjects[n]; s.probe.dlib != nil && !sub.dlib || s.probe.mobile != nil && !sub.mobile {
			lacking--
		}
	}
	return lacking > 0
}
