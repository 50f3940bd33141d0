package look

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/media/raster"
	"github.com/consentry/consentry/internal/pathless"
	"github.com/consentry/consentry/pipeline"
)

// Screen implements pipeline.Cinema. What differs, and a finished film that cannot be decoded, is a fault and no error.
//
// Pictures are held against what went into the encoder, by the means of the cells of a grid; those of a film that was passed
// on without encoding against the source's, byte by byte.
func (e *Eyes) Screen(ctx context.Context, f pipeline.Film, s pipeline.Screening, told func(pipeline.Frames)) (pipeline.Screened, error) {
	if err := e.ready(); err != nil {
		return pipeline.Screened{}, fmt.Errorf("screening: %w", err)
	}
	c := &screening{eyes: e, film: f, r: s.Rendering, told: teller(told), sorter: newSorter(e, s)}
	c.album = newAlbum(s.Rendering.Info, s.Pictures, s.Rendering.Times, c.start())
	defer c.album.close()
	err := c.run(ctx)
	if fault := faultOf(err); fault != "" {
		return pipeline.Screened{Fault: fault}, nil
	}
	if err != nil {
		return pipeline.Screened{}, fmt.Errorf("screening: %w", err)
	}
	return pipeline.Screened{Faces: c.sorter.faces(), Pictures: c.album.pictures}, nil
}

// faultOf is what an error says against the finished film; empty where it says nothing of it.
func faultOf(err error) string {
	switch {
	case errors.Is(err, errSource):
		return ""
	case errors.Is(err, film.ErrDifferent), errors.Is(err, media.ErrNotScrubbed), errors.Is(err, media.ErrDamaged),
		errors.Is(err, film.ErrNoFrames), errors.Is(err, film.ErrSizeChange), errors.Is(err, film.ErrNoVideo):
		return err.Error()
	}
	return ""
}

// errSource says that not the finished film but its source could not be decoded.
var errSource = errors.New("the source can no longer be decoded")

// screening is one finished film being looked at.
type screening struct {
	eyes   *Eyes
	film   pipeline.Film
	r      pipeline.Rendering
	told   func(pipeline.Frames)
	sorter *sorter
	album  *album

	frames   *pool[*film.Frame]
	pictures *pool[*raster.Mat]
	search   search
	ordered  chan *seenFrame
}

// seenFrame is a frame of the finished film that is searched.
type seenFrame struct {
	number int
	leapt  bool // it looks like nothing that was searched before
	sight  *sight
}

func (c *screening) run(ctx context.Context) error {
	p := &c.eyes.films
	info, err := p.tools.Probe(ctx, c.r.Out, p.limits)
	if err != nil {
		return err
	}
	if info.Width != c.r.Info.Width || info.Height != c.r.Info.Height {
		return different("the finished film has %d × %d pixels, the source %d × %d", info.Width, info.Height, c.r.Info.Width, c.r.Info.Height)
	}
	if err := c.checkScrubbed(); err != nil {
		return err
	}
	if err := c.look(ctx, info); err != nil {
		return err
	}
	all := pipeline.Frames{Done: len(c.r.Times), Total: len(c.r.Times)}
	return beating(c.told, all, func() error {
		return p.tools.SameSound(ctx, c.r.Out, c.film.Path, c.r.Info, c.film.Part, c.r.Encoding, p.limits)
	})
}

func (c *screening) checkScrubbed() error {
	f, err := os.Open(c.r.Out)
	if err != nil {
		return fmt.Errorf("opening the finished film: %w", pathless.Error(err))
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return fmt.Errorf("looking at the finished film: %w", pathless.Error(err))
	}
	return film.CheckScrubbed(f, stat.Size())
}

