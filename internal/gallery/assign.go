package gallery

// assign gives every candidate its band: first by itself, then so that no subject is two faces.
func (t Thresholds) assign(candidates []candidate) []Match {
	matches := make([]Match, len(candidates))
	for i, c := range candidates {
		matches[i] = t.alone(c)
	}
	winners := confidentFaces(candidates, matches)
	for i, c := range candidates {
		if c.told != "" {
			continue
		}
		if w, ok := winners[c.best.subject]; ok && c.best.found {
			t.yield(&matches[i], c, w)
		}
	}
	for i := range matches {
		if matches[i].Band == None {
			matches[i].Subject, matches[i].RunnerUp = "", ""
		}
	}
	return matches
}

// alone gives the band that a face would have in a photograph of its own.
func (t Thresholds) alone(c candidate) Match {
	if c.told != "" {
		return c.asTold()
	}
	if !c.probe.described() {
		return Match{Band: None, Reason: ReasonNotDescribed}
	}
	m := Match{
		Subject: c.best.subject, Score: c.best.score, Band: None,
		RunnerUp: c.second.subject, RunnerUpScore: c.second.score,
	}
	confident := t.Confident
	if c.best.single {
		confident += t.Single
	}
	switch {
	case !c.best.found || c.best.score < t.Unsure:
	case c.best.score < confident:
		m.Band = Unsure
		if c.best.score >= t.Confident {
			m.Reason = ReasonSingle
		}
	case c.second.found && c.best.score-c.second.score < t.Margin:
		m.Band, m.Reason = Unsure, ReasonCloseRunnerUp
	default:
		m.Band = Confident
	}
	return t.doubted(m, c)
}

// doubted lowers or raises a match to unsure where the face could not be compared with some
// subject, who may be the one: neither "it is another" nor "it is nobody" is known.
func (t Thresholds) doubted(m Match, c candidate) Match {
	if c.incomparable && m.Band != Unsure {
		m.Band, m.Reason = Unsure, ReasonIncomparable
	}
	return m
}

// asTold is for a face of which a person has said who it is. A person who has also said that it is
// not must be asked again.
func (c candidate) asTold() Match {
	m := Match{Subject: c.told, Band: Confident, Score: c.best.score, Reason: ReasonPerson}
	if c.contradicted {
		m.Band, m.Reason = Unsure, ReasonContradiction
	}
	return m
}

// winner is the best confident face of a subject, or the best one of those that a person has named.
type winner struct {
	score  float64
	told   bool // a person named it, whatever its score
	scored bool // there is a score: a face that a person named may have none
	tied   bool // another face is exactly as alike, and nobody named either
}

// confidentFaces are the winners by subject. A face that a person named goes before all others.
func confidentFaces(candidates []candidate, matches []Match) map[string]winner {
	winners := map[string]winner{}
	for i, m := range matches {
		if m.Band != Confident {
			continue
		}
		n := winner{score: m.Score, told: candidates[i].told != "", scored: candidates[i].best.found}
		if w, ok := winners[m.Subject]; ok {
			n = w.or(n)
		}
		winners[m.Subject] = n
	}
	return winners
}

// or is the better of two.
func (w winner) or(n winner) winner {
	switch {
	case w.told != n.told:
		if n.told {
			return n
		}
		return w
	case w.scored != n.scored:
		if n.scored {
			return n
		}
		return w
	case n.score > w.score:
		return n
	case n.score == w.score:
		w.tied = !w.told
	}
	return w
}

// yield is for a face whose best subject has a confident face in the photograph. The subject's
// own face stays as it is. Another one that would have been confident too may be a poster, a mirror or a
// twin: it is for a person to decide, and so is one that comes near. One that is barely unsure is
// taken for somebody else, but only where the winner leads clearly and the next subject in line
// would not have it either. Where a person has said which face the subject is, that one's score
// counts as the winner's, high or low; without a score nothing leads.
func (t Thresholds) yield(m *Match, c candidate, w winner) {
	switch {
	case m.Band == Confident && (w.told || w.tied || m.Score < w.score):
		m.Band, m.Reason = Unsure, ReasonAnotherFace
	case m.Band != Unsure || w.tied || !w.scored || c.incomparable:
	case c.second.found && c.second.score >= t.Unsure:
	case m.Reason == "" && m.Score < t.Yield && w.score-m.Score >= t.Exclusive:
		m.Band, m.Reason = None, ReasonTakenElsewhere
	}
}
