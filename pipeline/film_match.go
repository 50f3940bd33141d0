package pipeline

import (
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/track"
)

// Reasons for which a track's match is in another band than its templates alone would put it.
const (
	ReasonOneView    = "at one moment it matches this subject, all views together do not"
	ReasonSomeViews  = "at some moments it is perhaps this subject, all views together do not match"
	ReasonNotOneFace = "at one moment it looks like somebody else altogether"
	ReasonSamePerson = "clearly the same person as in another scene"
	ReasonAtTheSide  = "clearly the same person as in another scene, but somebody else who is seen at the same time matches too"
)

// identity is who the tracks of a film are for one order.
type identity struct {
	matches []gallery.Match
	person  []int // tracks that are clearly of one person, whoever it is, have the same number
}

// identify compares every track with the gallery once, by what all its views say together, and then with the other
// tracks, so that a person is the same in every shot.
func (l *Line) identify(w Watched, told []*Ruling, order Order) identity {
	if order.Mode == Everyone {
		return identity{matches: nobody(len(w.Tracks)), person: apart(len(w.Tracks))}
	}
	probes := make([]gallery.Probe, len(w.Tracks))
	pooled := make([]face.Templates, len(w.Tracks))
	for i, t := range w.Tracks {
		pooled[i] = gallery.Pool(facesOf(t.Views))
		probes[i] = gallery.Probe{Templates: pooled[i]}
		if told[i] != nil {
			probes[i].Is, probes[i].Not = told[i].Is, told[i].Not
		}
	}
	alone := make([]gallery.Match, len(w.Tracks))
	for i := range probes {
		l.Step("match") // a crowd takes a while
		alone[i] = order.search(probes[i : i+1])[0]
	}
	matches := make([]gallery.Match, len(w.Tracks))
	beside := besides(w.Tracks)
	for i, t := range w.Tracks {
		l.Step("match")
		m := order.matchBeside(probes, alone, i, beside[i])
		matches[i] = orNotDescribed(order.doubted(m, probes[i], t.Views), &w.Tracks[i])
	}
	who := identity{matches: matches, person: persons(pooled, beside, order.Gallery.Thresholds())}
	order.agree(who, probes, beside)
	return who
}

func facesOf(views []track.View) []face.Face {
	faces := make([]face.Face, len(views))
	for i, v := range views {
		faces[i] = v.Face
	}
	return faces
}

// besides lists for each track those that are seen somewhere else at the same time.
func besides(tracks []track.Track) [][]int {
	beside := make([][]int, len(tracks))
	for i := range tracks {
		for j := range tracks[:i] {
			apart := tracks[i].Shot != tracks[j].Shot || tracks[i].First() > tracks[j].Last() || tracks[j].First() > tracks[i].Last()
			if !apart && track.Overlap(tracks[i], tracks[j]) {
				beside[i], beside[j] = append(beside[i], j), append(beside[j], i)
			}
		}
	}
	return beside
}

// matchBeside matches one track together with those that are seen at the same time, as one subject is not two
// faces at once. Those need not be at the same time with each other, which does not matter here: only this one's answer
// is taken. Only who is surely somebody can take a subject from another.
func (o Order) matchBeside(probes []gallery.Probe, alone []gallery.Match, i int, beside []int) gallery.Match {
	together := []gallery.Probe{probes[i]}
	for _, j := range beside {
		if alone[j].Band == gallery.Confident {
			together = append(together, probes[j])
		}
	}
	if alone[i].Band == gallery.None || len(together) == 1 {
		return alone[i]
	}
	return o.search(together)[0]
}

