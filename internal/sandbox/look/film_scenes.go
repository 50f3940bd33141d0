package look

import (
	"image"
	"math"
	"slices"
	"sort"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/obscure/planes"
	"github.com/consentry/consentry/internal/track"
)

// scenes gives the covers that reach a frame, without trying all of a long film's.
type scenes struct {
	waiting []track.Cover // by first frame
	now     []track.Cover
	last    int
}

// newScenes is for frames that rise from one call to the next.
func newScenes(covers []track.Cover) *scenes {
	s := &scenes{last: -1}
	for _, c := range covers {
		if len(c.Path) > 0 {
			s.waiting = append(s.waiting, c)
		}
	}
	slices.SortStableFunc(s.waiting, func(a, b track.Cover) int { return a.Path[0].Frame - b.Path[0].Frame })
	return s
}

// at gives the regions on a frame.
func (s *scenes) at(frame int) []planes.Region {
	for len(s.waiting) > 0 && s.waiting[0].Path[0].Frame <= frame {
		s.now, s.waiting = append(s.now, s.waiting[0]), s.waiting[1:]
	}
	kept := s.now[:0]
	var regions []planes.Region
	for i := range s.now {
		c := &s.now[i]
		if c.Path[len(c.Path)-1].Frame < frame {
			continue
		}
		if r, ok := c.At(frame); ok {
			regions = append(regions, planes.Region{Track: c.Track, Region: r})
		}
		kept = append(kept, *c)
	}
	s.now = kept
	return regions
}

// onFrame is where a path is on a frame, which must lie between its first and its last.
func onFrame(path []track.Position, frame int) (b face.Box, ok bool) {
	n := len(path)
	if n == 0 || frame < path[0].Frame || frame > path[n-1].Frame {
		return face.Box{}, false
	}
	i := sort.Search(n, func(k int) bool { return path[k].Frame > frame }) - 1
	from := path[i]
	if from.Frame == frame || i+1 == n {
		return from.Box, true
	}
	to := path[i+1]
	w := float64(frame-from.Frame) / float64(to.Frame-from.Frame)
	mix := func(a, b float64) float64 { return a + w*(b-a) }
	return face.Box{
		X: mix(from.Box.X, to.Box.X), Y: mix(from.Box.Y, to.Box.Y), W: mix(from.Box.W, to.Box.W), H: mix(from.Box.H, to.Box.H),
	}, true
}

// pixelsOf is the smallest rectangle of whole pixels around a box, within what an int can hold.
func pixelsOf(b face.Box) image.Rectangle {
	const largest = 1 << 24 // pixels: beyond any picture
	whole := func(v float64) int { return int(math.Max(-largest, math.Min(largest, v))) }
	return image.Rect(whole(math.Floor(b.X)), whole(math.Floor(b.Y)), whole(math.Ceil(b.X+b.W)), whole(math.Ceil(b.Y+b.H)))
}
