package sandbox

import (
	"context"
	"fmt"
	"time"

	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/pipeline"
)

// stallTime is how long a child may give no word of a film that it works on. The child ends ffmpeg by
// itself where that stalls, after film.Limits.Stall, which is shorter; this ends a child that hangs itself.
const stallTime = 5 * time.Minute

// Watch implements pipeline.Cinema.
func (p *Process) Watch(ctx context.Context, f pipeline.Film, o pipeline.WatchOptions, told func(pipeline.Frames)) (pipeline.Watched, error) {
	r, body, err := p.callFilm(ctx, callWatch, filmRequest{Film: f, Watch: o}, told)
	watched, err := answered(r.Watched, err)
	if err == nil {
		err = unpackTemplates(watched.Tracks, r.Templates, body)
	}
	return watched, err
}

// Render implements pipeline.Cinema.
func (p *Process) Render(ctx context.Context, f pipeline.Film, r pipeline.Rendering, told func(pipeline.Frames)) (pipeline.Rendered, error) {
	a, _, err := p.callFilm(ctx, callRender, filmRequest{Film: f, Rendering: &r}, told)
	return answered(a.Rendered, err)
}

// Screen implements pipeline.Cinema.
func (p *Process) Screen(ctx context.Context, f pipeline.Film, s pipeline.Screening, told func(pipeline.Frames)) (pipeline.Screened, error) {
	r, body, err := p.callFilm(ctx, callScreen, filmRequest{Film: f, Screening: &s}, told)
	screened, err := answered(r.Screened, err)
	if err == nil && len(r.Sizes) > 0 {
		screened.Pictures, err = split(body, r.Sizes)
	}
	return screened, err
}

// Stills implements pipeline.Cinema. It gives no word of how far it is: the context bounds it.
func (p *Process) Stills(ctx context.Context, path string, wanted []pipeline.Still) ([][]byte, error) {
	if err := p.start(); err != nil {
		return nil, err
	}
	f := filmRequest{Film: pipeline.Film{Path: path}, Stills: wanted}
	r, body, err := p.call(ctx, request{Call: callStills, Film: &f}, nil)
	if err != nil {
		return nil, err
	}
	if len(r.Sizes) != len(wanted) {
		return nil, fmt.Errorf("%w: %d stills for %d", errFrame, len(r.Sizes), len(wanted))
	}
	return split(body, r.Sizes)
}

// callFilm starts a child where none runs: unlike calls about a photograph, each is given all it needs.
func (p *Process) callFilm(ctx context.Context, call string, f filmRequest, told func(pipeline.Frames)) (response, []byte, error) {
	if err := p.start(); err != nil {
		return response{}, nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	hung := time.AfterFunc(p.stall, func() {
		cancel(fmt.Errorf("%w: no word for %v from the process that looks at the film", film.ErrStalled, p.stall))
	})
	defer hung.Stop()
	return p.callTelling(ctx, request{Call: call, Film: &f}, nil, func(done pipeline.Frames) {
		hung.Reset(p.stall)
		if told != nil {
			told(done)
		}
	})
}

// answered is the answer, which a child in step with us has given where there is no error.
func answered[T any](a *T, err error) (T, error) {
	var none T
	switch {
	case err != nil:
		return none, err
	case a == nil:
		return none, fmt.Errorf("%w: the answer is missing", errFrame)
	}
	return *a, nil
}

// split cuts a body into its parts.
func split(body []byte, sizes []int) ([][]byte, error) {
	parts := make([][]byte, len(sizes))
	for i, n := range sizes {
		if n < 0 || n > len(body) {
			return nil, fmt.Errorf("%w: a part of %d bytes of %d", errFrame, n, len(body))
		}
		parts[i], body = body[:n:n], body[n:]
	}
	if len(body) > 0 {
		return nil, fmt.Errorf("%w: %d bytes left over", errFrame, len(body))
	}
	return parts, nil
}
