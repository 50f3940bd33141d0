package track

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/consentry/consentry/internal/face"
)

// When a face that was found is taken for one that was expected. Nearness is 1 for the same place and size and falls
// by one for each face's size between the centres.
const (
	nearSeen   = 0.4  // least nearness to a track that the last search saw…
	nearLost   = 0.5  // …and to one that was carried since
	clearly    = 0.25 // by so much must a face be nearer to one track than to another
	firmly     = 0.7  // nearness of a track that was seen all the time, against one that was lost before
	sameHead   = 0.55 // IoU with a face that was joined on this frame, from which on it is the same head found twice
	leastSize  = 0.55 // least ratio of sizes
	awayReach  = 0.5  // of its sizes that a lost face may have moved aside in a second
	surely     = 0.6  // trust in the way of a track that was seen all the time
	longLost   = 0.3  // seconds after which a lost track is joined again only if the flow was sure
	fairlySure = 0.4  // …so much
	shortGap   = 0.6  // seconds between the ends of two such ways…
	samePlace  = 0.6  // …and their nearness
	backIoU    = 0.5  // mean IoU of a lost track carried forwards and a new face carried backwards, if they are one head
)

// nearness of two boxes; far apart or of different size it is negative.
func nearness(a, b face.Box) float64 {
	sa, sb := a.Size(), b.Size()
	if ratio := math.Min(sa, sb) / math.Max(sa, sb); !(ratio >= leastSize) {
		return -1
	}
	p, q := a.Centre(), b.Centre()
	return 1 - 2*math.Hypot(p.X-q.X, p.Y-q.Y)/(sa+sb)
}

// pair is a live track and a face that may be its.
type pair struct {
	track, face int
	near        float64
}

// Found adds what a search of the whole current frame found. New tracks are carried backwards through the frames kept.
func (b *Builder) Found(faces []face.Face) error {
	if b.searched || b.frame < 0 {
		return fmt.Errorf("track faces: frame %d was searched twice", b.frame)
	}
	b.searched = true
	faces = slices.DeleteFunc(slices.Clone(faces), func(f face.Face) bool { return !b.options.usable(f.Box) })
	pairs := b.pairs(faces)
	matches := greedy(pairs)
	b.retire(pairs, matches)
	matches = slices.DeleteFunc(matches, func(m pair) bool {
		s := b.live[m.track]
		return s.retired || b.contested(s, faces[m.face].Box, matches)
	})
	hit, taken := make([]bool, len(b.live)), make([]bool, len(faces))
	for _, m := range matches {
		b.join(b.live[m.track], faces[m.face], nil)
		hit[m.track], taken[m.face] = true, true
	}
	b.miss(hit)
	return b.begin(leftOver(faces, taken))
}

// retire gives up the tracks between which a face cannot be told: their identities might be swapped. The face begins a
// track of its own.
func (b *Builder) retire(pairs, matches []pair) {
	for _, m := range matches {
		rivals := b.rivals(m, pairs, matches)
		for _, r := range rivals {
			b.live[r].retired = true
		}
		if len(rivals) > 0 {
			b.live[m.track].retired = true
		}
	}
}

// contested says that a face in the place of a track that was lost for a while may as well be that of another one lost nearby.
func (b *Builder) contested(s *strand, box face.Box, matches []pair) bool {
	if b.frame-s.last.Frame <= b.options.frames(handover) {
		return false
	}
	for i, o := range slices.Concat(b.live, b.dormant) {
		matched := slices.ContainsFunc(matches, func(m pair) bool { return m.track == i })
		if o == s || matched || (o.missed == 0 && !o.retired) {
			continue
		}
		away := float64(b.frame-o.last.Frame) / b.options.rate()
		if nearness(o.box(), box) >= max(-0.9, -awayReach*away) {
			return true
		}
	}
	return false
}

