package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// MaxAttempts is how often an asset may kill the process that looks at it: the second time it is
// withheld.
const MaxAttempts = 2

// cleanUpTime bounds what a worker still writes after it was told to stop.
const cleanUpTime = 5 * time.Second

// Worker takes jobs one at a time and commits what becomes of them.
type Worker struct {
	Line        *Line
	Jobs        Jobs
	States      States
	Originals   Originals
	Derivatives Derivatives
	// Orders gives the orders of a job together with the register and the gallery for which it
	// was queued, or an error where these have changed since.
	Orders  func(Job) ([]Order, error)
	TimeOut time.Duration // for one attempt at a photograph; of a film, for what makes no progress
	// Scratch is the folder in which films lie while they are worked on, each job's in a folder named by its
	// key. It is removed when the job is finished and kept where the job is taken up again.
	Scratch string
	Log     *slog.Logger
}

// Run works until the context is done. It returns an error only if the bus can no longer be used.
func (w *Worker) Run(ctx context.Context) error {
	for {
		lease, err := w.Jobs.Next(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was told to stop
		}
		if err != nil {
			return fmt.Errorf("waiting for a job: %w", err)
		}
		err = w.work(ctx, lease)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // it was told to stop
		case errors.Is(err, ErrConflict): // somebody else has the job now, and commits it
			w.Log.Warn("job lost to another worker", "asset", lease.Job().Asset)
		case err != nil:
			return fmt.Errorf("working on asset %s: %w", lease.Job().Asset, err)
		}
	}
}

// work brings one job to its end or gives it back.
func (w *Worker) work(ctx context.Context, lease Lease) error {
	attempt, err := w.begin(ctx, lease)
	if err != nil || attempt == nil {
		return err
	}
	defer func() { attempt.folder.release() }()
	results, err := w.attempt(ctx, attempt)
	if ctx.Err() != nil {
		return attempt.undo(ctx)
	}
	if errors.Is(err, ErrConflict) {
		return err
	}
	if err != nil && KindOf(err) == Retry && attempt.state.Attempts < MaxAttempts {
		w.Log.Warn("attempt failed, trying again", "asset", lease.Job().Asset, "error", err)
		return lease.Retry(ctx, 0)
	}
	if err != nil {
		results = refused(lease.Job(), attempt.orders, err)
	}
	return attempt.finish(ctx, results)
}

// begin records the attempt before the risky work starts. It returns nil where there is nothing
// left to do.
func (w *Worker) begin(ctx context.Context, lease Lease) (*attempt, error) {
	job := lease.Job()
	state, revision, err := w.States.Get(ctx, job.Key)
	if err != nil {
		return nil, fmt.Errorf("reading the job's state: %w", err)
	}
	a := &attempt{worker: w, lease: lease, state: state, revision: revision}
	if state.Status == Finished {
		return nil, a.done(ctx)
	}
	if a.orders, err = w.Orders(job); err != nil {
		return nil, a.finish(ctx, refused(job, nil, err))
	}
	if state.Attempts >= MaxAttempts {
		return nil, a.finish(ctx, refused(job, a.orders, ErrCrashed))
	}
	a.state.Status = Working
	a.state.Attempts++
	return a, a.write(ctx)
}

// attempt goes the way of the asset under a time limit. Every step renews the lease and is
// written down; if that fails, the work is broken off.
func (w *Worker) attempt(ctx context.Context, a *attempt) ([]Result, error) {
	if a.lease.Job().Film {
		return w.attemptFilm(ctx, a)
	}
	ctx, cancel := context.WithTimeout(ctx, w.TimeOut)
	defer cancel()
	ctx, abandon := context.WithCancelCause(ctx)
	defer abandon(nil)
	asset, err := w.fetch(ctx, a.lease.Job())
	if err != nil {
		return nil, err
	}
	line := *w.Line
	line.Step = func(step string) {
		if err := a.advance(ctx, step); err != nil {
			abandon(err)
		}
	}
	results, err := line.Photograph(ctx, asset, a.orders)
	if cause := context.Cause(ctx); cause != nil && err != nil {
		return nil, fmt.Errorf("%w (%w)", cause, err)
	}
	if err != nil {
		return nil, err
	}
	return results, w.store(ctx, results)
}

func (w *Worker) fetch(ctx context.Context, job Job) (Asset, error) {
	var data bytes.Buffer
	if err := w.Originals.Get(ctx, job.Asset, &data); err != nil {
		return Asset{}, fmt.Errorf("reading the original from quarantine: %w", err)
	}
	return Asset{Digest: job.Asset, Data: data.Bytes()}, nil
}

// store puts the derivatives where the commit can point at them.
func (w *Worker) store(ctx context.Context, results []Result) error {
	for i, r := range results {
		if r.Outcome != Released {
			continue
		}
		digest, _, err := w.Derivatives.Put(ctx, bytes.NewReader(r.Derivative))
		if err != nil {
			return fmt.Errorf("storing the derivative: %w", err)
		}
		if digest != r.DerivativeSHA256 {
			return fmt.Errorf("storing the derivative: stored as %s, sealed as %s", digest, r.DerivativeSHA256)
		}
		results[i].Derivative = nil
	}
	return nil
}
