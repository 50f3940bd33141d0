package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/film"
)

// attempt is one try at a job, and the revision of the state under which it may commit.
type attempt struct {
	worker   *Worker
	lease    Lease
	orders   []Order
	state    State
	revision uint64
	written  time.Time // when the state was written last
	folder   *folder   // of a film, once it is held
}

// progressEvery is how often the step of a job is written down. A write waits for the disk, and a
// photograph takes less than this.
const progressEvery = time.Second

func (a *attempt) write(ctx context.Context) error {
	revision, err := a.worker.States.Put(ctx, a.lease.Job().Key, a.state, a.revision)
	if err != nil {
		return fmt.Errorf("writing the job's state: %w", err)
	}
	a.revision, a.written = revision, time.Now()
	return nil
}

// advance notes the step, now and then, and renews the lease.
func (a *attempt) advance(ctx context.Context, step string) error {
	a.state.Step = step
	if time.Since(a.written) >= progressEvery {
		if err := a.write(ctx); err != nil {
			return err
		}
	}
	return a.lease.Advance(ctx)
}

// finish commits the results, and only then takes the job off the queue. Results that cannot be
// stored, as they are too large, are withheld: a result that is not committed does not exist.
func (a *attempt) finish(ctx context.Context, results []Result) error {
	a.state.Status, a.state.Step, a.state.Progress, a.state.Results = Finished, "", nil, results
	err := a.write(ctx)
	if err != nil && ctx.Err() == nil && !errors.Is(err, ErrConflict) {
		a.state.Results = refused(a.lease.Job(), a.orders, fmt.Errorf("storing the result: %w", err))
		err = a.write(ctx)
	}
	if err != nil {
		return err
	}
	return a.done(ctx)
}

// done takes a job off the queue whose results are committed. What lay about of a film goes first: the original is not to
// stay there.
func (a *attempt) done(ctx context.Context) error {
	job := a.lease.Job()
	if job.Film && a.worker.Scratch != "" {
		if err := removeFolder(a.worker.Scratch, job.Key); err != nil {
			return err
		}
	}
	return a.lease.Done(ctx)
}

// undo takes an attempt back that was stopped from outside, so that it is not held against the
// asset, and gives the job back.
func (a *attempt) undo(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTime)
	defer cancel()
	a.state.Status, a.state.Step, a.state.Progress = Queued, "", nil
	a.state.Attempts--
	if err := a.write(ctx); err != nil {
		return err
	}
	return a.lease.Retry(ctx, 0)
}

// refused is the result, for each order, of an asset that could not be taken the whole way.
func refused(job Job, orders []Order, err error) []Result {
	outcome := Withheld
	if KindOf(err) == Reject {
		outcome = Failed
	}
	results := make([]Result, len(job.Orders))
	for i, key := range job.Orders {
		results[i] = Result{Key: key, Outcome: outcome, Reason: ReasonFor(err), Film: job.Film}
		if i < len(orders) {
			results[i].Purpose = orders[i].Purpose
		}
	}
	return results
}

// ReasonFor says in plain words why an asset was refused. What the decoder said comes after it, for
// whoever has to find out more.
func ReasonFor(err error) string {
	for _, known := range reasons() {
		// What a checker says against a finished file is not the original's fault, whatever it calls it.
		if errors.Is(err, known.err) && !errors.Is(err, media.ErrNotScrubbed) {
			return known.words + " (" + err.Error() + ")"
		}
	}
	return "something went wrong: " + err.Error()
}

type reason struct {
	err   error
	words string
}

func reasons() []reason {
	return []reason{
		{film.ErrNoSpace, "there was no space left on the disk to work on this file"},
		{ErrCrashed, "looking at this file killed the process that did it, twice"},
		{context.DeadlineExceeded, "looking at this file took too long, twice"},
		{film.ErrStalled, "decoding or encoding this film came to a standstill, twice"},
		{film.ErrDied, "ffmpeg died of this film, twice"},
		{film.ErrNoFFmpeg, "ffmpeg is not installed"},
		{film.ErrNoVideo, "the file holds no moving picture"},
		{film.ErrNoFrames, "the film holds not a single frame"},
		{film.ErrSizeChange, "the picture changes its size in the middle of the film"},
		{film.ErrDifferent, "the finished film was not the original's in frames, times or sound"},
		{media.ErrVideo, "films of this kind are not processed"},
		{media.ErrAnimated, "animated pictures are not processed by this version"},
		{media.ErrMultiPage, "files of several pages are not processed by this version"},
		{media.ErrTooLarge, "the picture is larger than the limits allow"},
		{media.ErrDamaged, "the file is damaged"},
		{media.ErrUnsupported, "this is not a picture that can be read"},
	}
}

// GiveUp brings a job that left its queue undone to its end: withheld, for the reason given.
// A job that is finished stays as it is.
func GiveUp(ctx context.Context, states States, job Job, reason string) error {
	state, revision, err := states.Get(ctx, job.Key)
	if err != nil || state.Status == Finished {
		return err
	}
	state.Status, state.Step, state.Progress = Finished, "", nil
	state.Results = refused(job, nil, errors.New(reason))
	_, err = states.Put(ctx, job.Key, state, revision)
	return err
}
