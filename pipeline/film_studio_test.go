package pipeline_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/consentry/consentry/pipeline"
)

// studio is a worker with all that it needs, in memory but for the scratch folder.
type studio struct {
	mu       sync.Mutex
	reel     *reel
	job      pipeline.Job
	original []byte
	state    pipeline.State
	written  []pipeline.State
	revision uint64
	stored   map[string][]byte

	handed, done, retried, beats int
	getErr, putErr, advanceErr   error
	scratch                      string
	altered                      bool // on the way to where derivatives are stored
	stop                         context.CancelFunc
}

const jobKey = "job-1"

func newStudio(t *testing.T, r *reel) *studio {
	t.Helper()
	original := []byte("the bytes of a film")
	digest := sha256.Sum256(original)
	s := &studio{reel: r, original: original, stored: map[string][]byte{}, scratch: t.TempDir()}
	asset := hex.EncodeToString(digest[:])
	s.job = pipeline.Job{Key: jobKey, Asset: asset, Orders: []string{newOrder(t, nil).FilmKey(asset)}, Film: true}
	return s
}

// Next implements pipeline.Jobs: the job is handed out until it is done, and then the worker is told to stop.
func (s *studio) Next(ctx context.Context) (pipeline.Lease, error) {
	if s.done > 0 || s.handed >= 5 {
		s.stop()
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	s.handed++
	return s, nil
}

func (s *studio) Job() pipeline.Job { return s.job }

func (s *studio) Advance(ctx context.Context) error {
	s.beats++
	return errors.Join(ctx.Err(), s.advanceErr)
}

func (s *studio) Done(context.Context) error { s.done++; return nil }

func (s *studio) Retry(context.Context, time.Duration) error { s.retried++; return nil }

func (s *studio) Get(ctx context.Context, digest string, w io.Writer) error {
	if s.getErr != nil {
		return s.getErr
	}
	_, err := w.Write(s.original)
	return err
}

type studioStates struct{ *studio }

func (s studioStates) Get(_ context.Context, key string) (pipeline.State, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if key != jobKey {
		return pipeline.State{}, 0, nil
	}
	return s.state, s.revision, nil
}

func (s studioStates) Put(_ context.Context, _ string, st pipeline.State, revision uint64) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if revision != s.revision {
		return 0, pipeline.ErrConflict
	}
	if s.putErr != nil && st.Status == pipeline.Finished && st.Results[0].Outcome == pipeline.Released {
		return 0, s.putErr
	}
	s.revision++
	s.state, s.written = st, append(s.written, st)
	return s.revision, nil
}

type studioFilms struct{ *studio }

func (s studioFilms) Put(_ context.Context, r io.Reader) (string, int64, error) {
	data, err := io.ReadAll(r)
	if s.altered {
		data = []byte("another film")
	}
	digest := sha256.Sum256(data)
	name := hex.EncodeToString(digest[:])
	s.stored[name] = data
	return name, int64(len(data)), err
}

func (s *studio) worker(t *testing.T) *pipeline.Worker {
	return &pipeline.Worker{
		Line: filmLine(s.reel), Jobs: s, States: studioStates{s}, Originals: s, Derivatives: studioFilms{s},
		Orders:  func(pipeline.Job) ([]pipeline.Order, error) { return []pipeline.Order{newOrder(t, nil)}, nil },
		TimeOut: time.Minute, Log: slog.New(slog.DiscardHandler), Scratch: s.scratch,
	}
}

// run lets the worker work until it is told to stop.
func (s *studio) run(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	s.stop = stop
	if err := s.worker(t).Run(ctx); err != nil {
		t.Fatal(err)
	}
}

func (s *studio) left(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(s.scratch, jobKey))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func (s *studio) result(t *testing.T) pipeline.Result {
	t.Helper()
	if s.state.Status != pipeline.Finished || len(s.state.Results) != 1 {
		t.Fatalf("%+v", s.state)
	}
	return s.state.Results[0]
}
