package pipeline

import (
	"context"
	"time"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/obscure"
	"github.com/consentry/consentry/internal/track"
)

// Cinema looks at films. Like Vision it runs in a process of its own, which knows neither register nor gallery nor keys, and
// its errors wrap [ErrCrashed] when that process dies. Each call is given all that it needs, so that work can be
// resumed in another process. It is not safe for use by several goroutines.
//
// Each call tells how far it is: the frames done of the frames there are. A call that makes no progress for longer than the limit on
// stalls ends with an error.
type Cinema interface {
	// Watch decodes the film once: shots are cut, faces found, joined into tracks and described at their best moments.
	Watch(ctx context.Context, f Film, o WatchOptions, told func(Frames)) (Watched, error)
	// Render makes the finished film at out, in which the covers are obscured on every frame that they reach. Finished
	// segments are left in the folder and found there again. Without covers the film is passed on without encoding where that is possible.
	Render(ctx context.Context, f Film, r Rendering, told func(Frames)) (Rendered, error)
	// Screen decodes the finished film as a stranger would, compares its frames, times and sound with the source, and
	// looks for faces at least every fifth frame and where tracks begin and end.
	Screen(ctx context.Context, f Film, s Screening, told func(Frames)) (Screened, error)
	// Stills cuts small JPEG pictures out of single frames of a film at path.
	Stills(ctx context.Context, path string, wanted []Still) ([][]byte, error)
}

// Frames says how far a call is.
type Frames struct {
	Done  int `json:"done"`
	Total int `json:"total"` // an estimate until the film has been watched
}

// Film is one film on the disk, and the part of it that is wanted.
type Film struct {
	Path string    `json:"path"` // in a scratch folder, named by its digest
	Part film.Part `json:"part"`
}

// WatchOptions say how closely a film is watched.
type WatchOptions struct {
	Every    int  `json:"every"`    // a whole frame is searched at least every so many frames; 0: the default, 3
	Describe bool `json:"describe"` // false: nobody will be compared with anybody, so no template is made
}

// Watched is what was seen in a film.
type Watched struct {
	Info   film.Info       `json:"info"`
	Times  []time.Duration `json:"times"` // time stamp of each frame of the part, in the source's own time
	Shots  []int           `json:"shots"` // first frame of each, beginning with 0
	Tracks []track.Track   `json:"tracks"`
}

// Rendering says what is to be made.
type Rendering struct {
	Info     film.Info       `json:"info"`
	Times    []time.Duration `json:"times"` // as Watch saw them; a frame more, less or elsewhere is an error
	Shots    []int           `json:"shots"`
	Covers   []track.Cover   `json:"covers"`
	Style    obscure.Style   `json:"style"`
	Encoding film.Encoding   `json:"encoding"`
	Folder   string          `json:"folder"` // for segments; kept until the job is done
	Out      string          `json:"out"`
}

// Rendered is what was made.
type Rendered struct {
	Frames  int                `json:"frames"`
	Remuxed bool               `json:"remuxed"` // passed on without encoding
	Widest  map[int][4]float64 `json:"widest"`  // of each cover, the largest rectangle that changed on one frame: x, y, width, height
}

// Screening says what the finished film is held against.
type Screening struct {
	Rendering Rendering     `json:"rendering"`
	Known     []track.Track `json:"known"` // tracks that were judged, without templates: faces of the shown ones are told only now and then
	Hidden    []int         `json:"hidden"`
	Describe  bool          `json:"describe"`
	// Pictures are cut out of the finished film on the way, from frames that lie at their times; without covers.
	Pictures []Still `json:"pictures,omitempty"`
}

// Screened is what was seen in the finished film.
type Screened struct {
	Fault string `json:"fault,omitempty"` // what is wrong with frames, times or sound; empty: nothing
	// Faces are all faces that are not those of tracks that are shown, described; and of each that is shown, where Describe is set,
	// one about every second and a half, as it may have become somebody else's.
	Faces []Seen `json:"faces,omitempty"`
	// Pictures are one JPEG for each that was wanted; none where there is a fault. They are worth something only once the film is released.
	Pictures [][]byte `json:"-"`
}

// Seen is a face in one frame.
type Seen struct {
	Frame  int       `json:"frame"`
	Face   face.Face `json:"face"`
	Hidden int       `json:"hidden,omitempty"` // the track in the middle of whose region it lies; 0: none
	Shown  int       `json:"shown,omitempty"`  // the track that is shown and has its face there; 0: none
	// Path is where it was seen at all, in one shot, from its first sighting to its last: rising frames, Frame within. Between two
	// positions it is interpolated. Empty: on Frame only.
	Path []track.Position `json:"path,omitempty"`
}

// Still is a picture wanted of one frame.
type Still struct {
	At     time.Duration `json:"at"`     // time stamp of the frame in the file's own time
	Box    face.Box      `json:"box"`    // what of the frame; an empty box is all of it
	Side   int           `json:"side"`   // longest side of the picture, pixels
	Covers []face.Region `json:"covers"` // obscured in it first
}
