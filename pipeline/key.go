package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/consentry/consentry/internal/clearance"
	"github.com/consentry/consentry/internal/consent"
)

// Revision counts the changes of what this program makes of the same inputs: of how faces are
// found, told apart, covered and inspected. Raise it with every such change, so that a result that
// an older version made is made again. A test in internal/sandbox/look says when it is forgotten.
const Revision = 1

// NewOrder completes an order: it works out what the register says of each enrolled subject, so
// that a change of the register, or a consent that runs out overnight, makes a new result exactly
// where it concerns somebody who could be matched.
func NewOrder(o Order) Order {
	if o.Mode == Everyone {
		return o
	}
	h := sha256.New()
	for _, subject := range o.Gallery.SubjectIDs() {
		d := consent.Decide(o.Policy, o.Register, subject, o.Purpose, o.On)
		fmt.Fprintf(h, "%q %q %q\n", subject, d.Outcome, d.Rule)
	}
	o.consents = hex.EncodeToString(h.Sum(nil))
	return o
}

// Key is the digest of everything that the result of this order for an asset depends on. Doing
// the same again finds the first result under it.
func (o Order) Key(asset string) string {
	inputs := clearance.JobInputs{
		Asset:    asset,
		Purpose:  string(o.Purpose),
		Policy:   o.Policy.Digest(),
		Register: o.consents,
		Models:   o.ModelDigest,
		Options:  strings.Join([]string{string(o.Mode), string(o.UnknownFace), string(o.Style)}, ";"),
		Revision: strconv.Itoa(Revision),
	}
	if o.Mode != Everyone {
		inputs.Gallery = o.Gallery.Digest()
	}
	return clearance.JobKey(inputs)
}
