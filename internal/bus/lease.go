package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// pullWait is how long one request for a job stays open at the server before it is renewed.
const pullWait = 5 * time.Second

// Lease is one job in hand. It ends by Done, Retry or Reject, or by itself when Advance was not
// called for Options.AckWait; then the job goes to another worker.
//
// A lease proves nothing: its holder may be late without knowing. What the job brings about is
// committed through States.Update with the state that States.Attempt gave, and only who wins there
// calls Done. A holder who gets ErrConflict lets go of the lease without a call.
type Lease struct {
	bus        *Bus
	msg        jetstream.Msg
	job        Job
	seq        uint64
	deliveries int

	mu   sync.Mutex
	beat time.Time // when the server last heard of progress
}

// Next waits for a job of a kind and takes this one job. Jobs that cannot be understood become dead
// letters on the way. It returns the context's error when that ends, and ErrUnavailable when the
// bus was closed; a server that is away for a while is waited for.
func (b *Bus) Next(ctx context.Context, kind string) (*Lease, error) {
	if !slices.Contains(kinds(), kind) {
		return nil, fmt.Errorf("next job: %w: kind of job", ErrInvalid)
	}
	for {
		msg, err := b.pull(ctx, b.jobs, kind, func() error { return b.consumer(ctx, kind) })
		if err != nil {
			return nil, fmt.Errorf("next job: %w", err)
		}
		l, err := b.lease(ctx, msg)
		if err != nil {
			return nil, fmt.Errorf("next job: %w", err)
		}
		if l != nil {
			return l, nil
		}
	}
}

// lease makes sense of a message, or dead-letters it and returns nil.
func (b *Bus) lease(ctx context.Context, msg jetstream.Msg) (*Lease, error) {
	meta, err := msg.Metadata()
	if err != nil {
		return nil, fmt.Errorf("read the delivery's metadata: %w", err)
	}
	l := &Lease{
		bus: b, msg: msg, seq: meta.Sequence.Stream, deliveries: int(meta.NumDelivered), beat: time.Now(),
	}
	if l.job, err = parseJob(msg.Subject(), msg.Data()); err != nil {
		return nil, l.Reject(ctx, err.Error())
	}
	return l, nil
}

// Job is what is to be done.
func (l *Lease) Job() Job { return l.job }

// Deliveries says how often the server has handed out this job, 1 for the first time. After a
// restart of the embedded server it starts at 1 again; States.Attempt does not.
func (l *Lease) Deliveries() int { return l.deliveries }

// Advance says that the job has come further since the last call; call it at each step, from the
// code that does the work, never from a timer: a job that stalls must be lost. At most every
// quarter of AckWait (15 s) word goes to the server. ErrLeaseLost means that another worker may
// have the job by now: stop.
func (l *Lease) Advance(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("keep the lease: %w", err)
	}
	if l.late() {
		return fmt.Errorf("keep the lease: %w", ErrLeaseLost)
	}
	if time.Since(l.beat) < l.bus.opts.AckWait/4 {
		return nil
	}
	if err := l.msg.InProgress(); err != nil {
		return wrap("keep the lease", err)
	}
	l.beat = time.Now()
	return nil
}

// Done takes the job off the queue, after its effect was committed. It returns once the server has
// confirmed. On an error the job is handed out again, and its next holder finds the committed state.
func (l *Lease) Done(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, l.bus.opts.Timeout)
	defer cancel()
	return wrap("finish the job", l.msg.DoubleAck(ctx))
}

// Retry gives the job back, to be handed out again after the delay. Where it was handed out
// MaxDeliver times already it becomes a dead letter with this reason instead, and ErrExhausted is
// returned: the asset is withheld. ErrLeaseLost: it is not this worker's any more.
func (l *Lease) Retry(ctx context.Context, delay time.Duration, reason string) error {
	if l.deliveries >= l.bus.opts.MaxDeliver {
		reason = fmt.Sprintf("given up after %d attempts: %s", l.deliveries, reason)
		return errors.Join(fmt.Errorf("give the job back: %w", ErrExhausted), l.Reject(ctx, reason))
	}
	if err := l.held(); err != nil {
		return fmt.Errorf("give the job back: %w", err)
	}
	if err := l.msg.NakWithDelay(max(delay, 0)); err != nil {
		return wrap("give the job back", err)
	}
	return wrap("give the job back", l.bus.flush(ctx))
}

