package redact

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/clearance"
	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/register"
	"github.com/consentry/consentry/internal/sandbox"
	"github.com/consentry/consentry/pipeline"
)

// Run does the whole batch. A *UsageError or *SetupError means that nothing was processed. Once
// files are processed, what becomes of each is in the summary and the report, and Run fails only
// when the bus does or the report cannot be written.
func Run(ctx context.Context, o Options) (_ Summary, err error) {
	s := &session{options: o, started: o.Now()}
	if s.policy, err = readPolicy(o); err != nil {
		return Summary{}, err
	}
	if s.scan, err = scanInputs(ctx, o); err != nil {
		return Summary{}, err
	}
	eyes, closeEyes := openEyes(o)
	defer closeEyes()
	s.vision, s.cinema = eyes.vision, eyes.cinema
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.openBus(ctx); err != nil {
		return Summary{}, &SetupError{err}
	}
	watching, stop := context.WithCancel(ctx)
	defer s.watchers.Wait()
	defer stop()
	s.watch(watching)
	if err := s.prepare(ctx); err != nil {
		return Summary{}, err
	}
	remind(o, s.policy, s.scan)
	runErr := s.runToEnd(ctx)
	if runErr != nil {
		s.batch.interrupt(interruption(ctx, runErr))
	}
	summary, err := s.report(context.WithoutCancel(ctx))
	err = errors.Join(err, s.remember(context.WithoutCancel(ctx)))
	summary.Interrupted = ctx.Err() != nil
	if ctx.Err() != nil {
		return summary, err
	}
	return summary, errors.Join(runErr, err)
}

// prepare settles by which rules the batch is done, and what of it an earlier run did by the same.
func (s *session) prepare(ctx context.Context) error {
	rules, err := readRules(ctx, s.options, s.policy, s.bus, s.register)
	if err != nil {
		return err
	}
	orders, err := s.source().settle(ctx, s.options, rules)
	if errors.As(err, new(*unsafeError)) && s.batch == nil {
		return &UsageError{errors.Join(err, s.takeBackEarlier())}
	}
	if err != nil {
		return err
	}
	batch, err := newBatch(ctx, s.options, s.scan, orders)
	if err != nil {
		return err
	}
	if err := s.openOutput(); err != nil {
		return err
	}
	s.rules, s.batch = rules, batch
	if err := s.openScratch(ctx); err != nil {
		return err
	}
	if err := s.sortEarlier(); err != nil {
		return fmt.Errorf("looking through what earlier runs left: %w", err)
	}
	return s.remember(ctx)
}

// runToEnd runs, and runs again by the new rules where these change meanwhile.
func (s *session) runToEnd(ctx context.Context) error {
	for {
		err := s.run(ctx)
		if ctx.Err() == nil && !errors.Is(err, errRulesChanged) {
			err = errors.Join(err, s.stillHolds(ctx)) // word of the last change may have been lost with the bus
		}
		if !errors.Is(err, errRulesChanged) || ctx.Err() != nil {
			return err
		}
		s.options.Progress.Note("the register, the gallery or a decision on a face has changed: going on by what holds now")
		if err := s.prepare(ctx); err != nil {
			return errors.Join(err, s.takeBack(err))
		}
	}
}

// takeBack withholds what was released already, where the run may not go on by what holds now.
func (s *session) takeBack(why error) error {
	var errs []error
	for _, w := range s.batch.items {
		if w.settled && w.result.Outcome != pipeline.Released {
			continue
		}
		errs = append(errs, s.output.remove(w.name()))
		w.settled = true
		w.result = pipeline.Result{Purpose: w.result.Purpose, Key: w.key, Outcome: pipeline.Withheld, Reason: why.Error()}
	}
	return errors.Join(errs...)
}

