package gallery

import (
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

// Reasons why a match is in a lower band than its score alone would put it, or has no score.
const (
	ReasonNotDescribed   = "not described"
	ReasonIncomparable   = "not comparable with every subject"
	ReasonCloseRunnerUp  = "close runner-up"
	ReasonSingle         = "only one describer spoke"
	ReasonAnotherFace    = "another face of the photograph matches this subject better"
	ReasonTakenElsewhere = "this subject is clearly another face of the photograph"
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

// candidate is one face's standing while the search goes on.
type candidate struct {
	probe        probe
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

// MatchPhotograph says of every face of one photograph who it is. The answers are in the order
// of the probes. All faces must be given at once, because a subject can be only one of them.
func (g *Gallery) MatchPhotograph(probes []face.Templates) []Match {
	candidates := make([]candidate, len(probes))
	for i, t := range probes {
		candidates[i].probe = newProbe(t)
	}
	for _, s := range g.subjects {
		for i := range candidates {
			g.compare(&candidates[i], s)
		}
	}
	return g.thresholds.assign(candidates)
}

// compare takes the best of a subject's references, so that a new one can never hide a subject. The
// mean of all would not promise that; on the labelled photographs it misses 5 of 23 searches at
// a false match rate of 0.1 %, the best 8, one reference alone 9 of 16: within each other's intervals.
func (g *Gallery) compare(c *candidate, s subject) {
	if !c.probe.described() {
		return
	}
	var best contender
	for _, r := range g.rows[s.first:s.last] {
		q := g.reference(r)
		score, ok := c.probe.score(q)
		if ok && (!best.found || score > best.score) {
			single := c.probe.dlib == nil || q.dlib == nil || c.probe.mobile == nil || q.mobile == nil
			best = contender{subject: s.id, score: score, single: single, found: true}
		}
	}
	c.take(best)
}

func (g *Gallery) reference(r row) probe {
	var p probe
	if r.dlib >= 0 {
		p.dlib, p.dlibSquared = g.dlib[r.dlib:r.dlib+dlibLength], r.dlibSquared
	}
	if r.mobile >= 0 {
		p.mobile = g.mobile[r.mobile : r.mobile+mobileLength]
	}
	return p
}

// take keeps the two best subjects. Equal scores keep the order of admission numbers.
func (c *candidate) take(n contender) {
	switch {
	case !n.found:
		c.incomparable = true
	case !c.best.found || n.score > c.best.score:
		c.best, c.second = n, c.best
	case !c.second.found || n.score > c.second.score:
		c.second = n
	}
}
