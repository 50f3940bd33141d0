// Package clearance makes and checks the signed statement that one derivative may be published for
// one purpose.
//
// A clearance holds digests, rules and admission numbers: no path, no name, no picture. It promises:
//
//   - What is signed is the meaning and not the layout: an Ed25519 signature over the prefix
//     "consentry clearance v1\n" and the canonical form, which is the one line of JSON that this
//     package makes of a [Clearance]. White space and the order of fields in the file do not matter.
//   - One file has one meaning. A field that is unknown, doubled, missing, spelled in another case
//     or written with another value's notation is refused before the signature is looked at, so no
//     two readers can see two things in a file that verifies.
//   - A face that waits for a person cannot be in a clearance at all, neither can a track of a film.
//   - Verification says which of format, signature, purpose and file failed, in that order.
//
// A clearance alone does not say that it still holds: it may have been revoked since.
package clearance

import (
	"errors"
	"fmt"
	"math"
	"time"
	"unicode"
	"unicode/utf8"
)

// Version is the version of the format that this package writes and reads.
const Version = 1

// Clearance is the payload: everything that the signature speaks for. Digests are SHA-256 in
// lower-case hexadecimal. All fields are mandatory unless they say otherwise.
type Clearance struct {
	Version      int       `json:"version"`
	SourceSHA256 string    `json:"source_sha256"` // the original's bytes
	Derivative   File      `json:"derivative"`
	Purpose      string    `json:"purpose"` // one publication channel
	Policy       Policy    `json:"policy"`
	Register     Register  `json:"register"`
	GallerySHA   string    `json:"gallery_sha256,omitempty"` // empty where nobody was matched
	ModelsSHA    string    `json:"models_sha256"`            // the set of weights that looked
	Options      Options   `json:"options"`
	JobKey       string    `json:"job_key"`          // see [JobKey]
	Issued       time.Time `json:"issued"`           // UTC, whole seconds
	Faces        []Face    `json:"faces"`            // every face that was found, by number; may be empty, and is for a film
	Tracks       []Track   `json:"tracks,omitempty"` // of a film: every track that was found, by number; left out where there is none
}

// File is the derivative as it was when it was sealed.
type File struct {
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
	Format string `json:"format"` // such as "jpeg"
	Width  int    `json:"width"`  // pixels of the upright image
	Height int    `json:"height"`

	Frames  int     `json:"frames,omitempty"`  // of a film, ≥ 1; left out of a photograph's
	Seconds float64 `json:"seconds,omitempty"` // of a film, from its first frame to its last; left out where it is 0
}

// Policy is the consent policy that was applied.
type Policy struct {
	Name   string `json:"name"`
	Digest string `json:"sha256"`
}

// Register is the state of the consent register that was applied. Both fields are empty in a run
// that needs none.
type Register struct {
	Revision uint64 `json:"revision,omitempty"`
	Digest   string `json:"sha256,omitempty"` // as far as the run depended on it
}

// Options are the choices of the run that shape the result.
type Options struct {
	Mode        string `json:"mode"`
	Style       string `json:"style"`
	UnknownFace string `json:"unknown_face,omitempty"`
}

// Face is one face and why it is shown or obscured.
type Face struct {
	Number        int         `json:"number"`           // 1, 2, … as on the contact sheet
	Box           [4]float64  `json:"box"`              // x, y, width, height in pixels of the upright image
	Region        *[4]float64 `json:"region,omitempty"` // what was altered on its account; set exactly where it is obscured
	DetectorScore float64     `json:"detector_score"`   // 0 to 1
	Match         Match       `json:"match"`
	Outcome       string      `json:"outcome"` // OutcomeShow or OutcomeObscure
	Rule          string      `json:"rule"`
}

// Track is one face of a film through one shot, and why it is shown or obscured. The box is that on Frame, the
// region the largest on any frame, and the numbers rise and may leave some out. Times are seconds in the original's own time.
type Track struct {
	Face
	Frame      int     `json:"frame"` // on which the face is seen best, from 0
	At         float64 `json:"at"`    // its time stamp, exact to the microsecond
	FirstFrame int     `json:"first_frame"`
	LastFrame  int     `json:"last_frame"`
	From       float64 `json:"from"` // time stamp of the first frame
	To         float64 `json:"to"`   // of the last
}

// Match is who the face was taken for.
type Match struct {
	Subject  string  `json:"subject,omitempty"` // admission number; empty where nobody matched
	Band     string  `json:"band"`              // "confident", "unsure" or "none"
	Score    float64 `json:"score"`
	RunnerUp string  `json:"runner_up,omitempty"` // admission number
}

// The outcomes that a face in a released derivative can have.
const (
	OutcomeShow    = "show"
	OutcomeObscure = "obscure"
)

// What can be wrong with a clearance. [Verify] and [Parse] wrap exactly one of them, except where
// reading the derivative itself fails.
var (
	ErrFormat    = errors.New("not a clearance of a known form")
	ErrSignature = errors.New("the clearance's signature does not hold")
	ErrPurpose   = errors.New("cleared for another purpose")
	ErrFile      = errors.New("not the file that was cleared")
)

// maxText bounds each text of a clearance, in bytes.
const maxText = 256

