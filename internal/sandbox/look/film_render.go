package look

import (
	"context"
	"errors"
	"fmt"
	"image"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/obscure/planes"
	"github.com/consentry/consentry/pipeline"
)

// Render implements pipeline.Cinema. A film of which everything is shown is passed on without encoding where that is possible. Otherwise
// decoding, painting and encoding go on at the same time, in segments, of which those that an earlier call finished are kept.
//
// A call that goes on in the middle of a shot lets the painter see the two seconds before, so that what it paints follows its
// surroundings as it did; it differs from what an uninterrupted call would have painted by a rounding at most.
func (e *Eyes) Render(ctx context.Context, f pipeline.Film, r pipeline.Rendering, told func(pipeline.Frames)) (pipeline.Rendered, error) {
	if err := e.ready(); err != nil {
		return pipeline.Rendered{}, fmt.Errorf("rendering: %w", err)
	}
	p, tell := &e.films, teller(told)
	if len(r.Covers) == 0 {
		err := beating(tell, pipeline.Frames{Total: len(r.Times)}, func() error {
			return p.tools.Remux(ctx, r.Out, f.Path, r.Info, f.Part, r.Encoding, p.limits)
		})
		if !errors.Is(err, film.ErrCannotRemux) {
			return pipeline.Rendered{Frames: len(r.Times), Remuxed: true, Widest: map[int][4]float64{}}, err
		}
	}
	m, err := p.newMaking(f, r, tell)
	if err == nil {
		err = m.run(ctx)
	}
	if err != nil {
		return pipeline.Rendered{}, fmt.Errorf("rendering: %w", err)
	}
	return pipeline.Rendered{Frames: len(r.Times), Widest: m.widest}, nil
}

// making is one film being rendered.
type making struct {
	*projector
	film   pipeline.Film
	r      pipeline.Rendering
	told   func(pipeline.Frames)
	digest string
	firsts []int          // frame with which each segment begins
	done   []film.Segment // finished
	widest map[int][4]float64
	scenes *scenes
	warm   int // first frame that the painter sees
}

// warmUp is what the painter sees before it goes on in the middle of a shot: seven times the delay with which it follows.
const warmUp = 2 * time.Second

func (p *projector) newMaking(f pipeline.Film, r pipeline.Rendering, told func(pipeline.Frames)) (*making, error) {
	if len(r.Times) == 0 {
		return nil, film.ErrNoFrames
	}
	m := &making{
		projector: p, film: f, r: r, told: told, firsts: planSegments(len(r.Times), r.Shots),
		widest: map[int][4]float64{}, scenes: newScenes(r.Covers),
	}
	for _, c := range r.Covers {
		m.widest[c.Track] = [4]float64{}
	}
	var err error
	if m.digest, err = renderingDigest(f, r); err != nil {
		return nil, err
	}
	for n := range m.firsts {
		s, ok := readSegment(r.Folder, n, m.digest)
		if !ok {
			break
		}
		m.done = append(m.done, film.Segment{Path: segmentPath(r.Folder, n), Times: s.Times})
		m.widen(s.Widest)
	}
	if next := m.next(); next < len(r.Times) { // else every segment was there already
		m.warm = m.warmFrom(next)
	}
	return m, nil
}

// next is the first frame that is not in a finished segment.
func (m *making) next() int {
	if len(m.done) < len(m.firsts) {
		return m.firsts[len(m.done)]
	}
	return len(m.r.Times)
}

// warmFrom is the frame from which on the painter must see the film in order to go on with this one.
func (m *making) warmFrom(frame int) int {
	start := 0
	for _, s := range m.r.Shots {
		if s <= frame {
			start = s
		}
	}
	for start < frame && m.r.Times[frame]-m.r.Times[start] > warmUp {
		start++
	}
	return start
}

func (m *making) widen(by map[int][4]float64) {
	for id, r := range by {
		if w := m.widest[id]; r[2]*r[3] > w[2]*w[3] {
			m.widest[id] = r
		}
	}
}

func (m *making) run(ctx context.Context) error {
	total := len(m.r.Times)
	m.told(pipeline.Frames{Done: m.next(), Total: total})
	if m.next() < total {
		if err := m.encodeRest(ctx); err != nil {
			return err
		}
	}
	return beating(m.told, pipeline.Frames{Done: total, Total: total}, func() error {
		return m.tools.Join(ctx, m.r.Out, m.done, m.film.Path, m.r.Info, m.film.Part, m.r.Encoding, m.limits)
	})
}

