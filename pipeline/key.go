package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/consentry/consentry/internal/clearance"
)

// Revision counts the changes of what this program makes of the same inputs: of how faces are
// found, told apart, covered and inspected. Raise it with every such change, so that a result that
// an older version made is made again. A test in internal/sandbox/look says when it is forgotten.
const Revision = 2

// NewOrder completes an order: it works out what the register says of each enrolled subject, so
// that a change of the register, or a consent that runs out overnight, makes a new result exactly
// where it concerns somebody who could be matched.
func NewOrder(o Order) Order {
	if o.Mode == Everyone {
		return o
	}
	h := sha256.New()
	for _, subject := range o.Gallery.SubjectIDs() {
		d := o.decisionOn(subject)
		fmt.Fprintf(h, "%q %q %q", subject, d.Outcome, d.Rule)
		for _, other := range o.attending(o.Register.Lookalikes(subject)) { // of Gallery.Alike all are enrolled
			fmt.Fprintf(h, " %q %q", other, o.decisionOn(other).Outcome)
		}
		fmt.Fprintln(h)
	}
	o.consents = hex.EncodeToString(h.Sum(nil))
	return o
}

// Key is the digest of everything that the result of this order for a photograph depends on. Doing
// the same again finds the first result under it.
func (o Order) Key(asset string) string { return clearance.JobKey(o.inputs(asset)) }

// FilmRevision counts the changes of what this program makes of the same film and the same decisions on
// faces, as [Revision] does for photographs.
const FilmRevision = 1

// FilmKey is what [Order.Key] is, where the asset is a film.
func (o Order) FilmKey(asset string) string {
	f := o.Film
	inputs := o.inputs(asset)
	inputs.Options = fmt.Sprintf("%s;film;%d;%d;%d;%s;%d;%s;%t",
		inputs.Options, f.Part.From, f.Part.To, f.Every, f.Encoding.Codec, f.Encoding.CRF, f.Encoding.Preset, f.Encoding.Mute)
	inputs.Revision += ";film " + strconv.Itoa(FilmRevision)
	return clearance.JobKey(inputs)
}

func (o Order) inputs(asset string) clearance.JobInputs {
	inputs := clearance.JobInputs{
		Asset:    asset,
		Purpose:  string(o.Purpose),
		Policy:   o.Policy.Digest(),
		Register: o.consents,
		Models:   o.ModelDigest,
		Options:  strings.Join([]string{string(o.Mode), string(o.UnknownFace), string(o.Style), o.For}, ";"),
		Revision: strconv.Itoa(Revision),
	}
	if o.Mode != Everyone {
		inputs.Gallery = o.Gallery.Digest()
		inputs.Rulings = o.rulings(asset)
	}
	return inputs
}

// rulings names what persons decided about the asset, and what becomes of those whom they named:
// these need not be enrolled. Empty where nobody has decided anything.
func (o Order) rulings(asset string) string {
	named := o.Rulings.digest(asset)
	for _, ruling := range o.Rulings[asset] {
		if ruling.Is != "" {
			d := o.decisionOn(ruling.Is)
			named += fmt.Sprintf(" %q %q %q", ruling.Is, d.Outcome, d.Rule)
		}
	}
	return named
}
