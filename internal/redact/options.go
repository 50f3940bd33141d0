package redact

import (
	"encoding/json"
	"log/slog"
	"time"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/obscure"
	"github.com/consentry/consentry/internal/sandbox"
	"github.com/consentry/consentry/pipeline"
)

// WhenNotEnrolled says how an objectors run goes on when a pupil who must be obscured is not
// enrolled, and so cannot be recognised.
type WhenNotEnrolled string

// The choices of policies.md. Going on as if nothing were the matter is none of them.
const (
	Stop       WhenNotEnrolled = "stop"
	AsCleared  WhenNotEnrolled = "cleared"
	AsEveryone WhenNotEnrolled = "everyone"
)

// Options are what the user asks for and what the run works with.
type Options struct {
	Paths           []string
	Purposes        []consent.Purpose
	Out             string
	RegisterDir     string // holds subjects.csv and consents.csv; empty: the state's register
	ReferencesDir   string // empty: the state's gallery
	Preset          string // a preset's name or a file
	Mode            pipeline.Mode
	UnknownFace     consent.Outcome // empty: the preset's
	WhenNotEnrolled WhenNotEnrolled
	Attending       []string // classes, year groups, admission numbers, files of them; empty: everybody may have been there
	For             string   // the subject in whose record the derivatives are kept; empty: in nobody's
	Style           obscure.Style
	Film            pipeline.FilmOptions
	DebugTracks     bool          // write beside the clearance where each track was on each frame
	Workers         int           // that work on photographs; films have one of their own
	TimeOut         time.Duration // for one attempt at one photograph, and for a film that makes no progress
	Limits          media.Limits
	FilmLimits      film.Limits

	Again        json.RawMessage // how the command line does this run again; kept with the state
	InPlaceOf    time.Time       // when the run was done that is done again; it keeps its place among the others. Zero: it is a new one
	StateDir     string          // where JetStream keeps its files; empty: a throw-away folder
	ThrowAwayDir string          // where throw-away folders are made
	WorkDir      string          // where films lie while they are worked on, unless the state is thrown away
	NATSURL      string          // a server to use instead of the embedded one
	KeyPath      string          // of the key that signs clearances
	ModelDigest  string          // which weights the child uses
	Child        sandbox.Command // starts the process that looks at files

	Now      func() time.Time
	Log      *slog.Logger
	Progress Progress
}

// Progress is told how the run gets on.
type Progress interface {
	// Enrolling is told before the references are looked at, and after each one.
	Enrolling(done, total int)
	// Processing is told before the first file, and after each one.
	Processing(done, total int)
	// Film is told how far the work on a film is, about once a second.
	Film(FilmProgress)
	// Note is a sentence for the user.
	Note(text string)
}

// FilmProgress is how far the work on a film is.
type FilmProgress struct {
	Name  string             // for the user; it may hold anything
	Step  string             // what is being done, in a word or two
	Pass  *pipeline.Progress // nil where frames are not what is counted
	Ended bool
}

// UsageError is wrong usage, or an input that cannot be read; nothing was processed.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

// SetupError is a missing part of the set-up; nothing was processed.
type SetupError struct{ Err error }

func (e *SetupError) Error() string { return e.Err.Error() }
func (e *SetupError) Unwrap() error { return e.Err }

// Summary counts what became of the derivatives wanted.
type Summary struct {
	Released    int      `json:"released"`
	Withheld    int      `json:"withheld"`
	Failed      int      `json:"failed"`
	Unreadable  int      `json:"unreadable"` // inputs that could not be read at all
	Found       int      `json:"found"`      // of the above: results of an earlier run
	Report      string   `json:"report"`     // path of report.html
	Problems    []string `json:"problems"`   // inputs that could not be read, and why
	Interrupted bool     `json:"interrupted"`
}
