package pipeline

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/track"
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

// onTracks are the rulings on each track, one or none. Where several meet one track, as it was two when they were made,
// they count together: to obscure goes before to show.
func (r Rulings) onTracks(asset string, w Watched) []*Ruling {
	told := make([]*Ruling, len(w.Tracks))
	for _, ruling := range r[asset] {
		frame, ok := ruling.frame(w.Times)
		if !ok {
			continue
		}
		if i := meant(w.Tracks, frame, ruling.Box); i >= 0 {
			told[i] = told[i].and(ruling)
		}
	}
	return told
}

// frame is the one of the film on which the face was when it was decided about.
func (r *Ruling) frame(times []time.Duration) (int, bool) {
	if r.At == nil || len(times) == 0 {
		return 0, false
	}
	const slack = time.Millisecond // time stamps are told apart by more, and written with less
	n := sort.Search(len(times), func(i int) bool { return times[i] > *r.At+slack }) - 1
	return n, n >= 0 && *r.At <= times[len(times)-1]+slack
}

// meant is the track whose face overlaps the box most on that frame, or −1.
func meant(tracks []track.Track, frame int, box face.Box) int {
	best, overlap := -1, 0.0
	for i := range tracks {
		b, ok := placeOn(&tracks[i], frame)
		if u := b.IoU(box); ok && u >= SameFace && u > overlap {
			best, overlap = i, u
		}
	}
	return best
}

// placeOn is where a track's face is on a frame.
func placeOn(t *track.Track, frame int) (face.Box, bool) {
	if frame < t.First() || frame > t.Last() {
		return face.Box{}, false
	}
	i := sort.Search(len(t.Path), func(k int) bool { return t.Path[k].Frame >= frame })
	q := t.Path[i]
	if q.Frame == frame {
		return q.Box, true
	}
	p := t.Path[i-1]
	share := float64(frame-p.Frame) / float64(q.Frame-p.Frame)
	between := func(a, b float64) float64 { return a + share*(b-a) }
	return face.Box{
		X: between(p.Box.X, q.Box.X), Y: between(p.Box.Y, q.Box.Y), W: between(p.Box.W, q.Box.W), H: between(p.Box.H, q.Box.H),
	}, true
}

// and is both rulings together. Two that name different subjects contradict each other.
func (r *Ruling) and(o Ruling) *Ruling {
	if r == nil {
		return &o
	}
	both := Ruling{Box: r.Box, At: r.At, Is: cmp.Or(r.Is, o.Is), Not: slices.Concat(r.Not, o.Not), As: maps.Clone(r.As)}
	if r.Is != "" && o.Is != "" && r.Is != o.Is {
		both.Not = append(both.Not, both.Is)
	}
	for purpose, v := range o.As {
		mine, ok := both.As[purpose]
		if both.As == nil {
			both.As = map[consent.Purpose]Verdict{}
		}
		switch {
		case !ok || mine.Outcome != consent.Obscure && v.Outcome == consent.Obscure:
			both.As[purpose] = v
		case mine.Outcome == v.Outcome:
			both.As[purpose] = Verdict{Outcome: v.Outcome, Bases: slices.Concat(mine.Bases, v.Bases)}
		}
	}
	return &both
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

// on is the ruling on the photograph's face with this box, or nil: the one that overlaps it most.
func (r Rulings) on(asset string, box face.Box) *Ruling {
	var best *Ruling
	overlap := 0.0
	for i, ruling := range r[asset] {
		if u := ruling.Box.IoU(box); ruling.At == nil && u >= SameFace && u > overlap {
			best, overlap = &r[asset][i], u
		}
	}
	return best
}

// withRuled adds the faces that a person has decided about and that were not found this time, so
// that a decision holds whatever finds faces now.
func withRuled(faces []face.Face, rulings []Ruling) []face.Face {
	for _, ruling := range rulings {
		found := slices.ContainsFunc(faces, func(f face.Face) bool { return f.Box.IoU(ruling.Box) >= SameFace })
		if !found && ruling.At == nil {
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
func (o Order) ruled(ruling *Ruling, m gallery.Match) (consent.Decision, bool) {
	if ruling == nil {
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
