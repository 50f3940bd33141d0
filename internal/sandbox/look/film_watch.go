package look

import (
	"context"
	"errors"
	"fmt"
	"math"

	"golang.org/x/sync/errgroup"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/media/motion"
	"github.com/consentry/consentry/internal/media/raster"
	"github.com/consentry/consentry/internal/track"
	"github.com/consentry/consentry/pipeline"
)

// defaultEvery is at how many frames at least one is searched, where nobody says otherwise.
const defaultEvery = 3

// Watch implements pipeline.Cinema. Four stages work at the same time, each in order: decoding; cutting into shots, one frame
// behind, so that the last frame of a shot is known; searching whole frames, two at a time; and tracks.
func (e *Eyes) Watch(ctx context.Context, f pipeline.Film, o pipeline.WatchOptions, told func(pipeline.Frames)) (pipeline.Watched, error) {
	w, err := e.newWatching(ctx, f, o, teller(told))
	if err != nil {
		return pipeline.Watched{}, fmt.Errorf("watching: %w", err)
	}
	err = w.run(ctx)
	if err := errors.Join(err, w.close()); err != nil {
		return pipeline.Watched{}, fmt.Errorf("watching: %w", err)
	}
	w.seen.Tracks = w.builder.Finish()
	tidy(w.seen.Tracks)
	return w.seen, nil
}

// watching is one film being watched.
type watching struct {
	eyes     *Eyes
	decoder  *film.Decoder
	options  track.Options
	describe bool
	told     func(pipeline.Frames)
	total    int

	frames   *pool[*film.Frame]
	pictures *pool[*raster.Mat]
	search   search
	ordered  chan *moment

	watcher  *motion.Watcher
	follower *motion.Follower
	builder  *track.Builder
	still    stillness
	last     []face.Face // what was found on the frame searched last
	seen     pipeline.Watched
}

// moment is a frame on its way to the tracks.
type moment struct {
	number int
	small  *motion.Small
	motion track.Motion
	frame  *film.Frame // until it is known whether it is searched
	sight  *sight      // where it is searched
	same   bool        // it looks like the frame searched last
}

func (e *Eyes) newWatching(ctx context.Context, f pipeline.Film, o pipeline.WatchOptions, told func(pipeline.Frames)) (*watching, error) {
	if err := e.ready(); err != nil {
		return nil, err
	}
	p := &e.films
	info, err := p.tools.Probe(ctx, f.Path, p.limits)
	if err != nil {
		return nil, err
	}
	w := &watching{eyes: e, describe: o.Describe, told: told, total: estimate(info, f.Part), seen: pipeline.Watched{Info: info}}
	w.options = track.Options{Rate: info.Rate, Every: o.Every, Width: info.Width, Height: info.Height}
	if o.Every == 0 {
		w.options.Every = defaultEvery
	}
	if w.watcher, err = motion.NewWatcher(info.Width, info.Height); err != nil {
		return nil, err
	}
	if w.follower, err = motion.NewFollower(info.Width, info.Height, w.options.Keep()); err != nil {
		return nil, errors.Join(err, w.watcher.Close())
	}
	if w.decoder, err = p.tools.Open(ctx, f.Path, info, f.Part, p.limits); err != nil {
		return nil, errors.Join(err, w.watcher.Close(), w.follower.Close())
	}
	w.builder = track.New(w.options, w.follower)
	w.frames, w.pictures = newFrames(info), newPictures(info)
	w.search = search{frames: w.frames, queue: make(chan *sight, 1), fit: true}
	w.ordered = make(chan *moment, 4*w.options.Every)
	return w, nil
}

func (w *watching) close() error {
	closePictures(w.pictures)
	return errors.Join(w.decoder.Close(), w.follower.Close(), w.watcher.Close())
}

func (w *watching) run(ctx context.Context) error {
	scouts, single, err := w.eyes.films.seeing()
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	decoded := make(chan *film.Frame, 1)
	g.Go(func() error { return pump(ctx, w.decoder, w.frames, decoded) })
	g.Go(func() error { return w.cut(ctx, decoded) })
	for _, s := range scouts {
		g.Go(func() error { return w.search.run(ctx, s) })
	}
	g.Go(func() error { return w.follow(ctx, single) })
	err = g.Wait()
	for m := range w.ordered { // whatever was on its way when something failed
		err = errors.Join(err, m.free())
	}
	return err
}

// cut is the stage that looks at motion. It closes both queues behind it.
func (w *watching) cut(ctx context.Context, decoded <-chan *film.Frame) (err error) {
	defer close(w.ordered)
	defer close(w.search.queue)
	var held *moment // the frame before, of which it is not known yet whether it is the last of its shot
	var since intervals
	for f := range decoded {
		m, err := w.newMoment(f)
		if err == nil && held != nil {
			err = w.pass(ctx, held, m.motion.Cut, &since)
		}
		if err != nil {
			return errors.Join(err, m.free(), held.free())
		}
		held = m
	}
	if ctx.Err() != nil || held == nil {
		return errors.Join(ctx.Err(), held.free())
	}
	return w.pass(ctx, held, true, &since)
}

// free closes what the garbage collector does not know of, once.
func (m *moment) free() error {
	if m == nil || m.small == nil {
		return nil
	}
	small := m.small
	m.small = nil
	return small.Close()
}

