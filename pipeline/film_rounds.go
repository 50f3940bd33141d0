package pipeline

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/track"
)

// mostRounds is how often more is obscured at most, and the film made again, for faces that can be seen in the finished one.
const mostRounds = 2

// RuleSeenLate is the rule for a face that was seen in the finished film only, where it must not be, though nothing is known
// against it by itself.
const RuleSeenLate = "seen-late"

// A face that was found in the finished film is searched for at every fifth frame there. So what is obscured on its account reaches
// further than it was seen by that, and by half a second, as of all tracks; and it is wider by a third.
const (
	carriedOn     = 500 * time.Millisecond
	searchedEvery = 5
	uncertain     = 0.3
)

// checkSeen refuses what cannot be; see [Watched.check].
func (t *take) checkSeen(s *Seen) error {
	if s.Frame < 0 || s.Frame >= len(t.seen.Times) || !sound(s.Face.Box) || !finite(s.Face.Score) {
		return fmt.Errorf("%w: a face on frame %d of %d", errNonsense, s.Frame, len(t.seen.Times))
	}
	if k := t.indexOf(s.Shown); s.Shown != 0 && (k < 0 || s.Frame < t.seen.Tracks[k].First() || s.Frame > t.seen.Tracks[k].Last()) {
		return fmt.Errorf("%w: a face on frame %d, of track %d", errNonsense, s.Frame, s.Shown)
	}
	if len(s.Path) == 0 {
		return nil
	}
	_, begin, end := t.shotOfFrame(s.Frame)
	first, last := s.Path[0].Frame, s.Path[len(s.Path)-1].Frame
	if first < begin || last > end || s.Frame < first || s.Frame > last {
		return fmt.Errorf("%w: a face on frame %d that was seen from %d to %d", errNonsense, s.Frame, first, last)
	}
	for i, p := range s.Path {
		if i > 0 && p.Frame <= s.Path[i-1].Frame || !sound(p.Box) || !finite(p.Roll) {
			return fmt.Errorf("%w: position %d of a face", errNonsense, i)
		}
	}
	return nil
}

// shotOfFrame is the number of the frame's shot, with its first and last frame.
func (t *take) shotOfFrame(frame int) (number, first, last int) {
	shots := t.seen.Shots
	number = sort.SearchInts(shots, frame+1) - 1
	last = len(t.seen.Times) - 1
	if number+1 < len(shots) {
		last = shots[number+1] - 1
	}
	return number, shots[number], last
}

// obscureMore adds to the plan a track of each of these faces, which can be seen in the finished film and must not be, and says what
// becomes of it.
func (l *Line) obscureMore(p *plan, t take, faces []Seen) error {
	l.Step("decide")
	known := len(t.seen.Tracks)
	seen := t.seen
	seen.Tracks = slices.Clip(seen.Tracks)
	for i, face := range faces {
		seen.Tracks = append(seen.Tracks, t.trackOf(face, p.lastID()+1+i))
	}
	if err := seen.check(); err != nil {
		return fmt.Errorf("screening the finished film: %w", err)
	}
	told := t.order.Rulings.onTracks(t.asset.Digest, seen)
	verdicts := slices.Clip(p.Verdicts[t.number])
	for i, face := range faces {
		ruling := told[known+i]
		if k := t.indexOf(face.Shown); k >= 0 { // the new track lies where this one does, and so does what a person said
			ruling = told[k]
		}
		verdicts = append(verdicts, t.judgeSeen(seen, known+i, ruling, face, verdicts[:known]))
	}
	p.Added[t.number] = slices.Concat(p.Added[t.number], seen.Tracks[known:])
	p.Verdicts[t.number] = verdicts
	p.Rounds[t.number]++
	return l.keep(*p, t.asset)
}

