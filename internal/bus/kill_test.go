package bus

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// holdLease is the child: it takes a job in the given folder, begins it, says so and waits to be
// killed. It runs outside of the test's machinery.
func holdLease(dir string) {
	ctx := context.Background()
	b, err := Open(ctx, Options{StoreDir: dir})
	must(err)
	for n := range 3 {
		_, err = b.Submit(ctx, job(n))
		must(err)
	}
	_, _, err = b.Quarantine().Put(ctx, strings.NewReader("original"))
	must(err)
	_, err = b.Publish(ctx, Event{Type: "begun"})
	must(err)
	l, err := b.Next(ctx, KindImage)
	must(err)
	_, err = b.States().Attempt(ctx, l.Job().Key())
	must(err)
	fmt.Println(l.Job().Key())
	select {}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// killed runs the child until it holds a lease, kills it, and returns the key of the job it held.
func killed(t *testing.T, dir string) string {
	t.Helper()
	child := exec.CommandContext(limit(t), os.Args[0])
	child.Env = append(os.Environ(), childEnv+"="+dir)
	child.Stderr = t.Output()
	out, err := child.StdoutPipe()
	ok(t, err)
	ok(t, child.Start())
	key, err := bufio.NewReader(out).ReadString('\n')
	ok(t, err)
	_, err = Open(limit(t), Options{StoreDir: dir})
	wantErr(t, err, ErrLocked)
	if want := fmt.Sprintf("%q", fmt.Sprint(child.Process.Pid)); !strings.Contains(err.Error(), want) {
		t.Errorf("%q does not name process %s", err, want)
	}
	ok(t, child.Process.Kill())
	_ = child.Wait() // it was killed, and says so
	return strings.TrimSpace(key)
}

// TestKilledWhileHoldingALease: three runs die with the same job in hand. What was acknowledged is
// all there, nothing is there twice, and the attempts have been counted. AckWait is a minute, so
// that the fourth run would not get the job in time if it had to wait for the lease of the third.
func TestKilledWhileHoldingALease(t *testing.T) {
	dir := t.TempDir()
	first := killed(t, dir)
	for range 2 {
		if again := killed(t, dir); again != first {
			t.Fatalf("job %s was handed out before %s", again, first)
		}
	}
	b := open(t, Options{StoreDir: dir})
	ctx, cancel := context.WithTimeout(limit(t), 30*time.Second)
	defer cancel()
	var got []Job
	for range 3 {
		l, err := b.Next(ctx, KindImage)
		ok(t, err)
		got = append(got, l.Job())
		ok(t, l.Done(ctx))
	}
	if d := cmp.Diff([]Job{job(0), job(1), job(2)}, got, cmpopts.SortSlices(func(x, y Job) bool { return x.Asset < y.Asset })); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	info, err := b.jobs.Info(ctx)
	ok(t, err)
	if info.State.Msgs != 0 {
		t.Errorf("%d jobs left", info.State.Msgs)
	}
	st, err := b.States().Attempt(ctx, first)
	ok(t, err)
	if st.Attempts != 4 {
		t.Errorf("attempt %d, want 4", st.Attempts)
	}
	ok(t, b.Quarantine().Get(ctx, digestOf("original"), discard{}))
	events := 0
	for _, err := range b.Replay(ctx, 0) {
		ok(t, err)
		events++
	}
	if events != 3 {
		t.Errorf("%d events, want 3", events)
	}
}
