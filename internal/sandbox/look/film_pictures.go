package look

import (
	"fmt"
	"slices"
	"time"

	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/pipeline"
)

// album takes pictures of a finished film while it is screened, so that it need not be decoded once more.
type album struct {
	scissors
	wanted   []pipeline.Still
	on       map[int][]int // which of them lie on a frame
	pictures [][]byte
}

// newAlbum takes each picture from the frame nearest to its time. Times are those of the frames in the finished film, rising.
func newAlbum(info film.Info, wanted []pipeline.Still, times []time.Duration, start time.Duration) *album {
	a := &album{scissors: newScissors(info), wanted: wanted, on: map[int][]int{}, pictures: make([][]byte, len(wanted))}
	for i, s := range wanted {
		n := nearest(times, s.At+start)
		a.on[n] = append(a.on[n], i)
	}
	return a
}

// nearest is the index of the time nearest to at.
func nearest(times []time.Duration, at time.Duration) int {
	n, found := slices.BinarySearch(times, at)
	if found || n == 0 {
		return n
	}
	if n == len(times) || at-times[n-1] <= times[n]-at {
		return n - 1
	}
	return n
}

// see takes the pictures of frame n.
func (a *album) see(f *film.Frame, n int) (err error) {
	for _, i := range a.on[n] {
		if a.pictures[i], err = a.cut(f, a.wanted[i]); err != nil {
			return fmt.Errorf("taking a picture of frame %d: %w", n, err)
		}
	}
	return nil
}

func (a *album) close() { _ = a.mat.Close() } // frees memory only
