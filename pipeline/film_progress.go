package pipeline

import (
	"sync"
	"time"
)

// passes is how often a film is gone through: it is watched once, and screened whenever it was rendered, for each order once at least.
func passes(renderings int) int { return 1 + 2*renderings }

// pass makes the listener for one of the passes through the film.
func (l *Line) pass(number, of int) func(Frames) {
	if l.Told == nil {
		return func(Frames) {}
	}
	p := &pacer{}
	return func(f Frames) { l.Told(p.progress(number, of, f, time.Now())) }
}

// pacer measures how fast a pass goes.
type pacer struct {
	mu    sync.Mutex
	begun bool
	since time.Time // of the first word
	first int       // frames that were done then: what an earlier attempt left is found at once
}

// progress works out speed and time left from what has been done since the first word.
func (p *pacer) progress(number, of int, f Frames, now time.Time) Progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.begun {
		p.begun, p.since, p.first = true, now, f.Done
	}
	told := Progress{Pass: number, Passes: of, Done: f.Done, Total: f.Total}
	took, done := now.Sub(p.since).Seconds(), f.Done-p.first
	if took <= 0 || done <= 0 {
		return told
	}
	told.PerSecond = float64(done) / took
	told.Left = float64(max(0, f.Total-f.Done)+max(0, of-number)*f.Total) / told.PerSecond
	return told
}