// trackOf is a track of a face that was seen in the finished film.
func (t *take) trackOf(s Seen, id int) track.Track {
	if k := t.indexOf(s.Shown); k >= 0 {
		return likeAll(t.seen.Tracks[k], s, id)
	}
	sightings := s.Path
	if len(sightings) == 0 {
		sightings = []track.Position{{Frame: s.Frame, Box: s.Face.Box, Roll: s.Face.Landmarks.Roll()}}
	}
	shot, begin, end := t.shotOfFrame(s.Frame)
	first, last := sightings[0], sightings[len(sightings)-1]
	tr := track.Track{
		ID: id, Shot: shot, Best: bareView(track.View{Frame: s.Frame, Face: s.Face}), Score: s.Face.Score,
		Seen: len(sightings), Runs: [][2]int{{first.Frame, last.Frame}},
	}
	add := func(p track.Position, frame int, seen bool) {
		p.Frame, p.Seen, p.Grow = frame, seen, uncertain
		tr.Path = append(tr.Path, p)
	}
	if from := t.away(first.Frame, -1, begin); from < first.Frame {
		add(first, from, false)
	}
	for _, p := range sightings {
		add(p, p.Frame, true)
	}
	if to := t.away(last.Frame, 1, end); to > last.Frame {
		add(last, to, false)
	}
	return tr
}

// likeAll is a track that reaches as far as the one which was shown, since from where to where it is somebody else's face is not known.
func likeAll(shown track.Track, s Seen, id int) track.Track {
	shown.ID, shown.Best, shown.Views = id, bareView(track.View{Frame: s.Frame, Face: s.Face}), nil
	shown.Path = slices.Clone(shown.Path)
	for i := range shown.Path {
		shown.Path[i].Grow = max(shown.Path[i].Grow, uncertain)
	}
	return shown
}

// indexOf is the place of a track among those that are known; -1: it is not.
func (t *take) indexOf(id int) int {
	return slices.IndexFunc(t.seen.Tracks, func(k track.Track) bool { return id != 0 && k.ID == id })
}

// away is the frame up to which a face is carried on that was seen last on this one, in steps of ±1 up to the end.
func (t *take) away(frame, step, end int) int {
	at := frame
	for at != end && (t.seen.Times[at]-t.seen.Times[frame]).Abs() < carriedOn {
		at += step
	}
	for range searchedEvery {
		if at != end {
			at += step
		}
	}
	return at
}

// judgeSeen is what becomes of a track of a face that was seen in the finished film only. Below something that is obscured it is
// obscured too. Elsewhere it is judged as others are, by what it shows there; but it is shown only if a person has looked at it.
func (t *take) judgeSeen(w Watched, i int, told *Ruling, s Seen, known []TrackResult) TrackResult {
	v := t.order.judgeTrack(w, &w.Tracks[i], told, t.matchAlone(s, told))
	if above := t.above(s, known); above != nil && s.Shown == 0 {
		v.Outcome, v.Rule = consent.Obscure, above.Rule
		v.Reason = fmt.Sprintf("could still be seen where a face is obscured, at %s: %s", t.clockAt(s.Frame), above.Reason)
		return v
	}
	looked := v.Rule == RulePerson || told != nil && (told.Is != "" || len(told.Not) > 0)
	if v.Outcome == consent.Show && !looked {
		v.Outcome, v.Rule = consent.Review, RuleSeenLate
	}
	v.Reason += "; found in the finished film only"
	return v
}

// matchAlone compares one face with the gallery.
func (t *take) matchAlone(s Seen, told *Ruling) gallery.Match {
	if t.order.Mode == Everyone {
		return nobody(1)[0]
	}
	probe := gallery.Probe{Templates: s.Face.Templates}
	if told != nil {
		probe.Is, probe.Not = told.Is, told.Not
	}
	return t.order.search([]gallery.Probe{probe})[0]
}

// above is the verdict on what is obscured where a face was seen all the same; nil: nothing is.
func (t *take) above(s Seen, verdicts []TrackResult) *TrackResult {
	for i := range verdicts {
		if verdicts[i].Outcome == consent.Show {
			continue
		}
		cover := track.CoverOf(t.seen.Tracks[i])
		region, ok := cover.At(s.Frame)
		if s.Hidden == verdicts[i].ID || ok && region.Contains(s.Face.Box.Centre()) {
			return &verdicts[i]
		}
	}
	return nil
}
