package redact

import (
	"fmt"
	"path"
	"slices"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/intake"
)

// remind tells the user what the policy asks of those who handle the pictures, as far as this run
// touches on it. The software does not do these things for them.
func remind(o Options, p consent.Policy, scan *intake.Batch) {
	if t := p.ThirdParty; t != nil {
		for _, purpose := range o.Purposes {
			if slices.Contains(t.Purposes, purpose) {
				o.Progress.Note(fmt.Sprintf("%s: before anything goes to a third party: %s (%s)", purpose, t.Approval, t.Rule))
			}
		}
	}
	unfit := 0
	for _, file := range scan.Files {
		if !p.FolderFits(path.Dir(file.Rel)) {
			unfit++
		}
	}
	if unfit > 0 {
		o.Progress.Note(fmt.Sprintf("%d of %d files lie in folders that are not called %s (%s)",
			unfit, len(scan.Files), p.Folders.Pattern, p.Folders.Rule))
	}
}
