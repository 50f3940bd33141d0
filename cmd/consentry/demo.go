package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/consentry/consentry/internal/demo"
)

type demoCommand struct {
	Dir string `arg:"" help:"Folder for the demonstration." type:"path"`
}

// Run lays out the demonstration, does the main job on it, and says where to look.
func (d *demoCommand) Run(ctx context.Context, a *app) error {
	if err := a.verifyWithSamples(ctx); err != nil {
		return err
	}
	layout, err := demo.Prepare(a.samples(), d.Dir)
	if err != nil {
		return err
	}
	if err := demo.AddFilm(ctx, a.samples(), layout); err != nil {
		return setupError{err}
	}
	job := demoJob(layout)
	fmt.Fprintf(a.stdout, `The woman in the middle of sample3.jpg is pupil %s, whose guardian has refused the website.
photographs    %s, and film.mp4, into which she comes
register       %s
reference      %s
derivatives    %s
purpose        website
mode           objectors (enrolled are pupils who may not be shown)
unknown faces  show
`, demo.Subject, layout.Event, layout.Register, filepath.Join(layout.References, demo.Subject+".jpg"), layout.Out)
	return job.Run(ctx, a)
}

// demoJob is the main job on the demonstration.
func demoJob(layout demo.Layout) *redactCommand {
	job := &redactCommand{
		Paths: []string{layout.Event}, Purpose: []string{"website"}, Out: layout.Out,
		Register: layout.Register, References: layout.References,
		Preset: "perse", Mode: "objectors", UnknownFace: "show", WhenNotEnrolled: "stop", Style: "secure-blur",
	}
	job.setDefaults()
	return job
}
