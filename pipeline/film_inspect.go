package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/gallery"
)

// fault is what keeps a finished film from being released.
type fault struct {
	words string // for the person who has to decide; "": nothing
	faces []Seen // that must not be seen; none where the fault is another
	// pictures are those of the contact sheet where there is no fault: with one they may show what nobody may see.
	pictures [][]byte
}

// screen looks at the finished film as a stranger would.
func (l *Line) screen(ctx context.Context, t take, result Result) (fault, error) {
	l.Step("screen")
	s := Screening{Rendering: t.rendering(result.Tracks), Known: t.seen.Tracks, Hidden: hiddenTracks(result.Tracks), Describe: t.order.Mode != Everyone}
	for _, shot := range t.finishedStrips(result.Tracks) {
		s.Pictures = append(s.Pictures, shot.still)
	}
	screened, err := l.Cinema.Screen(ctx, t.film(), s, l.pass(t.pass+1, t.passes))
	if err != nil {
		return fault{}, fmt.Errorf("screening the finished film: %w", err)
	}
	for i := range screened.Faces {
		if err := t.checkSeen(&screened.Faces[i]); err != nil {
			return fault{}, fmt.Errorf("screening the finished film: %w", err)
		}
	}
	if screened.Fault != "" {
		return fault{words: screened.Fault}, nil
	}
	found := t.fault(screened.Faces, result.Tracks)
	if found.words == "" {
		found.pictures = screened.Pictures
	}
	return found, nil
}

func hiddenTracks(verdicts []TrackResult) []int {
	hidden := []int{}
	for _, v := range verdicts {
		if v.Outcome != consent.Show {
			hidden = append(hidden, v.ID)
		}
	}
	return hidden
}

// fault says what is wrong with faces that are seen in the finished film and are not those of tracks that are shown.
func (t *take) fault(faces []Seen, verdicts []TrackResult) fault {
	var found fault
	var others []Seen
	var passed []Seen
	for _, seen := range faces {
		if t.isShown(seen, verdicts) {
			passed = append(passed, seen)
		} else if seen.Hidden != 0 && seen.Face.Score >= surelyFace {
			found.add(seen, "a face can still be found where one was obscured, at "+t.clockAt(seen.Frame))
		} else {
			others = append(others, seen)
		}
	}
	told := t.order.Rulings.onTracks(t.asset.Digest, t.seen)
	for _, together := range byFrame(others) {
		t.faultsOn(together, told, verdicts, &found)
	}
	for i, v := range verdicts {
		t.faultsOnShown(ofTrack(passed, v.ID), told[i], v, &found)
	}
	return found
}

// add notes one more face; the first one's words are those that are said.
func (f *fault) add(seen Seen, words string) {
	f.words = cmp.Or(f.words, words)
	f.faces = append(f.faces, seen)
}

func (t *take) clockAt(frame int) string { return clock(t.seen.Times[frame].Seconds()) }

// byFrame groups faces that are seen at the same time.
func byFrame(faces []Seen) [][]Seen {
	sorted := slices.Clone(faces)
	slices.SortStableFunc(sorted, func(a, b Seen) int { return a.Frame - b.Frame })
	var groups [][]Seen
	for i, f := range sorted {
		if i == 0 || f.Frame != sorted[i-1].Frame {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], f)
	}
	return groups
}

// faultsOn looks at the faces of one frame. None of them was decided to be shown. So none must look like somebody who
// may not be, and where whoever is not known is not shown, none must surely be a face.
func (t *take) faultsOn(faces []Seen, told []*Ruling, verdicts []TrackResult, found *fault) {
	matches := t.matchSeen(faces, told)
	for i, seen := range faces {
		m := matches[i]
		if m.Band != gallery.None && m.Subject != "" && t.order.decisionOn(m.Subject).Outcome != consent.Show {
			found.add(seen, fmt.Sprintf("a face in the derivative still looks like %s, at %s", m.Subject, t.clockAt(seen.Frame)))
			continue
		}
		cleared := m.Band == gallery.Confident // and may be shown, or it would have been said above
		if seen.Face.Score >= surelyFace && t.order.hidesStrangers() && !cleared && !t.shownThere(seen, verdicts) {
			found.add(seen, "a face can be seen in the derivative that was not found before, at "+t.clockAt(seen.Frame))
		}
	}
}

// shownThere says whether a track that is shown has its face there.
func (t *take) shownThere(seen Seen, verdicts []TrackResult) bool {
	i := meant(t.seen.Tracks, seen.Frame, seen.Face.Box)
	return i >= 0 && verdicts[i].Outcome == consent.Show
}

// matchSeen compares the faces of one frame with the gallery. Whom a person has said a face is not, it is not.
func (t *take) matchSeen(faces []Seen, told []*Ruling) []gallery.Match {
	if t.order.Mode == Everyone {
		return nobody(len(faces))
	}
	probes := make([]gallery.Probe, len(faces))
	for i, seen := range faces {
		probes[i].Templates = seen.Face.Templates
		if k := meant(t.seen.Tracks, seen.Frame, seen.Face.Box); k >= 0 && told[k] != nil {
			probes[i].Not = told[k].Not
		}
	}
	return t.order.search(probes)
}

// isShown says whether the face is told as that of a track, and this is shown.
func (t *take) isShown(seen Seen, verdicts []TrackResult) bool {
	return slices.ContainsFunc(verdicts, func(v TrackResult) bool {
		return seen.Shown != 0 && v.ID == seen.Shown && v.Outcome == consent.Show && seen.Frame >= v.FirstFrame && seen.Frame <= v.LastFrame
	})
}

func ofTrack(faces []Seen, id int) []Seen {
	var of []Seen
	for _, seen := range faces {
		if seen.Shown == id {
			of = append(of, seen)
		}
	}
	return of
}

// enoughDoubt is at how many sightings a track that is shown must perhaps be the same subject to be doubted: strangers are
// at one now and then.
const enoughDoubt = 2

// faultsOnShown looks at what a track that is shown shows: whether it has become somebody who may not be. Only the one sighting
// that says most is a fault, as all of the track follows from it.
func (t *take) faultsOnShown(faces []Seen, told *Ruling, v TrackResult, found *fault) {
	settled := v.Rule == RulePerson || v.Match.Band == gallery.Confident // in doubt, but not against certainty
	doubts := map[string]int{}
	var worst Seen
	var subject string
	for _, seen := range faces {
		m := t.matchAlone(seen, told)
		accused := t.accused(m)
		if accused == "" {
			continue
		}
		if m.Band == gallery.Confident {
			worst, subject = seen, accused
			break
		}
		if settled || t.order.decide(told, m).Outcome == consent.Show {
			continue
		}
		if doubts[accused]++; doubts[accused] == enoughDoubt && subject == "" {
			worst, subject = seen, accused
		}
	}
	if subject != "" {
		found.add(worst, fmt.Sprintf("somebody who looks like %s is seen at %s in a face that was taken for one person", subject, t.clockAt(worst.Frame)))
	}
}

// accused is who may not be shown and is seen there, perhaps or surely; "": nobody.
func (t *take) accused(m gallery.Match) string {
	mayNot := func(subject string) bool { return subject != "" && t.order.decisionOn(subject).Outcome != consent.Show }
	switch {
	case m.Band == gallery.None:
		return ""
	case mayNot(m.Subject):
		return m.Subject
	case m.Reason == gallery.ReasonCloseRunnerUp && mayNot(m.RunnerUp):
		return m.RunnerUp
	}
	return ""
}
