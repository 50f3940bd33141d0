package pipeline

import (
	"context"
	"errors"
	"io"
	"time"
)

// ErrConflict says that somebody else has written the state since it was read: the lease is lost,
// and whatever was made under it counts for nothing.
var ErrConflict = errors.New("the job's state was written by another worker")

// Job is one asset and what is wanted of it, as it travels on the bus.
type Job struct {
	Key    string   // names the job's state: the asset's digest and the digest of its orders
	Asset  string   // SHA-256 of the original
	Orders []string // the key of each result wanted, see [Order.Key] and [Order.FilmKey]
	Film   bool     // the asset is a film; else it is a photograph
}

// Status says how far a job is.
type Status string

// The life of a job.
const (
	Queued   Status = "queued"
	Working  Status = "working"
	Finished Status = "finished"
)

// State is what is durably known of a job. Writing it with the revision that was read is the only
// commit point: an acknowledgement proves nothing (bus.md).
type State struct {
	Status   Status   `json:"status"`
	Step     string   `json:"step,omitempty"`
	Attempts int      `json:"attempts"` // begun, counted before the risky work starts
	Results  []Result `json:"results,omitempty"`
	// Progress is how far the work on a film is, written down once a second at most; nil for photographs.
	Progress *Progress `json:"progress,omitempty"`
}

// Progress is how far the work on a film is. A film is gone through several times: it is watched once, and
// rendered and screened for each order, and that again where the screening found a face.
type Progress struct {
	Pass      int     `json:"pass"`   // from 1
	Passes    int     `json:"passes"` // so many, as far as is known now
	Done      int     `json:"done"`   // frames of this pass
	Total     int     `json:"total"`  // frames of a pass, an estimate during the first
	PerSecond float64 `json:"per_second"`
	Left      float64 `json:"left"` // seconds for the rest of all passes, at the speed of this one; 0: not known yet
}

// Lease is a job that this worker holds.
type Lease interface {
	Job() Job
	// Advance renews the lease. It is called only when the job has got a step further, so that a
	// stalled one is lost.
	Advance(ctx context.Context) error
	// Done takes the job off the queue. It comes after the state is committed.
	Done(ctx context.Context) error
	// Retry gives the job back, to be delivered again after the delay.
	Retry(ctx context.Context, delay time.Duration) error
}

// Jobs hands out leases, one at a time.
type Jobs interface {
	// Next waits for a job. It returns the context's error once that is done.
	Next(ctx context.Context) (Lease, error)
}

// States keeps the states of jobs.
type States interface {
	// Get returns the state and its revision; the zero state and revision 0 where there is none.
	Get(ctx context.Context, key string) (State, uint64, error)
	// Put writes the state if its revision is still the given one (0: if there is none), and
	// returns the new revision, or an error that wraps [ErrConflict].
	Put(ctx context.Context, key string, s State, revision uint64) (uint64, error)
}

// Originals reads assets from quarantine.
type Originals interface {
	Get(ctx context.Context, digest string, w io.Writer) error
}

// Derivatives takes finished files, addressed by the SHA-256 of their bytes.
type Derivatives interface {
	Put(ctx context.Context, r io.Reader) (digest string, size int64, err error)
}