// usable says that a box can be worked with.
func (o Options) usable(b face.Box) bool {
	sum := b.X + b.Y + b.W + b.H
	return b.W >= 1 && b.H >= 1 && !math.IsNaN(sum) && !math.IsInf(sum, 0) && !o.left(b)
}

// pairs are all that may be, nearest first.
func (b *Builder) pairs(faces []face.Face) []pair {
	var all []pair
	for i, s := range b.live {
		for j, f := range faces {
			if near := nearness(s.box(), f.Box); near >= s.gate(b.options) {
				all = append(all, pair{i, j, near})
			}
		}
	}
	slices.SortStableFunc(all, func(x, y pair) int { return cmp.Compare(y.near, x.near) })
	return all
}

// gate is how near a face must be to be the track's.
func (s *strand) gate(o Options) float64 {
	switch {
	case s.retired, len(s.tail) > o.frames(longLost) && s.sure() < fairlySure:
		return 2
	case s.missed > 0:
		return nearLost
	default:
		return nearSeen
	}
}

// greedy takes the nearest pairs, each track and each face once.
func greedy(pairs []pair) []pair {
	var taken []pair
	for _, p := range pairs {
		if !slices.ContainsFunc(taken, func(q pair) bool { return q.track == p.track || q.face == p.face }) {
			taken = append(taken, p)
		}
	}
	return taken
}

// rivals are the tracks whose face m's might be just as well.
func (b *Builder) rivals(m pair, pairs, matches []pair) []int {
	var all []int
	s := b.live[m.track]
	for _, p := range pairs {
		if p.face != m.face || p.track == m.track || p.near < m.near-clearly {
			continue
		}
		other := b.live[p.track]
		if s.seen == 1 || other.seen == 1 {
			continue // a box beside a face, or one head found twice, more often than a crossing
		}
		if s.missed == 0 && other.missed > 0 && m.near >= firmly && s.sure() >= surely {
			continue // seen all the time, and where it should be
		}
		if !settled(p, matches) {
			all = append(all, p.track)
		}
	}
	return all
}

// settled says that the track of the pair has a face of its own that is clearly nearer.
func settled(p pair, matches []pair) bool {
	for _, m := range matches {
		if m.track == p.track {
			return m.near >= p.near+clearly
		}
	}
	return false
}

// join adds a sighting on the current frame to the track.
func (b *Builder) join(s *strand, f face.Face, back []carried) {
	if len(s.tail) > b.options.frames(shortest) {
		s.rejoined = true
	}
	s.see(b.frame, f, back, b.pan(b.frame-s.last.Frame), b.clear(s, f.Box))
}

// clear says that the track was carried to where it is with all of its face in view: at the picture's edges, and where
// another head comes before it, the flow sees too little of it, or something else.
func (b *Builder) clear(s *strand, box face.Box) bool {
	at := s.box()
	if len(s.tail) == 0 || !b.options.holds(at) || !b.options.holds(box) {
		return false
	}
	if slices.ContainsFunc(s.tail, func(c carried) bool { return c.sure < lostFlow || c.met > 0 }) {
		return false
	}
	return visible(s.id, at, b.past[len(b.past)-1].boxes) == at
}

// miss counts the search against all tracks that it did not see.
func (b *Builder) miss(hit []bool) {
	for i, s := range b.live {
		if !hit[i] {
			s.missed++
			s.after++
		}
	}
}

func leftOver(faces []face.Face, taken []bool) []face.Face {
	var rest []face.Face
	for i, f := range faces {
		if !taken[i] {
			rest = append(rest, f)
		}
	}
	return rest
}

// begin makes tracks of faces that belong to none, or finds that they are lost ones after all.
func (b *Builder) begin(faces []face.Face) error {
	faces = b.leap(b.single(faces))
	if len(faces) == 0 {
		return nil
	}
	ways, err := b.trace(faces)
	if err != nil {
		return err
	}
	for i, f := range faces {
		if s := b.lostOne(ways[i], f); s != nil {
			b.revive(s)
			b.join(s, f, ways[i])
		} else {
			b.add(f, ways[i])
		}
	}
	return nil
}

