package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/pathless"
)

// folder is a job's scratch folder, held by one worker: one that has lost its lease, and does not know it yet, must not
// write into what another is making.
type folder struct {
	path string
	lock *os.File
}

// lockEvery is how often a folder is tried that another worker holds.
const lockEvery = 100 * time.Millisecond

// holdFolder makes the job's folder below scratch, or finds it as an earlier attempt left it, and waits until no other
// worker holds it.
func holdFolder(ctx context.Context, scratch, key string) (*folder, error) {
	path, err := folderOf(scratch, key)
	if err != nil {
		return nil, err
	}
	for {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return nil, fmt.Errorf("making the scratch folder: %w", scratchError(err))
		}
		f, err := tryLock(path)
		if err != nil {
			return nil, fmt.Errorf("locking the scratch folder: %w", scratchError(err))
		}
		if f != nil {
			return f, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the scratch folder: %w", context.Cause(ctx))
		case <-time.After(lockEvery):
		}
	}
}

// folderOf is where the job's folder lies. A key that is no name would lead elsewhere.
func folderOf(scratch, key string) (string, error) {
	if scratch == "" || !filepath.IsLocal(key) || filepath.Base(key) != key || key == "." {
		return "", errors.New("there is no scratch folder for films")
	}
	return filepath.Join(scratch, key), nil
}

// tryLock is nil where another process or worker holds the folder, or has just removed it.
func tryLock(path string) (*folder, error) {
	name := filepath.Join(path, lockFile)
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(f.Close(), unlessBusy(err))
	}
	held, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if there, err := os.Stat(name); err != nil || !os.SameFile(held, there) {
		return nil, f.Close() // removed before it was locked
	}
	return &folder{path: path, lock: f}, nil
}

func unlessBusy(err error) error {
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		return nil
	}
	return err
}

// release lets others have the folder. What is in it stays.
func (f *folder) release() {
	if f != nil {
		_ = f.lock.Close() // nothing was written
	}
}

// removeFolder removes a job's folder with all that is in it.
func removeFolder(scratch, key string) error {
	path, err := folderOf(scratch, key)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("removing the scratch folder: %w", scratchError(err))
	}
	return nil
}

// TidyScratch removes what jobs left in the scratch folder that came to their end elsewhere, or were never heard of. Folders
// that a worker holds stay.
func TidyScratch(ctx context.Context, scratch string, states States) error {
	entries, err := os.ReadDir(scratch)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking into the scratch folder: %w", scratchError(err))
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		state, revision, err := states.Get(ctx, e.Name())
		if err != nil {
			return fmt.Errorf("reading the job's state: %w", err)
		}
		if revision != 0 && state.Status != Finished {
			continue
		}
		held, err := tryLock(filepath.Join(scratch, e.Name()))
		if err != nil {
			return fmt.Errorf("locking the scratch folder: %w", scratchError(err))
		}
		if held == nil {
			continue
		}
		err = removeFolder(scratch, e.Name())
		held.release()
		if err != nil {
			return err
		}
	}
	return nil
}

// scratchError takes paths out of an error, and says in film's words that the disk is full.
func scratchError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return film.ErrNoSpace
	}
	return pathless.Error(err)
}

// beatEvery is how many bytes go by between two beats: less than a second's worth on a slow disk.
const beatEvery = 32 << 20

// beating is a SHA-256 that tells now and then that it is getting on.
type beating struct {
	sum  hash.Hash
	beat func()
	n    int
}

func newBeating(beat func()) *beating { return &beating{sum: sha256.New(), beat: beat} }

// Write implements io.Writer.
func (b *beating) Write(p []byte) (int, error) {
	if b.n += len(p); b.n >= beatEvery {
		b.n = 0
		b.beat()
	}
	return b.sum.Write(p)
}

func (b *beating) hex() string { return hex.EncodeToString(b.sum.Sum(nil)) }

// beatingFile is a file that tells now and then that it is being read. It can go back.
type beatingFile struct {
	file *os.File
	beat func()
	n    int
}

var _ io.ReadSeeker = (*beatingFile)(nil)

// Read implements io.Reader.
func (b *beatingFile) Read(p []byte) (int, error) {
	n, err := b.file.Read(p)
	if b.n += n; b.n >= beatEvery {
		b.n = 0
		b.beat()
	}
	return n, err
}

// Seek implements io.Seeker.
func (b *beatingFile) Seek(offset int64, whence int) (int64, error) {
	return b.file.Seek(offset, whence)
}
