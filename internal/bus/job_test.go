package bus

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

// job n is one of a row of different jobs.
func job(n int) Job {
	return Job{
		Version: JobVersion, Kind: KindImage, Asset: digestOf(fmt.Sprint(n)), Purposes: []string{"press", "website"},
		Order: []byte(`{"mode": "objectors", "style": "<secure-blur>"}`),
	}
}

func submit(t testing.TB, b *Bus, j Job, want bool) {
	t.Helper()
	added, err := b.Submit(limit(t), j)
	ok(t, err)
	if added != want {
		t.Fatalf("added is %v", added)
	}
}

// next takes a job that is handed out for the given time; 0 means that it does not matter, because a
// worker that went away as the job came may have taken one delivery with it.
func next(t testing.TB, b *Bus, want Job, deliveries int) *Lease {
	t.Helper()
	l, err := b.Next(limit(t), want.Kind)
	ok(t, err)
	same(t, l.Job(), want)
	if deliveries > 0 && l.Deliveries() != deliveries {
		t.Fatalf("handed out %d times, want %d", l.Deliveries(), deliveries)
	}
	return l
}

// reap runs the reaper for the length of the test and gives what it is told to mark.
func reap(t testing.TB, b *Bus) <-chan DeadLetter {
	t.Helper()
	ctx, cancel := context.WithCancel(limit(t))
	letters, ended := make(chan DeadLetter, 10), make(chan error, 1)
	failed := false
	go func() {
		ended <- b.Reap(ctx, func(_ context.Context, d DeadLetter) error {
			if !failed { // the first try fails: every letter comes again until it is marked
				failed = true
				return errors.New("the state changed")
			}
			letters <- d
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		wantErr(t, <-ended, context.Canceled)
	})
	return letters
}

// idle is a worker with nothing to do. The server gives a job up only when it is asked for the next.
func idle(t testing.TB, b *Bus) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(limit(t))
	ended := make(chan error)
	go func() { _, err := b.Next(ctx, KindImage); ended <- err }()
	return func() {
		cancel()
		wantErr(t, <-ended, context.Canceled)
	}
}

func jobDuplicates(t *testing.T, b *Bus) {
	j := job(1)
	submit(t, b, j, true)
	submit(t, b, j, false)
	l := next(t, b, j, 1)
	j.Purposes = []string{"website", "press", "press"}
	submit(t, b, j, false)
	other := job(1)
	other.Purposes = other.Purposes[:1]
	submit(t, b, other, true)
	other = job(1)
	other.Kind = KindVideo
	submit(t, b, other, true)
	ok(t, l.Done(limit(t)))
	submit(t, b, j, true)

	for _, bad := range []Job{{}, {Kind: "audio"}, {Kind: KindImage, Asset: j.Asset}, {Kind: KindImage, Asset: "a.jpg", Purposes: j.Purposes}, {Version: 2}} {
		_, err := b.Submit(limit(t), bad)
		wantErr(t, err, ErrInvalid)
	}
	_, err := b.Next(limit(t), "audio")
	wantErr(t, err, ErrInvalid)
}

func jobRedelivered(t *testing.T, b *Bus) {
	submit(t, b, job(1), true)
	next(t, b, job(1), 1)
	ok(t, next(t, b, job(1), 2).Done(limit(t)))
	submit(t, b, job(1), true)
}

// jobKept: of two jobs the one that stalls comes again twice, while the one that advances does not.
func jobKept(t *testing.T, b *Bus) {
	ctx, cancel := context.WithCancel(limit(t))
	submit(t, b, job(1), true)
	kept := next(t, b, job(1), 1)
	submit(t, b, job(2), true)
	beating := make(chan error, 1)
	go func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			if err := kept.Advance(ctx); err != nil {
				beating <- err
				return
			}
			<-tick.C
		}
	}()
	for n := range 3 {
		next(t, b, job(2), n+1)
	}
	cancel()
	wantErr(t, <-beating, context.Canceled)
	ok(t, kept.Done(limit(t)))
}

func jobExhausted(t *testing.T, b *Bus) {
	ctx, letters := limit(t), reap(t, b)
	submit(t, b, job(1), true)
	ok(t, next(t, b, job(1), 1).Retry(ctx, 0, "no memory"))
	ok(t, next(t, b, job(1), 2).Retry(ctx, 50*time.Millisecond, "no memory"))
	wantErr(t, next(t, b, job(1), 3).Retry(ctx, 0, "no memory"), ErrExhausted)
	d := <-letters
	same(t, d.Reason, "given up after 3 attempts: no memory")
	submit(t, b, job(1), true)
}

