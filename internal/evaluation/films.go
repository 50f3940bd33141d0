package evaluation

import (
	"fmt"
	"slices"

	"github.com/consentry/consentry/internal/evaluation/footage"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/track"
	"github.com/consentry/consentry/pipeline"
)

// What counts in a made film.
const (
	bareFrom    = 0.5  // share of a face's box that is to be seen for the face to count as bare
	coveredFrom = 0.95 // share of what is to be seen of the box that has to lie in covers
	holdsFrom   = 0.8  // share from which on one track's cover counts as being on the face
	// smearedFrom is how far a face moves while the frame is exposed, as a share of its width, from which on nobody is told by it. Half of
	// it still shows who runs there; at three quarters eyes and mouth are streaks.
	smearedFrom = 0.6
)

// Gap counts the bare face-frames of one kind that no cover reaches.
type Gap struct {
	Frames  int
	Longest int // frames one after the other, of one face
}

func (g *Gap) add(n int) {
	g.Frames += n
	g.Longest = max(g.Longest, n)
}

func (g *Gap) join(o Gap) {
	g.Frames += o.Frames
	g.Longest = max(g.Longest, o.Longest)
}

// Coverage says how many bare face-frames are covered, and where the others lie.
type Coverage struct {
	FaceFrames int // one face on one frame, at least half of it to be seen, 20 pixels or more, not smeared beyond telling
	Covered    int // at least 95 % of what is to be seen of the box lies in covers
	Inside     Gap // between two frames on which the same track covers the face
	Between    Gap // between two tracks of the face
	Before     Gap // before the face is covered for the first time in its shot
	After      Gap // after the last time
	Never      Gap // of faces that are not covered at all in their shot
}

// Share is that of the covered ones, 0 to 1, and 1 where there are none.
func (c Coverage) Share() float64 {
	if c.FaceFrames == 0 {
		return 1
	}
	return float64(c.Covered) / float64(c.FaceFrames)
}

func (c *Coverage) join(o Coverage) {
	c.FaceFrames += o.FaceFrames
	c.Covered += o.Covered
	for _, g := range [][2]*Gap{{&c.Inside, &o.Inside}, {&c.Between, &o.Between}, {&c.Before, &o.Before}, {&c.After, &o.After}, {&c.Never, &o.Never}} {
		g[0].join(*g[1])
	}
}

// Run is a number of frames, one after the other, on which a face is bare.
type Run struct {
	Film        string
	Person      string // no name: where the face comes from
	Where       string // "inside", "between", "before", "after" or "never"
	First, Last int    // frames of the film
	Size        float64
	Speed       float64 // pixels from frame to frame, the largest of the run
	Least       float64 // covered share of what is to be seen, the smallest of the run
}

func (r Run) String() string {
	return fmt.Sprintf("%-20s frames %3d–%3d  %-8s face of %3.0f px, %3.0f px a frame, %s %3.0f %% covered",
		r.Film, r.First, r.Last, r.Where, r.Size, r.Speed, r.Person, 100*r.Least)
}

// FilmResult is how one made film was covered.
type FilmResult struct {
	Film             *footage.Film
	All              Coverage
	BySize           []Coverage // as [FilmSizes]
	Glimpses         int        // face-frames of which less than half is to be seen, or that are smeared
	GlimpsesCovered  int
	Runs             []Run
	Tracks, OfNobody int     // tracks, and those that never are on a face
	Excess           float64 // mean area of a cover on a face against the area of the face's box
	Cuts, CutsFound  int     // true cuts, and those of them that were seen
	CutsMadeUp       int
}

// FilmSizes are the sizes of faces that are told apart.
func FilmSizes() []Band { return []Band{{From: countFrom, To: 40}, {From: 40, To: 80}, {From: 80}} }

func sizeBand(size float64) int {
	return slices.IndexFunc(FilmSizes(), func(b Band) bool { return size >= b.From && (b.To == 0 || size < b.To) })
}

// moment is one face on one frame, as far as it is covered.
type moment struct {
	frame   int
	sight   footage.Sight
	bare    bool
	share   float64 // of what is to be seen
	holders []int   // tracks that are on it
}

// appearance is one face in one shot.
type appearance struct {
	person  string
	moments []moment
}

// coversOf makes the covers of all tracks that are wanted.
func coversOf(tracks []track.Track, wanted func(track.Track) bool) []track.Cover {
	var covers []track.Cover
	for _, t := range tracks {
		if wanted(t) {
			covers = append(covers, track.Cover{Track: t.ID, Path: t.Path})
		}
	}
	return covers
}

func everyTrack(track.Track) bool { return true }

// regionsAt are the regions of all covers on a frame, by track.
func regionsAt(covers []track.Cover, frame int) map[int]face.Region {
	regions := map[int]face.Region{}
	for i := range covers {
		if r, ok := covers[i].At(frame); ok {
			regions[covers[i].Track] = r
		}
	}
	return regions
}

// EvaluateFilm holds the tracks of a made film against what is known of it: everyone is to be covered.
func EvaluateFilm(f *footage.Film, w pipeline.Watched) (*FilmResult, error) {
	if len(w.Times) != f.Frames() {
		return nil, fmt.Errorf("film %q: %d frames were watched of %d", f.Name, len(w.Times), f.Frames())
	}
	r := &FilmResult{Film: f, BySize: make([]Coverage, len(FilmSizes())), Tracks: len(w.Tracks)}
	covers := coversOf(w.Tracks, everyTrack)
	appearances, excess := appearancesOf(f, covers)
	holding := map[int]bool{}
	for _, a := range appearances {
		r.count(a)
		for _, m := range a.moments {
			for _, id := range m.holders {
				holding[id] = true
			}
		}
	}
	r.OfNobody, r.Excess = len(w.Tracks)-len(holding), excess
	r.countCuts(w.Shots)
	return r, nil
}

