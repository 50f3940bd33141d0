package look

import (
	"context"

	"github.com/consentry/consentry/internal/media/raster"
)

// aFace is the score of the patient look from which on a track is kept of which no search was certain.
const aFace = 0.5

// judgeDoubts looks patiently at tracks of which no search was certain. Of a slowly panned photograph, two tracks of seven were a sleeve
// and a corner, which the scout took for faces (0.7) on two or three of 34 frames.
func (w *watching) judgeDoubts(ctx context.Context, picture raster.Mat) error {
	for _, x := range w.builder.Doubts() {
		f, ok, err := w.eyes.films.confirm(ctx, picture, x.Box)
		if err != nil {
			return err
		}
		w.builder.Confirm(x.Track, ok && f.Score >= aFace)
	}
	return nil
}
