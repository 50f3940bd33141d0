package gallery

// assign gives every candidate its band: first by itself, then so that no subject is two faces.
func (t Thresholds) assign(candidates []candidate) []Match {
	matches := make([]Match, len(candidates))
	for i, c := range candidates {
		matches[i] = t.alone(c)
	}
	winners := confidentFaces(matches)
	for i, c := range candidates {
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

// winner is the best confident face of a subject; tied says that another one is exactly as alike.
type winner struct {
	face  int
	score float64
	tied  bool
}

func confidentFaces(matches []Match) map[string]winner {
	winners := map[string]winner{}
	for i, m := range matches {
		if m.Band != Confident {
			continue
		}
		w, ok := winners[m.Subject]
		switch {
		case !ok || m.Score > w.score:
			winners[m.Subject] = winner{face: i, score: m.Score}
		case m.Score == w.score:
			w.tied = true
			winners[m.Subject] = w
		}
	}
	return winners
}

// yield is for a face whose best subject has a confident face in the photograph. The subject's
// own face stays as it is. Another one that would have been confident too may be a poster, a mirror or a
// twin: it is for a person to decide, and so is one that comes near. One that is barely unsure is
// taken for somebody else, but only where the winner leads clearly and the next subject in line
// would not have it either.
func (t Thresholds) yield(m *Match, c candidate, w winner) {
	switch {
	case m.Band == Confident && (w.tied || m.Score < w.score):
		m.Band, m.Reason = Unsure, ReasonAnotherFace
	case m.Band != Unsure || w.tied || c.incomparable:
	case c.second.found && c.second.score >= t.Unsure:
	case m.Reason == "" && m.Score < t.Yield && w.score-m.Score >= t.Exclusive:
		m.Band, m.Reason = None, ReasonTakenElsewhere
	}
}
