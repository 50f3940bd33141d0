package report

import (
	"strings"
	"testing"
)

// The sheet tells how to decide about a face only where that is possible.
func TestSheetOfARunThatIsNotKept(t *testing.T) {
	const decide, rerun, id = "consentry review decide", "run it with --state and a folder", "face 0123456789ab"
	for name, kept := range map[string]bool{"kept": true, "thrown away": false} {
		r := sample()
		r.StateKept = kept
		for i := range r.Assets {
			for k := range r.Assets[i].Faces {
				r.Assets[i].Faces[k].ID = "0123456789ab"
			}
		}
		words := text(render(t, r, Pictures{}))
		for want, there := range map[string]bool{decide: kept, id: kept, rerun: !kept} {
			if strings.Contains(words, want) != there {
				t.Errorf("%s: %q is there: %v", name, want, !there)
			}
		}
	}
}
