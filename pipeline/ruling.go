package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
)

// Ruling is what a person decided about one face of one asset. No new run undoes it.
type Ruling struct {
	Box face.Box `json:"box"` // where the face was when it was decided
	// At is the time stamp, in the source's own time, of the film's frame on which the face was there: it is
	// the track whose face is there then. Nil for a photograph. A time and not a frame's number, so that it
	// holds as well where another part of the film is worked on.
	At  *time.Duration `json:"at,omitempty"`
	Is  string         `json:"is,omitempty"`  // the subject that it is; the register goes on deciding for that subject
	Not []string       `json:"not,omitempty"` // subjects that it is not
	// As is what becomes of the face for a purpose, whoever it is.
	As map[consent.Purpose]Verdict `json:"as,omitempty"`
}

// Verdict is what a person decided for one purpose.
type Verdict struct {
	Outcome consent.Outcome `json:"outcome"` // Show or Obscure
	// Bases are what [Order.Basis] said when it was decided, one for each way of working in which the
	// face was judged. A face is shown on a person's word only as long as nothing has changed that
	// the person went by: a consent withdrawn since then is not overruled. To obscure needs none.
	Bases []string `json:"bases,omitempty"`
}

// Rulings are those on the faces of each asset, by its digest.
type Rulings map[string][]Ruling

// FaceID names a face of an asset: 12 hex digits, which depend on the asset's digest and on the box
// to the pixel. It is what a person types to decide about the face.
func FaceID(asset string, box face.Box) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %.0f %.0f %.0f %.0f", asset, box.X, box.Y, box.W, box.H))
	return hex.EncodeToString(sum[:6])
}

// TrackID names a track of a film as [FaceID] does a face of a photograph: by a moment of it, and where its face is
// then. [TrackResult.At] and [TrackResult.Box] are meant.
func TrackID(asset string, at time.Duration, box face.Box) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %.0f %.0f %.0f %.0f", asset, at.Microseconds(), box.X, box.Y, box.W, box.H))
	return hex.EncodeToString(sum[:6])
}

// digest names what persons decided about the asset; empty where nobody has.
func (r Rulings) digest(asset string) string {
	list := r[asset]
	if len(list) == 0 {
		return ""
	}
	parts := make([]string, len(list))
	for i, ruling := range list {
		text, err := json.Marshal(ruling) // numbers that are not finite have no place in a box
		if err != nil {
			text = fmt.Appendf(nil, "%+v", ruling)
		}
		parts[i] = string(text)
	}
	slices.Sort(parts)
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:])
}

// on is the ruling on the face with this box: the one that overlaps it most.
func (r Rulings) on(asset string, box face.Box) (Ruling, bool) {
	var best Ruling
	overlap := 0.0
	for _, ruling := range r[asset] {
		if u := ruling.Box.IoU(box); u >= SameFace && u > overlap {
			best, overlap = ruling, u
		}
	}
	return best, overlap > 0
}

// withRuled adds the faces that a person has decided about and that were not found this time, so
// that a decision holds whatever finds faces now.
func withRuled(faces []face.Face, rulings []Ruling) []face.Face {
	for _, ruling := range rulings {
		found := slices.ContainsFunc(faces, func(f face.Face) bool { return f.Box.IoU(ruling.Box) >= SameFace })
		if !found {
			faces = append(faces, face.Face{Box: ruling.Box})
		}
	}
	return faces
}

// Basis says what a person goes by who decides about a face that matched so: the way of working, what
// would become of the face, whom it may be and who looks like them, and what the register and
// the policy say of them all today.
func (o Order) Basis(m gallery.Match) string {
	d := o.unruled(m)
	parts := []string{string(o.Mode), o.For, string(m.Band), string(d.Outcome), d.Rule}
	for _, subject := range o.mayBe(m) {
		d := o.decisionOn(subject)
		parts = append(parts, fmt.Sprintf("%s %s %s", subject, d.Outcome, d.Rule))
	}
	return strings.Join(parts, "; ")
}

// mayBe lists whom the face may be: the best match and the next, and who looks like the best.
func (o Order) mayBe(m gallery.Match) []string {
	var subjects []string
	if m.Subject != "" {
		subjects = append(subjects, m.Subject)
	}
	if m.RunnerUp != "" {
		subjects = append(subjects, m.RunnerUp)
	}
	if m.Subject == "" {
		return subjects
	}
	for _, other := range o.lookalikes(m.Subject) {
		if other != m.RunnerUp {
			subjects = append(subjects, other)
		}
	}
	return subjects
}

// ruled is what a person decided for the order's purpose, if it holds.
func (o Order) ruled(asset string, box face.Box, m gallery.Match) (consent.Decision, bool) {
	ruling, ok := o.Rulings.on(asset, box)
	if !ok {
		return consent.Decision{}, false
	}
	v, ok := ruling.As[o.Purpose]
	switch {
	case !ok:
		return consent.Decision{}, false
	case v.Outcome == consent.Obscure:
		return consent.Decision{Outcome: consent.Obscure, Rule: RulePerson, Text: "a person decided that this face is obscured"}, true
	case v.Outcome == consent.Show && slices.Contains(v.Bases, o.Basis(m)):
		return consent.Decision{Outcome: consent.Show, Rule: RulePerson, Text: "a person decided that this face may be shown"}, true
	}
	return consent.Decision{}, false
}
