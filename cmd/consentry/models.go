package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/consentry/consentry/models"
)

type modelsCommand struct {
	Pull modelsPull `cmd:"" help:"Fetch and verify the weights."`
	List modelsList `cmd:"" help:"Show file, task, licence, source, SHA-256 and state of each."`
}

type modelsPull struct {
	Samples bool `help:"Fetch the six sample photographs of the demonstration and the tests too."`
}

// Run fetches what is missing.
func (m *modelsPull) Run(ctx context.Context, a *app) error {
	err := a.models.Pull(ctx, models.PullOptions{Samples: m.Samples, Report: func(p models.Progress) {
		fmt.Fprintf(a.stderr, "%d/%d  %s %s\n", p.Done, p.Total, p.Step, p.What)
	}})
	if err != nil {
		return setupError{err}
	}
	fmt.Fprintln(a.stderr, "all model files are in", a.models.Dir())
	return nil
}

type modelsList struct{}

// Run prints the manifest and the state of every file.
func (m *modelsList) Run(ctx context.Context, a *app) error {
	rows, err := a.models.List(ctx)
	if err != nil {
		return err
	}
	if a.json {
		return json.NewEncoder(a.stdout).Encode(rows)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "STATE\tFILE\tTASK\tLICENCE\tSOURCE\tSHA256")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.State, r.File, r.Task, r.Licence, strings.Join(r.Sources, " + "), r.SHA256)
	}
	return w.Flush()
}
