package look

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/media/raster"
	"github.com/consentry/consentry/internal/obscure"
	"github.com/consentry/consentry/internal/obscure/planes"
	"github.com/consentry/consentry/pipeline"
)

const (
	// stillMargin is how long before a still decoding begins, so that the frame shown at a time between two is found.
	stillMargin = 500 * time.Millisecond
	// stillGap is the time between two stills up to which decoding on is faster than to search anew.
	stillGap = 4 * time.Second
	// stillExact is how near a frame must be to the time at which something is to be obscured.
	stillExact = time.Millisecond
)

// Stills implements pipeline.Cinema. Each is cut from the frame nearest to its time; where something is to be obscured in it,
// from that very frame or not at all.
func (e *Eyes) Stills(ctx context.Context, path string, wanted []pipeline.Still) ([][]byte, error) {
	stills, err := e.stills(ctx, path, wanted)
	if err != nil {
		return nil, fmt.Errorf("cutting stills: %w", err)
	}
	return stills, nil
}

func (e *Eyes) stills(ctx context.Context, path string, wanted []pipeline.Still) ([][]byte, error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	if err := e.ready(); err != nil {
		return nil, err
	}
	p := &e.films
	info, err := p.tools.Probe(ctx, path, p.limits)
	if err != nil {
		return nil, err
	}
	order := make([]int, len(wanted))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(wanted[a].At, wanted[b].At) })
	c := &cutting{ctx: ctx, projector: p, path: path, scissors: newScissors(info)}
	defer c.close()
	stills := make([][]byte, len(wanted))
	for _, i := range order {
		if stills[i], err = c.still(wanted[i]); err != nil {
			return nil, err
		}
	}
	return stills, nil
}

// cutting is one film out of which stills are cut, in order of time.
type cutting struct {
	*projector
	ctx  context.Context
	path string
	scissors
	decoder     *film.Decoder // nil: none is open
	before, now film.Frame
	got         int // frames decoded since it was opened
	ended       bool
}

// scissors cut pictures out of frames.
type scissors struct {
	info   film.Info
	copied film.Frame // painted over
	mat    raster.Mat
}

func newScissors(info film.Info) scissors { return scissors{info: info, mat: raster.NewMat()} }

func (c *cutting) close() {
	if c.decoder != nil {
		_ = c.decoder.Close() // it was only read
	}
	_ = c.mat.Close() // frees memory only
}

// open begins to decode shortly before a time.
func (c *cutting) open(at time.Duration) (err error) {
	if c.decoder != nil {
		if err := c.decoder.Close(); err != nil {
			return err
		}
	}
	part := film.Part{From: max(0, at-stillMargin)}
	c.decoder, err = c.tools.Open(c.ctx, c.path, c.info, part, c.limits)
	c.got, c.ended = 0, false
	return err
}

func (c *cutting) still(s pipeline.Still) ([]byte, error) {
	if c.decoder == nil || c.ended || s.At-c.now.At > stillGap {
		if err := c.open(s.At); err != nil {
			return nil, err
		}
	}
	err := c.advance(s.At)
	if errors.Is(err, film.ErrNoFrames) && s.At > stillMargin { // the last frame may be shown for long
		if err = c.open(0); err == nil {
			err = c.advance(s.At)
		}
	}
	if err != nil {
		return nil, err
	}
	f := &c.now
	if c.got > 1 && (c.before.At-s.At).Abs() < (c.now.At-s.At).Abs() {
		f = &c.before
	}
	if len(s.Covers) > 0 && (f.At-s.At).Abs() > stillExact {
		return nil, different("no frame lies at %v", s.At)
	}
	return c.cut(f, s)
}

// advance decodes until the frame at the time or behind it, or the last.
func (c *cutting) advance(at time.Duration) error {
	for !c.ended && (c.got == 0 || c.now.At < at) {
		c.before, c.now = c.now, c.before
		err := c.decoder.Next(&c.now)
		if errors.Is(err, io.EOF) {
			c.before, c.now, c.ended = c.now, c.before, true
			return nil
		}
		if err != nil {
			return err
		}
		c.got++
	}
	return nil
}

func (c *scissors) cut(f *film.Frame, s pipeline.Still) ([]byte, error) {
	if len(s.Covers) > 0 {
		if err := c.paint(f, s.Covers); err != nil {
			return nil, err
		}
		f = &c.copied
	}
	if err := raster.FromI420(f.Pix, f.Width, f.Height, &c.mat); err != nil {
		return nil, err
	}
	part := pixelsOf(s.Box)
	if s.Box == (face.Box{}) {
		part = pixelsOf(face.Box{W: float64(f.Width), H: float64(f.Height)})
	}
	if s.Side < 1 {
		return nil, fmt.Errorf("a still of %d pixels: %w", s.Side, media.ErrUnsupported)
	}
	return raster.Cut(c.mat, part, s.Side)
}

// paint obscures a copy of the frame: another still of it may want it bare.
func (c *scissors) paint(f *film.Frame, covers []face.Region) error {
	pix := append(c.copied.Pix[:0], f.Pix...)
	c.copied = *f
	c.copied.Pix = pix
	painter, err := planes.New(f.Width, f.Height, c.info.Rate, obscure.SecureBlur)
	if err != nil {
		return err
	}
	regions := make([]planes.Region, len(covers))
	for i, r := range covers {
		regions[i] = planes.Region{Track: i + 1, Region: r}
	}
	_, err = painter.Paint(&c.copied, regions)
	return err
}
