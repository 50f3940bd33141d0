package redact

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/internal/register"
	"github.com/consentry/consentry/pipeline"
)

// session is the part of a run in which the bus is up and workers work.
type session struct {
	options Options
	started time.Time
	policy  consent.Policy
	scan    *intake.Batch
	bus     *bus.Bus
	states  states
	rules   rules
	batch   *batch
	vision  []pipeline.Vision // one for each worker
	cinema  pipeline.Cinema
	key     ed25519.PrivateKey
	output  *output
	workDir string       // where films lie while they are worked on
	scratch string       // workDir, once there are films; empty before
	tidy    func() error // takes a throw-away state away

	register       *register.Store // knows what it read before, so that a change is read quickly
	enrolled       *enrolled       // who was enrolled when it was looked at last; nil before
	galleryChanged atomic.Bool     // since then
	dirty          chan error      // word that something has changed
	watchers       sync.WaitGroup

	mu   sync.Mutex
	done int
}

// run processes all that is not settled yet and returns when it is, or when the context is done.
func (s *session) run(ctx context.Context) error {
	groups := s.batch.pending()
	s.done = len(s.batch.items) - groups.count()
	s.options.Progress.Processing(s.done, len(s.batch.items))
	running, stop := context.WithCancel(ctx)
	defer stop()
	workers, workCtx := errgroup.WithContext(running)
	for _, v := range s.vision {
		workers.Go(func() error { return s.worker(v).Run(workCtx) })
	}
	if s.scratch != "" {
		workers.Go(func() error { return s.filmWorker().Run(workCtx) })
	}
	workers.Go(func() error { return s.reap(workCtx) })
	workers.Go(func() error { return s.heed(workCtx) })
	feedErr := s.feed(workCtx, groups)
	stop()
	if err := workers.Wait(); err != nil {
		return err // it is why feeding ended
	}
	if feedErr != nil {
		return feedErr // jobs under way keep their originals, for the run that goes on with them
	}
	return errors.Join(s.forgetAll(ctx), s.tidyScratch(ctx))
}

func (s *session) worker(v pipeline.Vision) *pipeline.Worker {
	return &pipeline.Worker{
		Line:        &pipeline.Line{Vision: v, Key: s.key, Now: s.options.Now},
		Jobs:        jobs{bus: s.bus, kind: bus.KindImage, ours: s.ours},
		States:      s.states,
		Originals:   s.bus.Quarantine(),
		Derivatives: s.bus.Released(),
		Orders:      s.orders,
		TimeOut:     s.options.TimeOut,
		Log:         s.options.Log,
	}
}

// filmWorker works on films, one at a time: each fills all processors by itself.
func (s *session) filmWorker() *pipeline.Worker {
	w := s.worker(nil)
	w.Line.Cinema = s.cinema
	if s.options.DebugTracks {
		w.Line.Watched = s.keepBoxes
	}
	w.Jobs = jobs{bus: s.bus, kind: bus.KindVideo, ours: s.ours}
	w.Scratch = s.scratch
	return w
}

// ours says whether a job is for this run. On a server of our own every job is: what a killed run
// left behind under other conditions has to come to its end.
func (s *session) ours(job pipeline.Job) bool {
	if s.options.NATSURL == "" {
		return true
	}
	_, err := s.orders(job)
	return err == nil
}

// orders finds the orders of a job among those of this run. A job that an earlier run left behind
// under other conditions is not done under these.
func (s *session) orders(job pipeline.Job) ([]pipeline.Order, error) {
	var found []pipeline.Order
	for _, key := range job.Orders {
		for _, o := range s.batch.orders {
			if keyOf(o, job.Asset, job.Film) == key {
				found = append(found, o)
			}
		}
	}
	if len(found) != len(job.Orders) {
		return nil, errors.New("policy, register, gallery or models have changed since the job was queued")
	}
	return found, nil
}

