package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/track"
)

// errNonsense says that the process which looks at films reports what cannot be.
var errNonsense = errors.New("what was seen contradicts itself")

// watch sees the film once. Faces are described only if an order compares them with anybody.
func (l *Line) watch(ctx context.Context, asset Asset, options FilmOptions, orders []Order) (Watched, error) {
	l.Step("watch")
	film := Film{Path: asset.Path, Part: options.Part}
	watched, err := l.Cinema.Watch(ctx, film, WatchOptions{Every: options.Every, Describe: compared(orders)}, l.pass(1, passes(len(orders))))
	if err != nil {
		return Watched{}, fmt.Errorf("watching the film: %w", err)
	}
	if err := watched.check(); err != nil {
		return Watched{}, fmt.Errorf("watching the film: %w", err)
	}
	return watched, nil
}

// check refuses what cannot be. It comes from the process that decoded a foreign file, so that its word is not
// taken for it.
func (w *Watched) check() error {
	if w.Info.Width <= 0 || w.Info.Height <= 0 || !(w.Info.Rate > 0) || math.IsInf(w.Info.Rate, 0) {
		return fmt.Errorf("%w: frames of %d × %d pixels, %v a second", errNonsense, w.Info.Width, w.Info.Height, w.Info.Rate)
	}
	if len(w.Times) == 0 || !rising(w.Times) {
		return fmt.Errorf("%w: time stamps of %d frames do not rise", errNonsense, len(w.Times))
	}
	if len(w.Shots) == 0 || w.Shots[0] != 0 || !rising(w.Shots) || w.Shots[len(w.Shots)-1] >= len(w.Times) {
		return fmt.Errorf("%w: shots do not begin one after the other", errNonsense)
	}
	last := 0
	for i := range w.Tracks {
		t := &w.Tracks[i]
		if t.ID <= last {
			return fmt.Errorf("%w: track %d comes after track %d", errNonsense, t.ID, last)
		}
		last = t.ID
		if err := w.checkTrack(t); err != nil {
			return fmt.Errorf("track %d: %w", t.ID, err)
		}
	}
	return nil
}

func (w *Watched) checkTrack(t *track.Track) error {
	if len(t.Path) == 0 || t.First() < 0 || t.Last() >= len(w.Times) || t.Shot < 0 || t.Shot >= len(w.Shots) {
		return fmt.Errorf("%w: it is not of the film", errNonsense)
	}
	for i, p := range t.Path {
		if i > 0 && p.Frame <= t.Path[i-1].Frame || !sound(p.Box) || !finite(p.Roll, p.Grow) || p.Grow < 0 {
			return fmt.Errorf("%w: position %d", errNonsense, i)
		}
	}
	for i, run := range t.Runs {
		if run[0] < t.First() || run[1] < run[0] || run[1] > t.Last() || i > 0 && run[0] <= t.Runs[i-1][1] {
			return fmt.Errorf("%w: sightings %d", errNonsense, i)
		}
	}
	if !holds(t, t.Best) || !finite(t.Score) {
		return fmt.Errorf("%w: its best view", errNonsense)
	}
	for _, v := range t.Views {
		if !holds(t, v) {
			return fmt.Errorf("%w: a view", errNonsense)
		}
	}
	return nil
}

// holds says whether the view is of a frame of the track.
func holds(t *track.Track, v track.View) bool {
	return v.Frame >= t.First() && v.Frame <= t.Last() && sound(v.Face.Box) && finite(v.Face.Score)
}

func sound(b face.Box) bool { return finite(b.X, b.Y, b.W, b.H) && b.W > 0 && b.H > 0 }

func finite(numbers ...float64) bool {
	for _, x := range numbers {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}

func rising[T int | time.Duration](list []T) bool {
	for i := 1; i < len(list); i++ {
		if list[i] <= list[i-1] {
			return false
		}
	}
	return true
}

// withoutTemplates is what was seen without what could tell one face from another: that is never
// written anywhere.
func withoutTemplates(w Watched) Watched {
	tracks := make([]track.Track, len(w.Tracks))
	for i, t := range w.Tracks {
		views := make([]track.View, len(t.Views))
		for k, v := range t.Views {
			views[k] = bareView(v)
		}
		t.Views, t.Best = views, bareView(t.Best)
		tracks[i] = t
	}
	w.Tracks = tracks
	return w
}

func bareView(v track.View) track.View {
	v.Face.Templates, v.Face.Landmarks = nil, nil
	return v
}
