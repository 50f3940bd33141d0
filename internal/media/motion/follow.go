package motion

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/track"
)

// Follower keeps the small copies of the last frames and follows boxes between neighbours. It implements track.Flow.
// It is not safe for use by two goroutines at a time.
type Follower struct {
	width, height int
	keep          int
	kept          []*numbered // oldest first
	reduced       []*numbered // those that have a pyramid, the one used longest ago first
}

// numbered is a small copy and its frame. Its pyramid is made when it is first asked for.
type numbered struct {
	frame   int
	small   *Small
	pyramid pyramid
}

// mostPyramids bounds the memory for them, of which one takes a megabyte: those of the last second and a half at 25 frames a second.
const mostPyramids = 36

var _ track.Flow = (*Follower)(nil)

// ErrNotKept says that a frame is asked for that was not pushed yet, or so long ago that it is gone.
var ErrNotKept = errors.New("the frame is not kept")

// NewFollower keeps the last keep frames, at least 2.
func NewFollower(width, height, keep int) (*Follower, error) {
	if width < 1 || height < 1 {
		return nil, fmt.Errorf("follow boxes through frames of %d×%d pixels: there is no such picture", width, height)
	}
	return &Follower{width: width, height: height, keep: max(2, keep)}, nil
}

// Push takes the copy of frame number n over; the oldest one beyond keep is closed.
func (f *Follower) Push(n int, s *Small) {
	f.kept = append(f.kept, &numbered{frame: n, small: s})
	if len(f.kept) > f.keep {
		_ = f.drop(f.kept[0]) // nobody looks at it any more
		f.kept = slices.Delete(f.kept, 0, 1)
	}
}

func (f *Follower) drop(k *numbered) error {
	f.flatten(k)
	return k.small.Close()
}

// flatten frees the copy's pyramid.
func (f *Follower) flatten(k *numbered) {
	k.pyramid.close()
	if i := slices.Index(f.reduced, k); i >= 0 {
		f.reduced = slices.Delete(f.reduced, i, i+1)
	}
}

// Close frees all copies.
func (f *Follower) Close() error {
	var err error
	for _, k := range f.kept {
		err = errors.Join(err, f.drop(k))
	}
	f.kept = nil
	return err
}

// at is the copy of a frame, with its pyramid.
func (f *Follower) at(frame int) (*numbered, error) {
	i := slices.IndexFunc(f.kept, func(k *numbered) bool { return k.frame == frame })
	if i < 0 {
		return nil, fmt.Errorf("frame %d: %w", frame, ErrNotKept)
	}
	k := f.kept[i]
	if r := slices.Index(f.reduced, k); r >= 0 {
		f.reduced = append(slices.Delete(f.reduced, r, r+1), k)
		return k, nil
	}
	made, err := newPyramid(k.small.grey)
	if err != nil {
		return nil, fmt.Errorf("frame %d: %w", frame, err)
	}
	if len(f.reduced) >= mostPyramids {
		f.flatten(f.reduced[0])
	}
	k.pyramid = made
	f.reduced = append(f.reduced, k)
	return k, nil
}

// Follow implements track.Flow.
func (f *Follower) Follow(from, to int, boxes []face.Box) ([]track.Moved, error) {
	if to-from != 1 && from-to != 1 {
		return nil, fmt.Errorf("follow boxes from frame %d to %d: they are no neighbours", from, to)
	}
	a, err := f.at(from)
	if err != nil {
		return nil, fmt.Errorf("follow boxes: %w", err)
	}
	b, err := f.at(to)
	if err != nil {
		return nil, fmt.Errorf("follow boxes: %w", err)
	}
	w, h := a.small.grey.Cols(), a.small.grey.Rows()
	sx, sy := float64(w)/float64(f.width), float64(h)/float64(f.height)
	try := func(boxes []face.Box, guess gocv.Point2f) ([]track.Moved, error) {
		clouds := sow(boxes, sx, sy, w, h)
		if err := flow(&a.pyramid, &b.pyramid, clouds, guess); err != nil {
			return nil, fmt.Errorf("follow boxes from frame %d to %d: %w", from, to, err)
		}
		moved := make([]track.Moved, len(boxes))
		for i := range boxes {
			moved[i] = clouds[i].fit(boxes[i], sx, sy)
		}
		return moved, nil
	}
	moved, err := try(boxes, gocv.Point2f{})
	if err != nil || !swung(a, b) {
		return moved, err
	}
	return retry(boxes, moved, guessed(a, b), try)
}

// A camera that is swung moves the picture farther than points are found.
const (
	swings = 8.0 // pixels of the small copy from which on what the whole picture does is tried as well…
	unsure = 0.5 // …for the boxes that were followed less surely than this
)

func swung(a, b *numbered) bool {
	g := guessed(a, b)
	return math.Hypot(float64(g.X), float64(g.Y)) >= swings
}

// guessed is how the whole picture moved from a to its neighbour b.
func guessed(a, b *numbered) gocv.Point2f {
	if b.frame > a.frame {
		return gocv.Point2f{X: float32(b.small.pan.X), Y: float32(b.small.pan.Y)}
	}
	return gocv.Point2f{X: -float32(a.small.pan.X), Y: -float32(a.small.pan.Y)}
}

// retry follows those boxes again, beginning from the guess, that were not followed surely, and keeps what is surer.
func retry(boxes []face.Box, moved []track.Moved, guess gocv.Point2f, try func([]face.Box, gocv.Point2f) ([]track.Moved, error)) ([]track.Moved, error) {
	var which []int
	var again []face.Box
	for i, m := range moved {
		if m.Sure < unsure {
			which, again = append(which, i), append(again, boxes[i])
		}
	}
	better, err := try(again, guess)
	if err != nil {
		return nil, err
	}
	for k, i := range which {
		if better[k].Sure > moved[i].Sure {
			moved[i] = better[k]
		}
	}
	return moved, nil
}
