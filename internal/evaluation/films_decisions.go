package evaluation

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/evaluation/footage"
	"github.com/consentry/consentry/internal/track"
	"github.com/consentry/consentry/pipeline"
)

// Decisions says what became of bare face-frames once it was decided who is to be obscured.
type Decisions struct {
	Film       string
	Subjects   Coverage // of who is to be obscured, by the tracks that are obscured
	Waiting    int      // face-frames of theirs that only tracks cover which wait for a person: the film is withheld
	Others     int      // face-frames of all others
	Obscured   int      // of them at least half covered by tracks that are obscured
	Neighbour  int      // of these the face's own tracks are shown: a cover of somebody beside or before it
	OtherWaits int      // face-frames of others on whose account a person is asked
	Tracks     int
	Hidden     int // tracks that are obscured
	Unsure     int // tracks that wait for a person
	Outcome    pipeline.Outcome
	Reason     string
	Missed     []Missed
}

// Missed is a subject in one shot who is bare on some frames, as neither kind of track covers it there.
type Missed struct {
	Film, Person string
	Bare         int     // face-frames
	Size         float64 // of the face on the first of them, pixels
	Tracks       []pipeline.TrackResult
	Views        []int // of each of the tracks
}

func (m Missed) String() string {
	text := fmt.Sprintf("%-20s %s, %.0f px, bare on %d face-frames:", m.Film, m.Person, m.Size, m.Bare)
	if len(m.Tracks) == 0 {
		text += " no track"
	}
	for i, t := range m.Tracks {
		text += fmt.Sprintf(" track %d of %d frames %s, match %s %.1f of %d views;", t.ID, t.LastFrame-t.FirstFrame+1, t.Outcome, t.Match.Band, t.Match.Score, m.Views[i])
	}
	return text
}

// halfCovered is the share of a face from which on it counts as obscured that should not be.
const halfCovered = 0.5

// EvaluateDecisions holds what was decided about a film's tracks against who is in it.
func EvaluateDecisions(f *footage.Film, w pipeline.Watched, r pipeline.Result, subjects map[string]bool) Decisions {
	d := Decisions{Film: f.Name, Tracks: len(w.Tracks), Outcome: r.Outcome, Reason: r.Reason}
	outcome := map[int]consent.Outcome{}
	for _, t := range r.Tracks {
		outcome[t.ID] = t.Outcome
		switch t.Outcome {
		case consent.Obscure:
			d.Hidden++
		case consent.Show:
		default:
			d.Unsure++
		}
	}
	hidden := coversOf(w.Tracks, func(t track.Track) bool { return outcome[t.ID] == consent.Obscure })
	careful := coversOf(w.Tracks, func(t track.Track) bool { return outcome[t.ID] != consent.Show })
	byHidden, _ := appearancesOf(f, hidden)
	byCareful, _ := appearancesOf(f, careful)
	byAny, _ := appearancesOf(f, coversOf(w.Tracks, everyTrack))
	for i, a := range byHidden {
		if !subjects[a.person] {
			d.other(a, byCareful[i])
			continue
		}
		if m := d.subject(f, a, byCareful[i]); m.Bare > 0 {
			m.blame(byAny[i], w, r)
			d.Missed = append(d.Missed, m)
		}
	}
	return d
}

// blame notes what was decided about the tracks that are on the face.
func (m *Missed) blame(a *appearance, w pipeline.Watched, r pipeline.Result) {
	var ids []int
	for _, at := range a.moments {
		ids = append(ids, at.holders...)
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		for i, t := range r.Tracks {
			if t.ID == id && i < len(w.Tracks) {
				m.Tracks, m.Views = append(m.Tracks, t), append(m.Views, len(w.Tracks[i].Views))
			}
		}
	}
}

// subject counts one who is to be obscured, in one shot, and says where it is bare.
func (d *Decisions) subject(f *footage.Film, hidden, careful *appearance) Missed {
	known := FilmResult{Film: f, BySize: make([]Coverage, len(FilmSizes()))}
	known.count(hidden)
	d.Subjects.join(known.All)
	open := FilmResult{Film: f, BySize: make([]Coverage, len(FilmSizes()))}
	open.count(careful)
	d.Waiting += open.All.Covered - known.All.Covered
	m := Missed{Film: f.Name, Person: hidden.person, Bare: open.All.FaceFrames - open.All.Covered}
	if len(open.Runs) > 0 {
		m.Size = open.Runs[0].Size
	}
	return m
}

// other counts one who may be shown.
func (d *Decisions) other(hidden, careful *appearance) {
	for i, m := range hidden.moments {
		if !m.bare {
			continue
		}
		d.Others++
		switch waits := careful.moments[i]; {
		case m.share >= halfCovered:
			d.Obscured++
			if len(m.holders) == 0 {
				d.Neighbour++
			}
		case waits.share >= halfCovered:
			d.OtherWaits++
		}
	}
}

// PrintDecisions writes what was decided, a line for each film.
func PrintDecisions(w io.Writer, all []Decisions) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "film\tsubjects' face-frames\tobscured\twaiting\tbare\tothers' face-frames\tobscured\tby a neighbour's cover\twaiting\ttracks\thidden\tunsure\toutcome\t")
	sum := Decisions{Film: "all"}
	released := 0
	for _, d := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t\n", d.Film, d.cells(), d.Outcome)
		sum.join(d)
		if d.Outcome == pipeline.Released {
			released++
		}
	}
	fmt.Fprintf(t, "%s\t%s\t%d/%d released\t\n", sum.Film, sum.cells(), released, len(all))
	if err := t.Flush(); err != nil {
		return fmt.Errorf("printing the evaluation: %w", err)
	}
	for _, d := range all {
		if d.Reason != "" {
			fmt.Fprintf(w, "%s: %s\n", d.Film, d.Reason)
		}
	}
	for _, m := range sum.Missed {
		fmt.Fprintln(w, m)
	}
	return nil
}

func (d Decisions) cells() string {
	n := d.Subjects.FaceFrames
	return fmt.Sprintf("%d\t%d\t%d\t%d\t%d\t%d (%.2f %%)\t%d\t%d\t%d\t%d\t%d", n, d.Subjects.Covered, d.Waiting, n-d.Subjects.Covered-d.Waiting,
		d.Others, d.Obscured, 100*float64(d.Obscured)/float64(max(1, d.Others)), d.Neighbour, d.OtherWaits, d.Tracks, d.Hidden, d.Unsure)
}

func (d *Decisions) join(o Decisions) {
	d.Subjects.join(o.Subjects)
	d.Waiting += o.Waiting
	d.Others += o.Others
	d.Obscured += o.Obscured
	d.Neighbour += o.Neighbour
	d.OtherWaits += o.OtherWaits
	d.Tracks += o.Tracks
	d.Hidden += o.Hidden
	d.Unsure += o.Unsure
	d.Missed = append(d.Missed, o.Missed...)
}
