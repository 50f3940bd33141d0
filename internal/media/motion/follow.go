package motion

import (
	"errors"
	"fmt"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/track"
)

// Follower keeps the small copies of the last frames and follows boxes between neighbours. It implements track.Flow.
// It is not safe for use by two goroutines at a time.
type Follower struct {
	width, height int
	keep          int
	kept          []numbered // oldest first
}

// numbered is a small copy and its frame.
type numbered struct {
	frame int
	small *Small
}

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
	f.kept = append(f.kept, numbered{n, s})
	if len(f.kept) > f.keep {
		_ = f.kept[0].small.Close() // nobody looks at it any more
		f.kept = append(f.kept[:0], f.kept[1:]...)
	}
}

// Close frees all copies.
func (f *Follower) Close() error {
	var err error
	for _, k := range f.kept {
		err = errors.Join(err, k.small.Close())
	}
	f.kept = nil
	return err
}

func (f *Follower) grey(frame int) (gocv.Mat, error) {
	for _, k := range f.kept {
		if k.frame == frame {
			return k.small.grey, nil
		}
	}
	return gocv.Mat{}, fmt.Errorf("frame %d: %w", frame, ErrNotKept)
}

// Follow implements track.Flow.
func (f *Follower) Follow(from, to int, boxes []face.Box) ([]track.Moved, error) {
	if to-from != 1 && from-to != 1 {
		return nil, fmt.Errorf("follow boxes from frame %d to %d: they are no neighbours", from, to)
	}
	a, err := f.grey(from)
	if err != nil {
		return nil, fmt.Errorf("follow boxes: %w", err)
	}
	b, err := f.grey(to)
	if err != nil {
		return nil, fmt.Errorf("follow boxes: %w", err)
	}
	sx, sy := float64(a.Cols())/float64(f.width), float64(a.Rows())/float64(f.height)
	clouds := sow(boxes, sx, sy, a.Cols(), a.Rows())
	if err := flow(a, b, clouds); err != nil {
		return nil, fmt.Errorf("follow boxes from frame %d to %d: %w", from, to, err)
	}
	moved := make([]track.Moved, len(boxes))
	for i := range boxes {
		moved[i] = clouds[i].fit(boxes[i], sx, sy)
	}
	return moved, nil
}