// takeBackEarlier takes away what earlier runs made of the same inputs for the same purposes, where
// this one may not begin: somebody who must be obscured would not be recognised, and may stand bare
// in what was made when nobody objected. It says so, as an error.
func (s *session) takeBackEarlier() error {
	if _, err := os.Stat(s.options.Out); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := s.openOutput(); err != nil {
		return err
	}
	key := s.key.Public().(ed25519.PublicKey)
	n := 0
	for _, file := range s.scan.Files {
		for _, name := range placesOf(s.options.Purposes, file.Rel) {
			if _, err := s.output.earlier(name, key); errors.Is(err, fs.ErrNotExist) || errors.Is(err, errForeign) {
				continue
			}
			if err := s.output.remove(name); err != nil {
				return err
			}
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return fmt.Errorf("%d derivatives of earlier runs were taken out of %s, as they may show somebody who must be obscured", n, s.options.Out)
}

// interruption is the reason why an asset was not reached.
func interruption(ctx context.Context, err error) string {
	if ctx.Err() != nil {
		return "the run was interrupted before this file was done; run the same command again"
	}
	return "the run broke off before this file was done: " + err.Error()
}

func scanInputs(ctx context.Context, o Options) (*intake.Batch, error) {
	scan, err := intake.Scan(ctx, o.Paths, o.Out, intake.Options{IsMedia: media.IsMediaName, IsFilm: isTransportStream})
	if err != nil {
		return nil, &UsageError{err}
	}
	if len(scan.Files) > 0 {
		return scan, nil
	}
	problems := make([]error, len(scan.Problems))
	for i, p := range scan.Problems {
		problems[i] = p
	}
	return nil, &UsageError{fmt.Errorf("there is nothing to do: %w", errors.Join(problems...))}
}

// eyes are the child processes that look at files.
type eyes struct {
	vision []pipeline.Vision // one for each worker
	cinema pipeline.Cinema
}

// openEyes prepares the child processes. They start when they are needed.
func openEyes(o Options) (e eyes, closeAll func()) {
	var closers []io.Closer
	open := func() *sandbox.Process {
		p := sandbox.NewProcess(o.Child, o.Log)
		closers = append(closers, p)
		return p
	}
	for range max(1, o.Workers) {
		e.vision = append(e.vision, open())
	}
	e.cinema = open()
	return e, func() {
		for _, c := range closers {
			if err := c.Close(); err != nil {
				o.Log.Warn("ending a child process", "error", err)
			}
		}
	}
}

// openBus brings up the bus, on a state that stays or on one to throw away.
func (s *session) openBus(ctx context.Context) (err error) {
	dir, tidy, err := stateDir(s.options)
	if err != nil {
		return err
	}
	s.tidy, s.workDir = tidy, s.options.WorkDir
	if s.options.throwsAway() {
		s.workDir = filepath.Join(filepath.Dir(dir), "work")
	}
	s.bus, err = bus.Open(ctx, busOptions(s.options, dir))
	if err != nil {
		return fmt.Errorf("starting the bus: %w", err)
	}
	s.states, s.register = states{s.bus.States()}, register.New(s.bus.Register())
	if s.options.NATSURL != "" {
		return nil // somebody else may be uploading
	}
	return s.sweep(ctx)
}

// openOutput takes the key and the output folder, once.
func (s *session) openOutput() (err error) {
	if s.output != nil {
		return nil
	}
	if s.key, err = clearance.LoadOrCreateKey(s.options.KeyPath); err != nil {
		return &SetupError{fmt.Errorf("%s: %w", s.options.KeyPath, err)}
	}
	if s.output, err = openOutput(s.options.Out); err != nil {
		return &UsageError{err}
	}
	return nil
}

// sharedDeliveries is how often a job is handed out on a server that several runs use: each gives
// back what is another's. How often it is begun is counted by its state.
const sharedDeliveries = 100_000

// leaseSlack is what a worker may need beyond the time-out to write down how an attempt ended.
const leaseSlack = 30 * time.Second

// busOptions gives a job of a server of our own at least as long as the time-out gives it. One step
// can take most of that (inspecting several hundred heads), and nobody but this run's workers could
// take the job over: a lease that ended sooner would only have the work done twice and thrown away.
func busOptions(o Options, dir string) bus.Options {
	b := bus.Options{StoreDir: dir, URL: o.NATSURL, Logger: o.Log}
	if o.NATSURL == "" {
		b.AckWait = max(time.Minute, o.TimeOut+leaseSlack)
	} else {
		b.MaxDeliver = sharedDeliveries
	}
	return b
}

// sweep removes what cut-off uploads of a killed run left behind: parts of originals.
func (s *session) sweep(ctx context.Context) error {
	for _, b := range []*bus.Blobs{s.bus.Quarantine(), s.bus.Released()} {
		if _, err := b.Sweep(ctx); err != nil {
			return fmt.Errorf("removing cut-off uploads: %w", err)
		}
	}
	return nil
}

// close ends the bus and takes a throw-away state away.
func (s *session) close() error {
	var errs []error
	if s.bus != nil {
		errs = append(errs, s.bus.Close())
	}
	if s.tidy != nil {
		errs = append(errs, s.tidy())
	}
	if s.output != nil {
		errs = append(errs, s.output.lock.Close())
	}
	return errors.Join(errs...)
}
