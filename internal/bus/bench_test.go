package bus

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		bus, err := Open(limit(b), Options{StoreDir: dir})
		ok(b, err)
		b.StopTimer()
		ok(b, bus.Close())
		b.StartTimer()
	}
}

// BenchmarkJob is a job's whole way: submit, lease, attempt, commit, done.
func BenchmarkJob(b *testing.B) {
	ctx, bus := limit(b), open(b, Options{StoreDir: b.TempDir()})
	n := 0
	for b.Loop() {
		n++
		submit(b, bus, job(n), true)
		l, err := bus.Next(ctx, KindImage)
		ok(b, err)
		st, err := bus.States().Attempt(ctx, l.Job().Key())
		ok(b, err)
		_, err = bus.States().Update(ctx, st)
		ok(b, err)
		ok(b, l.Done(ctx))
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
}

// BenchmarkLease is submit, lease and acknowledgement alone.
func BenchmarkLease(b *testing.B) {
	ctx, bus := limit(b), open(b, Options{StoreDir: b.TempDir()})
	n := 0
	for b.Loop() {
		n++
		submit(b, bus, job(n), true)
		l, err := bus.Next(ctx, KindImage)
		ok(b, err)
		ok(b, l.Done(ctx))
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
}

func BenchmarkBlob(b *testing.B) {
	for _, size := range []int64{3 << 20, 40 << 20} {
		data := randomBytes(b, 9, size)
		b.Run(fmt.Sprintf("put/%dMiB", size>>20), func(b *testing.B) {
			ctx, bus := limit(b), open(b, Options{StoreDir: b.TempDir()})
			b.SetBytes(size)
			for b.Loop() {
				data[0]++ // another content each time
				_, _, err := bus.Quarantine().Put(ctx, bytes.NewReader(data))
				ok(b, err)
			}
		})
		b.Run(fmt.Sprintf("client-put/%dMiB", size>>20), func(b *testing.B) {
			ctx, bus := limit(b), open(b, Options{StoreDir: b.TempDir()})
			b.SetBytes(size)
			n := 0
			for b.Loop() {
				n++
				_, err := bus.quarantine.store.Put(ctx, jetstream.ObjectMeta{Name: fmt.Sprint(n)}, bytes.NewReader(data))
				ok(b, err)
			}
		})
		b.Run(fmt.Sprintf("get/%dMiB", size>>20), func(b *testing.B) {
			ctx, bus := limit(b), open(b, Options{StoreDir: b.TempDir()})
			digest, _, err := bus.Quarantine().Put(ctx, bytes.NewReader(data))
			ok(b, err)
			b.SetBytes(size)
			for b.Loop() {
				ok(b, bus.Quarantine().Get(ctx, digest, discard{}))
			}
		})
	}
}
