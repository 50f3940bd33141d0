package register

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
)

// childEnv names the store folder for the child process of the kill test.
const childEnv = "CONSENTRY_REGISTER_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		importForEver(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// limit ends a test that hangs; nothing waits for it to pass.
func limit(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

func same(t testing.TB, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// open starts a bus in the folder; it is closed with the test at the latest.
func open(t testing.TB, dir string) *bus.Bus {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	b, err := bus.Open(limit(t), bus.Options{StoreDir: dir, Logger: log})
	ok(t, err)
	t.Cleanup(func() { ok(t, b.Close()) })
	return b
}

func fresh(t testing.TB) *bus.Bus { t.Helper(); return open(t, t.TempDir()) }

// school is n subjects with some records each. What they hold depends on their number alone.
func school(n, records int) ([]consent.Subject, []consent.Record) {
	purposes, parties := consent.PublicationPurposes(), []consent.Party{consent.Guardian, consent.Pupil}
	var subjects []consent.Subject
	var list []consent.Record
	for i := range n {
		id := fmt.Sprint(1000 + i)
		s := consent.Subject{AdmissionNumber: id, YearGroup: fmt.Sprint(1 + i%13), Class: fmt.Sprintf("%dB", 1+i%13), Born: "2012-03-04"}
		if i%100 == 1 {
			s.Lookalikes = []string{fmt.Sprint(1000 + i - 1)}
		}
		subjects = append(subjects, s)
		for j := range records {
			list = append(list, consent.Record{
				AdmissionNumber: id, Party: parties[j/len(purposes)%2], Purpose: purposes[j%len(purposes)],
				Decision: consent.Answers()[(i+j)%3], Date: consent.Date(fmt.Sprintf("2025-%02d-%02d", 1+i%12, 1+(i+j)%28)),
				RecordedBy: "office", Evidence: fmt.Sprintf("form %d-%d", i, j),
			})
		}
	}
	return subjects, list
}

func says(id string, decision consent.Answer, day string) consent.Record {
	return consent.Record{AdmissionNumber: id, Party: consent.Guardian, Purpose: "website", Decision: decision, Date: consent.Date(day)}
}

// stored checks that another reader gets the same register, and that nothing else lies around.
func stored(t testing.TB, b *bus.Bus, want *consent.Register) {
	t.Helper()
	got, err := New(b.Register()).Load(limit(t))
	ok(t, err)
	if got.Digest() != want.Digest() || got.Revision() != want.Revision() {
		t.Fatalf("stored is revision %d with %d subjects, want %d with %d", got.Revision(), got.Len(), want.Revision(), want.Len())
	}
	pages := map[int]bool{}
	for _, id := range want.IDs() {
		pages[pageOf(id)] = true
	}
	keys, err := b.Register().Keys(limit(t))
	ok(t, err)
	if want.Revision() > 0 && len(keys) != len(pages)+1 {
		t.Errorf("%d keys are stored, want a head and %d pages", len(keys), len(pages))
	}
}

func TestLifeOfARegister(t *testing.T) {
	ctx, dir := limit(t), t.TempDir()
	b := open(t, dir)
	s := New(b.Register())
	reg, err := s.Load(ctx)
	ok(t, err)
	same(t, []any{reg.Len(), reg.Revision()}, []any{0, uint64(0)})

	subjects, records := school(300, 3)
	reg, changes, err := s.Import(ctx, subjects, records)
	ok(t, err)
	same(t, []any{reg.Len(), reg.Revision(), changes.Subjects.Added.Count, changes.Records.Added.Count}, []any{300, uint64(1), 300, 900})
	stored(t, b, reg)

	again, changes, err := New(b.Register()).Import(ctx, subjects, records)
	ok(t, err)
	same(t, []any{again.Digest(), again.Revision(), changes.None()}, []any{reg.Digest(), uint64(1), true})

	reg, err = s.Set(ctx, says("1007", consent.Withdrawn, "2025-12-01"))
	ok(t, err)
	same(t, []any{reg.Revision(), len(reg.Records("1007"))}, []any{uint64(2), 4})
	stored(t, b, reg)
	if _, err = s.Set(ctx, says("999", consent.Granted, "2025-12-01")); err == nil {
		t.Error("a record of nobody was taken")
	}

	reg, err = s.Remove(ctx, "1000", "1008")
	ok(t, err)
	same(t, []any{reg.Revision(), reg.Len(), reg.Has("1008"), reg.Lookalikes("1001")}, []any{uint64(3), 298, false, []string(nil)})
	stored(t, b, reg)
	if _, err = s.Remove(ctx, "1009", "1008"); err == nil {
		t.Error("somebody unknown was removed")
	}
	stored(t, b, reg)

	ok(t, b.Close())
	b = open(t, dir)
	stored(t, b, reg)
	reg, err = New(b.Register()).Remove(ctx, reg.IDs()...)
	ok(t, err)
	same(t, []any{reg.Revision(), reg.Len()}, []any{uint64(4), 0})
	stored(t, b, reg)
}

// A faulty import leaves everything as it was.
func TestImportIsAllOrNothing(t *testing.T) {
	ctx, b := limit(t), fresh(t)
	s := New(b.Register())
	subjects, records := school(20, 2)
	reg, _, err := s.Import(ctx, subjects, records)
	ok(t, err)
	more, _ := school(30, 0)
	after, changes, err := s.Import(ctx, more, []consent.Record{says("77", consent.Granted, "2025-01-01")})
	if err == nil || after != nil || len(changes.Subjects.Added.Of) > 0 {
		t.Errorf("got %v, %v, %v", after, changes, err)
	}
	stored(t, b, reg)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, _, err = s.Import(ended, more, nil)
	wantErr(t, err, context.Canceled)
	stored(t, b, reg)
}

// A change of one subject writes one page and the head.
func TestOnlyWhatChangedIsWritten(t *testing.T) {
	ctx, b := limit(t), fresh(t)
	s := New(b.Register())
	subjects, records := school(2000, 1)
	_, _, err := s.Import(ctx, subjects, records)
	ok(t, err)
	before, err := b.Register().List(ctx)
	ok(t, err)
	_, err = s.Set(ctx, says("1500", consent.Refused, "2025-12-01"))
	ok(t, err)
	after, err := b.Register().List(ctx)
	ok(t, err)
	old := map[string]uint64{}
	for _, r := range before {
		old[r.Key] = r.Revision
	}
	fresh := 0
	for _, r := range after {
		if old[r.Key] != r.Revision {
			fresh++
		}
	}
	same(t, []any{len(after), fresh}, []any{257, 2})
}

// What a file was completed with must still be what the register says.
func TestImportOntoAnotherRegister(t *testing.T) {
	s := New(fresh(t).Register())
	subjects, records := school(3, 1)
	first, _, err := s.Import(limit(t), subjects, records)
	ok(t, err)
	_, err = s.Set(limit(t), says(subjects[0].AdmissionNumber, consent.Withdrawn, "2026-01-01"))
	ok(t, err)
	if reg, _, err := s.ImportOnto(limit(t), first, subjects, nil); !errors.Is(err, ErrConflict) || reg != nil {
		t.Errorf("imported onto a register that has changed: %v", err)
	}
	now, err := s.Load(limit(t))
	ok(t, err)
	_, _, err = s.ImportOnto(limit(t), now, subjects, nil)
	ok(t, err)
}
