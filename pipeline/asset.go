package pipeline

import (
	"image"
	"time"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/obscure"
)

// Asset is one original. Its path stays with whoever submitted it: paths hold names.
type Asset struct {
	Digest string // SHA-256 of the original's bytes, lower-case hex
	Data   []byte // of a photograph
	Path   string // of a film: a copy in Folder
	Folder string // of a film: the job's own scratch folder, in which everything lies that is made on the way
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
	Film        FilmOptions // of no effect on photographs
	On          time.Time   // the day for which consents are judged
	ModelDigest string      // which weights look

	consents string // digest of what the register says of every enrolled subject; set by NewOrder
}

// FilmOptions are what is wanted of films only.
type FilmOptions struct {
	Part     film.Part     // what of the film; the zero Part is all of it
	Every    int           // a whole frame is searched at least every so many frames; 0: the default
	Encoding film.Encoding // how the derivative is written
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

// TrackResult is what was found out and decided about one face of a film through one shot.
type TrackResult struct {
	ID         int             `json:"id"` // from 1, in the order of first frames; after these, those that were found in the finished film only
	FirstFrame int             `json:"first_frame"`
	LastFrame  int             `json:"last_frame"`
	From       float64         `json:"from"`  // time stamp of the first frame, seconds, in the source's own time
	To         float64         `json:"to"`    // of the last
	Frame      int             `json:"frame"` // on which the face is seen best
	At         time.Duration   `json:"at"`    // time stamp of that frame, in the source's own time
	Box        face.Box        `json:"box"`   // on that frame
	Score      float64         `json:"detector_score"`
	Seen       int             `json:"seen"` // number of frames on which the detector saw the face
	Match      gallery.Match   `json:"match"`
	Outcome    consent.Outcome `json:"outcome"`
	Rule       string          `json:"rule"`
	Reason     string          `json:"reason"`             // plain words for the contact sheet
	Basis      string          `json:"basis,omitempty"`    // what a person who decides goes by; see [Order.Basis]
	Region     *[4]float64     `json:"region,omitempty"`   // the largest rectangle that changed on one frame: x, y, width, height; nil where the face is shown
	Pictures   []Picture       `json:"pictures,omitempty"` // for the contact sheet, in the order of time; none where there were too many tracks
}

// Picture is a small picture of a track's face at one moment. Unless it is bare it is cut from the
// derivative, or, where there is none, has every face obscured.
type Picture struct {
	At   float64 `json:"at"`             // seconds, in the source's own time
	Bare bool    `json:"bare,omitempty"` // shows the face as it is, as a person has to decide about it; only of a track that waits for one
	JPEG []byte  `json:"jpeg"`
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

	Film    bool          `json:"film,omitempty"`    // Tracks take the place of Faces, which is empty
	Frames  int           `json:"frames,omitempty"`  // of a film, or of the part of it that was worked on
	Seconds float64       `json:"seconds,omitempty"` // from the first frame's time to the last's
	Remuxed bool          `json:"remuxed,omitempty"` // nothing was to be obscured, and the film was passed on without encoding
	Tracks  []TrackResult `json:"tracks,omitempty"`  // of a film, by their numbers

	Derivative     []byte `json:"-"` // of a photograph: the finished file; goes to the object store, not into the state
	DerivativePath string `json:"-"` // of a film: the finished file in the scratch folder
}
