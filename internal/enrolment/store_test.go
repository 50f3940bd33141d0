package enrolment

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
)

func now() time.Time { return time.Date(2025, 9, 1, 12, 0, 0, 0, time.UTC) }

const (
	today = consent.Date("2025-09-01")
)

func modelsDigest(s string) string { return strings.Repeat(s, 32) }

// realBucket is the bucket of an embedded server.
func realBucket(t testing.TB) *bus.Bucket {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{StoreDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b.Gallery()
}

func enrolledOf(s shot, models string) Enrolled {
	r := s.reference()
	return Enrolled{
		Subject: r.Subject, Digest: r.Digest, Models: modelsDigest(models), Templates: r.Templates,
		Quality: face.Quality{Sharpness: 120.5, Brightness: 101, Yaw: -0.1}, Side: 140,
		Box: face.Box{X: 1, Y: 2, W: 140, H: 150}, Added: today, Taken: "2025-03-01",
	}
}

func add(t testing.TB, s *Store, all ...Enrolled) {
	t.Helper()
	for _, e := range all {
		if err := s.Add(t.Context(), e, []byte("portrait of "+e.Digest)); err != nil {
			t.Fatal(err)
		}
	}
}

func list(t testing.TB, s *Store) []Enrolled {
	t.Helper()
	all, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestStoreKeepsReferences(t *testing.T) {
	s := New(realBucket(t))
	a, b, c := enrolledOf(shot{"1", 1, 1}, "aa"), enrolledOf(shot{"1", 1, 2}, "aa"), enrolledOf(shot{"1-2", 2, 3}, "aa")
	add(t, s, c, b, a, a)
	if diff := cmp.Diff([]Enrolled{a, b, c}, list(t, s)); diff != "" {
		t.Fatal(diff)
	}
	picture, err := s.Portrait(t.Context(), "1", a.Digest)
	if err != nil || string(picture) != "portrait of "+a.Digest {
		t.Fatalf("portrait %q, %v", picture, err)
	}
	if err := s.RemoveReference(t.Context(), "1", a.Digest); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Portrait(t.Context(), "1", a.Digest); !errors.Is(err, bus.ErrNotFound) {
		t.Errorf("the portrait outlived its reference: %v", err)
	}
	if n, err := s.Remove(t.Context(), "1"); n != 1 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	if diff := cmp.Diff([]Enrolled{c}, list(t, s)); diff != "" {
		t.Error(diff)
	}
	if n, err := s.Remove(t.Context(), "1"); n != 0 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	add(t, s, a) // after it was erased
	if diff := cmp.Diff([]Enrolled{a, c}, list(t, s)); diff != "" {
		t.Error(diff)
	}
}

func TestReferencesOfOtherModelsAreReplacedAndNotUsed(t *testing.T) {
	s := New(realBucket(t))
	before, after := enrolledOf(shot{"1", 1, 1}, "aa"), enrolledOf(shot{"1", 1, 1}, "bb")
	add(t, s, before)
	usable, again := References(list(t, s), modelsDigest("bb"))
	if len(usable) != 0 || len(again) != 1 {
		t.Errorf("%d usable and %d to be enrolled again", len(usable), len(again))
	}
	add(t, s, after)
	if diff := cmp.Diff([]Enrolled{after}, list(t, s)); diff != "" {
		t.Error(diff)
	}
}

func TestUnreadableReferencesAreErrors(t *testing.T) {
	good, err := enrolledOf(shot{"1", 1, 1}, "aa").encode()
	if err != nil {
		t.Fatal(err)
	}
	other := fmt.Sprintf("%064x", 2)
	for name, test := range map[string]struct{ key, value string }{
		"cut off":           {templateKey("1", other), string(good[:40])},
		"empty":             {templateKey("1", other), ""},
		"under a wrong key": {templateKey("1", other), string(good)},
		"of nobody":         {templateKey("Alice", other), string(good)},
		"another form":      {templateKey("1", other), strings.Replace(string(good), `"version":1`, `"version":2`, 1)},
		"an unknown word":   {templateKey("1", other), strings.Replace(string(good), `"version":1`, `"version":1,"name":"x"`, 1)},
		"two":               {templateKey("1", other), string(good) + string(good)},
	} {
		t.Run(name, func(t *testing.T) {
			bucket := realBucket(t)
			s := New(bucket)
			if _, err := bucket.Put(t.Context(), test.key, []byte(test.value)); err != nil {
				t.Fatal(err)
			}
			if _, err := s.List(t.Context()); !errors.Is(err, ErrUnreadable) || strings.Contains(err.Error(), "Alice") {
				t.Errorf("List: %v", err)
			}
			for _, err := range s.Follow(t.Context()) {
				if !errors.Is(err, ErrUnreadable) {
					t.Errorf("Follow: %v", err)
				}
				break
			}
			// It can be destroyed all the same.
			if _, err := Reconcile(t.Context(), s, nil, now()); err != nil {
				t.Error(err)
			}
			if keys, err := bucket.Keys(t.Context()); len(keys) > 0 || err != nil {
				t.Errorf("%v are left, %v", keys, err)
			}
		})
	}
}

func TestAddRefusesWhatCouldNotBeRead(t *testing.T) {
	s := New(realBucket(t))
	for name, change := range map[string]func(*Enrolled){
		"no admission number": func(e *Enrolled) { e.Subject = "Alice" },
		"no digest":           func(e *Enrolled) { e.Digest = "x" },
		"no models":           func(e *Enrolled) { e.Models = "" },
		"no template":         func(e *Enrolled) { e.Templates = nil },
		"a short template":    func(e *Enrolled) { e.Templates = face.Templates{face.MobileFaceNet: {1}} },
		"an unknown template": func(e *Enrolled) { e.Templates = face.Templates{"other": {1}} },
		"no day":              func(e *Enrolled) { e.Added = "" },
		"no real day":         func(e *Enrolled) { e.Taken = "2024-02-30" },
	} {
		e := enrolledOf(shot{"1", 1, 1}, "aa")
		change(&e)
		if err := s.Add(t.Context(), e, nil); err == nil {
			t.Errorf("%s: was added", name)
		}
	}
	if all := list(t, s); len(all) > 0 {
		t.Errorf("%d are stored", len(all))
	}
}

func TestTarget(t *testing.T) {
	s := New(realBucket(t))
	if _, ok, err := s.Target(t.Context()); ok || err != nil {
		t.Fatalf("%v, %v before one was set", ok, err)
	}
	want := gallery.Target{FalseConfident: 1e-5, GenuineKept: 0.99}
	if err := s.SetTarget(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := s.Target(t.Context()); got != want || !ok || err != nil {
		t.Errorf("%+v, %v, %v", got, ok, err)
	}
	for _, bad := range []gallery.Target{{}, {FalseConfident: 2, GenuineKept: 0.9}, {FalseConfident: 1e-4, GenuineKept: -1}} {
		if err := s.SetTarget(t.Context(), bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

func TestFollow(t *testing.T) {
	s := New(realBucket(t))
	a, b := enrolledOf(shot{"1", 1, 1}, "aa"), enrolledOf(shot{"2", 2, 2}, "aa")
	target := gallery.Target{FalseConfident: 1e-5, GenuineKept: 0.99}
	add(t, s, a)
	ctx, stop := context.WithCancel(t.Context())
	// After each state the next change is made.
	steps := []struct {
		want State
		next func() error
	}{
		{State{Enrolled: []Enrolled{a}}, func() error { return s.Add(ctx, b, []byte("b")) }},
		{State{Enrolled: []Enrolled{a, b}}, func() error { return s.RemoveReference(ctx, "1", a.Digest) }},
		{State{Enrolled: []Enrolled{b}}, func() error { return s.SetTarget(ctx, target) }},
		{State{Enrolled: []Enrolled{b}, Target: target, HasTarget: true}, func() error { stop(); return nil }},
	}
	at := 0
	for state, err := range s.Follow(ctx) {
		if at == len(steps) {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("it ended with %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(steps[at].want, state); diff != "" {
			t.Fatalf("state %d: %s", at, diff)
		}
		if err := steps[at].next(); err != nil {
			t.Fatal(err)
		}
		at++
	}
	t.Error("it ended without an error")
}

func TestReconcileDestroysWhatMayNotBeKept(t *testing.T) {
	bucket := realBucket(t)
	s := New(bucket)
	add(t, s, enrolledOf(shot{"1", 1, 1}, "aa"), enrolledOf(shot{"1", 1, 2}, "bb"), enrolledOf(shot{"2", 2, 3}, "aa"), enrolledOf(shot{"3", 3, 4}, "aa"))
	orphan := portraitKey("2", fmt.Sprintf("%064x", 9)) // a kill between template and portrait of a removal
	for key, value := range map[string]string{orphan: "x", "target": "{}"} {
		if _, err := bucket.Put(t.Context(), key, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	reg := register(t, grant("2"), grant("1"), withdraw("1"))
	removed, err := Reconcile(t.Context(), s, reg, now())
	if err != nil {
		t.Fatal(err)
	}
	if len(removed) != 2 || removed[0].Subject != "1" || removed[0].References != 2 || removed[1].Subject != "3" || removed[0].Reason == "" || removed[1].Reason == "" {
		t.Errorf("removed %+v, want two of 1 and one of 3, who is not in the register", removed)
	}
	keys, err := bucket.Keys(t.Context())
	kept := enrolledOf(shot{"2", 2, 3}, "aa")
	want := []string{portraitKey("2", kept.Digest), "target", templateKey("2", kept.Digest)}
	if diff := cmp.Diff(want, keys); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if again, err := Reconcile(t.Context(), s, reg, now()); len(again) > 0 || err != nil {
		t.Errorf("the second time %v, %v", again, err)
	}
}

// A clock that runs behind the register destroys nothing; a withdrawal does, whatever it is dated.
func TestReconcileByAClockThatIsBehind(t *testing.T) {
	s := New(realBucket(t))
	add(t, s, enrolledOf(shot{"1", 1, 1}, "aa"), enrolledOf(shot{"2", 2, 2}, "aa"))
	past := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	removed, err := Reconcile(t.Context(), s, register(t, grant("1"), grant("2"), withdraw("2")), past)
	if err != nil || len(removed) != 1 || removed[0].Subject != "2" {
		t.Errorf("removed %+v, want 2 alone: %v", removed, err)
	}
}

func grant(id string) consent.Record {
	return consent.Record{AdmissionNumber: id, Party: consent.Guardian, Purpose: consent.Biometric, Decision: consent.Granted, Date: "2025-01-01"}
}

func withdraw(id string) consent.Record {
	return consent.Record{AdmissionNumber: id, Party: consent.Guardian, Purpose: consent.Biometric, Decision: consent.Withdrawn, Date: "2025-02-01"}
}

// register knows the subjects that the records are of, 1 and 2 being siblings where both are.
func register(t testing.TB, records ...consent.Record) *consent.Register {
	t.Helper()
	var subjects []consent.Subject
	seen := map[string]bool{}
	for _, r := range records {
		if !seen[r.AdmissionNumber] {
			subjects = append(subjects, consent.Subject{AdmissionNumber: r.AdmissionNumber})
		}
		seen[r.AdmissionNumber] = true
	}
	reg, err := consent.NewRegister(1, subjects, records)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func FuzzDecode(f *testing.F) {
	e := enrolledOf(shot{"1", 1, 1}, "aa")
	good, err := e.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(e.key(), good)
	f.Add(e.key(), []byte(`{"version":1}`))
	f.Add("", []byte("{}"))
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		e, err := decodeOf(key, value)
		if err != nil {
			return
		}
		if _, err := gallery.New([]gallery.Reference{e.Reference()}, gallery.DefaultThresholds()); err != nil || e.key() != key {
			t.Errorf("what cannot be used was read: %v", err)
		}
		again, err := e.encode()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := decode(key, again); err != nil || !cmp.Equal(e, back) {
			t.Errorf("it does not survive being written: %v", err)
		}
	})
}

func FuzzDecodeTarget(f *testing.F) {
	f.Add([]byte(`{"false_confident":0.0001,"genuine_kept":0.995}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		if got, err := decodeTarget(value); err == nil && !(got.FalseConfident > 0 && got.GenuineKept <= 1) {
			t.Errorf("%+v", got)
		}
	})
}