// encodeRest makes all segments that are missing.
func (m *making) encodeRest(ctx context.Context) error {
	painter, err := planes.New(m.r.Info.Width, m.r.Info.Height, m.r.Info.Rate, m.r.Style)
	if err != nil {
		return err
	}
	part := m.film.Part
	if m.warm > 0 {
		part.From = m.r.Times[m.warm]
	}
	g, ctx := errgroup.WithContext(ctx)
	decoder, err := m.tools.Open(ctx, m.film.Path, m.r.Info, part, m.limits)
	if err != nil {
		return err
	}
	defer decoder.Close()
	frames := newFrames(m.r.Info)
	decoded, painted, ended := make(chan *film.Frame, 1), make(chan *picture, 1), make(chan *unfinished, 1)
	g.Go(func() error { return pump(ctx, decoder, frames, decoded) })
	g.Go(func() error { return m.paint(ctx, painter, frames, decoded, painted) })
	g.Go(func() error { return m.encode(ctx, frames, painted, ended) })
	g.Go(func() error { return m.finish(ctx, ended) })
	err = g.Wait()
	for s := range ended { // what nobody finished when something failed
		s.encoder.Abort()
	}
	return err
}

// picture is a painted frame.
type picture struct {
	frame  *film.Frame
	number int
	means  []byte
	widest map[int][4]float64
}

// paint is the stage that obscures. It closes the queue behind it.
func (m *making) paint(ctx context.Context, by *planes.Painter, frames *pool[*film.Frame], in <-chan *film.Frame, out chan<- *picture) error {
	defer close(out)
	shots := m.r.Shots
	n, begin := m.warm, m.next()
	var sums blocks
	for f := range in {
		if n >= len(m.r.Times) || f.At != m.r.Times[n] {
			return different("frame %d lies at %v", n, f.At)
		}
		for len(shots) > 0 && shots[0] <= n {
			if shots[0] == n {
				by.Cut()
			}
			shots = shots[1:]
		}
		f.Number = n
		regions := m.scenes.at(n)
		changed, err := by.Paint(f, regions)
		if err != nil {
			return err
		}
		if n < begin {
			frames.put(f)
		} else {
			y, _, _ := f.Planes()
			sums.measure(y, f.Width, f.Height)
			p := &picture{frame: f, number: n, means: sums.means(nil), widest: largest(regions, changed)}
			if err := send(ctx, out, p); err != nil {
				return err
			}
		}
		n++
	}
	if ctx.Err() == nil && n != len(m.r.Times) {
		return different("%d frames instead of %d", n, len(m.r.Times))
	}
	return ctx.Err()
}

func largest(regions []planes.Region, changed []image.Rectangle) map[int][4]float64 {
	widest := make(map[int][4]float64, len(regions))
	for i, r := range changed {
		widest[regions[i].Track] = [4]float64{float64(r.Min.X), float64(r.Min.Y), float64(r.Dx()), float64(r.Dy())}
	}
	return widest
}

// unfinished is a segment all of whose frames are written.
type unfinished struct {
	number  int // of the segment
	encoder *film.Encoder
	note    segment
}

// encode is the stage that writes. A segment is finished while the next is begun, because an encoder holds many frames back.
func (m *making) encode(ctx context.Context, frames *pool[*film.Frame], in <-chan *picture, out chan<- *unfinished) (err error) {
	defer close(out)
	var s *unfinished
	defer func() {
		if s != nil {
			s.encoder.Abort()
		}
	}()
	for p := range in {
		if s != nil && s.number+1 < len(m.firsts) && p.number == m.firsts[s.number+1] {
			if err := send(ctx, out, s); err != nil {
				return err
			}
			s = nil
		}
		if s == nil {
			if s, err = m.begin(ctx, p.number); err != nil {
				return err
			}
		}
		if err := s.encoder.Write(p.frame); err != nil {
			return err
		}
		s.add(p)
		frames.put(p.frame)
		m.told(pipeline.Frames{Done: p.number + 1, Total: len(m.r.Times)})
	}
	if ctx.Err() != nil || s == nil {
		return ctx.Err()
	}
	last := s
	s = nil
	if err := send(ctx, out, last); err != nil {
		last.encoder.Abort()
		return err
	}
	return nil
}

func (m *making) begin(ctx context.Context, frame int) (*unfinished, error) {
	n := 0
	for n+1 < len(m.firsts) && m.firsts[n+1] <= frame {
		n++
	}
	encoder, err := m.tools.Create(ctx, segmentPath(m.r.Folder, n), m.r.Info, m.r.Encoding, m.limits)
	if err != nil {
		return nil, err
	}
	note := segment{Rendering: m.digest, First: frame, Widest: map[int][4]float64{}}
	return &unfinished{number: n, encoder: encoder, note: note}, nil
}

func (s *unfinished) add(p *picture) {
	s.note.Means = append(s.note.Means, p.means...)
	for id, r := range p.widest {
		if w := s.note.Widest[id]; r[2]*r[3] > w[2]*w[3] {
			s.note.Widest[id] = r
		}
	}
}

// finish is the stage that closes segments and notes them.
func (m *making) finish(ctx context.Context, in <-chan *unfinished) error {
	for s := range in {
		made, err := s.encoder.Close()
		if err != nil {
			return err
		}
		s.note.Times = made.Times
		if err := s.note.write(m.r.Folder, s.number); err != nil {
			return err
		}
		m.done = append(m.done, made)
		m.widen(s.note.Widest)
	}
	return ctx.Err()
}
