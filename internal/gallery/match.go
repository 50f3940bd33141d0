package gallery

import (
	"slices"

	"github.com/consentry/consentry/internal/face"
)

// Band is how sure a match is.
type Band string

// The three bands.
const (
	Confident Band = "confident"
	Unsure    Band = "unsure"
	None      Band = "none"
)

// Reasons why a match is in another band than its score alone would put it, or has no score.
const (
	ReasonNotDescribed   = "not described"
	ReasonIncomparable   = "not comparable with every subject"
	ReasonCloseRunnerUp  = "close runner-up"
	ReasonSingle         = "only one describer spoke"
	ReasonAnotherFace    = "another face of the photograph matches this subject better"
	ReasonTakenElsewhere = "this subject is clearly another face of the photograph"
	ReasonPerson         = "a person said so"
	ReasonContradiction  = "a person said both that it is this subject and that it is not"
)

// Match is what the gallery says of one face. Of a face in the band none it names nobody: such a
// face is not linked to a subject, and no record must suggest it.
type Match struct {
	Subject       string  `json:"subject,omitempty"`         // admission number, empty where the band is none
	Band          Band    `json:"band"`                      // never empty
	Score         float64 `json:"score"`                     // of the best subject, in the unit of Score; 0 without one
	RunnerUp      string  `json:"runner_up,omitempty"`       // the second-best subject; empty where the band is none
	RunnerUpScore float64 `json:"runner_up_score,omitempty"` // of the second-best subject; 0 without one
	Reason        string  `json:"reason,omitempty"`          // one of the reasons above, or empty
}

// Probe is one face of a photograph and what a person has said of it.
type Probe struct {
	Templates face.Templates // may be empty: not described
	Is        string         // a person said that it is this subject, enrolled or not; empty where nobody said so
	Not       []string       // a person said that it is none of these; they are left out of its search
}

// candidate is one face's standing when the search is over.
type candidate struct {
	probe        probe
	told         string // the subject that a person named
	contradicted bool   // the person also said that it is not
	best, second contender
	incomparable bool // some subject shares no describer with it
}

// contender is a subject that may be the face. found is false before there is one.
type contender struct {
	subject string
	score   float64
	single  bool // only one describer spoke
	found   bool
}

// MatchPhotograph says of every face of one photograph who it is, where no person has said anything.
func (g *Gallery) MatchPhotograph(probes []face.Templates) []Match {
	all := make([]Probe, len(probes))
	for i, t := range probes {
		all[i].Templates = t
	}
	return g.Match(all)
}

// Match says of every face of one photograph who it is. The answers are in the order of the probes.
// All faces must be given at once, because a subject can be only one of them.
//
// A face of which a person has said who it is (Is) is confident for ReasonPerson, with the score of
// the comparison with that subject, or 0 where there is none; it has no runner-up. It takes
// the subject: no other face is confident of it. Two faces that were told the same are both kept as told.
func (g *Gallery) Match(probes []Probe) []Match {
	candidates := make([]candidate, len(probes))
	searches := make([]quest, 0, len(probes))
	places := make([]int, 0, len(probes))
	for i, p := range probes {
		if p.Is != "" {
			candidates[i] = g.told(p)
			continue
		}
		searches = append(searches, g.newSearch(p.Templates, p.Not))
		places = append(places, i)
	}
	g.table.run(searches)
	for k, s := range searches {
		candidates[places[k]] = s.(*search).candidate(&g.table)
	}
	return g.thresholds.assign(candidates)
}

// told compares a face with the one subject that a person said it is.
func (g *Gallery) told(p Probe) candidate {
	c := candidate{probe: newProbe(p.Templates), told: p.Is, contradicted: slices.Contains(p.Not, p.Is)}
	if n, ok := g.table.number(p.Is); ok {
		c.best = g.bestOf(c.probe, n)
	}
	c.best.subject = p.Is
	return c
}

// bestOf is the best of a subject's references, so that a new one can never hide a subject. The
// mean of all would not promise that; on the labelled photographs it misses 5 of 23 searches at
// a false match rate of 0.1 %, the best 8, one reference alone 9 of 16: within each other's intervals.
func (g *Gallery) bestOf(p probe, number int32) contender {
	var best contender
	for _, at := range g.table.subjects[number].rows {
		q := g.table.row(at).probe
		if score, ok := p.score(q); ok && (!best.found || score > best.score) {
			best = contender{subject: g.table.subjects[number].id, score: score, single: p.single(q), found: true}
		}
	}
	return best
}
