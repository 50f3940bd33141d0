package redact

import (
	"testing"
	"time"

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

// A step that is slow but within the time-out must not cost the job its lease.
func TestLeaseOutlastsTheTimeOut(t *testing.T) {
	for _, timeOut := range []time.Duration{time.Second, time.Minute, time.Hour} {
		if b := busOptions(Options{TimeOut: timeOut}, "state"); b.AckWait <= timeOut || b.AckWait < time.Minute {
			t.Errorf("time-out %v, lease %v", timeOut, b.AckWait)
		}
	}
	if b := busOptions(Options{NATSURL: "nats://x", TimeOut: time.Hour}, ""); b.AckWait != 0 {
		t.Errorf("a shared server's setting is changed to %v", b.AckWait)
	}
}
