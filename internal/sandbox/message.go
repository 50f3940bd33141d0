package sandbox

import (
	"errors"
	"image"
	"slices"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/obscure"
	"github.com/consentry/consentry/pipeline"
)

// The calls that a child answers.
const (
	callDecode    = "decode"
	callFind      = "find"
	callDescribe  = "describe"
	callObscure   = "obscure"
	callInspect   = "inspect"
	callThumbnail = "thumbnail"
	callPortrait  = "portrait"
	callWatch     = "watch"
	callRender    = "render"
	callScreen    = "screen"
	callStills    = "stills"
)

// request is a call; which fields count depends on it. A file, where there is one, is the body.
type request struct {
	Call    string            `json:"call"`
	Faces   []face.Face       `json:"faces,omitempty"`
	Regions []face.Region     `json:"regions,omitempty"`
	Style   obscure.Style     `json:"style,omitempty"`
	Changed []image.Rectangle `json:"changed,omitempty"`
	Box     face.Box          `json:"box,omitzero"`
	Film    *filmRequest      `json:"film,omitempty"`
}

// filmRequest is what the calls about films have beyond the others. A film is far too large to be
// handed over as bytes, so that it goes by its path.
type filmRequest struct {
	Film      pipeline.Film         `json:"film"`
	Watch     pipeline.WatchOptions `json:"watch,omitzero"`
	Rendering *pipeline.Rendering   `json:"rendering,omitempty"`
	Screening *pipeline.Screening   `json:"screening,omitempty"`
	Stills    []pipeline.Still      `json:"stills,omitempty"`
}

// response is the answer to the last request, or word of how far it is: then only Progress counts, and
// another response follows.
type response struct {
	Info    media.Info        `json:"info"`
	Faces   []face.Face       `json:"faces,omitempty"`
	Changed []image.Rectangle `json:"changed,omitempty"`
	Outside media.Difference  `json:"outside"`
	Error   *wireError        `json:"error,omitempty"`

	Progress *pipeline.Frames   `json:"progress,omitempty"`
	Watched  *pipeline.Watched  `json:"watched,omitempty"`
	Rendered *pipeline.Rendered `json:"rendered,omitempty"`
	Screened *pipeline.Screened `json:"screened,omitempty"`
	Sizes    []int              `json:"sizes,omitempty"` // of the pictures, bytes; the body holds them one after the other
	// Templates are those of the views of what was watched; the body holds them.
	Templates [][]templateRef `json:"templates,omitempty"`
}

// wireError carries an error across, with the kinds that the parent has to know.
type wireError struct {
	Kinds []string `json:"kinds,omitempty"`
	Text  string   `json:"text"`
}

// kinds are the errors whose identity survives the way between the processes.
func kinds() map[string]error {
	return map[string]error{
		"damaged":      media.ErrDamaged,
		"unsupported":  media.ErrUnsupported,
		"too-large":    media.ErrTooLarge,
		"animated":     media.ErrAnimated,
		"multi-page":   media.ErrMultiPage,
		"video":        media.ErrVideo,
		"not-scrubbed": media.ErrNotScrubbed,
		"no-ffmpeg":    film.ErrNoFFmpeg,
		"no-video":     film.ErrNoVideo,
		"no-frames":    film.ErrNoFrames,
		"size-change":  film.ErrSizeChange,
		"stalled":      film.ErrStalled,
		"died":         film.ErrDied,
		"no-space":     film.ErrNoSpace,
		"cannot-remux": film.ErrCannotRemux,
		"different":    film.ErrDifferent,
	}
}

func toWire(err error) *wireError {
	w := &wireError{Text: err.Error()}
	for name, kind := range kinds() {
		if errors.Is(err, kind) {
			w.Kinds = append(w.Kinds, name)
		}
	}
	slices.Sort(w.Kinds)
	return w
}

// lookError is an error that came from the child.
type lookError struct {
	text  string
	kinds []error
}

func (e *lookError) Error() string   { return e.text }
func (e *lookError) Unwrap() []error { return e.kinds }

func fromWire(w *wireError) error {
	e := &lookError{text: w.Text}
	for _, name := range w.Kinds {
		if kind := kinds()[name]; kind != nil {
			e.kinds = append(e.kinds, kind)
		}
	}
	return e
}
