package pipeline

import (
	"math"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/track"
)

// What a view must be like to say that a face is nobody's: whatever is so small or so blurred matches nobody, though templates are
// made of it.
const (
	// describable is the size of a face in pixels below which the describers do not speak (models.md: the first one describes
	// 85 to 97 % of the faces above it).
	describable = 40
	// leastSharp, in the unit of face.Quality, is a quarter of what a reference needs. Measured on 25 faces of the sample photographs, each scaled to 40,
	// 50, 60, 80 and 100 px, compressed well and badly, and compared with itself as it was: they have 8.4 at least, nine in ten 23
	// and more. Blurred by 6 % of its size a face has 3 to 7 and scores 1.2 with itself (median), by 10 % 2.5 to 4.8 and 0.8: a stranger's scores.
	leastSharp = 5.0
	// As for references (enrolment), less light lowers the sharpness measured by its square, and not what can be recognised; below
	// fullLight that is allowed for, down to leastLight.
	fullLight, leastLight = 80.0, 30.0
)

// orNotDescribed is the match of a track of which no view is good enough to say that it is nobody: it was as good as never described. A match
// with somebody is believed from bad views too, and of a face that was never large enough no more is asked.
func orNotDescribed(m gallery.Match, t *track.Track) gallery.Match {
	if m.Band != gallery.None || largest(t) < describable {
		return m
	}
	for _, v := range t.Views {
		if telling(v.Face) {
			return m
		}
	}
	m.Reason = gallery.ReasonNotDescribed
	return m
}

// telling says whether a view is large and sharp enough to tell strangers by.
func telling(f face.Face) bool {
	light := min(1, max(leastLight, f.Quality.Brightness)/fullLight)
	sharp := f.Quality.Sharpness
	return f.Box.Size() >= describable && sharp >= leastSharp*light*light && !math.IsNaN(sharp)
}
