package redact

import (
	"testing"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/pipeline"
)

// A job that left its queue undone is withheld by whoever finds it, who knows no orders.
func TestGivenUpJobKeepsItsPurpose(t *testing.T) {
	w := &wanted{result: pipeline.Result{Purpose: consent.Press}, key: "k"}
	w.settle(pipeline.Result{Key: "k", Outcome: pipeline.Withheld, Reason: "given up"})
	if a := w.asset(); a.Purpose != "press" || a.Outcome != "withheld" {
		t.Errorf("reported as %+v", a)
	}
}
