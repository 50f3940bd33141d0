package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/obscure"
	"github.com/consentry/consentry/pipeline"
)

// Command says how to start the child.
type Command struct {
	Path string   // the executable
	Args []string // its arguments, without the name
}

// Process is the parent's side of one child. It implements pipeline.Vision and pipeline.Cinema. The child is started by the first call that needs
// it. It is not safe for use by several goroutines.
type Process struct {
	command Command
	log     *slog.Logger
	child   *child        // nil while none runs
	stall   time.Duration // how long a call about a film may give no word
}

var (
	_ pipeline.Vision = (*Process)(nil)
	_ pipeline.Cinema = (*Process)(nil)
)

// NewProcess prepares a process; nothing is started yet.
func NewProcess(command Command, log *slog.Logger) *Process {
	return &Process{command: command, log: log, stall: stallTime}
}

// Close ends the child, if one runs. Calls after Close start a new one.
func (p *Process) Close() error {
	if p.child == nil {
		return nil
	}
	err := p.child.stop()
	p.child = nil
	return err
}

// start starts a child where none runs.
func (p *Process) start() (err error) {
	if p.child != nil {
		return nil
	}
	if p.child, err = startChild(p.command, p.log); err != nil {
		return fmt.Errorf("starting the process that looks at files: %w", err)
	}
	return nil
}

// Decode implements pipeline.Vision.
func (p *Process) Decode(ctx context.Context, data []byte) (media.Info, error) {
	if err := p.start(); err != nil {
		return media.Info{}, err
	}
	r, _, err := p.call(ctx, request{Call: callDecode}, data)
	return r.Info, err
}

// Find implements pipeline.Vision.
func (p *Process) Find(ctx context.Context) ([]face.Face, error) {
	r, _, err := p.call(ctx, request{Call: callFind}, nil)
	return r.Faces, err
}

// Describe implements pipeline.Vision.
func (p *Process) Describe(ctx context.Context, faces []face.Face) ([]face.Face, error) {
	r, _, err := p.call(ctx, request{Call: callDescribe, Faces: faces}, nil)
	return r.Faces, err
}

// Obscure implements pipeline.Vision.
func (p *Process) Obscure(ctx context.Context, regions []face.Region, style obscure.Style) (pipeline.Derivative, error) {
	r, file, err := p.call(ctx, request{Call: callObscure, Regions: regions, Style: style}, nil)
	return pipeline.Derivative{Data: file, Changed: r.Changed}, err
}

// Inspect implements pipeline.Vision.
func (p *Process) Inspect(ctx context.Context, d pipeline.Derivative) (pipeline.Sighting, error) {
	r, _, err := p.call(ctx, request{Call: callInspect, Changed: d.Changed}, d.Data)
	return pipeline.Sighting{Info: r.Info, Faces: r.Faces, Outside: r.Outside}, err
}

// Thumbnail implements pipeline.Vision. Unlike the others it may come first.
func (p *Process) Thumbnail(ctx context.Context, file []byte) ([]byte, error) {
	if err := p.start(); err != nil {
		return nil, err
	}
	_, picture, err := p.call(ctx, request{Call: callThumbnail}, file)
	return picture, err
}

// Portrait implements pipeline.Vision.
func (p *Process) Portrait(ctx context.Context, box face.Box) ([]byte, error) {
	_, picture, err := p.call(ctx, request{Call: callPortrait, Box: box}, nil)
	return picture, err
}

// call sends a request and waits for the answer, for the child's end or for the context's.
func (p *Process) call(ctx context.Context, q request, body []byte) (response, []byte, error) {
	return p.callTelling(ctx, q, body, nil)
}

// callTelling is call for what takes so long that the child gives word of how far it is.
func (p *Process) callTelling(ctx context.Context, q request, body []byte, told func(pipeline.Frames)) (response, []byte, error) {
	if p.child == nil {
		return response{}, nil, fmt.Errorf("%s: %w", q.Call, pipeline.ErrCrashed)
	}
	r, file, err := p.child.call(ctx, q, body, told)
	if err == nil && r.Error == nil {
		return r, file, nil
	}
	if err == nil {
		return response{}, nil, fromWire(r.Error)
	}
	p.child.kill() // a child out of step with us is of no more use
	stopErr := p.child.stop()
	p.child = nil
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, film.ErrStalled) {
		return response{}, nil, fmt.Errorf("%s: %w", q.Call, ctx.Err())
	}
	return response{}, nil, fmt.Errorf("%s: %w (%w)", q.Call, pipeline.ErrCrashed, errors.Join(err, stopErr))
}
