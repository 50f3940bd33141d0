package main

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/consentry/consentry/internal/redact"
	"github.com/consentry/consentry/pipeline"
)

// filmBar is a film at work.
type filmBar struct {
	bar    *mpb.Bar  // nil without a terminal
	words  words     // beside the bar
	spoken time.Time // when its last line was printed
}

// shares is how many steps a film's bar has.
const shares = 1000

// Film implements redact.Progress.
func (p *progress) Film(f redact.FilmProgress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.films[f.Name]
	switch {
	case f.Ended:
		delete(p.films, f.Name)
		if known != nil && known.bar != nil {
			known.bar.Abort(true)
		}
		return
	case known == nil:
		known = &filmBar{spoken: time.Now()}
		p.films[f.Name] = known
		if p.bars != nil {
			known.bar = p.bars.AddBar(shares, mpb.BarRemoveOnComplete(),
				mpb.PrependDecorators(decor.Any(known.words.decorate)),
				mpb.AppendDecorators(decor.Percentage()))
		}
	}
	line := f.Name + ": " + describe(f)
	switch {
	case known.bar != nil:
		known.words.set(line)
		known.bar.SetCurrent(shareDone(f.Pass))
	case time.Since(known.spoken) >= every:
		known.spoken = time.Now()
		fmt.Fprintln(p.w, line)
	}
}

// describe says how far a film is: the step, frames, speed and time left, as far as they are known.
func describe(f redact.FilmProgress) string {
	text, counted := inProgress(f.Step)
	if f.Pass == nil || !counted {
		return text
	}
	if f.Pass.Total > 0 {
		text += fmt.Sprintf(", frame %d of %d", f.Pass.Done, f.Pass.Total)
	}
	if f.Pass.PerSecond > 0 {
		text += fmt.Sprintf(", %.3g a second", f.Pass.PerSecond)
	}
	if left := time.Duration(f.Pass.Left * float64(time.Second)).Round(time.Second); left > 0 {
		text += fmt.Sprintf(", %v left", left)
	}
	return text
}

// inProgress puts the pipeline's words for the steps of a film into the user's, and says whether the step is counted in
// frames.
func inProgress(step string) (words string, counted bool) {
	switch step {
	case "":
		return "beginning", false
	case "watch":
		return "watching", true
	case "render":
		return "rendering", true
	case "screen":
		return "checking", true
	}
	return step, false
}

// shareDone is how far the film is over all passes. The last share is left for the end: mpb takes a bar
// for ended that is full.
func shareDone(p *pipeline.Progress) int64 {
	if p == nil || p.Total <= 0 || p.Passes <= 0 {
		return 0
	}
	pass := math.Min(1, float64(p.Done)/float64(p.Total))
	share := (float64(p.Pass-1) + pass) / float64(p.Passes) * shares
	return int64(math.Max(0, math.Min(share, shares-1)))
}

// words are what stands beside a bar. They are read while the bar is drawn.
type words struct {
	mu   sync.Mutex
	text string
}

func (w *words) set(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = text
}

func (w *words) decorate(decor.Statistics) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text + " "
}