// reap withholds what left the queue undone.
func (s *session) reap(ctx context.Context) error {
	err := s.bus.Reap(ctx, func(ctx context.Context, d bus.DeadLetter) error {
		if d.Job == nil {
			return nil // nobody waits for it: no state bears its key
		}
		var keys []string
		if err := json.Unmarshal(d.Job.Order, &keys); err != nil {
			return nil //nolint:nilerr // likewise
		}
		return pipeline.GiveUp(ctx, s.states, forPipeline(*d.Job, d.Key, keys), "given up: "+d.Reason)
	})
	if ctx.Err() != nil {
		return nil //nolint:nilerr // it was told to stop
	}
	return err
}

// feed submits the groups: of photographs a few more at a time than there are workers, so that the
// quarantine holds a handful of originals and not the whole batch, and one film at a time.
func (s *session) feed(ctx context.Context, groups groups) error {
	photographs, films := groups.apart()
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return s.feedSome(ctx, photographs, 2*len(s.vision)) })
	both.Go(func() error { return s.feedSome(ctx, films, 1) })
	return both.Wait()
}

// feedSome keeps so many groups at a time on the bus.
func (s *session) feedSome(ctx context.Context, groups groups, atOnce int) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, group := range groups {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error { return s.one(ctx, group) })
	}
	return g.Wait()
}

// one takes one asset from its file to its derivatives. What concerns this asset alone is noted in
// its results; an error means that the bus is gone or the run was stopped.
func (s *session) one(ctx context.Context, group []*wanted) error {
	told := s.teller(group[0])
	defer told.end()
	results, err := s.results(ctx, group, told)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	told.step("putting the derivative in its place")
	for i, w := range group {
		if err != nil {
			w.fail(err)
		} else if err := s.accept(ctx, w, results[i]); err != nil {
			return err
		}
		s.count()
	}
	return s.forget(ctx, group[0].digest)
}

// accept settles with the job's result, and puts the derivative in its place. An error means that
// the run was stopped meanwhile.
func (s *session) accept(ctx context.Context, w *wanted, r pipeline.Result) error {
	if r.Outcome != pipeline.Released {
		w.settle(r)
		return nil
	}
	err := errors.Join(s.placeBoxes(w), s.output.place(ctx, w, r, s.bus.Released()))
	switch {
	case err == nil:
		w.settle(r)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default:
		w.fail(err)
	}
	return nil
}

func (s *session) count() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done++
	s.options.Progress.Processing(s.done, len(s.batch.items))
}

// results submits the job and waits for its end.
func (s *session) results(ctx context.Context, group []*wanted, told teller) ([]pipeline.Result, error) {
	told.step("taking it in")
	if err := s.quarantine(ctx, group[0]); err != nil {
		return nil, err
	}
	job, err := s.batch.job(group)
	if err != nil {
		return nil, err
	}
	if err := s.restart(ctx, job.Key()); err != nil {
		return nil, err
	}
	if _, err := s.bus.Submit(ctx, job); err != nil {
		return nil, err
	}
	state, err := s.states.await(ctx, job.Key(), told.state)
	if err != nil {
		return nil, err
	}
	return pick(state.Results, group)
}

// restart lets a job be done anew that came to nothing in an earlier run on the same state: the
// machine may have been mended since, or the time-out made longer. One that was released is found
// again, if it is still kept; one that waits for a person goes on waiting.
func (s *session) restart(ctx context.Context, key string) error {
	state, revision, err := s.states.Get(ctx, key)
	if err != nil || state.Status != pipeline.Finished {
		return err
	}
	for _, r := range state.Results {
		stale, err := s.stale(ctx, r)
		if err != nil {
			return err
		}
		if stale {
			_, err := s.states.Put(ctx, key, pipeline.State{Status: pipeline.Queued}, revision)
			return err
		}
	}
	return nil
}