// Reject writes a dead letter and takes the job off the queue: for input that can never work.
// The reason is kept and shown; it must not name a file or a person. ErrLeaseLost: nothing was done.
func (l *Lease) Reject(ctx context.Context, reason string) error {
	if err := l.held(); err != nil {
		return fmt.Errorf("reject the job: %w", err)
	}
	d := DeadLetter{Reason: reason, Deliveries: l.deliveries, Seq: l.seq}
	if err := l.bus.bury(ctx, l.msg.Subject(), l.msg.Data(), d); err != nil {
		return err
	}
	// TermWithReason of the client does not wait for an answer; this does.
	ctx, cancel := context.WithTimeout(ctx, l.bus.opts.Timeout)
	defer cancel()
	reason = strings.Join(strings.Fields(reason), " ") // the reason ends at a line break
	_, err := l.bus.nc.RequestWithContext(ctx, l.msg.Reply(), []byte("+TERM "+reason))
	return wrap("reject the job", err)
}

func (l *Lease) held() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.late() {
		return ErrLeaseLost
	}
	return nil
}

// late is on the safe side: the server's clock for this job began a little before ours.
func (l *Lease) late() bool { return time.Since(l.beat) >= l.bus.opts.AckWait*9/10 }

func (b *Bus) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.opts.Timeout)
	defer cancel()
	return b.nc.FlushWithContext(ctx)
}

// pull takes one message from a consumer, however long that takes. A consumer that went away and
// does not come back by itself is made again by remake.
func (b *Bus) pull(ctx context.Context, s jetstream.Stream, consumer string, remake func() error) (jetstream.Msg, error) {
	for {
		msg, err := b.pullOnce(ctx, s, consumer)
		switch {
		case ctx.Err() != nil:
			if msg != nil {
				return nil, errors.Join(ctx.Err(), msg.Nak())
			}
			return nil, ctx.Err()
		case msg != nil:
			return msg, nil
		case b.nc.IsClosed() || b.nc.IsDraining():
			return nil, fmt.Errorf("%w: the bus is closed", ErrUnavailable)
		case err == nil:
			continue
		}
		b.opts.Logger.Warn("waiting for the NATS server", "error", err)
		// Whoever made the consumer anew (releaseJobs) is through with it by then. The server does
		// not bear two who make one at the same time as it is deleted.
		if err := b.pause(ctx, time.Second); err != nil {
			return nil, err
		}
		if isAny(err, jetstream.ErrConsumerDeleted, jetstream.ErrConsumerNotFound) {
			if err := remake(); err != nil {
				b.opts.Logger.Warn("a consumer is missing", "error", err)
			}
		}
	}
}

// pullOnce asks for one message. Neither a message nor an error means that none came in time.
func (b *Bus) pullOnce(ctx context.Context, s jetstream.Stream, consumer string) (jetstream.Msg, error) {
	c, err := s.Consumer(ctx, consumer)
	if err != nil {
		return nil, err
	}
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), pullWait)
	batch, err := c.Fetch(1, jetstream.FetchContext(wait))
	if err != nil {
		cancel()
		return nil, err
	}
	select {
	case msg := <-batch.Messages():
		cancel()
		return msg, ignoreTimeout(batch.Error())
	case <-b.closed:
		cancel()
		return nil, nats.ErrConnectionClosed
	case <-ctx.Done():
		b.parked.Go(func() { defer cancel(); b.giveBack(batch) })
		return nil, ctx.Err()
	}
}

// giveBack waits for the end of a request that nobody waits for any more. The client's own way to
// end it lets a job slip through that is sent at that moment; it would be out of reach for AckWait.
func (b *Bus) giveBack(batch jetstream.MessageBatch) {
	select {
	case <-b.closed:
	case msg := <-batch.Messages():
		if msg == nil {
			return
		}
		if err := msg.Nak(); err != nil {
			b.opts.Logger.Warn("a job could not be given back and will come again later", "error", err)
		}
	}
}

func ignoreTimeout(err error) error {
	if isAny(err, nats.ErrTimeout, jetstream.ErrNoMessages, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// pause waits before a server that failed is asked again.
func (b *Bus) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-b.closed:
		return fmt.Errorf("%w: the bus is closed", ErrUnavailable)
	}
}
