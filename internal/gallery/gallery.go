// Package gallery holds the templates of enrolled subjects and says which of them, if any, the
// faces of one photograph are.
//
// It is pure: no I/O, no clock, no pictures, no models. It promises that
//
//   - the search is exact: it answers as if every probe had been compared with every reference;
//   - the order of references changes nothing, and the order of probes only the order of answers;
//   - of the faces that no person has ruled on, a subject is a confident match of at most one in a
//     photograph, and of none where a person has said that another face is this subject;
//   - every doubt (a close runner-up, a second face that is as alike, templates that cannot be
//     compared) lowers "confident" to "unsure", and never turns "unsure" into a release by itself;
//   - a template that is not finite, of the wrong length or of an absurd length in space never
//     takes part in a match: in a reference it is an error, in a probe it counts as declined.
package gallery

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/consentry/consentry/internal/face"
)

// Reference is one enrolment photograph of a subject and what the describers made of it.
type Reference struct {
	Subject   string         // admission number
	Digest    string         // SHA-256 of the reference photograph, hexadecimal
	Templates face.Templates // at least one
}

// Reasons for which New refuses a reference.
var (
	ErrNoSubject   = errors.New("reference without a subject")
	ErrNoTemplate  = errors.New("reference without a template")
	ErrBadTemplate = errors.New("template cannot be used")
)

// Gallery is what a run matches against. What it answers never changes after New, so that any
// number of goroutines may use it at once.
type Gallery struct {
	thresholds Thresholds
	table      table
	digest     func() string
	alike      *memory
}

// New makes a gallery. It refuses references without a subject or a usable template, and
// thresholds that contradict each other. An empty gallery is fine: nobody matches it.
func New(refs []Reference, t Thresholds) (*Gallery, error) {
	if err := t.validate(); err != nil {
		return nil, err
	}
	return (&Gallery{thresholds: t}).With(refs...)
}

// With is the gallery with more references, as New would make it from the old and the new ones.
// The gallery itself stays as it is. It costs a copy of the lists, not of the templates: well
// under a millisecond for 50,000 subjects, so that references may be added one at a time.
func (g *Gallery) With(refs ...Reference) (*Gallery, error) {
	sorted := slices.Clone(refs)
	slices.SortStableFunc(sorted, func(a, b Reference) int { return strings.Compare(a.Subject, b.Subject) })
	next := g.table.copied()
	for _, r := range sorted {
		if err := r.check(); err != nil {
			return nil, err
		}
		next.add(r.Subject, newRow(r))
	}
	next.tidy()
	return newGallery(next, g.thresholds), nil
}

// Only is the gallery of those subjects that keep says yes to, such as those who were at an event,
// with the thresholds of the whole one. The gallery itself stays as it is.
func (g *Gallery) Only(keep func(subject string) bool) *Gallery {
	var next table
	for _, n := range g.table.order {
		s := g.table.subjects[n]
		if !keep(s.id) {
			continue
		}
		for _, at := range s.rows {
			next.add(s.id, *g.table.row(at))
		}
	}
	next.tidy()
	return newGallery(next, g.thresholds)
}

func newGallery(t table, th Thresholds) *Gallery {
	g := &Gallery{thresholds: th, table: t, alike: newMemory()}
	g.digest = digestOnce(t, th)
	return g
}

func (r Reference) check() error {
	if r.Subject == "" {
		return ErrNoSubject
	}
	if len(r.Templates) == 0 {
		return fmt.Errorf("enrolling %s: %w", r.Subject, ErrNoTemplate)
	}
	for d, v := range r.Templates {
		if !usable(d, v) {
			return fmt.Errorf("enrolling %s with %s: %w", r.Subject, d, ErrBadTemplate)
		}
	}
	return nil
}

// Subjects is the number of enrolled subjects.
func (g *Gallery) Subjects() int { return len(g.table.subjects) }

// References is the number of references of all subjects together.
func (g *Gallery) References() int { return g.table.count }

// Thresholds are the ones that the gallery was made with.
func (g *Gallery) Thresholds() Thresholds { return g.thresholds }

// SubjectIDs lists the admission numbers of who is enrolled, sorted.
func (g *Gallery) SubjectIDs() []string {
	ids := make([]string, 0, len(g.table.order))
	for _, n := range g.table.order {
		ids = append(ids, g.table.subjects[n].id)
	}
	return ids
}

// Digest names everything that a match depends on: subjects, photographs, templates and
// thresholds. It is the same in whatever order the references came. SHA-256, hexadecimal.
func (g *Gallery) Digest() string { return g.digest() }
