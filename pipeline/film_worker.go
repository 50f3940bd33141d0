package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// attemptFilm goes the way of a film. It may take hours: the time limit is for what makes no progress. Whatever does
// renews the limit and the lease, and a lease that is lost breaks the work off.
func (w *Worker) attemptFilm(ctx context.Context, a *attempt) ([]Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	p := &patience{ctx: ctx, attempt: a, limit: w.TimeOut, cancel: cancel, before: Progress{Pass: 1}}
	if earlier := a.state.Progress; earlier != nil {
		p.before = *earlier
	}
	p.timer = time.AfterFunc(w.TimeOut, func() {
		cancel(fmt.Errorf("no progress for %v: %w", w.TimeOut, context.DeadlineExceeded))
	})
	defer p.end()
	results, err := w.takeFilm(ctx, a, p)
	if cause := context.Cause(ctx); cause != nil && err != nil {
		return nil, fmt.Errorf("%w (%w)", cause, err)
	}
	return results, err
}

func (w *Worker) takeFilm(ctx context.Context, a *attempt, p *patience) ([]Result, error) {
	var err error
	if a.folder, err = holdFolder(ctx, w.Scratch, a.lease.Job().Key); err != nil {
		return nil, err
	}
	asset, err := w.fetchFilm(ctx, a, p)
	if err != nil {
		return nil, err
	}
	line := *w.Line
	line.Step, line.Told = p.step, p.told
	results, err := line.Film(ctx, asset, a.orders)
	if err != nil {
		return nil, err
	}
	for i := range results {
		if err := w.storeFilm(ctx, &results[i], p); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// patience is what a film's time limit, lease and progress hang on.
type patience struct {
	ctx     context.Context //nolint:containedctx // that of the attempt, which it can break off
	cancel  context.CancelCauseFunc
	attempt *attempt
	limit   time.Duration
	timer   *time.Timer

	mu     sync.Mutex
	ended  bool
	before Progress // how far an earlier attempt was, or this one when it was last counted as the first
	far    Progress // the furthest so far
	beat   time.Time
}

// end stops the clock. Whatever is told later, by a call that was given up, changes nothing any more.
func (p *patience) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.timer.Stop()
	p.cancel(nil)
}

// step is told before each step.
func (p *patience) step(step string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.onward(step)
}

// told is told how far a step is. Word that says nothing new is no progress.
func (p *patience) told(now Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended || now.Pass < p.far.Pass || now.Pass == p.far.Pass && now.Done <= p.far.Done {
		return
	}
	p.far = now
	p.attempt.state.Progress = &now
	if now.Pass > p.before.Pass || now.Done >= p.before.Done+newGround && now.Pass == p.before.Pass {
		p.before = now
		p.firstAgain()
	}
	p.onward(p.attempt.state.Step)
}

// newGround is by how many frames an attempt must get further than the ones before for these not to count: by more than is
// done between two writings of the state, so that a frame that kills whoever looks at it does so twice and not for ever.
const newGround = 1000

// firstAgain counts the attempt as the first: it has got further than all before. A film that takes hours may be broken off
// more often than twice, and each time goes on where it was. It is written down at once, or the next
// attempt would gain the same ground again.
func (p *patience) firstAgain() {
	p.attempt.state.Attempts = 1
	if err := p.attempt.write(p.ctx); err != nil {
		p.cancel(err)
	}
}

// onward notes that the job has got further: the limit begins anew, and now and then the state is written and the lease
// renewed.
func (p *patience) onward(step string) {
	if p.ended {
		return
	}
	p.timer.Reset(p.limit)
	if step == p.attempt.state.Step && time.Since(p.beat) < progressEvery {
		return
	}
	p.beat = time.Now()
	if err := p.attempt.advance(p.ctx, step); err != nil {
		p.cancel(err)
	}
}

// fetchFilm copies the original into the scratch folder, unless it lies there whole.
func (w *Worker) fetchFilm(ctx context.Context, a *attempt, p *patience) (Asset, error) {
	job := a.lease.Job()
	asset := Asset{Digest: job.Asset, Folder: a.folder.path, Path: filepath.Join(a.folder.path, originalFile)}
	p.step("fetch")
	there, err := digestOf(asset.Path, p)
	switch {
	case err == nil && there == job.Asset:
		return asset, nil
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return Asset{}, fmt.Errorf("reading the copy of the original: %w", scratchError(err))
	}
	if err := w.copyOriginal(ctx, asset, p); err != nil {
		return Asset{}, fmt.Errorf("reading the original from quarantine: %w", scratchError(err))
	}
	return asset, nil
}

// copyOriginal writes the original under its name once it is whole and right.
func (w *Worker) copyOriginal(ctx context.Context, asset Asset, p *patience) (err error) {
	f, err := os.CreateTemp(asset.Folder, originalFile+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, scratchError(os.Remove(f.Name())))
		}
	}()
	sum := newBeating(func() { p.step("fetch") })
	err = errors.Join(w.Originals.Get(ctx, asset.Digest, io.MultiWriter(f, sum)), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if got := sum.hex(); got != asset.Digest {
		return fmt.Errorf("it has the digest %s, not %s", got, asset.Digest)
	}
	return os.Rename(f.Name(), asset.Path)
}

func digestOf(path string, p *patience) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := newBeating(func() { p.step("fetch") })
	_, err = io.Copy(sum, f)
	return sum.hex(), err
}

// storeFilm puts a finished film where the commit can point at it.
func (w *Worker) storeFilm(ctx context.Context, r *Result, p *patience) error {
	if r.Outcome != Released {
		return nil
	}
	p.step("store")
	f, err := os.Open(r.DerivativePath)
	if err != nil {
		return fmt.Errorf("opening the finished film: %w", scratchError(err))
	}
	defer f.Close()
	digest, _, err := w.Derivatives.Put(ctx, &beatingFile{file: f, beat: func() { p.step("store") }})
	if err != nil {
		return fmt.Errorf("storing the derivative: %w", err)
	}
	if digest != r.DerivativeSHA256 {
		return fmt.Errorf("storing the derivative: stored as %s, sealed as %s", digest, r.DerivativeSHA256)
	}
	r.DerivativePath = ""
	return nil
}
