package pipeline

import (
	"cmp"
	"slices"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
)

// apart is everybody a person of their own.
func apart(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// persons joins the tracks that are clearly of one person, the most alike first. Tracks that are seen at the same time
// are never joined, whoever they look like.
func persons(pooled []face.Templates, beside [][]int, t gallery.Thresholds) []int {
	person := apart(len(pooled))
	members := make([][]int, len(pooled))
	for i := range members {
		members[i] = []int{i}
	}
	for _, pair := range t.SamePerson(pooled) {
		a, b := person[pair.A], person[pair.B]
		if a == b || meet(members[a], members[b], beside) {
			continue
		}
		if len(members[a]) < len(members[b]) {
			a, b = b, a
		}
		for _, i := range members[b] {
			person[i] = a
		}
		members[a], members[b] = append(members[a], members[b]...), nil
	}
	return person
}

// meet says whether any of these tracks is seen at the same time as any of those.
func meet(these, those []int, beside [][]int) bool {
	for _, i := range these {
		for _, j := range beside[i] {
			if slices.Contains(those, j) {
				return true
			}
		}
	}
	return false
}

// company is what the matches of each person's tracks are brought together with.
type company struct {
	order   Order
	probes  []gallery.Probe
	beside  [][]int
	before  []gallery.Match // by each track's own views
	matches []gallery.Match
}

// agree brings the matches of each person's tracks together.
func (o Order) agree(who identity, probes []gallery.Probe, beside [][]int) {
	members := map[int][]int{}
	for i, p := range who.person {
		members[p] = append(members[p], i)
	}
	c := company{order: o, probes: probes, beside: beside, before: slices.Clone(who.matches), matches: who.matches}
	for _, tracks := range members {
		if len(tracks) < 2 {
			continue
		}
		switch subjects := surely(c.before, tracks); len(subjects) {
		case 0:
			c.spreadDoubt(tracks)
		case 1:
			c.spread(subjects[0], tracks)
		default:
			c.fallOut(subjects, tracks)
		}
	}
}

// surely lists the best confident match with each subject, the best first.
func surely(matches []gallery.Match, tracks []int) []gallery.Match {
	var found []gallery.Match
	for _, i := range tracks {
		m := matches[i]
		if m.Band != gallery.Confident {
			continue
		}
		k := slices.IndexFunc(found, func(f gallery.Match) bool { return f.Subject == m.Subject })
		switch {
		case k < 0:
			found = append(found, m)
		case m.Score > found[k].Score:
			found[k] = m
		}
	}
	slices.SortFunc(found, func(a, b gallery.Match) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Subject, b.Subject))
	})
	return found
}

// shown says whether the subject may be shown.
func (c *company) shown(subject string) bool {
	return c.order.decisionOn(subject).Outcome == consent.Show
}

// told says whether a person has said that the track is not this subject, or contradicts himself.
func (c *company) told(i int, subject string) bool {
	return slices.Contains(c.probes[i].Not, subject) || c.before[i].Reason == gallery.ReasonContradiction
}

// spread gives the subject of a person's confident tracks to the others. If it may be shown, a track that perhaps is somebody
// who may not goes on being in doubt.
func (c *company) spread(subject gallery.Match, tracks []int) {
	shown := c.shown(subject.Subject)
	for _, i := range tracks {
		m := c.before[i]
		if m.Band == gallery.Confident || c.told(i, subject.Subject) || shown && c.doubts(m, subject.Subject) {
			continue
		}
		switch {
		case !c.isBeside(i, subject.Subject):
			c.matches[i] = gallery.Match{Subject: subject.Subject, Band: gallery.Confident, Score: subject.Score, Reason: ReasonSamePerson}
		case !shown:
			c.matches[i] = gallery.Match{Subject: subject.Subject, Band: gallery.Unsure, Score: subject.Score, Reason: ReasonAtTheSide}
		}
	}
}

// isBeside says whether somebody who is seen at the same time as the track is surely the subject.
func (c *company) isBeside(i int, subject string) bool {
	return slices.ContainsFunc(c.beside[i], func(j int) bool {
		return c.before[j].Band == gallery.Confident && c.before[j].Subject == subject
	})
}

// doubts says whether a match is unsure in a way that its being this subject in another scene does not settle.
func (c *company) doubts(m gallery.Match, subject string) bool {
	if m.Band != gallery.Unsure {
		return false
	}
	return m.Subject != subject || m.Reason == ReasonNotOneFace ||
		m.Reason == gallery.ReasonCloseRunnerUp && m.RunnerUp != "" && !c.shown(m.RunnerUp)
}

// spreadDoubt is for a person of whom no track is confident: where one is perhaps somebody who may not be shown, so are the
// others that match nobody.
func (c *company) spreadDoubt(tracks []int) {
	var doubt gallery.Match
	for _, i := range tracks {
		m := c.before[i]
		if m.Band == gallery.Unsure && m.Subject != "" && !c.shown(m.Subject) && (doubt.Subject == "" || m.Score > doubt.Score) {
			doubt = m
		}
	}
	for _, i := range tracks {
		if doubt.Subject != "" && c.before[i].Band == gallery.None && !c.told(i, doubt.Subject) {
			c.matches[i] = doubt
		}
	}
}

// fallOut is for a person whose tracks are surely several subjects. Where all of those may be shown, that does no harm. Else
// it is not known who any of these tracks is, but for those of which a person has said so, and those that are obscured
// as whichever of them they are.
func (c *company) fallOut(subjects []gallery.Match, tracks []int) {
	outcome := func(m gallery.Match) consent.Outcome { return c.order.decisionOn(m.Subject).Outcome }
	alike := !slices.ContainsFunc(subjects, func(m gallery.Match) bool { return outcome(m) != outcome(subjects[0]) })
	if alike && outcome(subjects[0]) == consent.Show {
		return
	}
	for _, i := range tracks {
		m := c.before[i]
		if m.Reason == gallery.ReasonPerson || m.Reason == gallery.ReasonContradiction || alike && m.Band == gallery.Confident {
			continue
		}
		c.matches[i] = c.either(i, subjects)
	}
}

// either is the match of a track that may be any of several subjects: first what it is by itself, then the best of the
// others. Those that it is not, as a person has said, are left out.
func (c *company) either(i int, subjects []gallery.Match) gallery.Match {
	own := c.before[i]
	possible := slices.DeleteFunc(slices.Clone(subjects), func(s gallery.Match) bool {
		return s.Subject == own.Subject || slices.Contains(c.probes[i].Not, s.Subject)
	})
	if own.Band == gallery.Confident || own.Band == gallery.Unsure && len(possible) < 2 {
		possible = slices.Insert(possible, 0, own)
	}
	if len(possible) == 0 {
		return own
	}
	m := gallery.Match{Subject: possible[0].Subject, Band: gallery.Unsure, Score: possible[0].Score, Reason: ReasonSamePerson}
	if len(possible) > 1 {
		m.RunnerUp, m.RunnerUpScore, m.Reason = possible[1].Subject, possible[1].Score, gallery.ReasonCloseRunnerUp
	}
	return m
}