// look decodes all of the film: the stages are those of Watch.
func (c *screening) look(ctx context.Context, info film.Info) error {
	scouts, _, err := c.eyes.films.seeing()
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	p := &c.eyes.films
	decoder, err := p.tools.Open(ctx, c.r.Out, info, film.Part{}, p.limits)
	if err != nil {
		return err
	}
	defer decoder.Close()
	like, err := c.model(ctx)
	if err != nil {
		return err
	}
	defer like.close()
	c.frames, c.pictures = newFrames(info), newPictures(info)
	defer closePictures(c.pictures)
	c.search = search{frames: c.frames, queue: make(chan *sight, 1)}
	c.ordered = make(chan *seenFrame, 4)
	decoded := make(chan *film.Frame, 1)
	g.Go(func() error { return pump(ctx, decoder, c.frames, decoded) })
	g.Go(func() error { return c.compare(ctx, like, decoded) })
	for _, s := range scouts {
		g.Go(func() error { return c.search.run(ctx, s) })
	}
	g.Go(func() error { return c.sort(ctx) })
	return g.Wait()
}

// model is what the finished film is held against.
func (c *screening) model(ctx context.Context) (model, error) {
	digests, err := segmentDigests(c.film, c.r, planSegments(len(c.r.Times), c.r.Shots))
	if err != nil {
		return nil, err
	}
	if len(c.r.Covers) > 0 || len(digests) > 0 && found(c.r.Folder, 0, digests[0]) {
		return &noted{folder: c.r.Folder, digests: digests, encoding: c.r.Encoding}, nil
	}
	p := &c.eyes.films
	d, err := p.tools.Open(ctx, c.film.Path, c.r.Info, c.film.Part, p.limits)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSource, err)
	}
	return &original{decoder: d}, nil
}

// searchEvery is at how many frames at least one of the finished film is searched.
const searchEvery = 5

// compare is the stage that holds each frame against what it should be. It closes both queues behind it.
func (c *screening) compare(ctx context.Context, like model, in <-chan *film.Frame) error {
	defer close(c.ordered)
	defer close(c.search.queue)
	var now blocks
	var still stillness
	n, start := 0, c.start()
	for f := range in {
		if n >= len(c.r.Times) || (f.At-c.r.Times[n]+start).Abs() > time.Millisecond {
			return different("frame %d of the finished film lies at %v", n, f.At)
		}
		y, _, _ := f.Planes()
		now.measure(y, f.Width, f.Height)
		if err := like.compare(f, &now, n); err != nil {
			return err
		}
		if err := c.album.see(f, n); err != nil {
			return err
		}
		due, finely := c.due(n)
		leapt := now.leaps(&still.last)
		due, finely = due || leapt, finely || leapt
		if !due || still.sameBlocks(&now, finely) {
			c.frames.put(f)
		} else if err := c.pass(ctx, f, &seenFrame{number: n, leapt: leapt}, finely); err != nil {
			return err
		}
		n++
		c.told(pipeline.Frames{Done: n, Total: len(c.r.Times)})
	}
	if ctx.Err() == nil && n != len(c.r.Times) {
		return different("the finished film has %d frames instead of %d", n, len(c.r.Times))
	}
	return ctx.Err()
}

// start is the time stamp that the finished film's first frame has lost.
func (c *screening) start() time.Duration {
	if c.film.Part.Whole() || len(c.r.Times) == 0 {
		return 0
	}
	return c.r.Times[0]
}

// due says whether a frame is searched whatever it looks like: at least every fifth, the last, and each on which a track begins or ends; and whether finely.
func (c *screening) due(n int) (due, finely bool) {
	end := n == len(c.r.Times)-1 || c.sorter.ends[n]
	return end || n%searchEvery == 0, end || n%(finelyEvery*searchEvery) == 0
}

func (c *screening) pass(ctx context.Context, f *film.Frame, s *seenFrame, finely bool) (err error) {
	x := &sight{frame: f, finely: finely, done: make(chan struct{})}
	if x.picture, err = c.pictures.take(ctx); err != nil {
		return err
	}
	if err := send(ctx, c.search.queue, x); err != nil {
		return err
	}
	s.sight = x
	return send(ctx, c.ordered, s)
}

// sort is the stage that tells the faces apart that are seen.
func (c *screening) sort(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case s, ok := <-c.ordered:
			if !ok {
				return nil
			}
			if err := s.sight.wait(ctx); err != nil {
				return err
			}
			c.sorter.begin(s.number, s.sight.finely, s.leapt)
			for _, f := range s.sight.faces {
				if err := c.sorter.take(ctx, *s.sight.picture, s.number, f); err != nil {
					return err
				}
			}
			c.pictures.put(s.sight.picture)
		}
	}
}
