package clearance

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/consentry/consentry/internal/pathless"
)

// What can be wrong with the file of the signing key.
var (
	// ErrKeyPermissions: others than its owner may read or write it.
	ErrKeyPermissions = errors.New("the signing key must be readable by its owner only: run chmod 600 on it")
	// ErrKeyDamaged: it is never replaced silently, for that would void every clearance so far.
	ErrKeyDamaged = errors.New("the signing key is damaged: restore it from a backup, or move it away to have a new one made " +
		"(clearances signed with the old key then no longer verify)")
)

const (
	pemType    = "PRIVATE KEY" // PKCS #8
	maxKeyFile = 64 << 10
)

// LoadKey reads the signing key. The error wraps fs.ErrNotExist where there is none,
// [ErrKeyPermissions] or [ErrKeyDamaged]; it does not repeat the path.
func LoadKey(path string) (ed25519.PrivateKey, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the signing key: %w", pathless.Error(err))
	}
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("looking at the signing key: %w", pathless.Error(err))
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: not a regular file", ErrKeyDamaged)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w (mode is %04o)", ErrKeyPermissions, info.Mode().Perm())
	}
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the signing key: %w", pathless.Error(err))
	}
	return parseKey(data)
}

func parseKey(data []byte) (ed25519.PrivateKey, error) {
	block, rest := pem.Decode(data)
	if block == nil || block.Type != pemType || len(bytes.TrimSpace(rest)) > 0 || len(data) > maxKeyFile {
		return nil, fmt.Errorf("%w: not one PEM block %q", ErrKeyDamaged, pemType)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: not PKCS #8", ErrKeyDamaged)
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%w: not an Ed25519 key", ErrKeyDamaged)
	}
	return key, nil
}

// LoadOrCreateKey reads the signing key, or makes it at first use: PKCS #8 in PEM, mode 0600. The
// key appears under its name complete and on disk, or not at all; of several processes that come
// first at once, all get the same key. Errors are those of [LoadKey].
func LoadOrCreateKey(path string) (ed25519.PrivateKey, error) {
	key, err := LoadKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := createKey(path); err != nil {
		return nil, fmt.Errorf("making the signing key: %w", pathless.Error(err))
	}
	return LoadKey(path)
}

// createKey links a finished file to its name. A link fails where the name is taken, which a rename
// would overwrite: then the other process's key is the key.
func createKey(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making its folder: %w", pathless.Error(err))
	}
	temp, err := writeNewKey(dir)
	if err != nil {
		return err
	}
	err = os.Link(temp, path)
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	if err := errors.Join(pathless.Error(err), pathless.Error(os.Remove(temp))); err != nil {
		return fmt.Errorf("naming it: %w", err)
	}
	return syncDir(dir)
}

// writeNewKey writes a new key to a temporary file (made with mode 0600 and O_EXCL) and to disk.
func writeNewKey(dir string) (name string, err error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", fmt.Errorf("drawing it: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", fmt.Errorf("encoding it: %w", err)
	}
	f, err := os.CreateTemp(dir, ".clearance-key-*")
	if err != nil {
		return "", fmt.Errorf("making a temporary file: %w", pathless.Error(err))
	}
	err = errors.Join(pem.Encode(f, &pem.Block{Type: pemType, Bytes: der}), f.Sync(), f.Close())
	if err != nil {
		return "", fmt.Errorf("writing it: %w", errors.Join(pathless.Error(err), pathless.Error(os.Remove(f.Name()))))
	}
	return f.Name(), nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("opening its folder: %w", pathless.Error(err))
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("writing its folder to disk: %w", pathless.Error(err))
	}
	return nil
}
