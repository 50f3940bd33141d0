package redact

import (
	"context"
	"os"
	"time"

	"github.com/consentry/consentry/internal/review"
)

// KeepsState says whether what the run finds out outlasts it. Only then can a person decide about
// its faces.
func (o Options) KeepsState() bool { return !o.throwsAway() }

// remember keeps how the run can be done again, once a face of it was decided, and what it knows of
// faces by now. It is told before anything is made, and at the end in any case: a run that was killed
// in between may have left derivatives. A throw-away state remembers nothing.
func (s *session) remember(ctx context.Context) error {
	if s.options.Again == nil || !s.options.KeepsState() {
		return nil
	}
	run := review.Run{
		Out: s.options.Out, Purposes: s.options.Purposes, Paths: s.options.Paths, Command: s.options.Again,
		Finished: s.finished(),
	}
	if s.options.NATSURL != "" {
		var err error
		if run.Host, err = os.Hostname(); err != nil {
			return err
		}
	}
	for _, w := range s.batch.items {
		run.Assets = append(run.Assets, w.remembered())
	}
	return review.New(s.bus.Rulings(), s.bus.Runs()).Remember(ctx, run)
}

// finished is the run's place in the order of all runs.
func (s *session) finished() time.Time {
	if !s.options.InPlaceOf.IsZero() {
		return s.options.InPlaceOf
	}
	return s.options.Now().UTC()
}

// remembered is what a person who decides needs to know of it.
func (w *wanted) remembered() review.Asset {
	reported := w.asset()
	a := review.Asset{
		Path: reported.Path, SHA256: w.digest, Purpose: w.result.Purpose, Place: w.name(),
		Faces: reported.Faces, Tracks: reported.Tracks,
	}
	for i := range a.Faces {
		a.Faces[i].DetectorScore, a.Faces[i].Region = 0, nil
	}
	for i := range a.Tracks {
		a.Tracks[i].DetectorScore, a.Tracks[i].Region = 0, nil
	}
	return a
}
