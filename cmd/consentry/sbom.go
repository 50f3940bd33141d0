package main

import (
	"context"
	"fmt"
	"os"

	"github.com/consentry/consentry/internal/sbom"
	"github.com/consentry/consentry/models"
)

// sbomCommand is what make sbom runs.
type sbomCommand struct {
	Packages []string `arg:"" optional:"" help:"Debian packages that the binary is built with."`
}

// Run lists what this very binary was built from.
func (s *sbomCommand) Run(ctx context.Context, a *app) error {
	self, err := os.Executable()
	if err != nil {
		return setupError{fmt.Errorf("finding the program's own file: %w", err)}
	}
	rows, err := a.models.List(ctx)
	if err != nil {
		return err
	}
	var weights []sbom.Weight
	for _, r := range rows {
		if r.Group == models.Weights && !r.Optional {
			weights = append(weights, sbom.Weight{Name: string(r.Name), SHA256: r.SHA256})
		}
	}
	return sbom.Write(a.stdout, self, s.Packages, weights)
}
