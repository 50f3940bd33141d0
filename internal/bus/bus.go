// Package bus is the one place where NATS appears. It keeps everything durable that the product
// has: originals and derivatives (Blobs), jobs (Submit, Next, Lease), progress (States), small
// records (Bucket), the record of what happened (Publish, Replay) and dead letters (Reap).
//
// It promises:
//
//   - What a method reported as stored is on disk (embedded: fsync before the answer).
//   - A job is held until it is done or dead-lettered; at most one of the same content waits.
//   - A lease alone proves nothing. The effect of a job is committed by States.Update, which one
//     holder wins; the acknowledgement comes after it.
//   - Blob bytes are reported as read only after their SHA-256 was found right.
//   - Nothing here carries a file name: subjects and keys are digests, and error texts name
//     neither paths of media nor contents.
//
// The settings of each stream and bucket, and why, are in docs/nats.md.
package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Options say where the bus lives. Zero values mean the defaults named at each field.
type Options struct {
	// StoreDir is the folder of the embedded server. It is made if missing, with mode 0700.
	// Needed where URL is empty, ignored otherwise.
	StoreDir string
	// URL is a NATS server or cluster with JetStream ("nats://…", "tls://…", comma-separated).
	// Empty means a server inside this process that listens nowhere.
	URL string
	// Logger takes what the server and the connection have to say. Default: discard.
	Logger *slog.Logger
	// Slots is how many jobs of a kind may be at work at once, over all workers. Default 64.
	// On a shared server it is never lowered below what another worker has asked for.
	Slots int
	// Replicas is for streams that do not exist yet: 1 (default), 3 or 5.
	Replicas int
	// AckWait is how long a job may go without a heartbeat before another worker gets it.
	// Default 60 s. Heartbeats go out at most four times as often.
	AckWait time.Duration
	// MaxDeliver is how often a job is handed out before it is given up. Default 5.
	MaxDeliver int
	// Timeout bounds one request to the server, and one chunk of a blob. Default 10 s.
	Timeout time.Duration
}

func (o Options) withDefaults() Options {
	o.Slots = cmp.Or(o.Slots, 64)
	o.Replicas = cmp.Or(o.Replicas, 1)
	o.AckWait = cmp.Or(o.AckWait, time.Minute)
	o.MaxDeliver = cmp.Or(o.MaxDeliver, 5)
	o.Timeout = cmp.Or(o.Timeout, 10*time.Second)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Bus is an open connection to the state of the product. Its methods may be called from many
// goroutines.
type Bus struct {
	opts     Options
	embedded *embedded // nil with a URL
	nc       *nats.Conn
	js       jetstream.JetStream
	closed   chan struct{} // closed by the client when the connection is gone for good

	jobs, dead, events, advisories jetstream.Stream
	quarantine, released           *Blobs
	register, gallery, clearances  *Bucket
	rulings, runs                  *Bucket
	states                         *States

	parked    sync.WaitGroup // requests whose caller went away; they end with the connection
	closeOnce sync.Once
	closeErr  error
}

// Open starts or reaches the server and brings all streams, buckets and consumers into being; what
// exists is kept. It returns ErrLocked where another process uses the same StoreDir, ErrTooOld
// where the server is older than 2.12.5, and ErrUnavailable where it cannot be reached.
//
// With the embedded server nobody else can be at work, so jobs that a killed process had in hand
// are handed out again at once. The server's own delivery counter starts anew with that, which is
// why risky work is counted with States.Attempt.
func Open(ctx context.Context, o Options) (*Bus, error) {
	b := &Bus{opts: o.withDefaults(), closed: make(chan struct{})}
	if err := b.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the bus: %w", err), b.Close())
	}
	return b, nil
}

func (b *Bus) open(ctx context.Context) error {
	if err := b.connect(ctx); err != nil {
		return err
	}
	if err := checkVersion(b.nc.ConnectedServerVersion()); err != nil {
		return err
	}
	js, err := jetstream.New(b.nc,
		jetstream.WithDefaultTimeout(b.opts.Timeout),
		jetstream.WithPublishAsyncTimeout(b.opts.Timeout))
	if err != nil {
		return fmt.Errorf("set up JetStream: %w", err)
	}
	b.js = js
	return b.setUp(ctx)
}

