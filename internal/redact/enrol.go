package redact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/pipeline"
)

// What a reference must be like. The side is that of policies' enrolment check (issue 3); the
// other bounds were read off the sharpest and dullest usable crops of the sample photographs.
const (
	minReferenceSide = 80.0 // pixels, the shorter side of the face's box
	// A second face counts if it is at least this much of the largest one's size: what is
	// smaller is somebody in the background, or a picture on the wall.
	secondFace = 1.0 / 3
	// Variance of the Laplacian on the aligned crop, see face.Quality.
	minSharpness = 20.0
)

// enrolment is who could be enrolled, and what was wrong with the references of others.
type enrolment struct {
	references []gallery.Reference
	refused    []refusal
}

type refusal struct {
	subject string // empty where the file's name names nobody
	text    string
}

// enrol looks at every reference photograph of a subject who may have been there. An error means
// that nothing can be enrolled; what is wrong with single files is in the enrolment.
func enrol(ctx context.Context, o Options, r rules, vision pipeline.Vision) (enrolment, error) {
	if o.ReferencesDir == "" {
		return enrolment{}, &UsageError{fmt.Errorf("mode %s needs references: give --references DIR, or use --mode everyone", o.Mode)}
	}
	files, problems, err := intake.References(o.ReferencesDir, r.register.Has)
	if err != nil {
		return enrolment{}, &UsageError{fmt.Errorf("reading the references: %w", err)}
	}
	var e enrolment
	for _, p := range problems {
		e.refused = append(e.refused, refusal{text: p.Error()})
	}
	for i, file := range files {
		o.Progress.Enrolling(i, len(files))
		if !r.attended(file.Subject) {
			continue
		}
		if err := e.add(ctx, r, o, file, vision); err != nil {
			return enrolment{}, err
		}
	}
	o.Progress.Enrolling(len(files), len(files))
	return e, nil
}

var errTooSlow = errors.New("looking at it took too long")

// add enrols one reference or notes why it is refused. Only the end of the run is an error: a
// photograph over which the decoder does not come to an end must not hold up the others.
func (e *enrolment) add(ctx context.Context, r rules, o Options, file intake.ReferenceFile, vision pipeline.Vision) error {
	limited, cancel := context.WithTimeoutCause(ctx, o.TimeOut, errTooSlow)
	defer cancel()
	reference, err := enrolOne(limited, r, o.Limits, file, vision)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil && limited.Err() != nil {
		err = context.Cause(limited)
	}
	if err != nil {
		e.refused = append(e.refused, refusal{subject: file.Subject, text: fmt.Sprintf("%s: %v", file.Path, err)})
		return nil
	}
	e.references = append(e.references, reference)
	return nil
}

func enrolOne(ctx context.Context, r rules, limits media.Limits, file intake.ReferenceFile, vision pipeline.Vision) (gallery.Reference, error) {
	if err := mayEnrol(r.register, file.Subject); err != nil {
		return gallery.Reference{}, err
	}
	data, err := readReference(file, limits)
	if err != nil {
		return gallery.Reference{}, err
	}
	f, err := onlyFace(ctx, data, vision)
	if err != nil {
		return gallery.Reference{}, err
	}
	digest := sha256.Sum256(data)
	return gallery.Reference{Subject: file.Subject, Digest: hex.EncodeToString(digest[:]), Templates: f.Templates}, nil
}

func readReference(file intake.ReferenceFile, limits media.Limits) ([]byte, error) {
	if err := limits.CheckBytes(file.Size); err != nil {
		return nil, err
	}
	f, err := file.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limits.MaxBytes))
}

// mayEnrol refuses a subject for whom anybody has refused the biometric consent. (That it must
// have been granted as well comes with the register's own issue.)
func mayEnrol(register *consent.Register, subject string) error {
	for _, record := range register.Records(subject) {
		if record.Purpose == consent.Biometric && record.Decision != consent.Granted {
			return fmt.Errorf("%s may not be enrolled: biometric consent %s by %s on %s", subject, record.Decision, record.Party, record.Date)
		}
	}
	return nil
}

// onlyFace is the one face of a reference photograph, described, if it is good enough.
func onlyFace(ctx context.Context, data []byte, vision pipeline.Vision) (face.Face, error) {
	if _, err := vision.Decode(ctx, data); err != nil {
		return face.Face{}, err
	}
	faces, err := vision.Find(ctx)
	if err != nil {
		return face.Face{}, err
	}
	f, err := single(faces)
	if err != nil {
		return face.Face{}, err
	}
	described, err := vision.Describe(ctx, []face.Face{f})
	if err != nil {
		return face.Face{}, err
	}
	if len(described) != 1 {
		return face.Face{}, errors.New("the face could not be described")
	}
	return described[0], goodEnough(described[0])
}

// single is the only face that counts.
func single(faces []face.Face) (face.Face, error) {
	if len(faces) == 0 {
		return face.Face{}, errors.New("no face found; use a photograph that shows the pupil's face from the front")
	}
	faces = slices.Clone(faces)
	slices.SortFunc(faces, func(a, b face.Face) int { return int(b.Box.Area() - a.Box.Area()) })
	if len(faces) > 1 && faces[1].Box.Size() >= secondFace*faces[0].Box.Size() {
		return face.Face{}, fmt.Errorf("%d faces found; cut the photograph so that only the pupil is in it", len(faces))
	}
	return faces[0], nil
}

// goodEnough says what is wrong with a face as a reference.
func goodEnough(f face.Face) error {
	if side := min(f.Box.W, f.Box.H); side < minReferenceSide {
		return fmt.Errorf("the face is too small: %.0f pixels wide or high, at least %.0f are needed", side, minReferenceSide)
	}
	if f.Quality.Sharpness < minSharpness {
		return fmt.Errorf("the face is blurred (sharpness %.0f, at least %.0f is needed)", f.Quality.Sharpness, minSharpness)
	}
	if len(f.Templates) == 0 {
		return errors.New("the face could not be described; use a photograph from the front, without sunglasses or mask")
	}
	return nil
}

// list joins refusals, a line each.
func list(refused []refusal) string {
	lines := make([]string, len(refused))
	for i, r := range refused {
		lines[i] = "  " + r.text
	}
	return strings.Join(lines, "\n")
}
