package bus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/consentry/consentry/internal/pathless"
)

// Blobs is a store of contents, each addressed by the SHA-256 of its bytes in lower-case
// hexadecimal (a "digest").
type Blobs struct {
	bus    *Bus
	name   string
	store  jetstream.ObjectStore
	stream jetstream.Stream
}

// putTries is how often an upload is tried. A server that is short of buffers refuses chunks for a
// moment (nats.go#1908).
const putTries = 4

// Put stores what r gives and returns its digest and its size in bytes. What is there already is
// not written again. A reader that can seek is read twice from where it stands; any other is copied
// to a nameless temporary file first. Bytes that change between the two readings are ErrAltered; a full
// disk is ErrFull.
func (s *Blobs) Put(ctx context.Context, r io.Reader) (digest string, size int64, err error) {
	source, done, err := s.seekable(r)
	if err != nil {
		return "", 0, hidePath(s.doing("put"), err)
	}
	defer func() { err = errors.Join(err, done()) }()
	start, err := source.Seek(0, io.SeekCurrent)
	if err != nil {
		return "", 0, hidePath(s.doing("put")+": find the start", err)
	}
	h := sha256.New()
	if size, err = io.Copy(h, source); err != nil {
		return "", 0, hidePath(s.doing("put")+": read the content", err)
	}
	digest = hex.EncodeToString(h.Sum(nil))
	if err := s.putTrying(ctx, digest, size, source, start); err != nil {
		return "", 0, fmt.Errorf("%s: %w", s.doing("put"), err)
	}
	return digest, size, nil
}

func (s *Blobs) doing(what string) string { return what + " a blob in " + s.name }

func (s *Blobs) seekable(r io.Reader) (io.ReadSeeker, func() error, error) {
	if rs, ok := r.(io.ReadSeeker); ok {
		if _, err := rs.Seek(0, io.SeekCurrent); err == nil { // a pipe is an *os.File that cannot seek
			return rs, func() error { return nil }, nil
		}
	}
	f, err := s.bus.spool(r)
	if err != nil {
		return nil, nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, f.Close, nil
}

func (s *Blobs) putTrying(ctx context.Context, digest string, size int64, source io.ReadSeeker, start int64) error {
	var err error
	for try := range putTries {
		if try > 0 {
			if err := s.bus.pause(ctx, time.Duration(try)*250*time.Millisecond); err != nil {
				return err
			}
		}
		if _, err := source.Seek(start, io.SeekStart); err != nil {
			return hidePath("go back to the start", err)
		}
		if err = s.write(ctx, digest, size, source); !errors.Is(err, ErrUnavailable) || ctx.Err() != nil {
			return err
		}
		s.bus.opts.Logger.Warn("an upload failed and is tried again", "store", s.name, "error", err)
	}
	return err
}

// Get writes the blob to w. The bytes count for nothing until Get has returned nil: their digest is
// known at the end only. ErrNotFound where there is none, ErrAltered where bytes are missing or
// wrong. No deadline is needed; a server that stays silent for Options.Timeout ends it.
func (s *Blobs) Get(ctx context.Context, digest string, w io.Writer) error {
	if err := checkDigest(digest); err != nil {
		return fmt.Errorf("%s: %w", s.doing("get"), err)
	}
	h := sha256.New()
	if err := s.read(ctx, digest, io.MultiWriter(w, h)); err != nil {
		return fmt.Errorf("%s: %w", s.doing("get"), err)
	}
	if hex.EncodeToString(h.Sum(nil)) != digest {
		return fmt.Errorf("%s: %w", s.doing("get"), ErrAltered)
	}
	return nil
}

// Fetch writes the blob to a file with mode 0600, which appears under its name only when it is
// whole and right; a file of that name is replaced.
func (s *Blobs) Fetch(ctx context.Context, digest, path string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".fetch-")
	if err != nil {
		return hidePath(s.doing("fetch"), err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, hidePath(s.doing("fetch"), os.Remove(f.Name())))
		}
	}()
	if err := errors.Join(s.Get(ctx, digest, f), f.Sync(), f.Close()); err != nil {
		return hidePath(s.doing("fetch"), err)
	}
	return hidePath(s.doing("fetch"), os.Rename(f.Name(), path))
}

// hidePath keeps the cause of a file error and drops the file's name, which may be a person's.
func hidePath(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, pathless.Error(err))
}

// Has says whether the blob is there. It does not read it.
func (s *Blobs) Has(ctx context.Context, digest string) (bool, error) {
	if err := checkDigest(digest); err != nil {
		return false, fmt.Errorf("%s: %w", s.doing("look for"), err)
	}
	info, _, err := s.info(ctx, digest)
	return info != nil, err
}

// Delete removes the blob and overwrites its bytes on the server's disk; one that is not there is no
// error. (A plain delete leaves the bytes where they are: bus.md. Backups and file systems that
// copy on write still hold them; a key of its own for each asset is to come.) The entry goes first:
// one without its bytes would be taken for stored, and never stored again. Bytes without an entry,
// where the process ends in between, are left to Sweep.
func (s *Blobs) Delete(ctx context.Context, digest string) error {
	if err := checkDigest(digest); err != nil {
		return fmt.Errorf("%s: %w", s.doing("delete"), err)
	}
	info, revision, err := s.info(ctx, digest)
	if err != nil || info == nil {
		return err
	}
	gone := jetstream.ObjectInfo{ObjectMeta: jetstream.ObjectMeta{Name: digest}, Bucket: s.name, NUID: info.NUID, Deleted: true}
	if err := s.publishInfo(ctx, gone, revision); err != nil {
		return s.deletedMeanwhile(ctx, digest, fmt.Errorf("%s: %w", s.doing("delete"), err))
	}
	return wrap(s.doing("erase"), s.erase(ctx, s.chunkSubject(info.NUID)))
}

// deletedMeanwhile is err, unless somebody else has deleted the blob before us.
func (s *Blobs) deletedMeanwhile(ctx context.Context, digest string, err error) error {
	if !errors.Is(err, ErrConflict) {
		return err
	}
	if info, _, look := s.info(ctx, digest); info != nil || look != nil {
		return errors.Join(err, look)
	}
	return nil
}

// erase overwrites and removes every chunk on the subject.
func (s *Blobs) erase(ctx context.Context, subject string) error {
	for seq := uint64(1); ; seq++ {
		m, err := s.stream.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(subject))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.stream.SecureDeleteMsg(ctx, m.Sequence); err != nil {
			return err
		}
		seq = m.Sequence
	}
}
