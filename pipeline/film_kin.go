package pipeline

import (
	"fmt"
	"slices"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/track"
)

// touching is the intersection over union that two pieces must have where one takes over from the other for what is known of one to speak for
// the other being shown. A neighbour in a row, a face's width away, has none.
const touching = 0.3

// followKin gives a piece of a track that was never described what its kin have: the tracks of which it is probably
// another piece, as the head was lost and found again. If one of them is obscured so is the piece, if one waits so does the piece.
// If all are shown the piece need not wait, but only where it touches one of them: probably is too little to show
// a face. It is never shown where it would be obscured by itself.
func followKin(verdicts []TrackResult, w Watched) {
	near, adjoining := neighbours(verdicts, w)
	before := slices.Clone(verdicts)
	for i, v := range before {
		kin, ok := strictest(before, kinOf(before, near, i))
		if !v.dumb() || !ok || kin.Outcome == consent.Show && len(kinOf(before, adjoining, i)) == 0 {
			continue
		}
		verdicts[i].follow(kin)
	}
}

// neighbours lists for each track those of which it is probably another piece, and of these again those that it touches.
func neighbours(verdicts []TrackResult, w Watched) (near, adjoining [][]int) {
	at := map[int]int{}
	for i, v := range verdicts {
		at[v.ID] = i
	}
	near, adjoining = make([][]int, len(verdicts)), make([][]int, len(verdicts))
	for _, pair := range track.Bridges(w.Tracks, w.Info.Rate) {
		i, ok := at[pair[0]]
		j, ok2 := at[pair[1]]
		if !ok || !ok2 {
			continue
		}
		near[i], near[j] = append(near[i], j), append(near[j], i)
		if touch(&w.Tracks[i], &w.Tracks[j]) {
			adjoining[i], adjoining[j] = append(adjoining[i], j), append(adjoining[j], i)
		}
	}
	return near, adjoining
}

// touch says whether two tracks, the earlier one first, share their place on some frame from the last sighting of one to the
// first of the other, or before and after the gap between them.
func touch(a, b *track.Track) bool {
	from, to := a.Last(), b.First()
	if to <= from { // both are carried at the same time
		from, to = max(lastSeen(a), b.First()), min(a.Last(), firstSeen(b))
	} else {
		p, _ := a.On(from)
		q, _ := b.On(to)
		return p.Box.IoU(q.Box) >= touching
	}
	for frame := from; frame <= to; frame++ {
		p, ok := a.On(frame)
		q, ok2 := b.On(frame)
		if ok && ok2 && p.Box.IoU(q.Box) >= touching {
			return true
		}
	}
	return false
}

func firstSeen(t *track.Track) int {
	if len(t.Runs) == 0 {
		return t.First()
	}
	return t.Runs[0][0]
}

func lastSeen(t *track.Track) int {
	if len(t.Runs) == 0 {
		return t.Last()
	}
	return t.Runs[len(t.Runs)-1][1]
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
