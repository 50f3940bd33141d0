package redact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/clearance"
	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/sandbox"
	"github.com/consentry/consentry/pipeline"
)

// Run does the whole batch. A *UsageError or *SetupError means that nothing was processed. Once
// files are processed, what becomes of each is in the summary and the report, and Run fails only
// when the bus does or the report cannot be written.
func Run(ctx context.Context, o Options) (_ Summary, err error) {
	started := o.Now()
	rules, err := readRules(o)
	if err != nil {
		return Summary{}, err
	}
	scan, err := scanInputs(ctx, o)
	if err != nil {
		return Summary{}, err
	}
	vision, closeVision := openVision(o)
	defer closeVision()
	orders, err := settle(ctx, o, rules, vision[0])
	if err != nil {
		return Summary{}, err
	}
	b, err := newBatch(ctx, o, scan, orders)
	if err != nil {
		return Summary{}, err
	}
	s := &session{options: o, batch: b, vision: vision}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.open(ctx); err != nil {
		return Summary{}, &SetupError{err}
	}
	if err := s.sortEarlier(); err != nil {
		return Summary{}, fmt.Errorf("looking through what earlier runs left: %w", err)
	}
	runErr := s.run(ctx)
	if runErr != nil {
		b.interrupt(interruption(ctx, runErr))
	}
	summary, err := s.report(context.WithoutCancel(ctx), rules, scan, started)
	summary.Interrupted = ctx.Err() != nil
	if ctx.Err() != nil {
		return summary, err
	}
	return summary, errors.Join(runErr, err)
}

// interruption is the reason why an asset was not reached.
func interruption(ctx context.Context, err error) string {
	if ctx.Err() != nil {
		return "the run was interrupted before this file was done; run the same command again"
	}
	return "the run broke off before this file was done: " + err.Error()
}

func scanInputs(ctx context.Context, o Options) (*intake.Batch, error) {
	scan, err := intake.Scan(ctx, o.Paths, o.Out, intake.Options{IsMedia: media.IsMediaName})
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

// openVision prepares one child process for each worker. They start when they are needed.
func openVision(o Options) ([]pipeline.Vision, func()) {
	var vision []pipeline.Vision
	var closers []io.Closer
	for range max(1, o.Workers) {
		p := sandbox.NewProcess(o.Child, o.Log)
		vision, closers = append(vision, p), append(closers, p)
	}
	return vision, func() {
		for _, c := range closers {
			if err := c.Close(); err != nil {
				o.Log.Warn("ending a child process", "error", err)
			}
		}
	}
}

// open brings up what the session works with: key, output folder and bus.
func (s *session) open(ctx context.Context) (err error) {
	if s.key, err = clearance.LoadOrCreateKey(s.options.KeyPath); err != nil {
		return fmt.Errorf("%s: %w", s.options.KeyPath, err)
	}
	if s.output, err = openOutput(s.options.Out); err != nil {
		return &UsageError{err}
	}
	dir, tidy, err := stateDir(s.options)
	if err != nil {
		return err
	}
	s.tidy = tidy
	s.bus, err = bus.Open(ctx, busOptions(s.options, dir))
	if err != nil {
		return fmt.Errorf("starting the bus: %w", err)
	}
	s.states = states{s.bus.States()}
	if s.options.NATSURL != "" {
		return nil // somebody else may be uploading
	}
	return s.sweep(ctx)
}

// leaseSlack is what a worker may need beyond the time-out to write down how an attempt ended.
const leaseSlack = 30 * time.Second

// busOptions gives a job of a server of our own at least as long as the time-out gives it. One step
// can take most of that (inspecting several hundred heads), and nobody but this run's workers could
// take the job over: a lease that ended sooner would only have the work done twice and thrown away.
func busOptions(o Options, dir string) bus.Options {
	b := bus.Options{StoreDir: dir, URL: o.NATSURL, Logger: o.Log}
	if o.NATSURL == "" {
		b.AckWait = max(time.Minute, o.TimeOut+leaseSlack)
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
