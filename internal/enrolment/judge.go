package enrolment

import (
	"fmt"
)

// judge says of every newcomer whether it may join, whatever was said before.
//
// Nobody can know which of two photographs that contradict each other is the wrong one. So both are
// refused unless something speaks for one of them: the gallery, or more photographs that agree with
// it. All that are left are judged at once, so that the order in which they came decides nothing.
// The rules, of which each begins again at the first when it has refused any:
//
//  1. who does not belong to the own subject's group and is like another subject is refused as that
//     subject's;
//  2. who does not belong to the own subject's group is refused;
//  3. who is more like another subject is refused, if that is not chance: the other is a confident
//     match, or leads by the gallery's margin. (Where many look alike, one of a thousand others often
//     comes a little nearer than the own subject. To refuse those would leave pupils without the
//     references by which they are found; that another is as near makes a match unsure anyway.);
//  4. who is of a subject that is new, and a confident match of another that is known or of whom
//     there are as many photographs, is refused.
func (j *judge) judge() {
	for _, n := range j.newcomers {
		n.verdict, n.note, n.explained = nil, "", false
	}
	rules := []func(*newcomer, groups) *Stranger{j.misplaced, j.unlike, j.closer, j.double}
	for i := 0; i < len(rules); {
		if j.refuse(rules[i]) {
			i = 0
		} else {
			i++
		}
	}
	for _, n := range j.newcomers {
		if n.verdict == nil {
			n.note = j.noteOf(n)
		}
	}
}

// refuse applies one rule to all that are left. What it finds counts only when all have been judged.
func (j *judge) refuse(rule func(*newcomer, groups) *Stranger) bool {
	g := j.group()
	found := map[*newcomer]*Stranger{}
	explained := map[*newcomer]bool{}
	for _, n := range j.newcomers {
		if n.verdict != nil {
			continue
		}
		if s := rule(n, g); s != nil {
			rival := best(n.other, n.others).newcomer
			found[n] = s
			explained[n] = s.Rival != "" && (rival == nil || g[rival].belongs)
		}
	}
	for n, s := range found {
		n.verdict, n.explained = s, explained[n]
	}
	return len(found) > 0
}

func (j *judge) misplaced(n *newcomer, g groups) *Stranger {
	other, own := best(n.other, n.others), n.own
	if !g[n].known { // where the gallery knows the subject, others that do not belong are no excuse
		own = best(n.own, n.peers)
	}
	if g[n].belongs || !other.found || other.score < j.limits.Unsure || own.found && other.score <= own.score {
		return nil
	}
	return stranger(n, other.subject, "looks like %[2]s and not like the other references of %[1]s")
}

func (j *judge) unlike(n *newcomer, g groups) *Stranger {
	if g[n].belongs {
		return nil
	}
	return &Stranger{n.subject(), "", fmt.Sprintf("does not look like the other references of %[1]s: one of them may show somebody else; "+
		"look at all photographs of %[1]s, and take those on which the face is seen best", n.subject())}
}

func (j *judge) closer(n *newcomer, _ groups) *Stranger {
	other, own := best(n.other, n.others), best(n.own, n.peers)
	if !own.found || !other.found || other.score <= own.score {
		return nil
	}
	if other.score < j.limits.Confident && other.score < own.score+j.limits.Margin {
		return nil // chance; the note says so
	}
	return stranger(n, other.subject, "looks more like %[2]s than like the other references of %[1]s")
}

func (j *judge) double(n *newcomer, g groups) *Stranger {
	other := best(n.other, n.others)
	outnumbered := other.newcomer == nil || g[other.newcomer].known || g[other.newcomer].size >= g[n].size
	if g[n].known || !other.found || other.score < j.limits.Confident || !outnumbered {
		return nil
	}
	return stranger(n, other.subject, "is taken for %[2]s")
}

// stranger says what to do where two subjects are mixed up. It cannot be known which is right.
func stranger(n *newcomer, rival, text string) *Stranger {
	text += ": a photograph of one may lie under the number of the other; look at the photographs of both %[1]s and %[2]s " +
		"(where the two really look alike, enter them as lookalikes in the register)"
	return &Stranger{n.subject(), rival, fmt.Sprintf(text, n.subject(), rival)}
}

// noteOf says that somebody else is as like it, a declared lookalike or by chance.
func (j *judge) noteOf(n *newcomer) string {
	alike, other, own := best(n.alike, n.kin), best(n.other, n.others), best(n.own, n.peers)
	nearer := func(l likeness) bool {
		return l.found && l.score >= j.limits.Unsure && (!own.found || l.score > own.score)
	}
	switch {
	case nearer(alike):
		return fmt.Sprintf("cannot be told from %s, a declared lookalike of %s: look at whom it shows", alike.subject, n.subject())
	case own.found && nearer(other):
		return fmt.Sprintf("looks as much like %[2]s as like the other references of %[1]s: look at whom it shows; a photograph more like the others would be better", n.subject(), other.subject)
	}
	return ""
}

// membership is where a newcomer stands among the references of its own subject.
type membership struct {
	belongs bool // to the group that is taken for the subject
	known   bool // the subject is in the gallery
	size    int  // how many newcomers look alike in its group, itself included
}

type groups map[*newcomer]membership

// group divides the newcomers that are left into groups that look alike, directly or through each
// other. The group that is taken for a subject is the one that holds a reference of the gallery;
// where the gallery has none, the one that is larger than every other; and where a subject has one
// photograph alone, that one.
func (j *judge) group() groups {
	g := groups{}
	largest, rivals := map[string]int{}, map[string]int{} // by subject: the largest group, and how many are as large
	var all [][]*newcomer
	for _, n := range j.newcomers {
		if _, seen := g[n]; seen || n.verdict != nil {
			continue
		}
		members := j.alikeTo(n, g)
		all = append(all, members)
		switch s := n.subject(); {
		case len(members) > largest[s]:
			largest[s], rivals[s] = len(members), 1
		case len(members) == largest[s]:
			rivals[s]++
		}
	}
	for _, members := range all {
		s := members[0].subject()
		m := membership{known: members[0].own.found, size: len(members)}
		if m.known {
			m.belongs = j.rooted(members)
		} else {
			alone := m.size == 1 && contradicted(members[0])
			m.belongs = m.size == largest[s] && rivals[s] == 1 && !alone
		}
		for _, n := range members {
			g[n] = m
		}
	}
	return g
}

// alikeTo lists the newcomers that are left of one subject and like this one or like another of
// them, and marks them as seen.
func (j *judge) alikeTo(n *newcomer, seen groups) []*newcomer {
	members := []*newcomer{n}
	seen[n] = membership{}
	for i := 0; i < len(members); i++ {
		for _, p := range members[i].peers {
			if _, known := seen[p.newcomer]; !known && p.newcomer.verdict == nil && p.score >= j.limits.Unsure {
				seen[p.newcomer] = membership{}
				members = append(members, p.newcomer)
			}
		}
	}
	return members
}

func (j *judge) rooted(members []*newcomer) bool {
	for _, n := range members {
		if n.own.found && n.own.score >= j.limits.Unsure {
			return true
		}
	}
	return false
}

// contradicted says that another photograph of the subject was refused without being explained.
func contradicted(n *newcomer) bool {
	for _, p := range n.peers {
		if p.newcomer.verdict != nil && !p.newcomer.explained {
			return true
		}
	}
	return false
}
