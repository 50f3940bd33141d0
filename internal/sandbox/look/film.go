package look

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/media/raster"
	"github.com/consentry/consentry/models/vision"
	"github.com/consentry/consentry/pipeline"
)

var _ pipeline.Cinema = (*Eyes)(nil)

// searchers is how many frames are searched at the same time, each by a scout of its own: as many as there are cores.
const searchers = 2

// projector is what films need beyond photographs. Nothing is opened before the first film.
type projector struct {
	limits film.Limits
	tools  film.Tools
	scouts []scout // one for each searcher, and one that looks at single places
	open   func() (scout, error)
	// confirm looks patiently at one place of a picture. ok is false where there is no face.
	confirm func(ctx context.Context, picture raster.Mat, box face.Box) (f face.Face, ok bool, err error)
}

// scout finds faces in frames; see vision.Scout.
type scout interface {
	Find(ctx context.Context, picture raster.Mat, finely bool) ([]face.Face, error)
	Fit(picture raster.Mat, faces []face.Face) error
	Glance(picture raster.Mat, expected face.Box) (f face.Face, ok bool, err error)
	Close() error
}

// LimitFilms bounds which films are opened, and how long ffmpeg may make no progress.
func (e *Eyes) LimitFilms(l film.Limits) { e.films.limits = l }

func newProjector(e *Eyes) projector {
	return projector{
		limits:  film.DefaultLimits(),
		open:    func() (scout, error) { return vision.OpenScout(e.models.Detector, e.models.Landmarks) },
		confirm: e.confirm,
	}
}

// ready finds ffmpeg, and puts down what was taken up for photographs, so that it does not add to what a film needs.
func (e *Eyes) ready() (err error) {
	e.putDown()
	if e.finder != nil {
		err = e.finder.Close()
		e.finder = nil
	}
	if err == nil && e.films.tools == (film.Tools{}) {
		e.films.tools, err = film.FindTools()
	}
	if err == nil {
		err = vision.KeepBuffers() // not before: photographs are of all sizes, and large
	}
	return err
}

// seeing opens the scouts: those that search, and the one that looks at single places.
func (p *projector) seeing() (search []scout, single scout, err error) {
	for len(p.scouts) < searchers+1 {
		s, err := p.open()
		if err != nil {
			return nil, nil, err
		}
		p.scouts = append(p.scouts, s)
	}
	return p.scouts[:searchers], p.scouts[searchers], nil
}

// fit gives faces their landmarks, in place. It is not for the stages that run beside each other.
func (p *projector) fit(picture raster.Mat, faces []face.Face) error {
	_, single, err := p.seeing()
	if err != nil {
		return err
	}
	return single.Fit(picture, faces)
}

func (p *projector) close() error {
	var errs []error
	for _, s := range p.scouts {
		errs = append(errs, s.Close())
	}
	p.scouts = nil
	return errors.Join(errs...)
}

// confirm shows the checker a place, for which it was measured what score is surely a face.
func (e *Eyes) confirm(ctx context.Context, picture raster.Mat, box face.Box) (best face.Face, ok bool, err error) {
	if err := e.openChecker(); err != nil {
		return face.Face{}, false, err
	}
	area := pixelsOf(box)
	seen, err := e.checker.FindIn(ctx, picture, around(area))
	if err != nil {
		return face.Face{}, false, err
	}
	for _, f := range seen {
		if f.Score > best.Score && f.Box.IoU(box) >= sameFace {
			best, ok = f, true
		}
	}
	return best, ok, nil
}

// beatEvery is how often word is given while something goes on that counts no frames.
const beatEvery = time.Second

// beating gives word, again and again, that so many frames are done, while fn runs. What fn calls ends by itself where it
// makes no progress.
func beating(told func(pipeline.Frames), done pipeline.Frames, fn func() error) error {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(beatEvery)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				told(done)
			}
		}
	}()
	err := fn()
	close(end)
	<-ended
	return err
}

// teller is told, or does nothing where nobody listens.
func teller(told func(pipeline.Frames)) func(pipeline.Frames) {
	if told == nil {
		return func(pipeline.Frames) {}
	}
	return told
}

// estimate is how many frames a part has, as far as the container says.
func estimate(info film.Info, part film.Part) int {
	if part.Whole() || info.Duration <= 0 {
		return info.Frames
	}
	to := info.Duration
	if part.To > 0 {
		to = min(to, part.To)
	}
	share := float64(to-part.From) / float64(info.Duration)
	return max(0, min(info.Frames, int(share*float64(info.Frames))))
}

// different is an error that says that a film is not what it was or should be.
func different(format string, a ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, a...), film.ErrDifferent)
}
