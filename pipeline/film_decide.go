package pipeline

import (
	"fmt"
	"math"
	"slices"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/track"
)

// RuleNotDescribed is the rule for a face that was large enough to be told and never was, where a face that matches
// nobody would be shown: whether it matches nobody is not known.
const RuleNotDescribed = "not-described"

// describable is the size of a face in pixels below which the describers do not speak (models.md: the first one describes
// 85 to 97 % of the faces above it).
const describable = 40

// decideTracks gives every track its outcome for the order's purpose.
func decideTracks(w Watched, told []*Ruling, who identity, o Order) []TrackResult {
	verdicts := make([]TrackResult, len(w.Tracks))
	for i := range w.Tracks {
		verdicts[i] = o.judgeTrack(w, &w.Tracks[i], told[i], who.matches[i])
	}
	if o.Mode == Everyone {
		return verdicts
	}
	hideWholePersons(verdicts, told, who.person)
	followKin(verdicts, track.Bridges(w.Tracks, w.Info.Rate))
	return verdicts
}

// judgeTrack is what becomes of a track that matched so, looked at by itself.
func (o Order) judgeTrack(w Watched, t *track.Track, told *Ruling, m gallery.Match) TrackResult {
	d := o.decide(told, m)
	if m.Reason == gallery.ReasonNotDescribed && d.Outcome == consent.Show && d.Rule != RulePerson && largest(t) >= describable {
		d = consent.Decision{Outcome: consent.Review, Rule: RuleNotDescribed, Text: "never seen well enough to be told"}
	}
	v := TrackResult{
		ID: t.ID, FirstFrame: t.First(), LastFrame: t.Last(),
		From: w.Times[t.First()].Seconds(), To: w.Times[t.Last()].Seconds(),
		Frame: t.Best.Frame, At: w.Times[t.Best.Frame], Box: brief(t.Best.Face.Box), Score: rounded(t.Score, 1e4), Seen: t.Seen,
		Match: m, Outcome: d.Outcome, Rule: d.Rule, Reason: inWords(d),
	}
	if o.Mode != Everyone {
		v.Basis = o.Basis(m)
	}
	v.Match.Score, v.Match.RunnerUpScore = rounded(m.Score, 1e4), rounded(m.RunnerUpScore, 1e4)
	return v
}

// brief is the box to a hundredth of a pixel: digits that say nothing are most of what a long film's result consists of.
func brief(b face.Box) face.Box {
	return face.Box{X: rounded(b.X, 100), Y: rounded(b.Y, 100), W: max(0.01, rounded(b.W, 100)), H: max(0.01, rounded(b.H, 100))}
}

func rounded(x, parts float64) float64 { return math.Round(x*parts) / parts }

// largest is the size in pixels of the track's face where it was seen largest.
func largest(t *track.Track) float64 {
	size := t.Best.Face.Box.Size()
	for _, p := range t.Path {
		if p.Seen {
			size = max(size, p.Box.Size())
		}
	}
	return size
}

// hideWholePersons obscures all tracks of a person of whom a person who decides has had one obscured, but for those that
// were decided about themselves.
func hideWholePersons(verdicts []TrackResult, told []*Ruling, person []int) {
	hidden := map[int]TrackResult{}
	for i, v := range verdicts {
		if v.Rule == RulePerson && v.Outcome == consent.Obscure {
			hidden[person[i]] = v
		}
	}
	for i, v := range verdicts {
		if from, ok := hidden[person[i]]; ok && told[i] == nil && v.Outcome != consent.Obscure {
			verdicts[i].Outcome, verdicts[i].Rule = from.Outcome, from.Rule
			verdicts[i].Reason = fmt.Sprintf("clearly the same person as at %s: %s", clock(from.From), from.Reason)
		}
	}
}

