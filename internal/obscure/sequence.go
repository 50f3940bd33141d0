package obscure

import (
	"cmp"
	"fmt"
	"image"
	"math"
	"slices"
	"time"

	"github.com/consentry/consentry/internal/face"
)

// settling is the time after which a fill has followed a sudden change of its surroundings by 63 %.
// At 25 frames a second noise in the surroundings then moves the fill by a tenth of what it would
// move it without, and the fill still follows a pan within a second.
const settling = 300 * time.Millisecond

// Tracked is the region that hides one face on one frame of a film. Track numbers the face.
type Tracked struct {
	Track int
	face.Region
}

// Sequence obscures the pictures of one film one after the other, so that the fills do not flicker:
// each is smoothed in time, in places relative to its region. It is not safe for concurrent use.
type Sequence struct {
	style  Style
	tracks map[int]memory // of the picture before
}

// memory is what a track's fill looked like, for each plane; empty where it was not seen.
type memory [][]float64

// NewSequence begins a film. The style must be one that [ParseStyle] knows.
func NewSequence(style Style) (*Sequence, error) {
	if _, err := ParseStyle(string(style)); err != nil {
		return nil, fmt.Errorf("obscure: %w", err)
	}
	return &Sequence{style: style, tracks: map[int]memory{}}, nil
}

// Cut forgets all pictures so far.
func (s *Sequence) Cut() { clear(s.tracks) }

// Apply is the package's Apply for the next picture of the film, which follows elapsed after the one
// before; that matters only for how fast the fills change. Planes are of 8 bits with a step of 1.
// A track may have only one region. The order of the regions does not matter.
//
// Every sample in the union of the regions becomes a function of samples outside of this picture's
// union, and of samples outside of their own unions on earlier pictures since the last Cut.
//
// A track without a region is forgotten, so that memory follows the number of regions on one picture.
// On error nothing has been altered or forgotten.
func (s *Sequence) Apply(planes []Plane, width, height int, regions []Tracked, elapsed time.Duration) ([]image.Rectangle, error) {
	if err := checkSequence(planes, width, height, regions); err != nil {
		return nil, fmt.Errorf("obscure: %w", err)
	}
	order := make([]int, len(regions))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(regions[a].Track, regions[b].Track) })
	sorted := make([]face.Region, len(regions))
	memories := make([]memory, len(regions))
	for k, i := range order {
		sorted[k] = regions[i].Region
		memories[k] = s.tracks[regions[i].Track]
		if memories[k] == nil {
			memories[k] = make(memory, len(planes))
		}
	}
	changed := make([]image.Rectangle, len(regions))
	for i := range planes {
		shapes := makeShapes(sorted, &planes[i])
		s.applyPlane(&planes[i], i, shapes, memories, elapsed)
		for k := range shapes {
			r := shapes[k].pixels(&planes[i]).Intersect(image.Rect(0, 0, width, height))
			changed[order[k]] = changed[order[k]].Union(r)
		}
	}
	clear(s.tracks)
	for k, i := range order {
		s.tracks[regions[i].Track] = memories[k]
	}
	return changed, nil
}

func checkSequence(planes []Plane, width, height int, regions []Tracked) error {
	if err := checkPlanes(planes, width, height); err != nil {
		return err
	}
	for i := range planes {
		if planes[i].Pix8 == nil || planes[i].Step != 1 {
			return fmt.Errorf("%w: a film's samples have 8 bits and lie side by side", ErrPlane)
		}
	}
	seen := make(map[int]bool, len(regions))
	for _, r := range regions {
		if err := checkRegion(r.Region); err != nil {
			return fmt.Errorf("track %d: %w", r.Track, err)
		}
		if seen[r.Track] {
			return fmt.Errorf("%w: track %d has two", ErrRegion, r.Track)
		}
		seen[r.Track] = true
	}
	return nil
}

// applyPlane computes all fills before it writes the first sample, as hide does.
func (s *Sequence) applyPlane(p *Plane, index int, shapes []shape, memories []memory, elapsed time.Duration) {
	fills := makeFills(p, shapes, s.style, filmDetail())
	share := 1 - math.Exp(-max(0, elapsed.Seconds())/settling.Seconds())
	fields := make([]field, len(shapes))
	for k := range shapes {
		if shapes[k].bounds.Empty() {
			memories[k][index] = nil
			continue
		}
		fields[k] = newField(&shapes[k])
		fields[k].sample(&fills[k])
		memories[k][index] = fields[k].settle(memories[k][index], share)
	}
	paintFields(p, shapes, fields)
}