func jobRejected(t *testing.T, b *Bus) {
	submit(t, b, job(1), true)
	l := next(t, b, job(1), 1)
	ok(t, l.Reject(limit(t), "truncated\nJPEG"))
	submit(t, b, job(1), true)
	d, j := <-reap(t, b), job(1)
	same(t, d, DeadLetter{
		Version: DeadVersion, Kind: KindImage, Key: j.Key(), Job: &j, Reason: "truncated\nJPEG",
		Deliveries: 1, Seq: 1, At: d.At,
	})
}

// jobPoisonous: nobody who takes the job comes back.
func jobPoisonous(t *testing.T, b *Bus) {
	letters, j := reap(t, b), job(1)
	submit(t, b, j, true)
	for n := range b.opts.MaxDeliver {
		next(t, b, j, n+1)
	}
	stop := idle(t, b)
	d := <-letters
	stop()
	if d.Key != j.Key() || d.Job == nil || d.Deliveries < b.opts.MaxDeliver {
		t.Errorf("dead letter %+v", d)
	}
	submit(t, b, j, true)
	next(t, b, j, 0)
}

func jobForeign(t *testing.T, b *Bus) {
	ctx, letters := limit(t), reap(t, b)
	for _, data := range []string{"", "{", `{"version":2}`, `{"version":1,"file":"emma.jpg"}`} {
		_, err := b.js.Publish(ctx, "jobs.image."+digestOf(data), []byte(data))
		ok(t, err)
	}
	submit(t, b, job(1), true)
	next(t, b, job(1), 1)
	for range 4 {
		if d := <-letters; d.Job != nil || d.Kind != KindImage {
			t.Errorf("dead letter %+v", d)
		}
	}
}

// jobInvisible: the job is given up while nothing keeps the server's advisory.
func jobInvisible(t *testing.T, b *Bus) {
	ctx := limit(t)
	ok(t, b.js.DeleteStream(ctx, "ADVISORIES"))
	told, err := b.nc.SubscribeSync(adviceSubject)
	ok(t, err)
	ok(t, b.nc.Flush())
	submit(t, b, job(1), true)
	for n := range b.opts.MaxDeliver {
		next(t, b, job(1), n+1)
	}
	stop := idle(t, b)
	_, err = told.NextMsgWithContext(ctx)
	ok(t, err)
	stop()

	o := b.opts
	ok(t, b.Close())
	again := open(t, o)
	reap(t, again)
	next(t, again, job(1), 0)
}

func nextEnds(t *testing.T, b *Bus) {
	ctx, cancel := context.WithCancel(limit(t))
	ended := make(chan error)
	go func() { _, err := b.Next(ctx, KindVideo); ended <- err }()
	cancel()
	wantErr(t, <-ended, context.Canceled)
	v := job(1)
	v.Kind = KindVideo
	submit(t, b, v, true)
	next(t, b, v, 0)
}

// staleHolderLoses: a worker that was away for too long comes back after another has begun.
func staleHolderLoses(t *testing.T, b *Bus) {
	ctx, j := limit(t), job(1)
	submit(t, b, j, true)
	stale := next(t, b, j, 1)
	first, err := b.States().Attempt(ctx, j.Key())
	ok(t, err)
	fresh := next(t, b, j, 2)
	second, err := b.States().Attempt(ctx, j.Key())
	ok(t, err)

	wantErr(t, stale.Advance(ctx), ErrLeaseLost)
	wantErr(t, stale.Retry(ctx, 0, ""), ErrLeaseLost)
	wantErr(t, stale.Reject(ctx, ""), ErrLeaseLost)
	first.Phase = "stale"
	_, err = b.States().Update(ctx, first)
	wantErr(t, err, ErrConflict)
	second.Phase = "fresh"
	_, err = b.States().Update(ctx, second)
	ok(t, err)
	ok(t, fresh.Done(ctx))
	got, err := b.States().Get(ctx, j.Key())
	ok(t, err)
	if got.Phase != "fresh" || got.Attempts != 2 {
		t.Errorf("state %+v", got)
	}
}