// doubted is for tracks that are perhaps not one face from end to end: where two heads cross, or one picture fades into
// the next, a track can go on with the other one. All views together then say little of who is seen at one moment only.
func (o Order) doubted(m gallery.Match, p gallery.Probe, views []track.View) gallery.Match {
	outcome := o.unruled(m).Outcome
	if p.Is != "" || outcome == consent.Obscure {
		return m
	}
	singles := o.suspicions(m, p, views)
	if sure := singles[gallery.Confident]; sure.Subject != "" {
		return doubtOf(m, sure, ReasonOneView)
	}
	if perhaps := singles[gallery.Unsure]; perhaps.Subject != "" && outcome == consent.Show {
		return doubtOf(m, perhaps, ReasonSomeViews)
	}
	if o.believedTooMuch(m, views) {
		m.Band, m.Reason = gallery.Unsure, ReasonNotOneFace
	}
	return m
}

// doubtOf is a match that single views contradict.
func doubtOf(m, single gallery.Match, reason string) gallery.Match {
	return gallery.Match{
		Subject: single.Subject, Band: gallery.Unsure, Score: single.Score,
		RunnerUp: m.Subject, RunnerUpScore: m.Score, Reason: reason,
	}
}

// viewsToDoubt is how many views must perhaps be the same subject to be believed against all together. One alone is what a stranger
// gives by chance: where everybody is of one origin 6 of 20 are unsure of one of seven. Of a track that is
// not one person one view is enough, as the others say nothing against it.
const viewsToDoubt = 2

// suspicions are, for each band, the best single view that says the face is somebody who may not be shown and whom all views together do not
// name. Unsure views count where enough of them say the same.
func (o Order) suspicions(m gallery.Match, p gallery.Probe, views []track.View) map[gallery.Band]gallery.Match {
	enough := viewsToDoubt
	if o.severalPeople(views) {
		enough = 1
	}
	best := map[gallery.Band]gallery.Match{}
	count, bestOf := map[string]int{}, map[string]gallery.Match{}
	for _, v := range views {
		single := o.search([]gallery.Probe{{Templates: v.Face.Templates, Not: p.Not}})[0]
		id := single.Subject
		if single.Band == gallery.None || id == "" || id == m.Subject || o.decisionOn(id).Outcome == consent.Show {
			continue
		}
		count[id]++
		if single.Score > bestOf[id].Score {
			bestOf[id] = single
		}
		if single.Band == gallery.Confident && single.Score > best[gallery.Confident].Score {
			best[gallery.Confident] = single
		}
		if count[id] >= enough && bestOf[id].Score > best[gallery.Unsure].Score {
			best[gallery.Unsure] = bestOf[id]
		}
	}
	return best
}

// severalPeople says whether some two views of a track look like different people altogether; see [lookAway].
func (o Order) severalPeople(views []track.View) bool {
	for i, v := range views {
		for _, w := range views[:i] {
			if score, ok := gallery.Score(v.Face.Templates, w.Face.Templates); ok && score < o.Gallery.Thresholds().Unsure-lookAway {
				return true
			}
		}
	}
	return false
}

// lookAway is by how much less than an unsure match a view must score with the subject to be held for somebody else:
// with the default thresholds 1.0, one standard deviation above strangers, which five in six of them do not reach. Among
// young women of one origin three in four do (389 of 525 pairs of portraits); of pairs of one woman none stays below (0 of 36).
const lookAway = 2.5

// believedTooMuch says whether the track would be shown for being this subject, where strangers are not, and some
// view looks like somebody else altogether.
func (o Order) believedTooMuch(m gallery.Match, views []track.View) bool {
	if m.Band != gallery.Confident || !o.hidesStrangers() {
		return false
	}
	for _, v := range views {
		with := o.Gallery.Match([]gallery.Probe{{Templates: v.Face.Templates, Is: m.Subject}})[0]
		if with.Score != 0 && with.Score < o.Gallery.Thresholds().Unsure-lookAway { // 0: they cannot be compared
			return true
		}
	}
	return false
}

// hidesStrangers says whether a face that matches nobody is not shown.
func (o Order) hidesStrangers() bool {
	return o.unruled(gallery.Match{Band: gallery.None}).Outcome != consent.Show
}
