package consent_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/consentry/consentry/internal/consent"
)

// The example that the documentation points to must be one that can be imported, and say what it
// seems to say.
func TestExampleRegister(t *testing.T) {
	dir := filepath.Join("..", "..", "testdata", "register")
	subjectsFile, err := os.Open(filepath.Join(dir, "subjects.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer subjectsFile.Close()
	subjects, err := consent.ParseSubjects(subjectsFile)
	if err != nil {
		t.Fatal(err)
	}
	consentsFile, err := os.Open(filepath.Join(dir, "consents.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer consentsFile.Close()
	records, err := consent.ParseConsents(consentsFile, subjects)
	if err != nil {
		t.Fatal(err)
	}
	register, err := consent.NewRegister(1, subjects, records)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := consent.LoadPreset("break")
	if err != nil {
		t.Fatal(err)
	}
	on := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		subject string
		purpose consent.Purpose
		want    consent.Outcome
	}{
		{"4021", consent.Website, consent.Obscure},
		{"4022", consent.Website, consent.Show}, // has left, and agreed until a later day
		{"4022", consent.SocialMedia, consent.Obscure},
		{"4023", consent.Website, consent.Obscure}, // nothing said
		{"4188", consent.Prospectus, consent.Show},
	} {
		if got := consent.Decide(policy, register, test.subject, test.purpose, on); got.Outcome != test.want {
			t.Errorf("%s for %s: %s (%s), want %s", test.subject, test.purpose, got.Outcome, got.Text, test.want)
		}
	}
}
