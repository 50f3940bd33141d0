package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/consentry/consentry/internal/bench"
	"github.com/consentry/consentry/internal/demo"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/redact"
	"github.com/consentry/consentry/pipeline"
)

// measureFilm is the part of measureBench that concerns films.
type measureFilm struct {
	Seconds int    `default:"12" help:"Length of the film."`
	Mode    string `enum:"objectors,everyone" default:"objectors" help:"objectors (one pupil is obscured) or everyone."`
}

// Run prints the table.
func (m *measureFilm) Run(ctx context.Context, a *app) error {
	if err := a.verifyWithSamples(ctx); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "consentry-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	layout, err := demo.Prepare(a.samples(), dir)
	if err != nil {
		return err
	}
	options, err := demoJob(layout).options(a)
	if err != nil {
		return err
	}
	return m.film(ctx, a, dir, aside(options, dir))
}

// aside keeps a measured run away from the user's state.
func aside(o redact.Options, dir string) redact.Options {
	o.StateDir, o.ThrowAwayDir, o.KeyPath = "", filepath.Join(dir, "runs"), filepath.Join(dir, "clearance.key")
	return o
}

// film measures the demonstration's job on a film of its photographs.
func (m *measureFilm) film(ctx context.Context, a *app, dir string, o redact.Options) error {
	tools, err := film.FindTools()
	if err != nil {
		return setupError{err}
	}
	path := filepath.Join(dir, "play.mp4")
	frames, err := bench.MakeFilm(ctx, tools, a.samples(), path, m.Seconds)
	if err != nil {
		return err
	}
	o.Paths, o.Out, o.Mode = []string{path}, filepath.Join(dir, "film"), pipeline.Mode(m.Mode)
	costs, err := bench.MeasureFilm(ctx, tools, o, frames)
	if err != nil {
		return err
	}
	e := o.Film.Encoding
	fmt.Fprintf(a.stdout, "\nA film of 1920 × 1080 pixels with up to five faces, %s, %s, CRF %d; mode %s:\n\n", strings.ToUpper(e.Codec), e.Preset, e.CRF, m.Mode)
	return costs.Print(a.stdout)
}
