package enrolment

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strings"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
)

// Enrolled is a stored reference.
type Enrolled struct {
	Subject   string // admission number
	Digest    string // SHA-256 of the photograph, hexadecimal
	Models    string // digest of the models that made the templates, hexadecimal
	Templates face.Templates
	Quality   face.Quality
	Side      float64      // shorter side of the face's box, pixels
	Box       face.Box     // in the upright photograph
	Added     consent.Date // the day it was enrolled
	Taken     consent.Date // the day the photograph was taken, empty where that is not known
}

// Reference is what the gallery takes.
func (e Enrolled) Reference() gallery.Reference {
	return gallery.Reference{Subject: e.Subject, Digest: e.Digest, Templates: e.Templates}
}

// bySubject orders references by subject and then digest.
func bySubject(a, b Enrolled) int {
	return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Digest, b.Digest))
}

// Newest is the day that its age counts from: taken, or where that is not known added.
func (e Enrolled) Newest() consent.Date {
	if e.Taken != "" {
		return e.Taken
	}
	return e.Added
}

// ErrUnreadable says that a stored reference is not what was once written. Whose face it is can then
// not be recognised, so nothing may go on as if it were not there.
var ErrUnreadable = errors.New("a stored reference cannot be read; remove it with `enrol remove` and enrol the photograph again")

// Kinds of keys.
const (
	templateKind = "template"
	portraitKind = "portrait"
)

// recordVersion is raised when the form of a stored reference changes.
const recordVersion = 1

// record is the stored form. Vectors are little-endian IEEE 754 numbers of four bytes.
type record struct {
	Version   int                       `json:"version"`
	Subject   string                    `json:"subject"`
	Digest    string                    `json:"digest"`
	Models    string                    `json:"models"`
	Templates map[face.Describer][]byte `json:"templates"`
	Quality   face.Quality              `json:"quality"`
	Side      float64                   `json:"side"`
	Box       face.Box                  `json:"box"`
	Added     consent.Date              `json:"added"`
	Taken     consent.Date              `json:"taken,omitempty"`
}

var hexDigest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// check says what is wrong with a reference that is to be written or has been read.
func (e Enrolled) check() error {
	if err := consent.ValidAdmissionNumber(e.Subject); err != nil {
		return fmt.Errorf("the subject %w", err)
	}
	if !hexDigest.MatchString(e.Digest) || !hexDigest.MatchString(e.Models) {
		return errors.New("a digest is not a SHA-256")
	}
	for _, x := range []float64{e.Side, e.Box.X, e.Box.Y, e.Box.W, e.Box.H, e.Quality.Sharpness, e.Quality.Brightness, e.Quality.Yaw} {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return errors.New("a measure is not a number")
		}
	}
	if _, err := consent.ParseDate(string(e.Added)); err != nil {
		return fmt.Errorf("the day of enrolment %w", err)
	}
	if _, err := consent.ParseDate(string(e.Taken)); e.Taken != "" && err != nil {
		return fmt.Errorf("the day of the photograph %w", err)
	}
	_, err := gallery.New([]gallery.Reference{e.Reference()}, gallery.DefaultThresholds())
	return err
}

func (e Enrolled) encode() ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	r := record{
		Version: recordVersion, Subject: e.Subject, Digest: e.Digest, Models: e.Models, Quality: e.Quality,
		Side: e.Side, Box: e.Box, Added: e.Added, Taken: e.Taken, Templates: map[face.Describer][]byte{},
	}
	for d, v := range e.Templates {
		for _, x := range v {
			r.Templates[d] = binary.LittleEndian.AppendUint32(r.Templates[d], math.Float32bits(x))
		}
	}
	return json.Marshal(r)
}

// decode reads a stored reference; name is the key it was found under.
func decode(name string, value []byte) (Enrolled, error) {
	var r record
	d := json.NewDecoder(bytes.NewReader(value))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return Enrolled{}, fmt.Errorf("%w (%w)", ErrUnreadable, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Enrolled{}, fmt.Errorf("%w (something follows it)", ErrUnreadable)
	}
	if r.Version != recordVersion {
		return Enrolled{}, fmt.Errorf("%w (its form is %d, this program knows %d)", ErrUnreadable, r.Version, recordVersion)
	}
	if name != templateKey(r.Subject, r.Digest) {
		return Enrolled{}, fmt.Errorf("%w (it is not the one that its key names)", ErrUnreadable)
	}
	e := Enrolled{
		Subject: r.Subject, Digest: r.Digest, Models: r.Models, Quality: r.Quality, Side: r.Side, Box: r.Box,
		Added: r.Added, Taken: r.Taken, Templates: face.Templates{},
	}
	for describer, b := range r.Templates {
		if len(b)%4 != 0 {
			return Enrolled{}, fmt.Errorf("%w (a template is cut off)", ErrUnreadable)
		}
		v := make([]float32, len(b)/4)
		for i := range v {
			v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
		e.Templates[describer] = v
	}
	if err := e.check(); err != nil {
		return Enrolled{}, fmt.Errorf("%w (%w)", ErrUnreadable, err)
	}
	return e, nil
}

// key is the key of a template or portrait, taken apart.
type key struct {
	kind, subject, digest string
	orphan                bool // a portrait without a template
}

func (k key) String() string { return strings.Join([]string{k.kind, k.subject, k.digest}, ".") }

func templateKey(subject, digest string) string {
	return key{kind: templateKind, subject: subject, digest: digest}.String()
}

func portraitKey(subject, digest string) string {
	return key{kind: portraitKind, subject: subject, digest: digest}.String()
}

// parseKey takes a key apart; ok is false where it is none of a reference.
func parseKey(text string) (k key, ok bool) {
	p := strings.Split(text, ".")
	if len(p) != 3 || p[0] != templateKind && p[0] != portraitKind {
		return key{}, false
	}
	return key{kind: p[0], subject: p[1], digest: p[2]}, true
}
