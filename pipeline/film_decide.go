package pipeline

import (
	"fmt"
	"math"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/track"
)

// RuleNotDescribed is the rule for a face that was large enough to be told and never was, where a face that matches
// nobody would be shown: whether it matches nobody is not known.
const RuleNotDescribed = "not-described"

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
	followKin(verdicts, w)
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
