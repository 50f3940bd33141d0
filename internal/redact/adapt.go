package redact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/pipeline"
)

// The types here let the pipeline use the bus through the interfaces that it declares.

// jobs hands out the jobs of one kind.
type jobs struct {
	bus  *bus.Bus
	kind string
	ours func(pipeline.Job) bool // whether this run can do a job; others are left to theirs
}

// foreignDelay is when a job that is another run's is handed out again.
const foreignDelay = time.Second

// Next implements pipeline.Jobs. A job whose orders cannot be read becomes a dead letter.
func (j jobs) Next(ctx context.Context) (pipeline.Lease, error) {
	for {
		l, err := j.bus.Next(ctx, j.kind)
		if err != nil {
			return nil, err
		}
		var keys []string
		if json.Unmarshal(l.Job().Order, &keys) == nil {
			held := lease{l: l, keys: keys}
			if j.ours(held.Job()) {
				return held, nil
			}
			if err := l.Retry(ctx, foreignDelay, "another run's job"); err != nil {
				return nil, err
			}
			continue
		}
		if err := l.Reject(ctx, "the job's orders cannot be read"); err != nil {
			return nil, err
		}
	}
}

// newJob is the job for one asset and the keys of the results wanted of it.
func newJob(kind, asset string, purposes, keys []string) (bus.Job, error) {
	order, err := json.Marshal(keys)
	if err != nil {
		return bus.Job{}, fmt.Errorf("writing a job: %w", err)
	}
	return bus.Job{Version: bus.JobVersion, Kind: kind, Asset: asset, Purposes: purposes, Order: order}, nil
}

type lease struct {
	l    *bus.Lease
	keys []string
}

// Job implements pipeline.Lease.
func (l lease) Job() pipeline.Job {
	j := l.l.Job()
	return forPipeline(j, j.Key(), l.keys)
}

func forPipeline(j bus.Job, key string, orders []string) pipeline.Job {
	return pipeline.Job{Key: key, Asset: j.Asset, Orders: orders, Film: j.Kind == bus.KindVideo}
}

// Advance implements pipeline.Lease.
func (l lease) Advance(ctx context.Context) error {
	err := l.l.Advance(ctx)
	if errors.Is(err, bus.ErrLeaseLost) {
		return fmt.Errorf("%w: %w", pipeline.ErrConflict, err)
	}
	return err
}

// Done implements pipeline.Lease.
func (l lease) Done(ctx context.Context) error { return l.l.Done(ctx) }

// Retry implements pipeline.Lease.
func (l lease) Retry(ctx context.Context, delay time.Duration) error {
	return l.l.Retry(ctx, delay, "the attempt failed")
}

// states keeps pipeline.State in the bus's states.
type states struct{ states *bus.States }

// detail is what the bus does not need to understand.
type detail struct {
	Step     string             `json:"step,omitempty"`
	Progress *pipeline.Progress `json:"progress,omitempty"`
	Results  []pipeline.Result  `json:"results,omitempty"`
	Packed   []byte             `json:"packed,omitempty"` // results too large to be written as they are; see pipeline.Pack
}

// packFrom is the size of a state, bytes, from which on its results are packed: those of a photograph of 100 faces are smaller, and can
// be read by whoever looks into the bucket.
const packFrom = 64 << 10

// write is the detail as the bus keeps it.
func (d detail) write() ([]byte, error) {
	text, err := json.Marshal(d)
	if err != nil || len(text) < packFrom {
		return text, err
	}
	if d.Packed, err = pipeline.Pack(d.Results); err != nil {
		return nil, err
	}
	d.Results = nil
	return json.Marshal(d)
}

// readDetail reads what write wrote, and what was written before results were packed.
func readDetail(text []byte) (d detail, err error) {
	if err = json.Unmarshal(text, &d); err == nil && d.Packed != nil {
		d.Results, err = pipeline.Unpack(d.Packed)
	}
	return d, err
}

// Get implements pipeline.States.
func (s states) Get(ctx context.Context, key string) (pipeline.State, uint64, error) {
	st, err := s.states.Get(ctx, key)
	if errors.Is(err, bus.ErrNotFound) {
		return pipeline.State{}, 0, nil
	}
	if err != nil {
		return pipeline.State{}, 0, err
	}
	p, err := fromBus(st)
	return p, st.Revision, err
}

// Put implements pipeline.States.
func (s states) Put(ctx context.Context, key string, p pipeline.State, revision uint64) (uint64, error) {
	text, err := detail{Step: p.Step, Progress: p.Progress, Results: p.Results}.write()
	if err != nil {
		return 0, fmt.Errorf("writing a job's state: %w", err)
	}
	st := bus.State{Key: key, Phase: string(p.Status), Attempts: p.Attempts, Detail: text, Revision: revision}
	write := s.states.Update
	if revision == 0 {
		write = s.states.Create
	}
	written, err := write(ctx, st)
	if errors.Is(err, bus.ErrConflict) {
		return 0, fmt.Errorf("%w: %w", pipeline.ErrConflict, err)
	}
	return written.Revision, err
}

func fromBus(st bus.State) (pipeline.State, error) {
	var d detail
	if len(st.Detail) > 0 {
		var err error
		if d, err = readDetail(st.Detail); err != nil {
			return pipeline.State{}, fmt.Errorf("reading a job's state: %w", err)
		}
	}
	return pipeline.State{
		Status: pipeline.Status(st.Phase), Step: d.Step, Attempts: st.Attempts, Progress: d.Progress, Results: d.Results,
	}, nil
}

// await waits until the job is finished, and tells how far it is.
func (s states) await(ctx context.Context, key string, told func(pipeline.State)) (pipeline.State, error) {
	for change, err := range s.states.Watch(ctx, key) {
		if err != nil {
			return pipeline.State{}, err
		}
		if change.CaughtUp || change.Deleted {
			continue
		}
		p, err := fromBus(change.State)
		if err != nil || p.Status == pipeline.Finished {
			return p, err
		}
		told(p)
	}
	return pipeline.State{}, context.Cause(ctx)
}
