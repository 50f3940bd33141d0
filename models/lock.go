package models

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockName is the lock file in the model directory. It stays there, empty.
const lockName = ".lock"

// lockRetry is how long to wait between two looks at a taken lock.
const lockRetry = 100 * time.Millisecond

// lockDir takes the directory's lock, waiting for its holder until the context ends; waiting is
// called once if there is one. The kernel drops the lock of a process that dies.
func lockDir(ctx context.Context, dir string, waiting func()) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock the model directory: %w", err)
	}
	for told := false; ; told = true {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil // closing unlocks
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, fmt.Errorf("lock the model directory: %w", errors.Join(err, f.Close()))
		}
		if !told {
			waiting()
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for another pull: %w", errors.Join(ctx.Err(), f.Close()))
		case <-time.After(lockRetry):
		}
	}
}
