package enrolment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/internal/media"
)

// photo is what the test's Looker sees in a file: its bytes are this in JSON.
type photo struct {
	Person, Number int
	Fault          string // "damaged", "endless", "small" or nothing
}

// glasses is a Looker that sees what a file says.
type glasses struct {
	seen   photo
	looked int
	after  func(looked int) // called when a photograph has been looked at
}

func (g *glasses) Decode(ctx context.Context, data []byte) (media.Info, error) {
	g.seen = photo{}
	if err := json.Unmarshal(data, &g.seen); err != nil || g.seen.Fault == "damaged" {
		return media.Info{}, media.ErrDamaged
	}
	if g.seen.Fault == "endless" {
		<-ctx.Done()
		return media.Info{}, ctx.Err()
	}
	return media.Info{Width: 500, Height: 500}, nil
}

func (g *glasses) Find(context.Context) ([]face.Face, error) {
	return []face.Face{{Box: face.Box{X: 10, Y: 10, W: 150, H: 160}, Score: 1}}, nil
}

func (g *glasses) Describe(_ context.Context, faces []face.Face) ([]face.Face, error) {
	faces[0].Templates = shot{"", g.seen.Person, g.seen.Number}.reference().Templates
	faces[0].Quality = face.Quality{Sharpness: 200, Brightness: 120}
	if g.seen.Fault == "small" {
		faces[0].Box.W = 40
	}
	return faces, nil
}

func (g *glasses) Portrait(context.Context, face.Box) ([]byte, error) {
	if g.looked++; g.after != nil {
		g.after(g.looked)
	}
	return json.Marshal(g.seen) // what is cut out can be looked at in turn
}

