package sandbox

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/consentry/consentry/pipeline"
)

// tellEvery is how often at most word is given of how far a call is.
const tellEvery = 200 * time.Millisecond

// teller sends word of how far a call is. It is safe for use by several goroutines; after finish
// nothing is sent.
type teller struct {
	mu   sync.Mutex
	to   *bufio.Writer
	last time.Time
	over bool
	err  error // of the first word that could not be sent
}

func (t *teller) tell(f pipeline.Frames) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || t.err != nil || time.Since(t.last) < tellEvery {
		return
	}
	t.last = time.Now()
	if t.err = writeFrame(t.to, response{Progress: &f}, nil); t.err == nil {
		t.err = t.to.Flush()
	}
}

// finish must be called before the answer is written.
func (t *teller) finish() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	return t.err
}

var (
	errNoCinema   = errors.New("this process does not look at films")
	errIncomplete = errors.New("the call lacks what it is about")
)

func answerFilm(ctx context.Context, v pipeline.Vision, call string, f filmRequest, t *teller) (r response, file []byte, err error) {
	c, ok := v.(pipeline.Cinema)
	if !ok {
		return r, nil, errNoCinema
	}
	switch {
	case call == callWatch:
		r.Watched = new(pipeline.Watched)
		*r.Watched, err = c.Watch(ctx, f.Film, f.Watch, t.tell)
		r.Templates, file = packTemplates(r.Watched.Tracks)
	case call == callRender && f.Rendering != nil:
		r.Rendered = new(pipeline.Rendered)
		*r.Rendered, err = c.Render(ctx, f.Film, *f.Rendering, t.tell)
	case call == callScreen && f.Screening != nil:
		r.Screened = new(pipeline.Screened)
		*r.Screened, err = c.Screen(ctx, f.Film, *f.Screening, t.tell)
		r.Sizes, file = joined(r.Screened.Pictures)
	case call == callStills:
		var stills [][]byte
		stills, err = c.Stills(ctx, f.Film.Path, f.Stills)
		r.Sizes, file = joined(stills)
	default:
		err = fmt.Errorf("%q: %w", call, errIncomplete)
	}
	return r, file, err
}

// joined is one body of several parts; see split.
func joined(parts [][]byte) (sizes []int, body []byte) {
	for _, p := range parts {
		sizes = append(sizes, len(p))
	}
	return sizes, bytes.Join(parts, nil)
}
