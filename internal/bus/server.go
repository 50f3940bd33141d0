package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"golang.org/x/sys/unix"
)

const (
	lockFile = "lock"
	spoolDir = "spool"
)

// embedded is a NATS server in this process, and the lock on its folder.
type embedded struct {
	server *server.Server
	lock   *os.File
}

// startEmbedded locks the folder and starts a server in it that listens nowhere.
func startEmbedded(ctx context.Context, o Options) (_ *embedded, err error) {
	if o.StoreDir == "" {
		return nil, errors.New("neither a store folder nor a server URL was given")
	}
	if err := os.MkdirAll(filepath.Join(o.StoreDir, spoolDir), 0o700); err != nil {
		return nil, hidePath("make the store folder", err)
	}
	lock, err := lockStore(o.StoreDir)
	if err != nil {
		return nil, err
	}
	e := &embedded{lock: lock}
	if err := e.start(ctx, o); err != nil {
		return nil, errors.Join(err, e.stop())
	}
	return e, nil
}

func (e *embedded) start(ctx context.Context, o Options) error {
	s, err := server.NewServer(&server.Options{
		ServerName: "consentry",
		DontListen: true,
		NoSigs:     true,
		JetStream:  true,
		StoreDir:   o.StoreDir,
		// The default flushes every two minutes: a job that was acknowledged could be lost at
		// power failure. With one node there is no replica to fall back to.
		SyncAlways:             true,
		DisableJetStreamBanner: true,
	})
	if err != nil {
		return fmt.Errorf("make the embedded NATS server: %w", err)
	}
	e.server = s
	s.SetLoggerV2(natsLog{o.Logger}, false, false, false)
	s.Start()
	return waitReady(ctx, s)
}

// waitReady waits for the server in short steps so that it can be given up.
func waitReady(ctx context.Context, s *server.Server) error {
	// Reading back a large store takes time; a minute is far beyond what 100,000 jobs need.
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for !s.ReadyForConnections(100 * time.Millisecond) {
		if !s.Running() {
			return fmt.Errorf("start the embedded NATS server: %w: it stopped by itself", ErrUnavailable)
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("start the embedded NATS server: %w", err)
		}
	}
	return nil
}

// stop shuts the server down and frees the folder. The lock is kept where the server does not end,
// because it may still write; the process's end frees it then.
func (e *embedded) stop() error {
	if e.server != nil {
		done := make(chan struct{})
		go func() {
			defer close(done)
			e.server.Shutdown()
			e.server.WaitForShutdown()
		}()
		select {
		case <-done:
		case <-time.After(15 * time.Second):
			return errors.New("stop the embedded NATS server: it did not end within 15 s")
		}
	}
	if err := e.lock.Close(); err != nil {
		return fmt.Errorf("free the store folder: %w", err)
	}
	return nil
}

// lockStore takes the folder for this process. The kernel frees the lock when the process dies,
// however it dies; children do not inherit it (close-on-exec).
func lockStore(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, hidePath("open the lock of the store folder", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		holder := readHolder(f)
		return nil, errors.Join(fmt.Errorf("%w%s", ErrLocked, holder), f.Close())
	}
	if err == nil {
		err = writeHolder(f)
	}
	if err != nil {
		return nil, errors.Join(hidePath("lock the store folder", err), f.Close())
	}
	return f, nil
}

func readHolder(f *os.File) string {
	buf := make([]byte, 20)
	n, _ := f.ReadAt(buf, 0) // only for the message; an empty file says nothing
	if pid := strings.TrimSpace(string(buf[:n])); pid != "" {
		return fmt.Sprintf(" (process %q)", pid)
	}
	return ""
}

func writeHolder(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := fmt.Fprintln(f, os.Getpid())
	return err
}

// natsLog hands the server's words to slog. Its notices are of interest to nobody but developers.
type natsLog struct{ l *slog.Logger }

func (n natsLog) Noticef(f string, v ...any) { n.l.Debug("NATS server: " + fmt.Sprintf(f, v...)) }
func (n natsLog) Warnf(f string, v ...any)   { n.l.Warn("NATS server: " + fmt.Sprintf(f, v...)) }
func (n natsLog) Fatalf(f string, v ...any)  { n.l.Error("NATS server: " + fmt.Sprintf(f, v...)) }
func (n natsLog) Errorf(f string, v ...any)  { n.l.Error("NATS server: " + fmt.Sprintf(f, v...)) }
func (n natsLog) Debugf(f string, v ...any)  { n.l.Debug("NATS server: " + fmt.Sprintf(f, v...)) }
func (n natsLog) Tracef(f string, v ...any)  { n.l.Debug("NATS server: " + fmt.Sprintf(f, v...)) }
