package track

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consentry/consentry/internal/face"
)

// shotOf is the first frame of the shot that a frame is in, and that of the next one.
func (w *world) shotOf(n int) (first, next int) {
	next = w.length
	for c := range w.cuts {
		if c <= n {
			first = max(first, c)
		} else {
			next = min(next, c)
		}
	}
	return first, next
}

// What is promised of every track holds in every simulated film.
func TestPromises(t *testing.T) {
	seeds := uint64(3)
	if testing.Short() {
		seeds = 1
	}
	for _, s := range scenarios() {
		for seed := range seeds {
			w := newWorld(seed+100, 5, func(*Options) {})
			s.make(w)
			for i, track := range w.watch(t).tracks {
				if track.ID != i+1 {
					t.Errorf("%s: track %d has the number %d", s.name, i+1, track.ID)
				}
				w.checkPath(t, &track)
				checkViews(t, &track)
				checkCover(t, track)
			}
		}
	}
}

// checkPath: frames rise, no cut is crossed, and the detector saw what it is said to have seen.
func (w *world) checkPath(t *testing.T, track *Track) {
	t.Helper()
	first, next := w.shotOf(track.First())
	if track.First() < first || track.Last() >= next {
		t.Errorf("from %d to %d goes beyond the shot, %d to %d", track.First(), track.Last(), first, next)
	}
	for i, p := range track.Path {
		if i > 0 && p.Frame <= track.Path[i-1].Frame {
			t.Errorf("frame %d comes after %d", p.Frame, track.Path[i-1].Frame)
		}
		if !(p.Box.W > 0 && p.Box.H > 0) || math.IsNaN(p.Box.X+p.Box.Y) || p.Grow < 0 || p.Grow > growMost+0.001 {
			t.Errorf("%+v", p)
		}
	}
	at, sightings := track.First()-1, 0
	for _, r := range track.Runs {
		if r[0] <= at || r[1] < r[0] || r[1] > track.Last() {
			t.Errorf("sightings %v of a track from %d to %d", track.Runs, track.First(), track.Last())
		}
		at, sightings = r[1], sightings+r[1]-r[0]+1
	}
	if track.Seen < len(track.Runs) || track.Seen > sightings {
		t.Errorf("seen on %d frames in %v", track.Seen, track.Runs)
	}
}

func checkViews(t *testing.T, track *Track) {
	t.Helper()
	if len(track.Views) > mostViews {
		t.Errorf("%d views", len(track.Views))
	}
	for i, v := range append([]View{track.Best}, track.Views...) {
		if v.Frame < track.First() || v.Frame > track.Last() {
			t.Errorf("view of frame %d, of %d to %d", v.Frame, track.First(), track.Last())
		}
		if i > 1 && worthOf(v.Face) > worthOf(track.Views[i-2].Face) {
			t.Errorf("view %d is better than the one before", i-1)
		}
	}
	if track.Best.Face.Templates != nil {
		t.Error("the best sighting is handed on with templates")
	}
}

// checkCover: from the first to the last frame there is a region on every frame, and the box lies in it; beyond there is none.
func checkCover(t *testing.T, track Track) {
	t.Helper()
	c := CoverOf(track)
	frames := make([]int, 0, track.Last()-track.First()+1)
	for n := track.First(); n <= track.Last(); n++ {
		frames = append(frames, n)
	}
	shuffled := slices.Clone(frames)
	rand.New(rand.NewPCG(uint64(track.ID), 3)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for _, n := range append(frames, shuffled...) {
		r, ok := c.At(n)
		p, on := track.On(n)
		if !ok || !on {
			t.Fatalf("frame %d of %d to %d has no region", n, track.First(), track.Last())
		}
		for _, q := range grid(p.Box, 5, 0.999) {
			if !r.Contains(q) {
				t.Fatalf("%v of %v is bare on frame %d", q, p.Box, n)
			}
		}
	}
	for _, n := range []int{track.First() - 1, track.Last() + 1} {
		if _, ok := c.At(n); ok {
			t.Errorf("frame %d is covered, beyond %d to %d", n, track.First(), track.Last())
		}
	}
}

// Before its first and after its last sighting a face is carried on for half a second at least, unless the shot ends or it has
// left the picture.
func TestCarriedOn(t *testing.T) {
	for _, rate := range []float64{10, 25, 30, 60} {
		for seed := range uint64(5) {
			w := newWorld(seed, 6, func(o *Options) { o.Rate = rate })
			w.cuts[int(4*rate)] = true
			w.miss = 0.9
			w.row(4, 70, 0.3, 0, int(4*rate)-1, 1)
			w.row(4, 70, 0.3, int(4*rate), w.length-1, 5)
			for _, track := range w.watch(t).tracks {
				first, next := w.shotOf(track.First())
				half := int(math.Ceil(rate / 2))
				if want := max(first, track.firstSeen()-half); track.First() > want {
					t.Errorf("seen first on frame %d at %v a second, begins on %d", track.firstSeen(), rate, track.First())
				}
				if want := min(next-1, track.lastSeen()+half); track.Last() < want {
					t.Errorf("seen last on frame %d at %v a second, ends on %d", track.lastSeen(), rate, track.Last())
				}
			}
		}
	}
}

// What is left out of a path lies near the line between what is kept.
func TestTrailIsThinAndTrue(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for range 50 {
		var line trail
		var all []Position
		p := Position{Box: face.Box{X: 300, Y: 300, W: 60, H: 80}}
		vx, vy := 0.0, 0.0
		for n := range 400 {
			if random.Float64() < 0.05 {
				vx, vy = 8*random.NormFloat64(), 8*random.NormFloat64()
			}
			p.Frame, p.Box.X, p.Box.Y = n, p.Box.X+vx+0.3*random.NormFloat64(), p.Box.Y+vy+0.3*random.NormFloat64()
			p.Roll = math.Remainder(p.Roll+0.02*random.NormFloat64(), 2*math.Pi)
			all = append(all, p)
			line.add(p)
		}
		line.flush()
		if len(line.kept) > 250 {
			t.Errorf("%d of 400 positions are kept", len(line.kept))
		}
		whole := Track{Path: line.kept}
		for _, p := range all {
			q, ok := whole.On(p.Frame)
			if !ok || math.Abs(p.Box.X-q.Box.X) > offLine*60+1e-9 || math.Abs(p.Box.Y-q.Box.Y) > offLine*60+1e-9 || math.Abs(turn(p.Roll, q.Roll)) > offRoll+1e-9 {
				t.Fatalf("frame %d: %v, kept %v", p.Frame, p, q)
			}
		}
	}
}