func (s *session) stale(ctx context.Context, r pipeline.Result) (bool, error) {
	if r.Outcome != pipeline.Released {
		return r.Outcome != pipeline.Withheld || !waits(r), nil
	}
	kept, err := s.bus.Released().Has(ctx, r.DerivativeSHA256)
	return !kept, err
}

// waits says whether a face needs a person's decision, which no second look can give.
func waits(r pipeline.Result) bool {
	return slices.ContainsFunc(r.Faces, func(f pipeline.FaceResult) bool { return f.Outcome == consent.Review }) ||
		slices.ContainsFunc(r.Tracks, func(t pipeline.TrackResult) bool { return t.Outcome == consent.Review })
}

// pick finds each wanted result among those of the job.
func pick(results []pipeline.Result, group []*wanted) ([]pipeline.Result, error) {
	picked := make([]pipeline.Result, len(group))
	for i, w := range group {
		found := false
		for _, r := range results {
			if r.Key == w.key {
				picked[i], found = r, true
			}
		}
		if !found {
			return nil, errors.New("the job came back without the result that was asked for")
		}
	}
	return picked, nil
}

// quarantine puts the original into the object store. The bytes must still be those that were
// looked at when the run began.
func (s *session) quarantine(ctx context.Context, w *wanted) error {
	if w.film {
		if err := s.checkRoom(w); err != nil {
			return err
		}
	}
	file, err := w.input.Open()
	if err != nil {
		return fmt.Errorf("reading the file: %w", err)
	}
	defer file.Close()
	digest, _, err := s.bus.Quarantine().Put(ctx, wholeOf(ctx, file, w.input.Size))
	if err != nil {
		return fmt.Errorf("putting the file into quarantine: %w", err)
	}
	if digest != w.digest {
		return errors.New("the file changed while the run was under way")
	}
	return nil
}

// wholeOf reads so many bytes from the start, and again if need be: a reader that cannot go back
// would be copied to the disk first.
func wholeOf(ctx context.Context, r io.ReaderAt, size int64) io.Reader {
	section := io.NewSectionReader(r, 0, size)
	return struct {
		io.Reader
		io.Seeker
	}{until(ctx, section), section}
}

// forget removes the original from the bus once its derivatives are in place. (What a service
// keeps, and for how long, is its policy's matter; a run on one machine keeps nothing.)
func (s *session) forget(ctx context.Context, digest string) error {
	return gone(s.bus.Quarantine().Delete(ctx, digest))
}

// forgetAll removes, at the end of the run, the derivatives from the bus: only then is it sure that
// no two assets share one. Originals go too: a run that was killed may have left some there.
func (s *session) forgetAll(ctx context.Context) error {
	for _, w := range s.batch.items {
		if w.key == "" { // it was never taken in
			continue
		}
		if err := s.forget(ctx, w.digest); err != nil {
			return err
		}
		if err := s.forgetState(ctx, w); err != nil {
			return err
		}
		if w.result.DerivativeSHA256 == "" {
			continue
		}
		if err := gone(s.bus.Released().Delete(ctx, w.result.DerivativeSHA256)); err != nil {
			return err
		}
	}
	return nil
}

// forgetState erases what the bus knows of a job that is done: pictures for the contact sheet are in
// it. What waits for a person stays.
func (s *session) forgetState(ctx context.Context, w *wanted) error {
	job, err := s.batch.job(s.batch.of(w.digest))
	if err != nil {
		return err
	}
	state, _, err := s.states.Get(ctx, job.Key())
	if err != nil || state.Status != pipeline.Finished || slices.ContainsFunc(state.Results, waits) {
		return err
	}
	return gone(s.bus.States().Erase(ctx, job.Key()))
}

// gone is the error of a removal, unless there was nothing to remove.
func gone(err error) error {
	if err == nil || errors.Is(err, bus.ErrNotFound) {
		return nil
	}
	return fmt.Errorf("removing a file from the bus: %w", err)
}
