package enrolment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/gallery"
)

// Bucket is what the store needs of a *bus.Bucket.
type Bucket interface {
	Get(ctx context.Context, key string) (bus.Record, error)
	Put(ctx context.Context, key string, value []byte) (uint64, error)
	Create(ctx context.Context, key string, value []byte) (uint64, error)
	Erase(ctx context.Context, key string) error
	Keys(ctx context.Context) ([]string, error)
	Watch(ctx context.Context, keys ...string) iter.Seq2[bus.Change, error]
}

// Store keeps references in a bucket: under template.SUBJECT.DIGEST what the describers made of a
// photograph, under portrait.SUBJECT.DIGEST a small picture of its face, and under target the error
// rate that was asked for. The first two are written once and erased, never overwritten. A store is
// safe for use by several goroutines and processes.
//
// The template is written before its portrait and erased before it. So a portrait without a
// template is what a kill left behind, and [Reconcile] erases it.
type Store struct{ bucket Bucket }

// New keeps references in the bucket GALLERY.
func New(bucket Bucket) *Store { return &Store{bucket} }

// targetKey has no dot, so that it cannot be the key of a reference.
const targetKey = "target"

// List gives all references, by subject and then digest. A reference that cannot be read is an
// error, ErrUnreadable, which names its subject.
func (s *Store) List(ctx context.Context) ([]Enrolled, error) {
	var all []Enrolled
	for c, err := range s.bucket.Watch(ctx, templateKind+".*.*") {
		if err != nil {
			return nil, fmt.Errorf("listing the references: %w", err)
		}
		if c.CaughtUp {
			break
		}
		if c.Deleted {
			continue
		}
		e, err := decodeOf(c.Key, c.Value)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	slices.SortFunc(all, bySubject)
	return all, nil
}

func (e Enrolled) key() string { return templateKey(e.Subject, e.Digest) }

// decodeOf names the subject, where its key names one.
func decodeOf(name string, value []byte) (Enrolled, error) {
	e, err := decode(name, value)
	if err == nil {
		return e, nil
	}
	k, _ := parseKey(name)
	if consent.ValidAdmissionNumber(k.subject) != nil {
		k.subject = "somebody"
	}
	return Enrolled{}, fmt.Errorf("reading a reference of %s: %w", k.subject, err)
}

// Add writes a reference and its portrait. One that is there already stays as it is, unless other
// models made it: then it is replaced.
func (s *Store) Add(ctx context.Context, e Enrolled, portrait []byte) error {
	value, err := e.encode()
	if err != nil {
		return fmt.Errorf("enrolling %s: %w", e.Subject, err)
	}
	err = s.create(ctx, e.key(), value)
	if errors.Is(err, bus.ErrConflict) {
		err = s.replaceOld(ctx, e, value)
	}
	if err == nil {
		err = s.create(ctx, portraitKey(e.Subject, e.Digest), portrait)
	}
	if err != nil && !errors.Is(err, bus.ErrConflict) {
		return fmt.Errorf("enrolling %s: %w", e.Subject, err)
	}
	return nil
}

func (s *Store) create(ctx context.Context, key string, value []byte) error {
	_, err := s.bucket.Create(ctx, key, value)
	return err
}

// replaceOld erases a reference that cannot be used any more, and writes the new one.
func (s *Store) replaceOld(ctx context.Context, e Enrolled, value []byte) error {
	there, err := s.bucket.Get(ctx, e.key())
	if err != nil && !errors.Is(err, bus.ErrNotFound) {
		return err
	}
	if old, readErr := decode(e.key(), there.Value); err == nil && readErr == nil && old.Models == e.Models {
		return nil
	}
	if err := s.bucket.Erase(ctx, e.key()); err != nil {
		return err
	}
	return s.create(ctx, e.key(), value)
}

// Remove erases all that is kept of a subject, and says how many references that were. Nothing to
// erase is no error.
func (s *Store) Remove(ctx context.Context, subject string) (int, error) {
	keys, err := s.keys(ctx)
	if err != nil {
		return 0, err
	}
	templates, err := s.erase(ctx, keys, func(k key) bool { return k.subject == subject })
	return templates[subject], err
}

// RemoveReference erases one reference of a subject. It is no error where there is none.
func (s *Store) RemoveReference(ctx context.Context, subject, digest string) error {
	for _, key := range []string{templateKey(subject, digest), portraitKey(subject, digest)} {
		if err := s.bucket.Erase(ctx, key); err != nil {
			return fmt.Errorf("removing a reference of %s: %w", subject, err)
		}
	}
	return nil
}

// keys lists the keys of all references.
func (s *Store) keys(ctx context.Context) ([]key, error) {
	names, err := s.bucket.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the references: %w", err)
	}
	var keys []key
	templates := map[string]bool{}
	for _, name := range names {
		if k, ok := parseKey(name); ok {
			keys = append(keys, k)
			templates[name] = k.kind == templateKind
		}
	}
	for i, k := range keys {
		keys[i].orphan = k.kind == portraitKind && !templates[templateKey(k.subject, k.digest)]
	}
	return keys, nil
}

