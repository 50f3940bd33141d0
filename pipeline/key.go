package pipeline

import (
	"strings"

	"github.com/consentry/consentry/internal/clearance"
)

// Key is the digest of everything that the result of this order for an asset depends on. Doing
// the same again finds the first result under it.
func (o Order) Key(asset string) string {
	parts := clearance.JobInputs{
		Asset:    asset,
		Purpose:  string(o.Purpose),
		Policy:   o.Policy.Digest(),
		Register: "",
		Gallery:  "",
		Models:   o.ModelDigest,
		Options:  strings.Join([]string{string(o.Mode), string(o.UnknownFace), string(o.Style), o.On.Format("2006-01-02")}, ";"),
	}
	if o.Mode != Everyone {
		parts.Register, parts.Gallery = o.Register.Digest(), o.Gallery.Digest()
	}
	return clearance.JobKey(parts)
}
