package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
)

// DeadVersion is the version of DeadLetter that this package writes and reads.
const DeadVersion = 1

// DeadLetter says that a job left its queue without having been done.
type DeadLetter struct {
	Version    int       `json:"version"`    // DeadVersion
	Kind       string    `json:"kind"`       // from the job's subject
	Key        string    `json:"key"`        // from the job's subject; equal to Job.Key where Job is there
	Job        *Job      `json:"job"`        // nil where the message could not be understood
	Reason     string    `json:"reason"`     // for a person; names neither files nor people
	Deliveries int       `json:"deliveries"` // how often it was handed out, as far as known
	Seq        uint64    `json:"seq"`        // its place in the stream JOBS
	At         time.Time `json:"at"`         // when it was given up, UTC
}

// bury writes the dead letter of a message of the queue. Repeats within an hour are dropped by the
// server; later ones do no harm, because who marks the asset does so by compare-and-set.
func (b *Bus) bury(ctx context.Context, subject string, data []byte, d DeadLetter) error {
	parts := strings.Split(subject, ".")
	if len(parts) != 3 {
		return fmt.Errorf("write a dead letter: %w: subject of a job", ErrInvalid)
	}
	d.Version, d.Kind, d.Key, d.At = DeadVersion, parts[1], parts[2], time.Now().UTC()
	if job, err := parseJob(subject, data); err == nil {
		d.Job = &job
	}
	letter, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("write a dead letter: %w", err)
	}
	id := "jobs-" + strconv.FormatUint(d.Seq, 10)
	_, err = b.js.Publish(ctx, "dead."+d.Kind+"."+d.Key, letter, jetstream.WithMsgID(id))
	return wrap("write a dead letter", err)
}

func parseDead(data []byte) (DeadLetter, error) {
	var d DeadLetter
	if err := decodeStrict(data, &d); err != nil {
		return DeadLetter{}, fmt.Errorf("%w: dead letter: %w", ErrInvalid, err)
	}
	if d.Version != DeadVersion {
		return DeadLetter{}, fmt.Errorf("%w: dead letter of version %d", ErrInvalid, d.Version)
	}
	return d, nil
}

// Reap sees to it that every job which was given up leaves a dead letter, and hands each dead
// letter to mark, which must bring the job's state to "withheld" (by compare-and-set; it may see a
// letter twice). A letter counts as handled when mark returns nil; otherwise it comes again after a
// while. Reap runs until the context ends, and returns the context's error then. Any number of
// processes may run it.
func (b *Bus) Reap(ctx context.Context, mark func(context.Context, DeadLetter) error) error {
	if err := b.reconcile(ctx); err != nil {
		return fmt.Errorf("reap: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return b.buryAdvised(ctx) })
	g.Go(func() error { return b.markDead(ctx, mark) })
	return fmt.Errorf("reap: %w", g.Wait())
}

const (
	reaper = "reaper" // durable consumer of ADVISORIES
	marker = "marker" // durable consumer of DEAD
)

// setUpReaper makes the two consumers. What a dead reaper had in hand comes again after 10 s.
func (b *Bus) setUpReaper(ctx context.Context) error {
	for name, s := range map[string]jetstream.Stream{reaper: b.advisories, marker: b.dead} {
		_, err := s.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
			Durable: name, AckPolicy: jetstream.AckExplicitPolicy, AckWait: 10 * time.Second, MaxRequestBatch: 1,
		})
		if err != nil {
			return wrap("make consumer "+name, err)
		}
	}
	return nil
}

func (b *Bus) remakeReaper(ctx context.Context) func() error {
	return func() error { return b.setUpReaper(ctx) }
}

// buryAdvised turns the server's advisories into dead letters as they come.
func (b *Bus) buryAdvised(ctx context.Context) error {
	for {
		msg, err := b.pull(ctx, b.advisories, reaper, b.remakeReaper(ctx))
		if err != nil {
			return err
		}
		if err := b.buryExhausted(ctx, msg); err != nil {
			return err
		}
	}
}

// reapAdvised does the same for those that wait already, and returns.
func (b *Bus) reapAdvised(ctx context.Context) error {
	c, err := b.advisories.Consumer(ctx, reaper)
	if err != nil {
		return wrap("look for given-up jobs", err)
	}
	for {
		batch, err := c.FetchNoWait(1)
		if err != nil {
			return wrap("look for given-up jobs", err)
		}
		msg := <-batch.Messages()
		if msg == nil {
			return wrap("look for given-up jobs", ignoreTimeout(batch.Error()))
		}
		if err := b.buryExhausted(ctx, msg); err != nil {
			return err
		}
	}
}