func (b *Bus) connect(ctx context.Context) error {
	opts := []nats.Option{
		nats.Name("consentry"),
		nats.DrainTimeout(3 * time.Second),
		nats.MaxReconnects(-1),
		nats.ClosedHandler(func(*nats.Conn) { close(b.closed) }),
		nats.ErrorHandler(b.onAsyncError),
		nats.ReconnectHandler(b.onReconnect),
	}
	if b.opts.URL == "" {
		e, err := startEmbedded(ctx, b.opts)
		if err != nil {
			return err
		}
		b.embedded = e
		opts = append(opts, nats.InProcessServer(e.server))
	}
	nc, err := nats.Connect(b.opts.URL, opts...)
	if err != nil {
		return fmt.Errorf("connect to the NATS server: %w: %w", ErrUnavailable, err)
	}
	b.nc = nc
	return nil
}

// onAsyncError reports what has no caller to be returned to: a denied permission above all, which
// otherwise looks like a time-out.
func (b *Bus) onAsyncError(_ *nats.Conn, _ *nats.Subscription, err error) {
	b.opts.Logger.Error("NATS connection", "error", err)
}

// onReconnect leaves a cluster member that is too old: it could lose jobs.
func (b *Bus) onReconnect(nc *nats.Conn) {
	if err := checkVersion(nc.ConnectedServerVersion()); err != nil {
		b.opts.Logger.Error("NATS connection closed", "error", err)
		nc.Close()
	}
}

// Close lets what is under way finish for up to 3 s, stops the embedded server and frees the store.
// Calls that still wait return ErrUnavailable. It may be called again and gives the same answer.
func (b *Bus) Close() error {
	b.closeOnce.Do(func() { b.closeErr = b.close() })
	return b.closeErr
}

func (b *Bus) close() error {
	var errs []error
	if b.js != nil {
		b.js.CleanupPublisher()
	}
	if b.nc != nil && !b.nc.IsClosed() {
		if err := b.nc.Drain(); err != nil {
			b.nc.Close()
		}
		select {
		case <-b.closed:
		case <-time.After(5 * time.Second):
			b.nc.Close()
			errs = append(errs, errors.New("close the bus: the connection did not drain"))
		}
	}
	b.parked.Wait()
	if b.embedded != nil {
		errs = append(errs, b.embedded.stop())
	}
	return errors.Join(errs...)
}

// Quarantine holds originals.
func (b *Bus) Quarantine() *Blobs { return b.quarantine }

// Released holds sealed derivatives.
func (b *Bus) Released() *Blobs { return b.released }

// Register holds consent records.
func (b *Bus) Register() *Bucket { return b.register }

// Gallery holds sealed templates.
func (b *Bus) Gallery() *Bucket { return b.gallery }

// Clearances holds what may be published.
func (b *Bus) Clearances() *Bucket { return b.clearances }

// Rulings holds what people have said about single faces.
func (b *Bus) Rulings() *Bucket { return b.rulings }

// Runs holds what is known of each run.
func (b *Bus) Runs() *Bucket { return b.runs }

// States holds the progress of jobs.
func (b *Bus) States() *States { return b.states }

// spool copies r into a nameless temporary file, so that it can be read twice.
func (b *Bus) spool(r io.Reader) (_ *os.File, err error) {
	dir := "" // the system's own
	if b.embedded != nil {
		dir = filepath.Join(b.opts.StoreDir, spoolDir)
	}
	f, err := os.CreateTemp(dir, "spool-")
	if err != nil {
		return nil, hidePath("make a temporary file", err)
	}
	// Unlinked while open: a killed process leaves nothing behind.
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(hidePath("make a temporary file", err), f.Close())
	}
	if _, err := io.Copy(f, r); err != nil {
		return nil, errors.Join(hidePath("copy to a temporary file", err), f.Close())
	}
	return f, nil
}
