package clearance

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestKeyIsMadeOnceAndStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "clearance.key")
	first, err := LoadOrCreateKey(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := LoadOrCreateKey(path)
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("second time another key (%v)", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	other, err := LoadOrCreateKey(filepath.Join(t.TempDir(), "clearance.key"))
	if err != nil || bytes.Equal(first, other) {
		t.Errorf("two keys are the same (%v)", err)
	}
}

func TestEverybodyGetsTheSameKeyAtFirstUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clearance.key")
	keys := make([]string, 16)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			key, err := LoadOrCreateKey(path)
			if err != nil {
				t.Error(err)
			}
			keys[i] = string(key)
		})
	}
	wg.Wait()
	for i, k := range keys {
		if k == "" || k != keys[0] {
			t.Errorf("key %d differs", i)
		}
	}
}

func TestKeyThatOthersCanReadIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clearance.key")
	if _, err := LoadOrCreateKey(path); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o620, 0o777} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadOrCreateKey(path); !errors.Is(err, ErrKeyPermissions) {
			t.Errorf("mode %o: got %v", mode, err)
		}
	}
}

func TestDamagedKeyIsRefusedAndKept(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	if _, err := LoadOrCreateKey(good); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(foreign)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"empty":       "",
		"truncated":   string(text[:len(text)/2]),
		"text":        "hello",
		"two keys":    string(text) + string(text),
		"other curve": string(pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der})),
		"no PKCS #8":  string(pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: []byte("x")})),
		"public key":  strings.ReplaceAll(string(text), "PRIVATE", "PUBLIC"),
		"too large":   string(text) + strings.Repeat("\n", maxKeyFile),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "Jane Doe.key")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := LoadOrCreateKey(path)
			if !errors.Is(err, ErrKeyDamaged) {
				t.Fatalf("got %v, want %v", err, ErrKeyDamaged)
			}
			if strings.Contains(err.Error(), "Jane") {
				t.Errorf("%v repeats the path", err)
			}
			if now, err := os.ReadFile(path); err != nil || string(now) != content {
				t.Error("the damaged key was altered")
			}
		})
	}
	if _, err := LoadOrCreateKey(dir); !errors.Is(err, ErrKeyDamaged) {
		t.Errorf("a folder as key: got %v", err)
	}
}

func TestLoadKeyMakesNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "Jane Doe.key")
	_, err := LoadKey(path)
	if !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "Jane") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("LoadKey made a file")
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\n\n-----END PRIVATE KEY-----\n"))
	f.Add([]byte("x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := parseKey(data); err != nil && !errors.Is(err, ErrKeyDamaged) {
			t.Fatal(err)
		}
	})
}
