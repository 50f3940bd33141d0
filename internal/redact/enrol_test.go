package redact_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/consentry/consentry/internal/redact"
	"github.com/consentry/consentry/pipeline"
)

// A reference that no decoder gets to the end of is refused like any other that is no good.
func TestEndlessReferenceIsRefused(t *testing.T) {
	dir, o := newOptions(t)
	put(t, dir, "a.png", 64, 64)
	put(t, dir, "../references/4021.png", endless, 64)
	for name, text := range map[string]string{
		"subjects.csv": "admission_number,year_group,class,born,joined,leaves,lookalikes\n4021,7,7A,2013-02-03,2024-09-01,,\n",
		"consents.csv": "admission_number,party,purpose,decision,date,expires,recorded_by,evidence\n4021,guardian,website,refused,2025-01-01,,office,form 1\n4021,guardian,biometric,granted,2025-01-01,,office,form 1\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o.Mode, o.RegisterDir, o.ReferencesDir, o.TimeOut = pipeline.Objectors, dir, filepath.Join(dir, "references"), 200*time.Millisecond
	_, err := redact.Run(t.Context(), o)
	if usage := (*redact.UsageError)(nil); !errors.As(err, &usage) || !strings.Contains(err.Error(), "4021.png: looking at it took too long") {
		t.Errorf("%v", err)
	}
	if left := files(t, o.Out); len(left) > 0 {
		t.Errorf("made: %v", left)
	}
}