// advisory is what the server says about a message that was handed out too often. It says more;
// this is all that is needed.
type advisory struct {
	Stream     string `json:"stream"`
	Seq        uint64 `json:"stream_seq"`
	Deliveries int    `json:"deliveries"`
}

// parseAdvisory is not strict: the server may add fields.
func parseAdvisory(data []byte) (advisory, error) {
	var a advisory
	if err := json.Unmarshal(data, &a); err != nil {
		return advisory{}, fmt.Errorf("%w: advisory: %w", ErrInvalid, err)
	}
	if a.Stream != "JOBS" || a.Seq == 0 {
		return advisory{}, fmt.Errorf("%w: advisory about another stream", ErrInvalid)
	}
	return a, nil
}

// buryExhausted takes a message that the consumer no longer sees out of the stream: dead letter
// first, then deletion, then the acknowledgement of the advisory, so that a crash in between only
// repeats a step.
func (b *Bus) buryExhausted(ctx context.Context, msg jetstream.Msg) error {
	a, err := parseAdvisory(msg.Data())
	if err != nil {
		// Not written by the server. The reconciliation finds a job that it might be about.
		return errors.Join(wrap("drop an advisory", msg.TermWithReason(err.Error())))
	}
	job, err := b.jobs.GetMsg(ctx, a.Seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return wrap("reap a job", msg.DoubleAck(ctx)) // done or rejected meanwhile
	}
	if err != nil {
		return wrap("reap a job", err)
	}
	reason := fmt.Sprintf("given up: %d times no worker finished it or gave it back", a.Deliveries)
	d := DeadLetter{Reason: reason, Deliveries: a.Deliveries, Seq: a.Seq}
	if err := b.bury(ctx, job.Subject, job.Data, d); err != nil {
		return err
	}
	if err := b.jobs.DeleteMsg(ctx, a.Seq); err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return wrap("reap a job", err)
	}
	return wrap("reap a job", msg.DoubleAck(ctx))
}

// markDead hands dead letters on. A letter that cannot be read stops the reaper: somebody must look.
func (b *Bus) markDead(ctx context.Context, mark func(context.Context, DeadLetter) error) error {
	for {
		msg, err := b.pull(ctx, b.dead, marker, b.remakeReaper(ctx))
		if err != nil {
			return err
		}
		d, err := parseDead(msg.Data())
		if err != nil {
			return errors.Join(err, msg.Nak())
		}
		if err := mark(ctx, d); err != nil {
			b.opts.Logger.Warn("a dead letter could not be marked and will come again", "key", d.Key, "error", err)
			if err := msg.NakWithDelay(time.Second); err != nil {
				return wrap("give back a dead letter", err)
			}
			continue
		}
		if err := msg.DoubleAck(ctx); err != nil {
			return wrap("finish a dead letter", err)
		}
	}
}

// reconcile finds jobs that no consumer sees and of which no advisory tells (the server died
// between giving up and saying so), and makes the consumers anew so that they are handed out
// again. Jobs at work are then handed out a second time, which costs time and nothing else: one
// holder wins the commit.
func (b *Bus) reconcile(ctx context.Context) error {
	if err := b.reapAdvised(ctx); err != nil {
		return err
	}
	// The counts are not taken at one moment. Three in a row above zero are not chance.
	for range 3 {
		n, err := b.invisible(ctx)
		if err != nil || n <= 0 {
			return err
		}
		if err := b.pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	b.opts.Logger.Warn("jobs found that no worker could see; handing out all jobs again")
	return b.releaseJobs(ctx)
}

// invisible is how many jobs are in the stream and neither wait nor are at work.
func (b *Bus) invisible(ctx context.Context) (int64, error) {
	info, err := b.jobs.Info(ctx)
	if err != nil {
		return 0, wrap("count the jobs", err)
	}
	n := int64(info.State.Msgs)
	for _, kind := range kinds() {
		c, err := b.jobs.Consumer(ctx, kind)
		if err != nil {
			return 0, wrap("count the jobs", err)
		}
		ci := c.CachedInfo()
		n -= int64(ci.NumPending) + int64(ci.NumAckPending)
	}
	return n, nil
}
