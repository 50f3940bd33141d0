package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Sizes in bytes. A job, an event or a dead letter is a few hundred bytes; the limits only keep a
// mistake from filling memory.
const (
	maxJobSize    = 256 << 10
	maxEventSize  = 256 << 10
	maxDeadSize   = 300 << 10
	maxRecordSize = 768 << 10 // a record or state; below the server's payload limit of 1 MiB
)

// adviceSubject is where the server says that a job was handed out too often.
const adviceSubject = "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.JOBS.*"

// kinds are the queues. Each has one consumer, and their filters do not overlap.
func kinds() []string { return []string{KindImage, KindVideo} }

// setUp makes what is missing and brings the settings of what exists up to date.
func (b *Bus) setUp(ctx context.Context) error {
	for _, s := range b.streams() {
		var err error
		if *s.at, err = b.stream(ctx, s.config); err != nil {
			return err
		}
	}
	if err := b.setUpStores(ctx); err != nil {
		return err
	}
	if err := b.setUpReaper(ctx); err != nil {
		return err
	}
	if b.embedded != nil {
		return b.releaseJobs(ctx)
	}
	for _, kind := range kinds() {
		if err := b.consumer(ctx, kind); err != nil {
			return err
		}
	}
	return nil
}

type streamAt struct {
	at     *jetstream.Stream
	config jetstream.StreamConfig
}

func (b *Bus) streams() []streamAt {
	return []streamAt{
		{&b.jobs, jetstream.StreamConfig{
			Name: "JOBS", Subjects: []string{"jobs.*.*"}, Retention: jetstream.WorkQueuePolicy,
			MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew, DiscardNewPerSubject: true,
			MaxMsgs: 1_000_000, MaxMsgSize: maxJobSize, AllowDirect: true,
		}},
		{&b.dead, jetstream.StreamConfig{
			Name: "DEAD", Subjects: []string{"dead.*.*"}, MaxMsgs: 1_000_000, MaxMsgSize: maxDeadSize,
			Duplicates: time.Hour,
		}},
		{&b.events, jetstream.StreamConfig{
			Name: "EVENTS", Subjects: []string{"events.*"}, DenyDelete: true, DenyPurge: true,
			MaxMsgSize: maxEventSize, AllowDirect: true,
		}},
		// The server sends an advisory once. Kept in a stream it also reaches a reaper that was
		// not running.
		{&b.advisories, jetstream.StreamConfig{
			Name: "ADVISORIES", Subjects: []string{adviceSubject}, Retention: jetstream.WorkQueuePolicy,
			MaxMsgs: 1_000_000, MaxAge: 30 * 24 * time.Hour,
		}},
	}
}

// stream makes or updates a stream; the number of replicas of one that exists is its operator's.
func (b *Bus) stream(ctx context.Context, c jetstream.StreamConfig) (jetstream.Stream, error) {
	c.Storage = jetstream.FileStorage
	c.Replicas = b.opts.Replicas
	old, err := b.js.Stream(ctx, c.Name)
	switch {
	case err == nil:
		c.Replicas = old.CachedInfo().Config.Replicas
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, wrap("look for stream "+c.Name, err)
	}
	s, err := b.js.CreateOrUpdateStream(ctx, c)
	return s, wrap("make stream "+c.Name, err)
}

func (b *Bus) setUpStores(ctx context.Context) error {
	var err error
	for name, at := range map[string]**Blobs{"QUARANTINE": &b.quarantine, "RELEASED": &b.released} {
		if *at, err = b.blobs(ctx, name); err != nil {
			return err
		}
	}
	for name, at := range map[string]**Bucket{
		"REGISTER": &b.register, "GALLERY": &b.gallery, "CLEARANCES": &b.clearances, "RULINGS": &b.rulings, "RUNS": &b.runs,
	} {
		if *at, err = b.bucket(ctx, name); err != nil {
			return err
		}
	}
	states, err := b.bucket(ctx, "JOBSTATE")
	b.states = &States{bucket: states}
	return err
}

