package bus

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

// This file is the seam: write and read are the only two places through which the bytes of blobs
// pass. Encryption by the client (an age stream per asset) goes here: write wraps its source, read
// its target, and the digest by which a blob is known stays that of the plain bytes.
//
// The layout on the server is that of the NATS object store (ADR-20), so that its tools can list,
// read and delete. The transfer is our own, because the client's has three faults for us: it sends
// up to 4,000 chunks without waiting, which the server's buffer of 128 MiB refuses for big files
// (nats.go#1908); its reading needs one deadline for the whole file and cannot be stopped before
// it; and two uploads of the same name leave the chunks of one behind for ever.

const (
	chunkSize = 512 << 10 // bytes; at most the server's payload limit of 1 MiB
	inFlight  = 8         // chunks sent and not yet confirmed: 4 MiB for each upload
)

func (s *Blobs) metaSubject(digest string) string {
	return "$O." + s.name + ".M." + base64.URLEncoding.EncodeToString([]byte(digest))
}

func (s *Blobs) chunkSubject(id string) string { return "$O." + s.name + ".C." + id }

// info is the entry of a blob, or nil where there is none, and the sequence of the message that says
// so (0 where there never was one).
func (s *Blobs) info(ctx context.Context, digest string) (*jetstream.ObjectInfo, uint64, error) {
	m, err := s.stream.GetLastMsgForSubject(ctx, s.metaSubject(digest))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, wrap(s.doing("look for"), err)
	}
	var info jetstream.ObjectInfo
	if err := json.Unmarshal(m.Data, &info); err != nil {
		return nil, 0, fmt.Errorf("%s: %w: %w", s.doing("look for"), ErrAltered, err)
	}
	if info.Deleted {
		return nil, m.Sequence, nil
	}
	return &info, m.Sequence, nil
}

// write stores size bytes from r under their digest, unless they are there. The entry is written
// last and on the condition that nobody else wrote one, so that a blob is there wholly or not at
// all and a lost race leaves nothing behind.
func (s *Blobs) write(ctx context.Context, digest string, size int64, r io.Reader) error {
	old, revision, err := s.info(ctx, digest)
	if err != nil || old != nil {
		return err
	}
	id := nuid.Next()
	up := upload{stores: s, subject: s.chunkSubject(id), hash: sha256.New()}
	if err := up.all(ctx, r, digest, size); err != nil {
		up.settle(ctx)
		return errors.Join(err, s.drop(ctx, id))
	}
	err = s.publishInfo(ctx, up.info(s.name, digest, id), revision)
	if errors.Is(err, ErrConflict) {
		return s.lostRace(ctx, digest, id)
	}
	return err // the entry may be stored for all that, so its chunks stay: Sweep removes them if not
}

// lostRace is for when somebody else stored the same bytes meanwhile, or when our own entry was
// stored although its confirmation got lost.
func (s *Blobs) lostRace(ctx context.Context, digest, id string) error {
	info, _, err := s.info(ctx, digest)
	switch {
	case err != nil:
		return err
	case info == nil:
		return fmt.Errorf("%w: the blob was deleted while it was stored", ErrConflict)
	case info.NUID == id:
		return nil
	}
	return s.drop(ctx, id)
}

// drop removes the chunks of an upload that came to nothing.
func (s *Blobs) drop(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.bus.opts.Timeout)
	defer cancel()
	return wrap("remove an unfinished upload", s.erase(ctx, s.chunkSubject(id)))
}

// publishInfo writes the entry of a blob. It waits for the server's word even where the caller is
// told to stop, so that an entry is not taken for missing that is there.
func (s *Blobs) publishInfo(ctx context.Context, info jetstream.ObjectInfo, revision uint64) error {
	data, err := json.Marshal(info)
	if err != nil {
		return fmt.Errorf("describe the blob: %w", err)
	}
	m := nats.NewMsg(s.metaSubject(info.Name))
	m.Header.Set(jetstream.MsgRollup, jetstream.MsgRollupSubject)
	m.Data = data
	_, err = s.bus.js.PublishMsg(context.WithoutCancel(ctx), m, jetstream.WithExpectLastSequencePerSubject(revision))
	return wrap("enter the blob", err)
}

// Sweep removes the chunks of uploads that were cut short by the end of their process, and returns
// how many uploads that were. It must not run while anybody uploads: with the embedded server that
// is up to the caller, on a shared one it belongs into a maintenance window.
func (s *Blobs) Sweep(ctx context.Context) (int, error) {
	all, err := s.stream.Info(ctx, jetstream.WithSubjectFilter(s.chunkSubject("*")))
	if err != nil {
		return 0, wrap(s.doing("sweep"), err)
	}
	orphans := all.State.Subjects
	for seq := uint64(1); len(orphans) > 0; {
		m, err := s.stream.GetMsg(ctx, seq, jetstream.WithGetMsgSubject("$O."+s.name+".M.*"))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			break
		}
		if err != nil {
			return 0, wrap(s.doing("sweep"), err)
		}
		var info jetstream.ObjectInfo
		if err := json.Unmarshal(m.Data, &info); err != nil {
			return 0, fmt.Errorf("%s: %w: %w", s.doing("sweep"), ErrAltered, err)
		}
		if !info.Deleted {
			delete(orphans, s.chunkSubject(info.NUID))
		}
		seq = m.Sequence + 1
	}
	for subject := range orphans {
		if err := s.erase(ctx, subject); err != nil {
			return 0, wrap(s.doing("sweep"), err)
		}
	}
	return len(orphans), nil
}

