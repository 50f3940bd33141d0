package pipeline

import (
	"image"
	"time"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/obscure"
)

// Asset is one original. Its path stays with whoever submitted it: paths hold names.
type Asset struct {
	Digest string // SHA-256 of Data, lower-case hex
	Data   []byte
}

// Mode says who is enrolled, and so what becomes of everybody else.
type Mode string

// The three ways of working of policies.md.
const (
	Objectors Mode = "objectors" // enrolled: pupils who may not be shown; the policy says what becomes of unknown faces
	Cleared   Mode = "cleared"   // enrolled: pupils who may be shown; everybody else is obscured
	Everyone  Mode = "everyone"  // nobody is enrolled; every face is obscured
)

// Order is what is wanted of an asset for one purpose, with everything that the answer depends on.
type Order struct {
	Purpose     consent.Purpose
	Mode        Mode
	Policy      consent.Policy
	UnknownFace consent.Outcome // empty: the policy decides
	For         string          // the subject in whose record the picture is kept; empty: in nobody's
	Register    *consent.Register
	Gallery     *gallery.Gallery
	Attending   []string // who was there, sorted; nil: anybody may have been
	Rulings     Rulings  // what persons have decided
	Style       obscure.Style
	On          time.Time // the day for which consents are judged
	ModelDigest string    // which weights look

	consents string // digest of what the register says of every enrolled subject; set by NewOrder
}

// Outcome is what became of an asset for one purpose.
type Outcome string

// The outcomes of report.json.
const (
	Released Outcome = "released" // sealed, and may be published for the purpose
	Withheld Outcome = "withheld" // waits for a person
	Failed   Outcome = "failed"   // could not be looked at; withheld too
)

// FaceResult is what was found out and decided about one face.
type FaceResult struct {
	Box     face.Box         `json:"box"`
	Score   float64          `json:"detector_score"`
	Match   gallery.Match    `json:"match"`
	Outcome consent.Outcome  `json:"outcome"`
	Rule    string           `json:"rule"`
	Reason  string           `json:"reason"`           // plain words for the contact sheet
	Basis   string           `json:"basis,omitempty"`  // what a person who decides goes by; see [Order.Basis]
	Region  *image.Rectangle `json:"region,omitempty"` // every pixel that changed for this face; nil where it is shown
}

// Result is what became of an asset for one purpose. It is kept in the job's state.
type Result struct {
	Purpose          consent.Purpose `json:"purpose"`
	Key              string          `json:"key"` // digest of everything that the result depends on
	Outcome          Outcome         `json:"outcome"`
	Reason           string          `json:"reason,omitempty"`
	Width            int             `json:"width"`
	Height           int             `json:"height"`
	Faces            []FaceResult    `json:"faces"`
	DerivativeSHA256 string          `json:"derivative_sha256,omitempty"`
	Clearance        []byte          `json:"clearance,omitempty"` // the file to lie beside the derivative
	Thumbnail        []byte          `json:"thumbnail,omitempty"` // JPEG of the derivative, or of the asset with every face obscured

	Derivative []byte `json:"-"` // the finished file; goes to the object store, not into the state
}
