package evaluation

import (
	"fmt"
	"io"
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
	Runs       []Run // bare frames of subjects that neither kind of track covers
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
	for i, a := range byHidden {
		if subjects[a.person] {
			d.subject(f, a, byCareful[i])
		} else {
			d.other(a, byCareful[i])
		}
	}
	return d
}

// subject counts one who is to be obscured, in one shot.
func (d *Decisions) subject(f *footage.Film, hidden, careful *appearance) {
	known := FilmResult{Film: f, BySize: make([]Coverage, len(FilmSizes()))}
	known.count(hidden)
	d.Subjects.join(known.All)
	open := FilmResult{Film: f, BySize: make([]Coverage, len(FilmSizes()))}
	open.count(careful)
	d.Waiting += open.All.Covered - known.All.Covered
	d.Runs = append(d.Runs, open.Runs...)
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
	for _, run := range sum.Runs {
		fmt.Fprintln(w, run)
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
	d.Runs = append(d.Runs, o.Runs...)
}
