package register

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
)

// importForEver is the child: it changes every page again and again, says each revision that was
// confirmed, and waits to be killed. It runs outside of the test's machinery.
func importForEver(dir string) {
	ctx := context.Background()
	b, err := bus.Open(ctx, bus.Options{StoreDir: dir})
	must(err)
	s := New(b.Register())
	for {
		reg, err := s.Load(ctx)
		must(err)
		subjects, records := round(reg.Revision() + 1)
		reg, _, err = s.Import(ctx, subjects, records)
		must(err)
		fmt.Println(reg.Revision())
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// round is what the import that makes this revision consists of: all records say it.
func round(revision uint64) ([]consent.Subject, []consent.Record) {
	subjects, records := school(12, 1)
	for i := range records {
		records[i].Evidence = fmt.Sprint("round ", revision)
	}
	return subjects, records
}

// killedAt runs the child until it has confirmed so many changes, kills it wherever it is, and gives
// the last revision that it confirmed.
func killedAt(t *testing.T, dir string, changes int) uint64 {
	t.Helper()
	child := exec.CommandContext(limit(t), os.Args[0])
	child.Env = append(os.Environ(), childEnv+"="+dir)
	child.Stderr = t.Output()
	out, err := child.StdoutPipe()
	ok(t, err)
	ok(t, child.Start())
	lines := bufio.NewReader(out)
	var last string
	for range changes {
		last, err = lines.ReadString('\n')
		ok(t, err)
	}
	ok(t, child.Process.Kill())
	for { // what it said before it died
		line, err := lines.ReadString('\n')
		if err != nil {
			break
		}
		last = line
	}
	_ = child.Wait() // it was killed, and says so
	revision, err := strconv.ParseUint(strings.TrimSpace(last), 10, 64)
	ok(t, err)
	return revision
}

// TestKilledWhileChanging: after each kill there is one whole register, that of the last confirmed
// change or of the one under way, and the next change leaves nothing but it.
func TestKilledWhileChanging(t *testing.T) {
	dir := t.TempDir()
	for kill := range 5 {
		confirmed := killedAt(t, dir, 1+kill%2)
		b := open(t, dir)
		s := New(b.Register())
		reg, err := s.Load(limit(t))
		ok(t, err)
		subjects, records := round(reg.Revision())
		want, err := consent.NewRegister(reg.Revision(), subjects, records)
		ok(t, err)
		if r := reg.Revision(); r < confirmed || r > confirmed+1 || reg.Digest() != want.Digest() {
			t.Fatalf("kill %d: revision %d with %d subjects after %d was confirmed", kill, r, reg.Len(), confirmed)
		}
		subjects, records = round(reg.Revision() + 1)
		reg, _, err = s.Import(limit(t), subjects, records)
		ok(t, err)
		stored(t, b, reg)
		ok(t, b.Close())
	}
}
