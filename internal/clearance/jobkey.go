package clearance

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// JobInputs is everything that a result depends on. Digests are SHA-256 in hexadecimal; a field
// that a run does not depend on is empty.
type JobInputs struct {
	Asset    string // digest of the original's bytes
	Purpose  string
	Policy   string // digest
	Register string // digest, as far as the register concerns this run
	Gallery  string // digest
	Models   string // digest of the set of weights
	Options  string // the choices that shape the result, in a fixed spelling of the caller's
	Revision string // of the program's own way of making results
	Rulings  string // what persons decided about the asset's faces
}

// JobKey is the address of a result: the SHA-256, in lower-case hexadecimal, of its inputs. The
// same work finds its own result under it; a change of any input leads elsewhere. Each input goes
// in with its length before it, so that no two different sets of inputs run together.
func JobKey(in JobInputs) string {
	h := sha256.New()
	for _, s := range []string{
		"consentry job v2", in.Asset, in.Purpose, in.Policy, in.Register, in.Gallery, in.Models, in.Options, in.Revision, in.Rulings,
	} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(s)))
		h.Write(length[:])
		h.Write([]byte(s))
	}
	return hex.EncodeToString(h.Sum(nil))
}