// appearancesOf follows every face of the film through its shots. Excess is the mean area of the covers that are on faces
// against the faces' boxes.
func appearancesOf(f *footage.Film, covers []track.Cover) (all []*appearance, excess float64) {
	at := map[string]*appearance{}
	var areas, n float64
	for frame := range f.Frames() {
		regions := regionsAt(covers, frame)
		for _, s := range f.Sights(frame) {
			key := fmt.Sprint(s.Shot, " ", s.Layer, " ", s.Person)
			if at[key] == nil {
				at[key] = &appearance{person: s.Person}
				all = append(all, at[key])
			}
			m := momentOf(frame, s, regions)
			at[key].moments = append(at[key].moments, m)
			for _, id := range m.holders {
				areas += areaOf(regions[id]) / (s.W * s.H)
				n++
			}
		}
	}
	return all, areas / max(1, n)
}

// areaOf is that of the region: a superellipse of the fourth power fills 92.7 % of its rectangle (4·Γ(5/4)²/Γ(3/2) ÷ 4).
func areaOf(r face.Region) float64 { return 0.927 * 4 * r.RX * r.RY }

func momentOf(frame int, s footage.Sight, regions map[int]face.Region) moment {
	m := moment{frame: frame, sight: s, bare: s.Visible() >= bareFrom && s.Size() >= countFrom && s.Smear <= smearedFrom}
	inside := make(map[int]int, len(regions))
	covered := 0
	for _, p := range s.Points {
		any := false
		for id, r := range regions {
			if r.Contains(p) {
				inside[id]++
				any = true
			}
		}
		if any {
			covered++
		}
	}
	m.share = float64(covered) / float64(len(s.Points))
	for id, n := range inside {
		if float64(n) >= holdsFrom*float64(len(s.Points)) {
			m.holders = append(m.holders, id)
		}
	}
	slices.Sort(m.holders)
	return m
}

func (m moment) covered() bool { return m.share >= coveredFrom }

// count adds one face of one shot.
func (r *FilmResult) count(a *appearance) {
	for i := 0; i < len(a.moments); i++ {
		m := a.moments[i]
		switch {
		case !m.bare:
			r.glimpse(m)
		case m.covered():
			r.All.FaceFrames++
			r.All.Covered++
			size := &r.BySize[sizeBand(m.sight.Size())]
			size.FaceFrames++
			size.Covered++
		default:
			i = r.uncovered(a, i)
		}
	}
}

func (r *FilmResult) glimpse(m moment) {
	if m.sight.Size() < countFrom {
		return
	}
	r.Glimpses++
	if m.covered() {
		r.GlimpsesCovered++
	}
}

// uncovered adds the run of bare frames that begins at the moment first, and returns its last.
func (r *FilmResult) uncovered(a *appearance, first int) int {
	last := first
	open := func(i int) bool { return a.moments[i].bare && !a.moments[i].covered() }
	for last+1 < len(a.moments) && a.moments[last+1].frame == a.moments[last].frame+1 && open(last+1) {
		last++
	}
	run := Run{
		Film: r.Film.Name, Person: a.person, Where: whereIs(a, first, last),
		First: a.moments[first].frame, Last: a.moments[last].frame, Size: a.moments[first].sight.Size(), Least: 1,
	}
	for _, m := range a.moments[first : last+1] {
		run.Least, run.Speed = min(run.Least, m.share), max(run.Speed, m.sight.Speed)
	}
	r.Runs = append(r.Runs, run)
	n := last - first + 1
	for _, c := range []*Coverage{&r.All, &r.BySize[sizeBand(run.Size)]} {
		c.FaceFrames += n
		c.gap(run.Where).add(n)
	}
	return last
}

// Where a bare run lies.
const (
	whereInside  = "inside"
	whereBetween = "between"
	whereBefore  = "before"
	whereAfter   = "after"
	whereNever   = "never"
)

func (c *Coverage) gap(where string) *Gap {
	return map[string]*Gap{
		whereInside: &c.Inside, whereBetween: &c.Between, whereBefore: &c.Before, whereAfter: &c.After, whereNever: &c.Never,
	}[where]
}

func whereIs(a *appearance, first, last int) string {
	before, after := holders(a.moments[:first]), holders(a.moments[last+1:])
	switch {
	case slices.ContainsFunc(before, func(id int) bool { return slices.Contains(after, id) }):
		return whereInside
	case len(before) > 0 && len(after) > 0:
		return whereBetween
	case len(before) > 0:
		return whereAfter
	case len(after) > 0:
		return whereBefore
	}
	return whereNever
}

// holders are the tracks that cover the face on any of the moments.
func holders(moments []moment) []int {
	var ids []int
	for _, m := range moments {
		if m.covered() {
			ids = append(ids, m.holders...)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (r *FilmResult) countCuts(found []int) {
	var cuts []int
	first := 0
	for _, s := range r.Film.Shots[:len(r.Film.Shots)-1] {
		first += s.Frames
		cuts = append(cuts, first)
	}
	r.Cuts = len(cuts)
	for _, at := range found {
		switch {
		case slices.Contains(cuts, at):
			r.CutsFound++
		case at > 0:
			r.CutsMadeUp++
		}
	}
}
