package track

import (
	"slices"
	"testing"

	"github.com/consentry/consentry/internal/face"
)

func sortFloats(xs []float64) { slices.Sort(xs) }

// outcome is what a simulated film came to.
type outcome struct {
	tracks   []Track
	searches int
	looks    int
	asked    int // descriptions
}

// watch plays the film as the sandbox does.
func (w *world) watch(t testing.TB) outcome {
	t.Helper()
	b, o, since := New(w.o, w), outcome{}, 0
	for n := range w.length {
		m := w.motion(n)
		if err := b.Next(n, m); err != nil {
			t.Fatal(err)
		}
		since++
		if !w.o.Search(since, m, m.Cut, n == w.length-1 || w.cuts[n+1]) {
			continue
		}
		since = 0
		o.searches++
		if err := b.Found(w.detect(n, false)); err != nil {
			t.Fatal(err)
		}
		for _, e := range b.Lost() {
			o.looks++
			w.lookAgain(t, b, n, e)
		}
		for _, want := range b.Wants() {
			o.asked++
			b.Described(want.Track, w.describe(n, want.Face))
		}
	}
	o.tracks = b.Finish()
	return o
}

func (w *world) lookAgain(t testing.TB, b *Builder, n int, e Expected) {
	t.Helper()
	for _, f := range w.detect(n, true) {
		if f.Box.Intersection(e.Box) > 0 {
			if err := b.Again(e.Track, f); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// decided says whose track it is by most of its views: 0 nobody's known; mixed: views of several people.
func decided(t Track) (who int, mixed bool) {
	votes := map[int]int{}
	for _, v := range t.Views {
		votes[int(v.Face.Templates[face.DlibResNet][0])]++
	}
	for id, n := range votes {
		if who == 0 || n > votes[who] || (n == votes[who] && id < who) {
			who = id
		}
	}
	return who, len(votes) > 1
}

// tally counts face-frames.
type tally struct {
	asked, covered, bare int // of people to be obscured: face-frames, those with 95 % covered, those with less than half
	waiting              int // not covered, but by a track of which nothing is known: the film is withheld
	inside               int // bare ones between the first and the last frame of a track of that person
	others, over, forced int // of others: face-frames, needlessly covered, covered since the two heads overlap
	tracks, unknown      int
	mixed                int
	people               int // people and shots
	descriptions         int
	searches, looks      int
	frames               int
}

func (a *tally) add(b tally) {
	a.asked += b.asked
	a.covered += b.covered
	a.bare += b.bare
	a.waiting += b.waiting
	a.inside += b.inside
	a.others += b.others
	a.over += b.over
	a.forced += b.forced
	a.tracks += b.tracks
	a.unknown += b.unknown
	a.mixed += b.mixed
	a.people += b.people
	a.descriptions += b.descriptions
	a.searches += b.searches
	a.looks += b.looks
	a.frames += b.frames
}

func share(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// covers are those of the tracks that are to be obscured: of the people asked, and what probably belongs to them.
func (w *world) covers(tracks []Track) (all []Cover, whose []int, unknown []Cover, mixed int) {
	asked := map[int]bool{}
	for _, t := range w.things {
		asked[t.id] = asked[t.id] || t.asked
	}
	who := map[int]int{}
	for _, t := range tracks {
		id, m := decided(t)
		who[t.ID] = id
		if m {
			mixed++
		}
	}
	hidden := map[int]int{}
	for _, t := range tracks {
		if asked[who[t.ID]] && who[t.ID] > 0 {
			hidden[t.ID] = who[t.ID]
		}
	}
	for range 3 {
		for _, p := range Bridges(tracks, w.o.Rate) {
			for _, q := range [][2]int{p, {p[1], p[0]}} {
				if who[q[0]] == 0 && hidden[q[1]] > 0 && hidden[q[0]] == 0 {
					hidden[q[0]] = hidden[q[1]]
				}
			}
		}
	}
	for _, t := range tracks {
		if hidden[t.ID] > 0 {
			all, whose = append(all, CoverOf(t)), append(whose, hidden[t.ID])
		} else if who[t.ID] == 0 {
			unknown = append(unknown, CoverOf(t))
		}
	}
	return all, whose, unknown, mixed
}

// judge holds the covers against the truth.
func (w *world) judge(o outcome) tally {
	covers, whose, unknown, mixed := w.covers(o.tracks)
	sum := tally{tracks: len(o.tracks), unknown: len(unknown), mixed: mixed, descriptions: o.asked, searches: o.searches, looks: o.looks, frames: w.length}
	for _, t := range w.things {
		if t.id == 0 {
			continue
		}
		sum.people++
		for n := t.first; n <= t.last; n++ {
			seen := w.shows(t, n)
			if len(seen) < 24 {
				continue // less than a third of the face
			}
			regions := regionsAt(covers, n)
			hit := sharecovered(seen, regions)
			if t.asked {
				sum.asked++
				switch {
				case hit >= 0.95:
					sum.covered++
				case sharecovered(seen, regionsAt(unknown, n)) >= 0.95:
					sum.waiting++
				case hit < 0.5:
					sum.bare++
					if within(covers, whose, t.id, n) {
						sum.inside++
					}
				}
				continue
			}
			sum.others++
			if hit >= 0.5 {
				if sharecovered(seen, w.ideal(n)) >= 0.3 {
					sum.forced++
				} else {
					sum.over++
				}
			}
		}
	}
	return sum
}

func regionsAt(covers []Cover, n int) []face.Region {
	var all []face.Region
	for i := range covers {
		if r, ok := covers[i].At(n); ok {
			all = append(all, r)
		}
	}
	return all
}

func sharecovered(ps []face.Point, regions []face.Region) float64 {
	hit := 0
	for _, p := range ps {
		if slices.ContainsFunc(regions, func(r face.Region) bool { return r.Contains(p) }) {
			hit++
		}
	}
	return float64(hit) / float64(len(ps))
}

// ideal are the regions of the people to be obscured where they really are.
func (w *world) ideal(n int) []face.Region {
	var all []face.Region
	for _, t := range w.things {
		if t.asked && t.there(n) {
			all = append(all, face.TurnedRegion(t.at(n), 0))
		}
	}
	return all
}

// within says that a track of the person has begun and not ended.
func within(covers []Cover, whose []int, id, n int) bool {
	for i, c := range covers {
		if whose[i] == id && c.Path[0].Frame <= n && c.Path[len(c.Path)-1].Frame >= n {
			return true
		}
	}
	return false
}
