package look_test

import (
	"testing"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media/raster"
	"github.com/consentry/consentry/internal/sandbox/look"
	"github.com/consentry/consentry/pipeline"
)

// What the searches take for a face and the checker does not, from first to last, is none.
func TestDoubtfulFaces(t *testing.T) {
	path := squares(t, 20, "white", 100)
	for score, want := range map[float64]int{0.4: 0, 0.7: 1} {
		e := newEyes(t)
		look.Imagine(e, func(m raster.Mat) []face.Face {
			faces := white(m)
			for i := range faces {
				faces[i].Score = score
			}
			return faces
		})
		if w := watch(t, e, pipeline.Film{Path: path}); len(w.Tracks) != want {
			t.Errorf("%d tracks of a face to which all give %v, want %d", len(w.Tracks), score, want)
		}
	}
}
