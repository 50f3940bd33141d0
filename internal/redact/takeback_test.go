package redact_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/redact"
)

func TestTakeBack(t *testing.T) {
	dir, o := newOptions(t)
	for _, name := range []string{"a.png", "altered.png", "bare.png", "lost.png", "theirs.png", "stays.png"} {
		put(t, dir, name, 64, 64)
	}
	mustRun(t, o)
	at := func(name string) string { return filepath.Join(o.Out, "website", "in", filepath.FromSlash(name)) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(at("altered.png"), []byte("not what we made"), 0o600))
	must(os.Remove(at("bare.png.clearance.json")))
	must(os.Remove(at("lost.png")))
	must(os.WriteFile(at("theirs.png.clearance.json"), []byte("notes"), 0o600))
	must(os.WriteFile(filepath.Join(dir, "outside"), []byte("x"), 0o600))
	folder, err := redact.Hold(o.Out)
	must(err)
	if _, err := redact.Hold(o.Out); !errors.Is(err, redact.ErrBusy) {
		t.Errorf("held twice: %v", err)
	}
	if _, err := redact.Run(t.Context(), o); !errors.Is(err, redact.ErrBusy) {
		t.Errorf("a run went into a folder that is held: %v", err)
	}
	places := []string{"website/in/a.png", "website/in/altered.png", "website/in/bare.png", "website/in/lost.png", "website/in/theirs.png", "website/in/never.png", "website/in/a.png/below"}
	taken, err := folder.TakeBack(places)
	if err != nil || taken != 3 {
		t.Errorf("took %d, want 3: %v", taken, err)
	}
	must(folder.Close())
	want := []string{"bare.png", "stays.png", "stays.png.clearance.json", "theirs.png", "theirs.png.clearance.json"}
	if diff := cmp.Diff(want, files(t, at("."))); diff != "" {
		t.Error(diff)
	}
	if _, err := redact.Hold(filepath.Join(dir, "nowhere")); !errors.Is(err, os.ErrNotExist) || exists(t, dir, "nowhere") {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// One that cannot be taken away keeps it from none of the others, and is told.
func TestTakeBackGoesOn(t *testing.T) {
	dir, o := newOptions(t)
	put(t, dir, "a/x.png", 64, 64)
	put(t, dir, "b.png", 65, 64)
	mustRun(t, o)
	clearance := filepath.Join(o.Out, "website", "in", "a", "x.png.clearance.json")
	if err := errors.Join(os.Remove(clearance), os.Mkdir(clearance, 0o755)); err != nil {
		t.Fatal(err)
	}
	folder, err := redact.Hold(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	taken, err := folder.TakeBack([]string{"website/in/a/x.png", "website/in/b.png"})
	if taken != 1 || err == nil || exists(t, o.Out, "website", "in", "b.png") {
		t.Errorf("took %d, want 1, and %v", taken, err)
	}
}