// validate refuses what this package would neither write nor read.
func (c *Clearance) validate() error {
	if c.Version != Version {
		return fmt.Errorf("version %d, want %d", c.Version, Version)
	}
	for _, d := range []struct {
		field, digest string
		optional      bool
	}{
		{"source_sha256", c.SourceSHA256, false},
		{"derivative.sha256", c.Derivative.SHA256, false},
		{"policy.sha256", c.Policy.Digest, false},
		{"register.sha256", c.Register.Digest, true},
		{"gallery_sha256", c.GallerySHA, true},
		{"models_sha256", c.ModelsSHA, false},
		{"job_key", c.JobKey, false},
	} {
		if !isDigest(d.digest) && (d.digest != "" || !d.optional) {
			return fmt.Errorf("%s is no SHA-256 in lower-case hexadecimal", d.field)
		}
	}
	for _, t := range []struct {
		field, text string
		optional    bool
	}{
		{"purpose", c.Purpose, false},
		{"policy.name", c.Policy.Name, false},
		{"derivative.format", c.Derivative.Format, false},
		{"options.mode", c.Options.Mode, false},
		{"options.style", c.Options.Style, false},
		{"options.unknown_face", c.Options.UnknownFace, true},
	} {
		if !isText(t.text, t.optional) {
			return fmt.Errorf("%s is empty, too long or not plain text", t.field)
		}
	}
	if c.Derivative.Bytes <= 0 || c.Derivative.Width <= 0 || c.Derivative.Height <= 0 {
		return fmt.Errorf("derivative of %d bytes, %d×%d pixels", c.Derivative.Bytes, c.Derivative.Width, c.Derivative.Height)
	}
	if c.Issued.IsZero() || !c.Issued.Equal(c.Issued.Truncate(time.Second)) || c.Issued.Location() != time.UTC {
		return errors.New("issued is not a time in UTC and whole seconds")
	}
	if err := c.validateFaces(); err != nil {
		return err
	}
	return c.validateTracks()
}

// validateTracks refuses tracks of a photograph, faces of a film, and frames that the film does not have.
func (c *Clearance) validateTracks() error {
	film := &c.Derivative
	switch {
	case film.Frames < 0 || !isFinite(film.Seconds) || film.Seconds < 0 || film.Frames == 0 && film.Seconds != 0:
		return fmt.Errorf("derivative of %d frames and %v seconds", film.Frames, film.Seconds)
	case film.Frames == 0 && len(c.Tracks) > 0, film.Frames > 0 && len(c.Faces) > 0:
		return errors.New("tracks belong to a film, and faces to a photograph")
	}
	last := 0
	for i := range c.Tracks {
		t := &c.Tracks[i]
		if t.Number <= last {
			return fmt.Errorf("track %d comes after track %d", t.Number, last)
		}
		last = t.Number
		if err := t.validate(film.Frames); err != nil {
			return fmt.Errorf("track %d: %w", t.Number, err)
		}
	}
	return nil
}

func (t *Track) validate(frames int) error {
	inOrder := 0 <= t.FirstFrame && t.FirstFrame <= t.Frame && t.Frame <= t.LastFrame && t.LastFrame < frames
	if !inOrder || !isFinite(t.From) || !isFinite(t.To) || !isFinite(t.At) || t.At < t.From || t.To < t.At {
		return errors.New("its frames or times are out of order, or not of the film")
	}
	return t.Face.validate()
}

func (c *Clearance) validateFaces() error {
	if c.Faces == nil {
		return errors.New("faces is missing; a derivative without faces has an empty list")
	}
	for i := range c.Faces {
		f := &c.Faces[i]
		if f.Number != i+1 {
			return fmt.Errorf("face %d has number %d", i+1, f.Number)
		}
		if err := f.validate(); err != nil {
			return fmt.Errorf("face %d: %w", f.Number, err)
		}
	}
	return nil
}

func (f *Face) validate() error {
	switch {
	case f.Outcome != OutcomeShow && f.Outcome != OutcomeObscure:
		return errors.New("its outcome is neither show nor obscure")
	case (f.Outcome == OutcomeObscure) != (f.Region != nil):
		return errors.New("a region belongs to a face that is obscured, and to no other")
	case f.Match.Band != "confident" && f.Match.Band != "unsure" && f.Match.Band != "none":
		return errors.New("its band is not one of confident, unsure, none")
	case !isText(f.Rule, false), !isText(f.Match.Subject, true), !isText(f.Match.RunnerUp, true):
		return errors.New("its rule or a subject is empty, too long or not plain text")
	}
	numbers := append([]float64{f.DetectorScore, f.Match.Score}, f.Box[:]...)
	if f.Region != nil {
		numbers = append(numbers, f.Region[:]...)
	}
	for _, n := range numbers {
		if !isFinite(n) {
			return errors.New("a number is not finite")
		}
	}
	return nil
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

func isDigest(s string) bool {
	if len(s) != 64 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// isText keeps out what would look like something else to a person: control characters, and bytes
// that JSON would replace.
func isText(s string, optional bool) bool {
	if s == "" {
		return optional
	}
	if len(s) > maxText || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}