func (w *watching) newMoment(f *film.Frame) (*moment, error) {
	m := &moment{number: f.Number, frame: f}
	y, _, _ := f.Planes()
	var err error
	if m.small, m.motion, err = w.watcher.See(y); err != nil {
		return m, err
	}
	m.motion.Cut = m.motion.Cut || m.number == 0
	if m.motion.Cut {
		w.seen.Shots = append(w.seen.Shots, m.number)
	}
	w.seen.Times = append(w.seen.Times, f.At)
	return m, nil
}

// intervals are the frames since the last search, and since the last fine one.
type intervals struct{ any, fine int }

// pass hands a frame on to the tracks, and to be searched first where that is due.
func (w *watching) pass(ctx context.Context, m *moment, last bool, since *intervals) error {
	since.any++
	since.fine++
	if w.options.Search(since.any, m.motion, m.motion.Cut, last) {
		since.any = 0
		m.sight = &sight{frame: m.frame, done: make(chan struct{})}
		if m.sight.finely = m.motion.Cut || last || since.fine >= finelyEvery*w.options.Every; m.sight.finely {
			since.fine = 0
		}
		if m.same = w.still.same(m.frame, m.sight.finely); m.same {
			close(m.sight.done)
		}
	}
	if m.sight == nil || m.same {
		w.frames.put(m.frame)
	} else {
		var err error
		if m.sight.picture, err = w.pictures.take(ctx); err != nil {
			return errors.Join(err, m.free())
		}
		if err := send(ctx, w.search.queue, m.sight); err != nil {
			return errors.Join(err, m.free())
		}
	}
	m.frame = nil
	if err := send(ctx, w.ordered, m); err != nil {
		return errors.Join(err, m.free())
	}
	return nil
}

// follow is the stage that makes tracks.
func (w *watching) follow(ctx context.Context, single scout) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m, ok := <-w.ordered:
			if !ok {
				return nil
			}
			if err := w.take(ctx, m, single); err != nil {
				return err
			}
			w.told(pipeline.Frames{Done: m.number + 1, Total: max(w.total, m.number+1)})
		}
	}
}

func (w *watching) take(ctx context.Context, m *moment, single scout) error {
	w.follower.Push(m.number, m.small)
	if err := w.builder.Next(m.number, m.motion); err != nil {
		return err
	}
	if m.sight == nil {
		return nil
	}
	if err := m.sight.wait(ctx); err != nil {
		return err
	}
	if m.same {
		return w.builder.Found(w.last)
	}
	w.last = m.sight.faces
	if err := w.builder.Found(m.sight.faces); err != nil {
		return err
	}
	if err := w.lookCloser(ctx, *m.sight.picture, single); err != nil {
		return err
	}
	w.pictures.put(m.sight.picture)
	return nil
}

// lookCloser looks for lost faces where they are expected, asks the checker about doubtful ones, and describes those that are seen well.
func (w *watching) lookCloser(ctx context.Context, picture raster.Mat, single scout) error {
	for _, x := range w.builder.Lost() {
		f, ok, err := single.Glance(picture, x.Box)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := w.builder.Again(x.Track, f); err != nil {
			return err
		}
	}
	if err := w.judgeDoubts(ctx, picture); err != nil {
		return err
	}
	if !w.describe {
		return nil
	}
	for _, want := range w.builder.Wants() {
		f, err := w.eyes.describeOne(ctx, picture, want.Face)
		if err != nil {
			return err
		}
		w.builder.Described(want.Track, f)
	}
	return nil
}

// describeOne describes one face of a picture.
func (e *Eyes) describeOne(ctx context.Context, picture raster.Mat, f face.Face) (face.Face, error) {
	if err := e.openDescriber(); err != nil {
		return face.Face{}, err
	}
	err := e.describer.Describe(ctx, picture, &f)
	return f, err
}

// tidy rounds places to a hundredth of a pixel, landmarks to a tenth, so that the tracks of a long film are
// told in half as many bytes.
func tidy(tracks []track.Track) {
	for i := range tracks {
		t := &tracks[i]
		for k := range t.Path {
			p := &t.Path[k]
			p.Box, p.Roll, p.Grow = tidyBox(p.Box), rounded(p.Roll, 1e4), rounded(p.Grow, 1e4)
		}
		t.Best.Face = tidyFace(t.Best.Face)
		for k := range t.Views {
			t.Views[k].Face = tidyFace(t.Views[k].Face)
		}
	}
}

func tidyFace(f face.Face) face.Face {
	f.Box = tidyBox(f.Box)
	points := make(face.Landmarks, len(f.Landmarks))
	for i, p := range f.Landmarks {
		points[i] = face.Point{X: rounded(p.X, 10), Y: rounded(p.Y, 10)}
	}
	f.Landmarks = points
	return f
}

// tidyBox keeps a box of any size.
func tidyBox(b face.Box) face.Box {
	const least = 0.01
	return face.Box{X: rounded(b.X, 100), Y: rounded(b.Y, 100), W: max(least, rounded(b.W, 100)), H: max(least, rounded(b.H, 100))}
}

// rounded is x in so many parts of one.
func rounded(x, parts float64) float64 { return math.Round(x*parts) / parts }