// bucket makes a key-value bucket with a history of one: what was overwritten or deleted is not
// kept. The stream is laid out as the client's own buckets are (ADR-8), but for two settings: they
// deny the deletion of single messages, which Erase needs, and they let markers stay for ever.
func (b *Bus) bucket(ctx context.Context, name string) (*Bucket, error) {
	c := jetstream.StreamConfig{
		Name: "KV_" + name, Subjects: []string{"$KV." + name + ".>"}, MaxMsgsPerSubject: 1, MaxMsgSize: maxRecordSize,
		Discard: jetstream.DiscardNew, AllowRollup: true, AllowDirect: true, AllowMsgTTL: true,
	}
	var err error
	if c.DenyDelete, err = b.deniesDelete(ctx, c.Name); err != nil {
		return nil, err
	}
	stream, err := b.stream(ctx, c)
	if err != nil {
		return nil, err
	}
	kv, err := b.js.KeyValue(ctx, name)
	if err != nil {
		return nil, wrap("open bucket "+name, err)
	}
	return &Bucket{name: name, kv: kv, js: b.js, stream: stream}, nil
}

// deniesDelete says whether a bucket exists that was made by an earlier version of this program: it
// denies the deletion of messages for good. Such a bucket is made anew where it is empty; otherwise
// it goes on as it is, and Erase fails on it.
func (b *Bus) deniesDelete(ctx context.Context, stream string) (bool, error) {
	old, err := b.js.Stream(ctx, stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return false, nil
	}
	if err != nil {
		return false, wrap("look for stream "+stream, err)
	}
	info := old.CachedInfo()
	if !info.Config.DenyDelete || info.State.Msgs > 0 {
		return info.Config.DenyDelete, nil
	}
	return false, wrap("make stream "+stream+" anew", b.js.DeleteStream(ctx, stream))
}

func (b *Bus) blobs(ctx context.Context, name string) (*Blobs, error) {
	replicas, err := b.replicas(ctx, "OBJ_"+name)
	if err != nil {
		return nil, err
	}
	store, err := b.js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{
		Bucket: name, Storage: jetstream.FileStorage, Replicas: replicas,
	})
	if err != nil {
		return nil, wrap("make object store "+name, err)
	}
	stream, err := b.js.Stream(ctx, "OBJ_"+name)
	if err != nil {
		return nil, wrap("open object store "+name, err)
	}
	return &Blobs{bus: b, name: name, store: store, stream: stream}, nil
}

// replicas is the number an existing stream has, or the one asked for.
func (b *Bus) replicas(ctx context.Context, stream string) (int, error) {
	s, err := b.js.Stream(ctx, stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return b.opts.Replicas, nil
	}
	if err != nil {
		return 0, wrap("look for stream "+stream, err)
	}
	return s.CachedInfo().Config.Replicas, nil
}

// consumer makes or updates the consumer of a kind of job.
func (b *Bus) consumer(ctx context.Context, kind string) error {
	c := jetstream.ConsumerConfig{
		Durable: kind, FilterSubject: "jobs." + kind + ".*", AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: b.opts.AckWait, MaxDeliver: b.opts.MaxDeliver, MaxAckPending: b.opts.Slots,
		// A worker takes one job when it has a hand free. With more, jobs would wait behind a long
		// one while other workers idle; the server enforces it.
		MaxRequestBatch: 1,
	}
	old, err := b.jobs.Consumer(ctx, kind)
	switch {
	case err == nil:
		c.MaxAckPending = max(c.MaxAckPending, old.CachedInfo().Config.MaxAckPending)
	case !errors.Is(err, jetstream.ErrConsumerNotFound):
		return wrap("look for consumer "+kind, err)
	}
	_, err = b.jobs.CreateOrUpdateConsumer(ctx, c)
	return wrap("make consumer "+kind, err)
}

// releaseJobs makes every job in the stream deliverable at once by making the consumers anew:
// those that a dead worker holds, and those that were given up without a dead letter. Deleting a
// consumer of a work queue deletes no message. What is already known to be exhausted is dead-
// lettered first.
func (b *Bus) releaseJobs(ctx context.Context) error {
	if err := b.reapAdvised(ctx); err != nil {
		return err
	}
	for _, kind := range kinds() {
		err := b.jobs.DeleteConsumer(ctx, kind)
		if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
			return wrap("release the jobs of a dead worker", err)
		}
		if err := b.consumer(ctx, kind); err != nil {
			return fmt.Errorf("release the jobs of a dead worker: %w", err)
		}
	}
	return nil
}