// erase erases what it is told to, templates before portraits, and counts the templates of each
// subject. It goes on after an error, so that what can be destroyed is.
func (s *Store) erase(ctx context.Context, keys []key, wanted func(key) bool) (templates map[string]int, err error) {
	templates = map[string]int{}
	var errs []error
	for _, kind := range []string{templateKind, portraitKind} {
		for _, k := range keys {
			if k.kind != kind || !wanted(k) {
				continue
			}
			if err := s.bucket.Erase(ctx, k.String()); err != nil {
				errs = append(errs, err)
			} else if kind == templateKind {
				templates[k.subject]++
			}
		}
	}
	if len(errs) > 0 {
		return templates, fmt.Errorf("%d records of references could not be removed: %w", len(errs), errs[0])
	}
	return templates, nil
}

// Portrait is a small JPEG of the face of a reference; bus.ErrNotFound where there is none.
func (s *Store) Portrait(ctx context.Context, subject, digest string) ([]byte, error) {
	r, err := s.bucket.Get(ctx, portraitKey(subject, digest))
	if err != nil {
		return nil, fmt.Errorf("reading a portrait of %s: %w", subject, err)
	}
	return r.Value, nil
}

// Target is the error rate that was asked for with SetTarget; ok is false where none was.
func (s *Store) Target(ctx context.Context) (t gallery.Target, ok bool, err error) {
	r, err := s.bucket.Get(ctx, targetKey)
	if errors.Is(err, bus.ErrNotFound) {
		return gallery.Target{}, false, nil
	}
	if err != nil {
		return gallery.Target{}, false, fmt.Errorf("reading the wanted error rate: %w", err)
	}
	read, err := decodeTarget(r.Value)
	if err != nil {
		return gallery.Target{}, false, err
	}
	return *read, true, nil
}

func decodeTarget(value []byte) (*gallery.Target, error) {
	t := &gallery.Target{}
	if err := json.Unmarshal(value, t); err != nil {
		return nil, fmt.Errorf("reading the wanted error rate: %w", err)
	}
	if !(t.FalseConfident > 0 && t.FalseConfident < 1 && t.GenuineKept > 0 && t.GenuineKept <= 1) {
		return nil, errors.New("reading the wanted error rate: it is not one; set it again with `gallery calibrate`")
	}
	return t, nil
}

// SetTarget keeps the error rate that the bands are to be set for.
func (s *Store) SetTarget(ctx context.Context, t gallery.Target) error {
	value, err := json.Marshal(t)
	if err == nil {
		_, err = decodeTarget(value)
	}
	if err == nil {
		_, err = s.bucket.Put(ctx, targetKey, value)
	}
	if err != nil {
		return fmt.Errorf("keeping the wanted error rate: %w", err)
	}
	return nil
}

// References divides what is stored into what these models made and what others did. The latter
// cannot be compared with faces of today: the photographs must be enrolled again.
func References(all []Enrolled, models string) (usable []gallery.Reference, again []Enrolled) {
	for _, e := range all {
		if e.Models == models {
			usable = append(usable, e.Reference())
		} else {
			again = append(again, e)
		}
	}
	return usable, again
}
