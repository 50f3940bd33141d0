// Package motion tells from one frame of a film to the next where what lay in a box has gone, whether
// a new shot has begun, and how fast the picture moves. It works on small grey copies and knows nothing of faces.
//
// A [Watcher] sees the frames first and tells shots apart by what no longer fits onto the frame before however it is moved;
// a [Follower] keeps the last small copies and follows boxes by the flow of points in them (Lucas and Kanade, in a pyramid).
package motion

import (
	"errors"
	"fmt"
	"image"
	"math"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/track"
)

// smallPixels is the area of a small copy: a quarter of 1080p each way. There a face of 40 pixels is still 10.
const smallPixels = 480 * 270

// Small is the small grey copy of one frame. Close frees it.
type Small struct {
	grey gocv.Mat
	pan  face.Point // how the whole picture moved since the frame before, in pixels of the copy
}

// Close frees the copy.
func (s *Small) Close() error {
	if err := s.grey.Close(); err != nil {
		return fmt.Errorf("free a small copy: %w", err)
	}
	return nil
}

// Watcher sees every frame once, in order, and tells shots apart. It is not safe for use by two goroutines at a time.
type Watcher struct {
	width, height int
	small         image.Point
	halves        [5]gocv.Mat // reused
	tiny          gocv.Mat    // reused
	shots         shots
}

// NewWatcher is for frames of width × height pixels.
func NewWatcher(width, height int) (*Watcher, error) {
	if width < 1 || height < 1 {
		return nil, fmt.Errorf("watch frames of %d×%d pixels: there is no such picture", width, height)
	}
	small := reduced(width, height, math.Sqrt(smallPixels/(float64(width)*float64(height))))
	w := &Watcher{width: width, height: height, small: small, tiny: gocv.NewMat(), shots: newShots(width, height)}
	for i := range w.halves {
		w.halves[i] = gocv.NewMat()
	}
	return w, nil
}

// reduced is a size times the scale, but never larger than it was and never empty.
func reduced(width, height int, scale float64) image.Point {
	scale = min(1, scale)
	return image.Pt(max(1, int(math.Round(float64(width)*scale))), max(1, int(math.Round(float64(height)*scale))))
}

// See takes the next frame's Y plane (width × height bytes) and makes its small copy.
func (w *Watcher) See(y []byte) (*Small, track.Motion, error) {
	if len(y) != w.width*w.height {
		return nil, track.Motion{}, fmt.Errorf("watch a frame: %d bytes of grey for %d×%d pixels", len(y), w.width, w.height)
	}
	full, err := gocv.NewMatFromBytes(w.height, w.width, gocv.MatTypeCV8U, y)
	if err != nil {
		return nil, track.Motion{}, fmt.Errorf("watch a frame: %w", err)
	}
	defer full.Close()
	s := &Small{grey: w.reduce(full)}
	m, err := w.look(s)
	if err != nil {
		return nil, track.Motion{}, errors.Join(fmt.Errorf("watch a frame: %w", err), s.Close())
	}
	width := float64(w.small.X)
	s.pan = face.Point{X: m.Pan.X * width, Y: m.Pan.Y * width}
	return s, m, nil
}

// reduce halves the frame as long as that is possible, which is several times faster than to go to the size in one step.
func (w *Watcher) reduce(full gocv.Mat) gocv.Mat {
	at := full
	for i := range w.halves {
		if at.Cols() < 2*w.small.X || at.Rows() < 2*w.small.Y {
			break
		}
		gocv.Resize(at, &w.halves[i], image.Pt(at.Cols()/2, at.Rows()/2), 0, 0, gocv.InterpolationArea)
		at = w.halves[i]
	}
	small := gocv.NewMat()
	gocv.Resize(at, &small, w.small, 0, 0, gocv.InterpolationArea)
	return small
}

func (w *Watcher) look(s *Small) (track.Motion, error) {
	gocv.Resize(s.grey, &w.tiny, w.shots.size, 0, 0, gocv.InterpolationArea)
	gocv.GaussianBlur(w.tiny, &w.tiny, image.Pt(3, 3), 0, 0, gocv.BorderReplicate)
	grey, err := w.tiny.DataPtrUint8()
	if err != nil {
		return track.Motion{}, fmt.Errorf("read the small copy: %w", err)
	}
	return w.shots.see(grey), nil
}

// Close frees memory that the garbage collector does not know of.
func (w *Watcher) Close() error {
	err := w.tiny.Close()
	for i := range w.halves {
		err = errors.Join(err, w.halves[i].Close())
	}
	return err
}