// folder writes photographs under their names and lists them.
func folder(t testing.TB, photos map[string]photo) []intake.ReferenceFile {
	t.Helper()
	dir := t.TempDir()
	for name, p := range photos {
		data, err := json.Marshal(p)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	files, problems, err := intake.References(dir, nil)
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	return files
}

func fixed(reg *consent.Register) func(context.Context) (*consent.Register, error) {
	return func(context.Context) (*consent.Register, error) { return reg, nil }
}

func newSession(reg *consent.Register, looker Looker, store *Store) Session {
	return Session{
		Looker: looker, Register: fixed(reg), Store: store, Models: modelsDigest("aa"),
		Thresholds: gallery.DefaultThresholds(), Limits: media.DefaultLimits(), TimeOut: time.Minute, Now: now,
	}
}

func run1(t testing.TB, s Session, files []intake.ReferenceFile) Result {
	t.Helper()
	r, err := s.Run(t.Context(), files)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// refusals are the reasons by the photograph's name.
func refusals(r Result) map[string]string {
	out := map[string]string{}
	for _, x := range r.Refused {
		out[filepath.Base(x.Path)] = x.Reason
	}
	return out
}

func TestSessionEnrolsAndRefuses(t *testing.T) {
	files := folder(t, map[string]photo{
		"1.jpg": {Person: 1, Number: 1}, "1-2.jpg": {Person: 1, Number: 2}, "1-3.jpg": {Person: 9, Number: 3},
		"2.jpg": {Person: 2, Number: 4, Fault: "small"}, "3.jpg": {Person: 3, Number: 5},
		"4.jpg": {Fault: "damaged"}, "5.jpg": {Fault: "endless"}, "6.jpg": {Person: 6, Number: 6}, "7.jpg": {Person: 1, Number: 7},
	})
	reg := register(t, grant("1"), grant("2"), grant("3"), withdraw("3"), grant("4"), grant("5"), grant("7"))
	for _, store := range []*Store{nil, New(realBucket(t))} {
		g := &glasses{}
		s := newSession(reg, g, store)
		s.TimeOut = time.Second // what is endless must end; all others need far less
		last := [2]int{}
		s.Progress = func(done, total int) { last = [2]int{done, total} }
		r := run1(t, s, files)
		for name, want := range map[string]string{
			"1-3.jpg": "does not look like the other references of 1",
			"2.jpg":   "the face is too small: 40 pixels",
			"3.jpg":   "3 may not be enrolled: biometric consent withdrawn by guardian",
			"4.jpg":   "damaged picture",
			"5.jpg":   "took too long",
			"6.jpg":   "6 is not in the register",
			"7.jpg":   "is taken for 1",
		} {
			if got := refusals(r)[name]; !strings.Contains(got, want) {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if r.Added != 2 || r.Already != 0 || len(r.References) != 2 || len(r.Refused) != 7 || last != [2]int{9, 9} {
			t.Errorf("%+v after %v", r, last)
		}
		if g.looked != 4 { // 1, 1-2, 1-3 and 7: of who may not be enrolled nothing was seen
			t.Errorf("%d looked at", g.looked)
		}
	}
}

func TestSessionIsRepeatable(t *testing.T) {
	photos := map[string]photo{}
	var records []consent.Record
	for i := 1; i <= 60; i++ {
		photos[fmt.Sprintf("%d.jpg", i)] = photo{Person: i, Number: i}
		records = append(records, grant(fmt.Sprint(i)))
	}
	files, reg, store := folder(t, photos), register(t, records...), New(realBucket(t))
	ctx, interrupt := context.WithCancel(t.Context())
	g := &glasses{after: func(n int) {
		if n == 20 {
			interrupt()
		}
	}}
	r, err := newSession(reg, g, store).Run(ctx, files)
	if !errors.Is(err, context.Canceled) || r.Added < 19 || r.Added > 20 {
		t.Fatalf("interrupted after 20: %d added, %v", r.Added, err)
	}
	done := r.Added
	g = &glasses{}
	if r = run1(t, newSession(reg, g, store), files); r.Already != done || r.Added != 60-done || g.looked != 60-done || len(r.References) != 60 {
		t.Errorf("going on: %d already, %d added, %d looked at", r.Already, r.Added, g.looked)
	}
	g = &glasses{}
	if r = run1(t, newSession(reg, g, store), files); r.Already != 60 || r.Added != 0 || g.looked != 0 || len(r.References) != 60 {
		t.Errorf("again: %d already, %d added, %d looked at", r.Already, r.Added, g.looked)
	}
	if n := len(list(t, store)); n != 60 {
		t.Errorf("%d are stored", n)
	}
}

// After a kill nothing is lost but the last few.
func TestSessionKeepsWhatIsDoneOnTheWay(t *testing.T) {
	photos := map[string]photo{}
	var records []consent.Record
	for i := 1; i <= checkpoint+5; i++ {
		photos[fmt.Sprintf("%d.jpg", i)] = photo{Person: i, Number: i}
		records = append(records, grant(fmt.Sprint(i)))
	}
	store := New(realBucket(t))
	stored := 0
	g := &glasses{after: func(n int) {
		if n == checkpoint+1 {
			stored = len(list(t, store))
		}
	}}
	run1(t, newSession(register(t, records...), g, store), folder(t, photos))
	if stored != checkpoint {
		t.Errorf("%d of %d were stored on the way", stored, checkpoint)
	}
}

// What was written on the way is taken back where a later photograph speaks against it.
func TestLaterPhotographsSpeakAgainstEarlierOnes(t *testing.T) {
	photos := map[string]photo{"1.jpg": {Person: 1, Number: 1}, "999.jpg": {Person: 1, Number: 999 - 700}}
	records := []consent.Record{grant("1"), grant("999")}
	for i := 2; i <= checkpoint+5; i++ {
		photos[fmt.Sprintf("%d.jpg", i)] = photo{Person: i, Number: i}
		records = append(records, grant(fmt.Sprint(i)))
	}
	store := New(realBucket(t))
	r := run1(t, newSession(register(t, records...), &glasses{}, store), folder(t, photos))
	got := refusals(r)
	if len(got) != 2 || !strings.Contains(got["1.jpg"], "999") || !strings.Contains(got["999.jpg"], "taken for 1:") {
		t.Errorf("refused %v", got)
	}
	for _, e := range list(t, store) {
		if e.Subject == "1" || e.Subject == "999" {
			t.Errorf("a reference of %s is still there", e.Subject)
		}
	}
}

func TestConsentWithdrawnWhileEnrolling(t *testing.T) {
	store := New(realBucket(t))
	add(t, store, enrolledOf(shot{"2", 2, 20}, "aa"))
	with := register(t, grant("1"), grant("2"), grant("3"))
	without := register(t, grant("1"), withdraw("1"), grant("2"), withdraw("2"), grant("3"))
	current := with
	g := &glasses{after: func(int) { current = without }}
	s := newSession(with, g, store)
	s.Register = func(context.Context) (*consent.Register, error) { return current, nil }
	r := run1(t, s, folder(t, map[string]photo{"1.jpg": {Person: 1, Number: 1}, "3.jpg": {Person: 3, Number: 3}}))
	if r.Added != 1 || len(r.References) != 1 || r.References[0].Subject != "3" || !strings.Contains(refusals(r)["1.jpg"], "withdrawn") {
		t.Errorf("%+v", r)
	}
	if len(r.Removed) != 2 {
		t.Errorf("removed %+v", r.Removed)
	}
	if all := list(t, store); len(all) != 1 || all[0].Subject != "3" {
		t.Errorf("%d are stored", len(all))
	}
}

func TestReferencesOfOtherModels(t *testing.T) {
	store := New(realBucket(t))
	files := folder(t, map[string]photo{"1.jpg": {Person: 1, Number: 1}})
	reg := register(t, grant("1"), grant("2"))
	s := newSession(reg, &glasses{}, store)
	s.Models = modelsDigest("bb")
	run1(t, s, files)
	add(t, store, enrolledOf(shot{"2", 2, 2}, "bb"))
	r := run1(t, newSession(reg, &glasses{}, store), files)
	if r.Added != 1 || r.Already != 0 || len(r.References) != 1 || len(r.Again) != 1 || r.Again[0].Subject != "2" {
		t.Errorf("%+v", r)
	}
}

func TestOnePhotographForTwo(t *testing.T) {
	photos := map[string]photo{"1.jpg": {Person: 1, Number: 1}}
	reg, store := register(t, grant("1"), grant("2")), New(realBucket(t))
	run1(t, newSession(reg, &glasses{}, store), folder(t, photos))
	photos["2.jpg"] = photos["1.jpg"]
	r := run1(t, newSession(reg, &glasses{}, store), folder(t, photos))
	if got := refusals(r)["2.jpg"]; r.Already != 1 || !strings.Contains(got, "the very photograph that is enrolled for 1") {
		t.Errorf("%q, %+v", got, r)
	}
}

func TestFaceThatAPersonHasNamed(t *testing.T) {
	store := New(realBucket(t))
	add(t, store, enrolledOf(shot{"1", 1, 1}, "aa"), enrolledOf(shot{"2", 2, 2}, "aa"))
	with := register(t, grant("1"), grant("2"), grant("3"), withdraw("3"))
	s := newSession(with, &glasses{}, store)
	keep := func(subject string, p photo) error {
		data, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Face(t.Context(), subject, data, face.Box{X: 1, Y: 1, W: 100, H: 100})
		return err
	}
	if err := keep("1", photo{Person: 1, Number: 3}); err != nil {
		t.Fatal(err)
	}
	if n := len(list(t, store)); n != 3 {
		t.Errorf("%d are stored", n)
	}
	if err := keep("1", photo{Person: 2, Number: 4}); !errors.As(err, new(*Stranger)) {
		t.Errorf("somebody else's: %v", err)
	}
	for name, err := range map[string]error{
		"without consent":       keep("3", photo{Person: 3, Number: 5}),
		"not in the register":   keep("9", photo{Person: 9, Number: 6}),
		"too small a reference": keep("1", photo{Person: 1, Number: 7, Fault: "small"}),
	} {
		if !errors.As(err, new(*Faults)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(list(t, store)); n != 3 {
		t.Errorf("%d are stored after refusals", n)
	}
}

func TestConsentWithdrawnWhileAFaceIsKept(t *testing.T) {
	store := New(realBucket(t))
	current := register(t, grant("1"))
	s := newSession(nil, &glasses{after: func(int) { current = register(t, grant("1"), withdraw("1")) }}, store)
	s.Register = func(context.Context) (*consent.Register, error) { return current, nil }
	if _, err := s.Face(t.Context(), "1", []byte(`{"Person":1,"Number":1}`), face.Box{W: 9, H: 9}); !errors.As(err, new(*Faults)) {
		t.Errorf("it was kept: %v", err)
	}
	if n := len(list(t, store)); n != 0 {
		t.Errorf("%d are stored", n)
	}
}

// faulty is a bucket that is cut off after some writes, as by a kill.
type faulty struct {
	*bus.Bucket
	left int
}

var errCutOff = errors.New("cut off")

func (f *faulty) spend() error {
	if f.left--; f.left < 0 {
		return errCutOff
	}
	return nil
}

func (f *faulty) Create(ctx context.Context, key string, value []byte) (uint64, error) {
	if err := f.spend(); err != nil {
		return 0, err
	}
	return f.Bucket.Create(ctx, key, value)
}

func (f *faulty) Erase(ctx context.Context, key string) error {
	if err := f.spend(); err != nil {
		return err
	}
	return f.Bucket.Erase(ctx, key)
}

// Wherever it is cut off, the next Reconcile leaves nothing of who may not be enrolled, and nothing
// that can be a portrait of nobody.
func TestKilledAnywhere(t *testing.T) {
	bucket := realBucket(t)
	files := folder(t, map[string]photo{"1.jpg": {Person: 1, Number: 1}, "1-2.jpg": {Person: 1, Number: 2}, "2.jpg": {Person: 2, Number: 3}})
	with, without := register(t, grant("1"), grant("2")), register(t, grant("1"), withdraw("1"), grant("2"))
	for left := range 12 {
		cut := New(&faulty{bucket, left})
		_, enrolErr := newSession(with, &glasses{}, cut).Run(t.Context(), files)
		if enrolErr != nil && !errors.Is(enrolErr, errCutOff) {
			t.Fatal(enrolErr)
		}
		_, removeErr := cut.Remove(t.Context(), "2")
		if removeErr != nil && !errors.Is(removeErr, errCutOff) {
			t.Fatal(removeErr)
		}
		if _, err := Reconcile(t.Context(), New(bucket), without, now()); err != nil {
			t.Fatal(err)
		}
		keys, err := bucket.Keys(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			at := strings.Split(k, ".")
			if at[1] == "1" || at[0] == portraitKind && !slices.Contains(keys, templateKey(at[1], at[2])) {
				t.Errorf("cut off after %d writes: %s is left", left, k)
			}
		}
		if removeErr == nil && len(keys) > 0 {
			t.Errorf("after %d writes: %v outlived a removal", left, keys)
		}
	}
}

func TestAgeIsNoted(t *testing.T) {
	for _, test := range []struct {
		taken  consent.Date
		months int
		want   string
	}{
		{"2024-09-01", 0, ""},
		{"2024-08-31", 0, "taken on 2024-08-31, more than 12 months ago; a new photograph is asked for each year (Perse)"},
		{"2024-08-31", 24, ""},
		{"2023-08-31", 24, "taken on 2023-08-31, more than 24 months ago; a new photograph is asked for every 24 months"},
		{"", 0, ""},
	} {
		if diff := cmp.Diff(test.want, old(test.taken, today, test.months)); diff != "" {
			t.Errorf("%+v: %s", test, diff)
		}
	}
}
