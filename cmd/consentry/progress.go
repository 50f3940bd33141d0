package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// every is how often a line is printed where there is no terminal for a bar.
const every = 10 * time.Second

// progress shows how a run gets on: a bar on a terminal, a line now and then elsewhere.
type progress struct {
	w io.Writer

	mu     sync.Mutex
	bars   *mpb.Progress // nil without a terminal
	bar    *mpb.Bar
	what   string
	spoken time.Time
	films  map[string]*filmBar // by name, those at work
}

func newProgress(w io.Writer) *progress {
	p := &progress{w: w, films: map[string]*filmBar{}}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bars = mpb.New(mpb.WithOutput(w), mpb.WithWidth(40))
	}
	return p
}

// Enrolling implements redact.Progress.
func (p *progress) Enrolling(done, total int) { p.show("references", done, total) }

// Processing implements redact.Progress.
func (p *progress) Processing(done, total int) { p.show("files", done, total) }

// Note implements redact.Progress.
func (p *progress) Note(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bars != nil {
		fmt.Fprintln(p.bars, "consentry:", text)
		return
	}
	fmt.Fprintln(p.w, "consentry:", text)
}

func (p *progress) show(what string, done, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if total == 0 {
		return
	}
	if p.bars != nil {
		p.draw(what, done, total)
		return
	}
	if p.what == what && done < total && time.Since(p.spoken) < every {
		return
	}
	p.what, p.spoken = what, time.Now()
	fmt.Fprintf(p.w, "%s: %d of %d\n", what, done, total)
}

func (p *progress) draw(what string, done, total int) {
	if p.what != what {
		p.what = what
		p.bar = p.bars.AddBar(int64(total),
			mpb.PrependDecorators(decor.Name(what+" "), decor.CountersNoUnit("%d of %d")),
			mpb.AppendDecorators(decor.Percentage()))
	}
	p.bar.SetCurrent(int64(done))
}

// finish leaves the terminal in order.
func (p *progress) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bars == nil {
		return
	}
	for _, film := range p.films {
		film.bar.Abort(true)
	}
	if p.bar != nil {
		p.bar.Abort(false)
	}
	p.bars.Wait()
}
