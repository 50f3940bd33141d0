package redact

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/internal/report"
	"github.com/consentry/consentry/pipeline"
)

// pictures are those of the contact sheet.
func (s *session) pictures(ctx context.Context) report.Pictures {
	var last *wanted // tracks are asked for film by film
	var tracks []pipeline.TrackResult
	return report.Pictures{
		Asset: func(i int) ([]byte, error) { return s.thumbnail(ctx, i) },
		Track: func(i, n int) ([]report.Picture, error) {
			w := s.batch.items[i]
			if w != last {
				pictured, err := s.pictured(ctx, w)
				if err != nil {
					return nil, err
				}
				last, tracks = w, pictured
			}
			return picturesOf(w.result.Tracks[n], tracks), nil
		},
	}
}

// KeptTracks gives the tracks of films, with their pictures, that the states of jobs keep: those of films
// that wait for a person.
func KeptTracks(ctx context.Context, b *bus.Bus, take func(pipeline.TrackResult)) error {
	return finished(ctx, b, func(_ bus.State, results []pipeline.Result) {
		for _, r := range results {
			for _, t := range r.Tracks {
				take(t)
			}
		}
	})
}

// ForgetTrack erases what the states of jobs keep of films in which this track was seen: a person has
// decided about it, so that no run goes by them any more, and bare faces are in them.
func ForgetTrack(ctx context.Context, b *bus.Bus, asset, id string) error {
	return forgetWhere(ctx, b, time.Now(), func(r pipeline.Result) bool {
		return slices.ContainsFunc(r.Tracks, func(t pipeline.TrackResult) bool { return pipeline.TrackID(asset, t.At, t.Box) == id })
	})
}

// forgetSuperseded erases what is kept of films that this run has judged anew, as the register, the gallery
// or anything else has changed since: bare faces are in it.
func (s *session) forgetSuperseded(ctx context.Context) error {
	type moment struct {
		purpose consent.Purpose
		at      time.Duration
		box     face.Box
	}
	now := map[moment]string{}
	for _, w := range s.batch.items {
		for _, t := range w.result.Tracks {
			now[moment{w.result.Purpose, t.At, t.Box}] = w.key
		}
	}
	if len(now) == 0 {
		return nil
	}
	return forgetWhere(ctx, s.bus, s.started, func(r pipeline.Result) bool {
		return slices.ContainsFunc(r.Tracks, func(t pipeline.TrackResult) bool {
			key, judged := now[moment{r.Purpose, t.At, t.Box}]
			return judged && key != r.Key
		})
	})
}

// forgetWhere erases the states of jobs with such a result that were finished before: somebody may still
// wait for what was finished since.
func forgetWhere(ctx context.Context, b *bus.Bus, before time.Time, such func(pipeline.Result) bool) error {
	var keys []string
	err := finished(ctx, b, func(st bus.State, results []pipeline.Result) {
		if st.Updated.Before(before) && slices.ContainsFunc(results, such) {
			keys = append(keys, st.Key)
		}
	})
	for _, key := range keys {
		err = errors.Join(err, gone(b.States().Erase(ctx, key)))
	}
	return err
}

// finished gives the results of each job that is done and of which the state is kept.
func finished(ctx context.Context, b *bus.Bus, take func(st bus.State, results []pipeline.Result)) error {
	for change, err := range b.States().Watch(ctx) {
		if err != nil {
			return fmt.Errorf("looking through what is kept of films: %w", err)
		}
		if change.CaughtUp {
			return nil
		}
		if change.Deleted {
			continue
		}
		state, err := fromBus(change.State)
		if err != nil {
			return fmt.Errorf("looking through what is kept of films: %w", err)
		}
		if state.Status != pipeline.Finished {
			continue
		}
		take(change.State, state.Results)
	}
	return nil
}

// pictured are the film's tracks with their pictures. Those of an earlier run are kept, if at all, in
// the state of its job.
func (s *session) pictured(ctx context.Context, w *wanted) ([]pipeline.TrackResult, error) {
	if !w.found {
		return w.result.Tracks, nil
	}
	kept, err := s.kept(ctx, w)
	return kept.Tracks, err
}

// picturesOf are those of the very track, judged as it was when they were made: of one that waits no
// more no bare picture may be taken for one of the derivative.
func picturesOf(t pipeline.TrackResult, among []pipeline.TrackResult) []report.Picture {
	var list []report.Picture
	for _, seen := range among {
		if seen.ID != t.ID || seen.At != t.At || seen.Box != t.Box || seen.Outcome != t.Outcome {
			continue
		}
		for _, p := range seen.Pictures {
			list = append(list, report.Picture{At: p.At, Bare: p.Bare, JPEG: p.JPEG})
		}
	}
	return list
}

// thumbnail is the contact sheet's picture of an item. What an earlier run released has none yet;
// it is made of the derivative in its place. What an earlier run withheld has one only where the
// state was kept.
func (s *session) thumbnail(ctx context.Context, i int) ([]byte, error) {
	if i >= len(s.batch.items) {
		return nil, nil
	}
	w := s.batch.items[i]
	if w.result.Thumbnail != nil || !w.found {
		return w.result.Thumbnail, nil
	}
	if w.result.Outcome != pipeline.Released {
		return s.keptThumbnail(ctx, w)
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.TimeOut)
	defer cancel()
	picture, err := s.thumbnailOf(ctx, w)
	if err != nil {
		s.options.Progress.Note(fmt.Sprintf("%s: the contact sheet goes without its picture: %v", intake.Display(w.input.Rel), err))
		return nil, nil //nolint:nilerr // the file itself is as it should be
	}
	return picture, nil
}

// keptThumbnail is the one that the state of the job keeps, if the job was the same.
func (s *session) keptThumbnail(ctx context.Context, w *wanted) ([]byte, error) {
	kept, err := s.kept(ctx, w)
	return kept.Thumbnail, err
}

// kept is the result that the state of the job keeps; the zero Result where it keeps none.
func (s *session) kept(ctx context.Context, w *wanted) (pipeline.Result, error) {
	job, err := s.batch.job(s.batch.of(w.digest))
	if err != nil {
		return pipeline.Result{}, err
	}
	state, _, err := s.states.Get(ctx, job.Key())
	if err != nil {
		return pipeline.Result{}, err
	}
	for _, r := range state.Results {
		if r.Key == w.key {
			return r, nil
		}
	}
	return pipeline.Result{}, nil
}

func (s *session) thumbnailOf(ctx context.Context, w *wanted) ([]byte, error) {
	if w.film {
		return s.stillOf(ctx, w)
	}
	file, err := os.ReadFile(s.output.path(w.name()))
	if err != nil {
		return nil, err
	}
	return s.vision[0].Thumbnail(ctx, file)
}

// stillOf is a picture from the middle of a film.
func (s *session) stillOf(ctx context.Context, w *wanted) ([]byte, error) {
	middle := pipeline.Still{At: seconds(w.result.Seconds / 2), Side: stillSide}
	pictures, err := s.cinema.Stills(ctx, s.output.path(w.name()), []pipeline.Still{middle})
	if err != nil {
		return nil, err
	}
	return slices.Concat(pictures...), nil
}

// stillSide is that of a photograph's thumbnail, pixels.
const stillSide = 640