// upload sends chunks with a bounded number unconfirmed.
type upload struct {
	stores  *Blobs
	subject string
	hash    hash.Hash
	size    int64
	chunks  uint32
	pending []jetstream.PubAckFuture
	buffers [inFlight + 1][]byte // one more than in flight: a buffer is reused after its confirmation
}

// all sends everything and makes sure that it is what was announced.
func (u *upload) all(ctx context.Context, r io.Reader, digest string, size int64) error {
	if err := u.run(ctx, r); err != nil {
		return err
	}
	if u.size != size || fmt.Sprintf("%x", u.hash.Sum(nil)) != digest {
		return fmt.Errorf("%w: the source changed while it was read", ErrAltered)
	}
	return nil
}

func (u *upload) run(ctx context.Context, r io.Reader) error {
	for {
		n, err := u.fill(r)
		if n > 0 {
			if err := u.send(ctx, n); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return hidePath("read the content", err)
		}
	}
	for len(u.pending) > 0 {
		if err := u.confirm(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (u *upload) buffer() *[]byte { return &u.buffers[u.chunks%uint32(len(u.buffers))] }

func (u *upload) fill(r io.Reader) (int, error) {
	b := u.buffer()
	if *b == nil {
		*b = make([]byte, chunkSize)
	}
	return io.ReadFull(r, *b)
}

func (u *upload) send(ctx context.Context, n int) error {
	for len(u.pending) >= inFlight {
		if err := u.confirm(ctx); err != nil {
			return err
		}
	}
	data := (*u.buffer())[:n]
	f, err := u.stores.bus.js.PublishMsgAsync(&nats.Msg{Subject: u.subject, Data: data})
	if err != nil {
		return wrap("send a chunk", err)
	}
	u.hash.Write(data)
	u.size += int64(n)
	u.chunks++
	u.pending = append(u.pending, f)
	return nil
}

// confirm waits for the oldest chunk under way.
func (u *upload) confirm(ctx context.Context) error {
	f := u.pending[0]
	u.pending = u.pending[1:]
	select {
	case <-f.Ok():
		return nil
	case err := <-f.Err():
		return wrap("send a chunk", err)
	case <-ctx.Done():
		return fmt.Errorf("send a chunk: %w", ctx.Err())
	}
}

// settle waits for what is still under way, so that no chunk arrives after the upload was dropped.
// How it ended does not matter any more.
func (u *upload) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), u.stores.bus.opts.Timeout)
	defer cancel()
	for len(u.pending) > 0 {
		_ = u.confirm(ctx)
	}
}

func (u *upload) info(bucket, digest, id string) jetstream.ObjectInfo {
	return jetstream.ObjectInfo{
		ObjectMeta: jetstream.ObjectMeta{Name: digest, Opts: &jetstream.ObjectMetaOptions{ChunkSize: chunkSize}},
		Bucket:     bucket, NUID: id, Size: uint64(u.size), Chunks: u.chunks,
		Digest: jetstream.GetObjectDigestValue(u.hash),
	}
}

// read gives the stored bytes to w, chunk by chunk, each with its own time limit. Whether they are
// right is for the caller to see.
func (s *Blobs) read(ctx context.Context, digest string, w io.Writer) error {
	info, _, err := s.info(ctx, digest)
	if err != nil {
		return err
	}
	if info == nil {
		return ErrNotFound
	}
	var size, seq uint64
	for range info.Chunks {
		m, err := s.chunk(ctx, info.NUID, seq+1)
		if err != nil {
			return err
		}
		if _, err := w.Write(m.Data); err != nil {
			return hidePath("hand on the content", err)
		}
		size, seq = size+uint64(len(m.Data)), m.Sequence
	}
	if size != info.Size {
		return fmt.Errorf("%w: size", ErrAltered)
	}
	return nil
}

// chunk is the first chunk at this place of the stream or later. A replica may lag behind the entry
// that it has just given, so a missing chunk is asked for a few times.
func (s *Blobs) chunk(ctx context.Context, id string, seq uint64) (*jetstream.RawStreamMsg, error) {
	const tries = 5
	var err error
	for range tries {
		var m *jetstream.RawStreamMsg
		m, err = s.chunkOnce(ctx, id, seq)
		if err == nil {
			return m, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err := s.bus.pause(ctx, 50*time.Millisecond); err != nil {
			return nil, err
		}
	}
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, fmt.Errorf("%w: a chunk is missing", ErrAltered)
	}
	return nil, wrap("read a chunk", err)
}

func (s *Blobs) chunkOnce(ctx context.Context, id string, seq uint64) (*jetstream.RawStreamMsg, error) {
	ctx, cancel := context.WithTimeout(ctx, s.bus.opts.Timeout)
	defer cancel()
	return s.stream.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(s.chunkSubject(id)))
}
