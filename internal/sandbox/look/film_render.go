package look

import (
	"context"
	"errors"
	"fmt"
	"image"
	"sort"
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
			return p.tools.Remux(ctx, r.Out, f.Path, r.Info, f.Part, r.Times, r.Encoding, p.limits)
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
	film    pipeline.Film
	r       pipeline.Rendering
	told    func(pipeline.Frames)
	digests []string       // of the segments
	firsts  []int          // frame with which each segment begins
	done    []film.Segment // those with a path are finished
	widest  map[int][4]float64
}

// warmUp is what the painter sees before it goes on in the middle of a shot: seven times the delay with which it follows.
const warmUp = 2 * time.Second

func (p *projector) newMaking(f pipeline.Film, r pipeline.Rendering, told func(pipeline.Frames)) (*making, error) {
	if len(r.Times) == 0 {
		return nil, film.ErrNoFrames
	}
	m := &making{projector: p, film: f, r: r, told: told, firsts: planSegments(len(r.Times), r.Shots), widest: map[int][4]float64{}}
	for _, c := range r.Covers {
		m.widest[c.Track] = [4]float64{}
	}
	var err error
	if m.digests, err = segmentDigests(f, r, m.firsts); err != nil {
		return nil, err
	}
	m.done = make([]film.Segment, len(m.firsts))
	for n := range m.firsts {
		if s, ok := readSegment(r.Folder, n, m.digests[n]); ok {
			m.done[n] = film.Segment{Path: segmentPath(r.Folder, n), Times: s.Times}
			m.widen(s.Widest)
		}
	}
	return m, nil
}

// stretch is a run of segments that are missing.
type stretch struct {
	begin, end int // frames
	warm       int // first frame that the painter sees
	scenes     *scenes
}

// missing is the first stretch that there is; ok is false where there is none.
func (m *making) missing() (s stretch, ok bool) {
	n := 0
	for n < len(m.done) && m.done[n].Path != "" {
		n++
	}
	if n == len(m.done) {
		return stretch{}, false
	}
	last := n
	for last+1 < len(m.done) && m.done[last+1].Path == "" {
		last++
	}
	begin := m.firsts[n]
	return stretch{begin, endOf(m.firsts, last, len(m.r.Times)), warmFrom(m.r, begin), newScenes(m.r.Covers)}, true
}

// warmFrom is the frame from which on the painter must see the film in order to go on with this one.
func warmFrom(r pipeline.Rendering, frame int) int {
	start := 0
	for _, s := range r.Shots {
		if s <= frame {
			start = s
		}
	}
	return start + sort.Search(frame-start, func(i int) bool { return r.Times[frame]-r.Times[start+i] <= warmUp })
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
	for {
		s, ok := m.missing()
		if !ok {
			break
		}
		m.told(pipeline.Frames{Done: s.begin, Total: total})
		if err := m.encodeStretch(ctx, s); err != nil {
			return err
		}
	}
	all := pipeline.Frames{Done: total, Total: total}
	m.told(all)
	return beating(m.told, all, func() error {
		return m.tools.Join(ctx, m.r.Out, m.done, m.film.Path, m.r.Info, m.film.Part, m.r.Encoding, m.limits)
	})
}

// encodeStretch makes some segments that are missing.
func (m *making) encodeStretch(ctx context.Context, s stretch) error {
	painter, err := planes.New(m.r.Info.Width, m.r.Info.Height, m.r.Info.Rate, m.r.Style)
	if err != nil {
		return err
	}
	part := m.film.Part
	if s.warm > 0 {
		part.From = m.r.Times[s.warm]
	}
	if s.end < len(m.r.Times) {
		part.To = m.r.Times[s.end]
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
	g.Go(func() error { return m.paint(ctx, s, painter, frames, decoded, painted) })
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
func (m *making) paint(ctx context.Context, s stretch, by *planes.Painter, frames *pool[*film.Frame], in <-chan *film.Frame, out chan<- *picture) error {
	defer close(out)
	shots := m.r.Shots
	n := s.warm
	var sums blocks
	for f := range in {
		if n >= s.end || f.At != m.r.Times[n] {
			return different("frame %d lies at %v", n, f.At)
		}
		for len(shots) > 0 && shots[0] <= n {
			if shots[0] == n {
				by.Cut()
			}
			shots = shots[1:]
		}
		f.Number = n
		regions := s.scenes.at(n)
		changed, err := by.Paint(f, regions)
		if err != nil {
			return err
		}
		if n < s.begin {
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
	if ctx.Err() == nil && n != s.end {
		return different("%d frames instead of %d", n, s.end)
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
	note := segment{Rendering: m.digests[n], First: frame, Widest: map[int][4]float64{}}
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
		m.done[s.number] = made
		m.widen(s.note.Widest)
	}
	return ctx.Err()
}
