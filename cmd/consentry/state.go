package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/enrolment"
	"github.com/consentry/consentry/internal/register"
)

// openBus opens the durable state: the server given with --nats, or the one in the state's folder.
func (a *app) openBus(ctx context.Context) (*bus.Bus, error) {
	state, err := a.state()
	if err != nil {
		return nil, err
	}
	b, err := bus.Open(ctx, bus.Options{StoreDir: filepath.Join(state, natsFolder), URL: a.nats, Logger: a.log})
	if errors.Is(err, bus.ErrLocked) {
		return nil, setupError{fmt.Errorf("another consentry is at work on %s; wait until it is done: %w", state, err)}
	}
	if err != nil {
		return nil, setupError{err}
	}
	return b, nil
}

// natsFolder is where JetStream keeps its files, in the state's folder.
const natsFolder = "nats"

// withBus does what needs the durable state, and closes it.
func (a *app) withBus(ctx context.Context, do func(*bus.Bus) error) error {
	b, err := a.openBus(ctx)
	if err != nil {
		return err
	}
	return errors.Join(do(b), b.Close())
}

// withRegister does what needs the register as it is now. Templates that may not be kept any more,
// as a consent has run out since the last command or its change was cut off, are destroyed first.
func (a *app) withRegister(ctx context.Context, do func(*bus.Bus, *consent.Register) error) error {
	return a.withBus(ctx, func(b *bus.Bus) error {
		reg, err := register.New(b.Register()).Load(ctx)
		if err != nil {
			return err
		}
		if err := a.reconcile(ctx, b, reg); err != nil {
			return err
		}
		return do(b, reg)
	})
}

// reconcile destroys the templates and references of everybody who may not be enrolled any more,
// and says whose they were.
func (a *app) reconcile(ctx context.Context, b *bus.Bus, reg *consent.Register) error {
	removed, err := enrolment.Reconcile(ctx, enrolment.New(b.Gallery()), reg, time.Now())
	for _, r := range removed {
		fmt.Fprintf(a.stderr, "consentry: the templates and references of %s are destroyed: %s\n", r.Subject, r.Reason)
	}
	if err != nil {
		return fmt.Errorf("destroying templates that may not be kept any more: %w", err)
	}
	return nil
}
