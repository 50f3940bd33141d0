package bus

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/consentry/consentry/internal/bus/bustest"
)

// childEnv names the store folder for the child process of the kill test.
const childEnv = "CONSENTRY_BUS_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		holdLease(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// limit ends a test that hangs; nothing waits for it to pass.
func limit(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

func open(t testing.TB, o Options) *Bus {
	t.Helper()
	o.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	b, err := Open(limit(t), o)
	ok(t, err)
	t.Cleanup(func() { ok(t, b.Close()) })
	return b
}

// listening runs a server on a free port of the loopback and returns its address.
func listening(t testing.TB) string { return bustest.Serve(t, -1) }

// TestConformance holds the embedded server and one that listens to the same promises.
func TestConformance(t *testing.T) {
	suite := map[string]func(*testing.T, *Bus){
		"blob round trip":            blobRoundTrip,
		"blob of 40 MiB":             blobLarge,
		"blob altered":               blobAltered,
		"blob chunk missing":         blobChunkMissing,
		"blob deleted and put again": blobDeleted,
		"blob put by many":           blobRace,
		"blob sweep":                 blobSweep,
		"blob source changes":        blobSourceChanges,
		"job once while pending":     jobDuplicates,
		"job redelivered":            jobRedelivered,
		"job kept by heartbeat":      jobKept,
		"job retried, then dead":     jobExhausted,
		"job rejected":               jobRejected,
		"job poisonous":              jobPoisonous,
		"job not understood":         jobForeign,
		"job without advisory":       jobInvisible,
		"next ends with its context": nextEnds,
		"stale holder loses":         staleHolderLoses,
		"attempts are fenced":        attemptsFenced,
		"states":                     states,
		"records":                    records,
		"watch":                      watch,
		"erasures":                   erasures,
		"erasure cut short":          erasedHalf,
		"erasure and a writer":       erasedMeanwhile,
		"erasure by many":            erasedByMany,
		"events stay":                eventsStay,
		"second open changes nothing": func(t *testing.T, b *Bus) {
			if b.embedded == nil {
				secondOpen(t, b)
			}
		},
	}
	for name, check := range suite {
		o := Options{AckWait: time.Second, MaxDeliver: 3}
		t.Run("embedded/"+name, func(t *testing.T) {
			t.Parallel()
			o := o
			o.StoreDir = t.TempDir()
			check(t, open(t, o))
		})
		t.Run("remote/"+name, func(t *testing.T) {
			if testing.Short() {
				t.Skip("-short holds the embedded server alone to the promises")
			}
			t.Parallel()
			o := o
			o.URL = listening(t)
			check(t, open(t, o))
		})
	}
}

func TestOneStoreOneProcess(t *testing.T) {
	dir := t.TempDir()
	open(t, Options{StoreDir: dir})
	_, err := Open(limit(t), Options{StoreDir: dir})
	wantErr(t, err, ErrLocked)
}

func TestOpenAgainKeepsAll(t *testing.T) {
	ctx, dir := limit(t), filepath.Join(t.TempDir(), "a", "b")
	b := open(t, Options{StoreDir: dir})
	digest, _, err := b.Quarantine().Put(ctx, random(1, 3000))
	ok(t, err)
	st, err := b.States().Attempt(ctx, "k")
	ok(t, err)
	_, err = b.Submit(ctx, job(1))
	ok(t, err)
	ok(t, b.Close())

	b = open(t, Options{StoreDir: dir})
	ok(t, b.Quarantine().Get(ctx, digest, discard{}))
	got, err := b.States().Get(ctx, "k")
	ok(t, err)
	same(t, got, st)
	l, err := b.Next(ctx, KindImage)
	ok(t, err)
	same(t, l.Job(), job(1))
}

func TestCloseIsFinal(t *testing.T) {
	ctx := limit(t)
	b := open(t, Options{StoreDir: t.TempDir()})
	next := make(chan error)
	go func() { _, err := b.Next(ctx, KindImage); next <- err }()
	seen := make(chan error)
	go func() {
		var last error
		for c, err := range b.Register().Watch(ctx) {
			if last = err; c.CaughtUp {
				seen <- nil
			}
		}
		seen <- last
	}()
	<-seen
	ok(t, b.Close())
	ok(t, b.Close())
	wantErr(t, <-next, ErrUnavailable)
	wantErr(t, <-seen, ErrUnavailable)
	_, err := b.Submit(ctx, job(1))
	wantErr(t, err, ErrUnavailable)
	wantErr(t, b.Quarantine().Get(ctx, digestOf("x"), discard{}), ErrUnavailable)
}

func TestOpenFails(t *testing.T) {
	_, err := Open(limit(t), Options{})
	if err == nil {
		t.Error("opened without a folder or an address")
	}
	_, err = Open(limit(t), Options{URL: "nats://127.0.0.1:1"})
	wantErr(t, err, ErrUnavailable)
	file := filepath.Join(t.TempDir(), "file")
	ok(t, os.WriteFile(file, nil, 0o600))
	if _, err = Open(limit(t), Options{StoreDir: file}); err == nil {
		t.Error("opened a file as a folder")
	}
	ctx, cancel := context.WithCancel(limit(t))
	cancel()
	_, err = Open(ctx, Options{StoreDir: t.TempDir()})
	wantErr(t, err, context.Canceled)
}

func TestCheckVersion(t *testing.T) {
	for v, good := range map[string]bool{
		"2.12.5": true, "2.12.6": true, "2.15.2": true, "3.0.0": true, "v2.13.0-RC.1": true, "2.12.5+build": true,
		"2.12.5-RC.1": false, "2.12.4": false, "2.9.25": false, "1.99.99": false, "": false, "2.12": false, "2.x.5": false, "2.-1.5": false,
	} {
		if err := checkVersion(v); (err == nil) != good {
			t.Errorf("version %q: %v", v, err)
		} else if !good {
			wantErr(t, err, ErrTooOld)
		}
	}
}

// secondOpen stands for a second worker that starts with other settings.
func secondOpen(t *testing.T, b *Bus) {
	ctx := limit(t)
	_, err := b.Submit(ctx, job(1))
	ok(t, err)
	open(t, Options{URL: b.opts.URL, Slots: 2, Replicas: 3, AckWait: b.opts.AckWait, MaxDeliver: b.opts.MaxDeliver})
	c, err := b.jobs.Consumer(ctx, KindImage)
	ok(t, err)
	if got := c.CachedInfo().Config.MaxAckPending; got != b.opts.withDefaults().Slots {
		t.Errorf("slots are %d now", got)
	}
	_, err = b.Next(ctx, KindImage)
	ok(t, err)
}
