package track

import "math"

const (
	bridgeGap   = 1.0 // seconds between the end of a track and the beginning of another that may go on with it
	bridgeNear  = 0.3 // least nearness of the two at one moment
	bridgeReach = 1.0 // more of a face's size for each second of the gap
)

// Bridges are the pairs of tracks of one shot that are probably one head lost and found again: the second begins within a second
// of the first one's end (carried ends count) or while it is still carried, at nearly the same place and size. Each pair
// holds two track numbers, the one that was seen first in front. Rate is the film's, frames a second.
func Bridges(tracks []Track, rate float64) [][2]int {
	gap := Options{Rate: rate}.frames(bridgeGap)
	var pairs [][2]int
	for i := range tracks {
		for j := range tracks {
			a, b := &tracks[i], &tracks[j]
			if i != j && a.Shot == b.Shot && a.lastSeen() < b.firstSeen() && b.First()-a.Last() <= gap && goesOn(a, b, float64(gap)) {
				pairs = append(pairs, [2]int{a.ID, b.ID})
			}
		}
	}
	return pairs
}

func (t *Track) firstSeen() int {
	if len(t.Runs) == 0 {
		return t.First()
	}
	return t.Runs[0][0]
}

func (t *Track) lastSeen() int {
	if len(t.Runs) == 0 {
		return t.Last()
	}
	return t.Runs[len(t.Runs)-1][1]
}

// goesOn says whether b is near where a was carried, on some frame from a's last sighting to b's first, or after the gap between
// them.
func goesOn(a, b *Track, second float64) bool {
	if first := b.First(); first > a.Last() {
		p, q := a.Path[len(a.Path)-1], b.Path[0]
		return nearness(p.Box, q.Box) >= bridgeNear-bridgeReach*float64(first-a.Last())/second
	}
	best := math.Inf(-1)
	for frame := max(a.lastSeen(), b.First()); frame <= min(a.Last(), b.firstSeen()); frame++ {
		p := boxAt(a, frame)
		q := boxAt(b, frame)
		best = max(best, nearness(p, q))
	}
	return best >= bridgeNear
}

// Overlap says that both tracks were seen on some frame, in different places: they cannot be one person.
func Overlap(a, b Track) bool {
	i, j := 0, 0
	for i < len(a.Runs) && j < len(b.Runs) {
		r, s := a.Runs[i], b.Runs[j]
		if frame := max(r[0], s[0]); frame <= min(r[1], s[1]) && elsewhere(&a, &b, frame, min(r[1], s[1])) {
			return true
		}
		if r[1] < s[1] {
			i++
		} else {
			j++
		}
	}
	return false
}

// elsewhere says that at the beginning or the end of a stretch the two are in different places.
func elsewhere(a, b *Track, first, last int) bool {
	for _, frame := range []int{first, last} {
		p := boxAt(a, frame)
		q := boxAt(b, frame)
		if p.IoU(q) < sharesWith {
			return true
		}
	}
	return false
}
