package redact

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
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
func Run(ctx context.Context, o Options) (Summary, error) {
	started := o.Now()
	rules, err := readRules(o)
	if err != nil {
		return Summary{}, err
	}
	scan, err := scanInputs(ctx, o)
	if err != nil {
		return Summary{}, err
	}
	key, err := clearance.LoadOrCreateKey(o.KeyPath)
	if err != nil {
		return Summary{}, &SetupError{err}
	}
	vision, closeVision := openVision(o)
	defer closeVision()
	mode, gallery, err := settle(ctx, o, rules, vision[0])
	if err != nil {
		return Summary{}, err
	}
	orders := newOrders(o, rules, mode, gallery)
	b, err := newBatch(ctx, o, scan, orders)
	if err != nil {
		return Summary{}, err
	}
	out, err := openOutput(o.Out)
	if err != nil {
		return Summary{}, &UsageError{err}
	}
	defer out.close()
	if err := b.sortEarlier(out, key.Public().(ed25519.PublicKey)); err != nil {
		return Summary{}, fmt.Errorf("looking through what earlier runs left: %w", err)
	}
	runErr := process(ctx, o, b, vision, key, out)
	if runErr != nil {
		b.interrupt(interruption(ctx, runErr))
	}
	summary, err := writeReport(context.WithoutCancel(ctx), o, b, scan, out, vision[0], started)
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
	scan, err := intake.Scan(ctx, o.Paths, o.Out, intake.Options{
		IsMedia:        media.IsMediaName,
		DerivativeName: media.NameFromName,
	})
	if err != nil {
		return nil, &UsageError{err}
	}
	return scan, nil
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

// process brings up the bus and does what is not settled yet.
func process(ctx context.Context, o Options, b *batch, vision []pipeline.Vision, key ed25519.PrivateKey, out *output) (err error) {
	if len(b.pending()) == 0 {
		return nil
	}
	dir, tidy, err := stateDir(o)
	if err != nil {
		return err
	}
	defer tidy()
	link, err := bus.Open(ctx, bus.Options{StoreDir: dir, URL: o.NATSURL, Logger: o.Log})
	if err != nil {
		return fmt.Errorf("starting the bus: %w", err)
	}
	defer func() { err = errors.Join(err, link.Close()) }()
	s := &session{
		options: o, bus: link, states: states{link.States()}, batch: b,
		vision: vision, key: key, output: out,
	}
	if err := s.run(ctx); err != nil {
		return err
	}
	return s.forgetReleased(ctx)
}