// followKin gives a piece of a track that was never described what its kin have: the tracks of which it is probably
// another piece, as the head was lost and found again. If one of them is obscured so is the piece, if one waits so does the piece;
// if all are shown the piece need not wait. It is never shown where it would be obscured by itself.
func followKin(verdicts []TrackResult, bridges [][2]int) {
	at := map[int]int{}
	for i, v := range verdicts {
		at[v.ID] = i
	}
	near := make([][]int, len(verdicts))
	for _, pair := range bridges {
		i, ok := at[pair[0]]
		j, ok2 := at[pair[1]]
		if ok && ok2 {
			near[i], near[j] = append(near[i], j), append(near[j], i)
		}
	}
	before := slices.Clone(verdicts)
	for i, v := range before {
		if kin, ok := strictest(before, kinOf(before, near, i)); v.dumb() && ok {
			verdicts[i].follow(kin)
		}
	}
}

// dumb says that nothing is known of whose face it is: it was not described, and no person has decided.
func (v *TrackResult) dumb() bool {
	return v.Match.Reason == gallery.ReasonNotDescribed && v.Rule != RulePerson
}

// kinOf are the tracks of which something is known that are connected with this one, directly or by pieces of which
// nothing is.
func kinOf(verdicts []TrackResult, near [][]int, i int) []int {
	var kin []int
	seen := map[int]bool{i: true}
	for queue := []int{i}; len(queue) > 0; queue = queue[1:] {
		for _, j := range near[queue[0]] {
			if seen[j] {
				continue
			}
			seen[j] = true
			if verdicts[j].dumb() {
				queue = append(queue, j)
			} else {
				kin = append(kin, j)
			}
		}
	}
	slices.Sort(kin)
	return kin
}

// strictest is the verdict among these that shows least.
func strictest(verdicts []TrackResult, which []int) (TrackResult, bool) {
	if len(which) == 0 {
		return TrackResult{}, false
	}
	best := verdicts[which[0]]
	for _, i := range which[1:] {
		if strictness(verdicts[i].Outcome) > strictness(best.Outcome) {
			best = verdicts[i]
		}
	}
	return best, true
}

func strictness(o consent.Outcome) int {
	switch o {
	case consent.Show:
		return 0
	case consent.Obscure:
		return 2
	}
	return 1
}

// follow takes over the outcome of the piece's kin.
func (v *TrackResult) follow(kin TrackResult) {
	if v.Outcome == consent.Obscure || v.Outcome == kin.Outcome {
		return
	}
	v.Outcome, v.Rule = kin.Outcome, kin.Rule
	v.Reason = fmt.Sprintf("probably the same face as at %s: %s", clock(kin.From), kin.Reason)
}

// lostRulings lists the moments at which a person decided that a face is obscured, or is somebody who may not be
// shown, and where nothing is obscured now.
func (t *take) lostRulings(verdicts []TrackResult) []string {
	if t.order.Mode == Everyone {
		return nil
	}
	var lost []string
	for _, r := range t.order.Rulings[t.asset.Digest] {
		frame, ok := r.frame(t.seen.Times)
		if ok && t.order.hides(r) && !t.coveredAt(frame, r.Box.Centre(), verdicts) && meant(t.seen.Tracks, frame, r.Box) < 0 {
			lost = append(lost, clock(r.At.Seconds()))
		}
	}
	return lost
}

// hides says whether a person wanted the face obscured for the order's purpose, or named somebody who is.
func (o Order) hides(r Ruling) bool {
	if r.As[o.Purpose].Outcome == consent.Obscure {
		return true
	}
	return r.Is != "" && o.decisionOn(r.Is).Outcome != consent.Show
}

// coveredAt says whether something is obscured on the frame at that point.
func (t *take) coveredAt(frame int, p face.Point, verdicts []TrackResult) bool {
	for i, v := range verdicts {
		if v.Outcome == consent.Show || frame < v.FirstFrame || frame > v.LastFrame {
			continue
		}
		cover := track.CoverOf(t.seen.Tracks[i])
		if region, ok := cover.At(frame); ok && region.Contains(p) {
			return true
		}
	}
	return false
}
