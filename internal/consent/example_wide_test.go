package consent_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/consent"
)

// The permissions list that the documentation points to must be one that can be imported, and say
// what it seems to say.
func TestExampleWide(t *testing.T) {
	dir := filepath.Join("..", "..", "testdata", "register-wide")
	text, err := os.ReadFile(filepath.Join(dir, "mapping.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	mapping, err := consent.ParseMapping(text)
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.Open(filepath.Join(dir, "permissions.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	file, err := consent.ParseWide(list, mapping, nil)
	if err != nil {
		t.Fatal(err)
	}
	var none *consent.Register
	register, changes, err := none.Merge(file.Onto(none), file.Records)
	if err != nil {
		t.Fatal(err)
	}
	got := [2]int{changes.Subjects.Added.Count, changes.Records.Added.Count}
	if diff := cmp.Diff([2]int{4, 13}, got); diff != "" {
		t.Error(diff)
	}
	policy, err := consent.LoadPreset("perse")
	if err != nil {
		t.Fatal(err)
	}
	on := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		subject string
		purpose consent.Purpose
		want    consent.Outcome
	}{
		{"5001", consent.Website, consent.Show},
		{"5001", consent.SocialMedia, consent.Obscure},
		{"5002", consent.SocialMedia, consent.Obscure},
		{"5003", consent.Website, consent.Obscure}, // the pupil has withdrawn
		{"5004", consent.Press, consent.Show},      // nothing said
	} {
		if got := consent.Decide(policy, register, test.subject, test.purpose, on); got.Outcome != test.want {
			t.Errorf("%s for %s: %s (%s), want %s", test.subject, test.purpose, got.Outcome, got.Text, test.want)
		}
	}
}
