package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/enrolment"
	"github.com/consentry/consentry/internal/gallery"
)

type galleryCommand struct {
	Calibrate galleryCalibrate `cmd:"" help:"Measure how alike those enrolled are, and say how sure a match must be for it."`
}

type galleryCalibrate struct {
	OneIn int `placeholder:"N" help:"Allow one false confident match in so many faces from now on. Default: what was chosen last, or 10000."`
}

// Run measures the gallery, keeps the wanted rate where one is given, and says what follows.
func (g *galleryCalibrate) Run(ctx context.Context, a *app) error {
	if g.OneIn < 0 || g.OneIn == 1 {
		return usageError{fmt.Errorf("--one-in %d: at least 2", g.OneIn)}
	}
	return a.withRegister(ctx, func(b *bus.Bus, _ *consent.Register) error {
		store := enrolment.New(b.Gallery())
		target, err := g.target(ctx, store)
		if err != nil {
			return err
		}
		all, err := store.List(ctx)
		if err != nil {
			return err
		}
		references, _ := enrolment.References(all, a.models.Digest())
		c := gallery.Calibrate(references, target)
		if a.json {
			return json.NewEncoder(a.stdout).Encode(c)
		}
		for _, line := range c.Plain() {
			if _, err := fmt.Fprintln(a.stdout, line); err != nil {
				return err
			}
		}
		return nil
	})
}

func (g *galleryCalibrate) target(ctx context.Context, store *enrolment.Store) (gallery.Target, error) {
	target, chosen, err := store.Target(ctx)
	if err != nil {
		return gallery.Target{}, err
	}
	if !chosen {
		target = gallery.DefaultTarget()
	}
	if g.OneIn > 0 {
		target.FalseConfident = 1 / float64(g.OneIn)
		return target, store.SetTarget(ctx, target)
	}
	return target, nil
}
