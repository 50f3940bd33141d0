package look

import (
	"context"
	"errors"
	"io"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/media/raster"
)

// pool hands out things that are used again and again, so that memory does not grow with the length of a film: whoever
// wants one more waits until another is put back.
type pool[T any] struct {
	free chan T
	all  []T
}

func newPool[T any](n int, fresh func() T) *pool[T] {
	p := &pool[T]{free: make(chan T, n)}
	for range n {
		x := fresh()
		p.all = append(p.all, x)
		p.free <- x
	}
	return p
}

func (p *pool[T]) take(ctx context.Context) (T, error) { return receive(ctx, p.free) }

func (p *pool[T]) put(x T) { p.free <- x }

// receive waits for the next of a channel that is never closed.
func receive[T any](ctx context.Context, from <-chan T) (x T, err error) {
	select {
	case x = <-from:
		return x, nil
	case <-ctx.Done():
		return x, ctx.Err()
	}
}

func send[T any](ctx context.Context, to chan<- T, x T) error {
	select {
	case to <- x:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// How much memory frames may take up: enough that no stage waits for another at 1080p, where a frame has 3 MB, and
// not so much that 8K, where it has 50, is too much for a worker.
const (
	frameBytes            = 96 << 20
	leastFrames           = 5
	mostFrames            = 16
	pictureBytes          = 128 << 20
	leastPics, mostPics   = 2, 6
	bytesOfPixel2, picPix = 3, 3 // bytes of two pixels of a frame, and of one of a picture
)

func newFrames(info film.Info) *pool[*film.Frame] {
	n := frameBytes / max(1, info.Width*info.Height*bytesOfPixel2/2)
	return newPool(min(mostFrames, max(leastFrames, n)), func() *film.Frame { return new(film.Frame) })
}

func newPictures(info film.Info) *pool[*raster.Mat] {
	n := pictureBytes / max(1, info.Width*info.Height*picPix)
	return newPool(min(mostPics, max(leastPics, n)), func() *raster.Mat {
		m := raster.NewMat()
		return &m
	})
}

// closePictures frees what the garbage collector does not know of; nobody may use them any more.
func closePictures(p *pool[*raster.Mat]) {
	for _, m := range p.all {
		_ = m.Close() // frees memory only; it has no way to fail
	}
}

// source gives frames in order; see film.Decoder.
type source interface {
	Next(f *film.Frame) error
}

// pump decodes everything into out, which it closes at the end.
func pump(ctx context.Context, from source, frames *pool[*film.Frame], out chan<- *film.Frame) error {
	defer close(out)
	for {
		f, err := frames.take(ctx)
		if err != nil {
			return err
		}
		if err := from.Next(f); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := send(ctx, out, f); err != nil {
			return err
		}
	}
}

// sight is a frame whose whole is searched, on its way.
type sight struct {
	frame   *film.Frame // until it is searched
	finely  bool        // for small faces too
	picture *raster.Mat // in BGR, once it is searched
	faces   []face.Face
	done    chan struct{} // closed once it is searched
}

// search takes frames from a queue and finds their faces. Pictures are taken by whoever makes the sights, in order: if
// searchers took them, a late frame could take the last one that an early frame waits for.
type search struct {
	frames *pool[*film.Frame]
	queue  chan *sight
	fit    bool // landmarks too
}

// run searches until the queue is closed.
func (s *search) run(ctx context.Context, by scout) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case x, ok := <-s.queue:
			if !ok {
				return nil
			}
			if err := s.one(ctx, by, x); err != nil {
				return err
			}
		}
	}
}

func (s *search) one(ctx context.Context, by scout, x *sight) (err error) {
	if err := raster.FromI420(x.frame.Pix, x.frame.Width, x.frame.Height, x.picture); err != nil {
		return err
	}
	s.frames.put(x.frame)
	x.frame = nil
	if x.faces, err = by.Find(ctx, *x.picture, x.finely); err != nil {
		return err
	}
	if s.fit {
		if err := by.Fit(*x.picture, x.faces); err != nil {
			return err
		}
	}
	close(x.done)
	return nil
}

// finelyEvery is which of the searches look for small faces too, besides those at both ends of a shot. In between, small faces that
// are known already are looked for where they are expected; one that is new is carried back to where it began.
const finelyEvery = 2

// stillness knows the frame that was searched last.
type stillness struct {
	now, last blocks
	finely    bool // the search was
}

// same says that a frame looks like the one searched last, so that another search would find the same; otherwise it
// takes its place.
func (s *stillness) same(f *film.Frame, finely bool) bool {
	y, _, _ := f.Planes()
	s.now.measure(y, f.Width, f.Height)
	return s.sameBlocks(&s.now, finely)
}

// sameBlocks is same for a frame that was measured already; b is changed.
func (s *stillness) sameBlocks(b *blocks, finely bool) bool {
	if b.same(&s.last) && (s.finely || !finely) {
		return true
	}
	*b, s.last = s.last, *b
	s.finely = finely
	return false
}

// wait waits until the frame is searched.
func (x *sight) wait(ctx context.Context) error {
	select {
	case <-x.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
