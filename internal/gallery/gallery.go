// Package gallery holds the templates of enrolled subjects and says which of them, if any, the
// faces of one photograph are.
//
// It is pure: no I/O, no clock, no pictures, no models. It promises that
//
//   - the search is exact: every probe is compared with every reference;
//   - the order of references changes nothing, and the order of probes only the order of answers;
//   - a subject is a confident match of at most one face of a photograph;
//   - every doubt (a close runner-up, a second face that is as alike, templates that cannot be
//     compared) lowers "confident" to "unsure", and never turns "unsure" into a release by itself;
//   - a template that is not finite, of the wrong length or of an absurd length in space never
//     takes part in a match: in a reference it is an error, in a probe it counts as declined.
package gallery

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"math"
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

// Gallery is what a run matches against. It never changes after New, so that any number of
// goroutines may use it at once.
type Gallery struct {
	thresholds Thresholds
	digest     string
	subjects   []subject // by admission number
	rows       []row     // references, grouped by subject
	dlib       []float32 // one vector of dlibLength for each row that has one
	mobile     []float32 // one vector of mobileLength for each row that has one
}

// subject is a run of rows.
type subject struct {
	id          string
	first, last int // rows[first:last]
}

// row says where the vectors of one reference start; −1 where its describer declined.
type row struct {
	dlib, mobile int
	dlibSquared  float32 // squared length of the dlib vector
}

// New makes a gallery. It refuses references without a subject or a usable template, and
// thresholds that contradict each other. An empty gallery is fine: nobody matches it.
func New(refs []Reference, t Thresholds) (*Gallery, error) {
	if err := t.validate(); err != nil {
		return nil, err
	}
	sorted := slices.Clone(refs)
	slices.SortStableFunc(sorted, func(a, b Reference) int { return strings.Compare(a.Subject, b.Subject) })
	g := &Gallery{thresholds: t}
	for _, r := range sorted {
		if err := g.add(r); err != nil {
			return nil, err
		}
	}
	g.digest = digest(sorted, t)
	return g, nil
}

func (g *Gallery) add(r Reference) error {
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
	if n := len(g.subjects); n == 0 || g.subjects[n-1].id != r.Subject {
		g.subjects = append(g.subjects, subject{id: r.Subject, first: len(g.rows)})
	}
	p := row{dlib: -1, mobile: -1}
	if v, ok := r.Templates[face.DlibResNet]; ok {
		p.dlib, p.dlibSquared = len(g.dlib), dot(v, v)
		g.dlib = append(g.dlib, v...)
	}
	if v, ok := r.Templates[face.MobileFaceNet]; ok {
		p.mobile = len(g.mobile)
		g.mobile = append(g.mobile, v...)
	}
	g.rows = append(g.rows, p)
	g.subjects[len(g.subjects)-1].last = len(g.rows)
	return nil
}

// Subjects is the number of enrolled subjects.
func (g *Gallery) Subjects() int { return len(g.subjects) }

// References is the number of references of all subjects together.
func (g *Gallery) References() int { return len(g.rows) }

// Digest names everything that a match depends on: subjects, photographs, templates and
// thresholds. It is the same in whatever order the references came. SHA-256, hexadecimal.
func (g *Gallery) Digest() string { return g.digest }

func digest(refs []Reference, t Thresholds) string {
	entries := make([]string, len(refs))
	for i, r := range refs {
		h := sha256.New()
		writeText(h, r.Subject)
		writeText(h, r.Digest)
		for _, d := range []face.Describer{face.DlibResNet, face.MobileFaceNet} {
			writeText(h, string(d))
			writeVector(h, r.Templates[d])
		}
		entries[i] = string(h.Sum(nil))
	}
	slices.Sort(entries)
	h := sha256.New()
	writeText(h, fmt.Sprintf("gallery 1 %+v", t))
	for _, e := range entries {
		writeText(h, e)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// writeText writes the length first, so that neighbours cannot run into each other. A hash never
// returns an error.
func writeText(h hash.Hash, s string) {
	_ = binary.Write(h, binary.LittleEndian, uint64(len(s)))
	_, _ = h.Write([]byte(s))
}

func writeVector(h hash.Hash, v []float32) {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(v)))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	_, _ = h.Write(b)
}
