// Package atomicfile writes files that are either there in full or not there at all.
//
// It promises: a reader never sees half of a file under its final name, whatever happens to the
// writing process, the disk or the power; a failed write leaves nothing behind; and what is written
// below a root folder stays below it, whatever links lie in the way. Error texts name no path.
package atomicfile

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/consentry/consentry/internal/pathless"
)

// Temporary files are hidden and named so that Clean, and a folder scan, can tell them.
const (
	tempPrefix = ".consentry-"
	tempSuffix = ".tmp"
)

// Write makes the file at path from what fn writes. The folder must exist. The mode is perm less
// the process's umask. What was at path before is replaced in one step, or stays untouched where an
// error comes back; a symbolic link there is replaced and not followed.
func Write(path string, perm fs.FileMode, fn func(io.Writer) error) error {
	dir, name := filepath.Split(filepath.Clean(path))
	if dir == "" {
		dir = "."
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("opening the folder to write into: %w", pathless.Error(err))
	}
	defer root.Close()
	return write(root, name, perm, fn)
}

// WriteUnder is Write for the file rel below root, making the folders between with mode 0755 less
// the umask. A rel that leaves the root, by dots or by links on the way, is refused.
func WriteUnder(root, rel string, perm fs.FileMode, fn func(io.Writer) error) error {
	rel = filepath.FromSlash(rel)
	if !filepath.IsLocal(rel) || filepath.Clean(rel) == "." {
		return errors.New("the file would lie outside of the output folder")
	}
	top, err := os.OpenRoot(root)
	if err != nil {
		return fmt.Errorf("opening the output folder: %w", pathless.Error(err))
	}
	defer top.Close()
	dir, name := filepath.Split(filepath.Clean(rel))
	if err := makeFolders(top, filepath.Clean(dir)); err != nil {
		return err
	}
	sub, err := top.OpenRoot(filepath.Clean(dir))
	if err != nil {
		return fmt.Errorf("opening a folder below the output folder: %w", pathless.Error(err))
	}
	defer sub.Close()
	return write(sub, name, perm, fn)
}

// makeFolders makes dir below root and, where it was missing, syncs each folder on the way, so that
// a power failure does not take the new file away with its folder.
func makeFolders(root *os.Root, dir string) error {
	if _, err := root.Stat(dir); err == nil {
		return nil
	}
	if err := root.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making a folder below the output folder: %w", pathless.Error(err))
	}
	for dir != "." {
		dir = filepath.Dir(dir)
		if err := syncFolder(root, dir); err != nil {
			return err
		}
	}
	return nil
}

func write(root *os.Root, name string, perm fs.FileMode, fn func(io.Writer) error) (err error) {
	f, temp, err := createTemp(root, perm)
	if err != nil {
		return err
	}
	done := false
	defer func() { // also where fn panics
		if !done {
			err = errors.Join(err, ignoreClosed(f.Close()), pathless.Error(root.Remove(temp)))
		}
	}()
	if err := fn(f); err != nil {
		return fmt.Errorf("writing a file: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("writing a file to disk: %w", pathless.Error(err))
	}
	if err := root.Rename(temp, name); err != nil {
		return fmt.Errorf("giving a file its name: %w", pathless.Error(err))
	}
	done = true
	if err := f.Close(); err != nil { // only now: until it is closed, Clean keeps away
		return fmt.Errorf("closing a file: %w", pathless.Error(err))
	}
	return syncFolder(root, ".")
}

// maxTries bounds how often Clean of another process may take the file from under createTemp.
const maxTries = 5

// createTemp makes an empty locked file. The lock is how Clean knows that somebody writes it; it
// ends with the process, however that ends.
func createTemp(root *os.Root, perm fs.FileMode) (*os.File, string, error) {
	for range maxTries {
		name := tempPrefix + randomHex() + tempSuffix
		f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, perm)
		if err != nil {
			return nil, "", fmt.Errorf("making a temporary file: %w", pathless.Error(err))
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil && !unsupported(err) {
			return nil, "", errors.Join(fmt.Errorf("locking a temporary file: %w", err), f.Close(), pathless.Error(root.Remove(name)))
		}
		if _, err := root.Lstat(name); err == nil {
			return f, name, nil
		}
		if err := f.Close(); err != nil {
			return nil, "", fmt.Errorf("closing a temporary file: %w", pathless.Error(err))
		}
	}
	return nil, "", errors.New("making a temporary file: something removes it each time")
}

func randomHex() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}

func syncFolder(root *os.Root, dir string) error {
	d, err := root.Open(dir)
	if err != nil {
		return fmt.Errorf("opening a folder to sync it: %w", pathless.Error(err))
	}
	err = d.Sync()
	if unsupported(err) { // some network file systems; there is nothing more to do on them
		err = nil
	}
	if err := errors.Join(pathless.Error(err), d.Close()); err != nil {
		return fmt.Errorf("syncing a folder: %w", err)
	}
	return nil
}

// IsTemp says whether the file name is that of a temporary file of this package.
func IsTemp(name string) bool {
	return strings.HasPrefix(name, tempPrefix) && strings.HasSuffix(name, tempSuffix)
}

// Clean removes the temporary files that dead processes left in root and below, and says how many.
// Those that a living process on this machine is writing stay. Links are not followed. It goes on
// past errors and gives all of them.
func Clean(root string) (removed int, err error) {
	top, err := os.OpenRoot(root)
	if err != nil {
		return 0, fmt.Errorf("opening the folder to clean: %w", pathless.Error(err))
	}
	defer top.Close()
	var errs []error
	walkErr := fs.WalkDir(top.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			errs = append(errs, pathless.Error(err))
			return nil
		}
		if !entry.Type().IsRegular() || !IsTemp(entry.Name()) {
			return nil
		}
		gone, err := removeIfDead(top, name)
		if gone {
			removed++
		}
		errs = append(errs, err)
		return nil
	})
	if err := errors.Join(append(errs, walkErr)...); err != nil {
		return removed, fmt.Errorf("removing temporary files: %w", err)
	}
	return removed, nil
}

func removeIfDead(root *os.Root, name string) (gone bool, err error) {
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) { // its writer has just finished
		return false, nil
	}
	if err != nil {
		return false, pathless.Error(err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return false, nil // somebody is writing it, or there are no locks to tell
	}
	err = root.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, pathless.Error(err)
}

func unsupported(err error) bool {
	return errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported)
}

func ignoreClosed(err error) error {
	if errors.Is(err, fs.ErrClosed) {
		return nil
	}
	return pathless.Error(err)
}
