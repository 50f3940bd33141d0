// Package bustest runs a NATS server that listens, for tests of what several processes share. The
// rest of the tests use the server inside the process.
package bustest

import (
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Serve runs a server with JetStream on a free port of the loopback until the test ends, and
// returns its address. maxStore bounds the bytes that it may store; -1 does not.
func Serve(t testing.TB, maxStore int64) string {
	t.Helper()
	url, _ := Start(t, maxStore)
	return url
}

// Start is Serve with a way to end the server sooner.
func Start(t testing.TB, maxStore int64) (url string, stop func()) {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, JetStream: true, StoreDir: t.TempDir(), SyncAlways: true,
		JetStreamMaxStore: maxStore, JetStreamMaxMemory: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	stop = func() { s.Shutdown(); s.WaitForShutdown() }
	t.Cleanup(stop)
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("the listening server did not start")
	}
	return s.ClientURL(), stop
}