// single leaves out the faces whose head was found twice on this frame: those less sure.
func (b *Builder) single(faces []face.Face) []face.Face {
	places := b.sightings()
	var kept []face.Face
	slices.SortStableFunc(faces, func(x, y face.Face) int { return cmp.Compare(y.Score, x.Score) })
	for _, f := range faces {
		if !slices.ContainsFunc(places, func(o occupant) bool { return o.box.IoU(f.Box) >= sameHead }) {
			kept, places = append(kept, f), append(places, occupant{box: f.Box})
		}
	}
	return kept
}

// add begins a track with the way back from its first sighting.
func (b *Builder) add(f face.Face, back []carried) {
	b.ids++
	s := &strand{id: b.ids, shot: b.shot, looked: -1, lead: min(len(b.past), b.options.frames(shortest))}
	s.blurred = len(back) > 0 && back[0].sure < lostFlow
	roll := rollOf(f, 0)
	back = back[:kept(back, b.options)]
	s.before = b.searchesIn(len(back))
	for i := len(back) - 1; i >= 0; i-- {
		s.trail.add(back[i].position(b.frame-1-i, roll))
	}
	s.last = Position{Frame: b.frame, Box: f.Box, Roll: roll, Seen: true}
	s.trail.add(s.last)
	s.speed = backwards(f.Box, back, b.pan)
	s.count(b.frame, f)
	b.live = append(b.live, s)
}

// searchesIn is how many of the last so many frames were searched.
func (b *Builder) searchesIn(frames int) int {
	n := 0
	for _, p := range b.past[max(0, len(b.past)-frames):] {
		if p.searched {
			n++
		}
	}
	return n
}

// lostOne is the one lost track that, carried forwards, meets the face carried backwards.
func (b *Builder) lostOne(back []carried, f face.Face) *strand {
	var best *strand
	for _, s := range slices.Concat(b.live, b.dormant) {
		if s.last.Frame == b.frame || s.retired || !b.meets(s, back) || b.contested(s, f.Box, nil) {
			continue
		}
		if best != nil {
			return nil // it may be the one or the other
		}
		best = s
	}
	return best
}

// meets says whether the way back runs into the way that the lost track took.
func (b *Builder) meets(s *strand, back []carried) bool {
	first := max(s.last.Frame, b.frame-len(back))
	last := min(s.last.Frame+len(s.tail), b.frame-1)
	if first > last {
		return b.reaches(s, back, first-last)
	}
	sum := 0.0
	for frame := first; frame <= last; frame++ {
		forward := carried{box: s.last.Box, trust: 1}
		if frame > s.last.Frame {
			forward = s.tail[frame-s.last.Frame-1]
		}
		backward := back[b.frame-1-frame]
		if min(forward.trust, backward.trust) < surely || forward.met+backward.met > 0 {
			return false
		}
		sum += forward.box.IoU(backward.box)
	}
	return sum/float64(last-first+1) >= backIoU
}

// reaches says that the two ways, both sure to their ends, end at the same place, with no more than a short gap between.
func (b *Builder) reaches(s *strand, back []carried, gap int) bool {
	if len(s.tail) == 0 || len(back) == 0 || gap > b.options.frames(shortGap) {
		return false
	}
	forward, backward := s.tail[len(s.tail)-1], back[len(back)-1]
	return min(forward.trust, backward.trust) >= surely && forward.met+backward.met == 0 && nearness(forward.box, backward.box) >= samePlace
}

// revive brings a dormant track back among the live ones.
func (b *Builder) revive(s *strand) {
	if i := slices.Index(b.dormant, s); i >= 0 {
		b.dormant = slices.Delete(b.dormant, i, i+1)
		b.live = append(b.live, s)
	}
}
