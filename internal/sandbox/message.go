package sandbox

import (
	"errors"
	"image"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/obscure"
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
)

// request is a call; which fields count depends on it. A file, where there is one, is the body.
type request struct {
	Call    string            `json:"call"`
	Faces   []face.Face       `json:"faces,omitempty"`
	Regions []face.Region     `json:"regions,omitempty"`
	Style   obscure.Style     `json:"style,omitempty"`
	Changed []image.Rectangle `json:"changed,omitempty"`
	Box     face.Box          `json:"box,omitzero"`
}

// response is the answer to the last request.
type response struct {
	Info    media.Info        `json:"info"`
	Faces   []face.Face       `json:"faces,omitempty"`
	Changed []image.Rectangle `json:"changed,omitempty"`
	Outside media.Difference  `json:"outside"`
	Error   *wireError        `json:"error,omitempty"`
}

// wireError carries an error across, with the kind that the parent has to know.
type wireError struct {
	Kind string `json:"kind,omitempty"`
	Text string `json:"text"`
}

// kinds are the errors whose identity survives the way between the processes.
func kinds() map[string]error {
	return map[string]error{
		"damaged":     media.ErrDamaged,
		"unsupported": media.ErrUnsupported,
		"too-large":   media.ErrTooLarge,
		"animated":    media.ErrAnimated,
		"multi-page":  media.ErrMultiPage,
		"video":       media.ErrVideo,
	}
}

func toWire(err error) *wireError {
	for name, kind := range kinds() {
		if errors.Is(err, kind) {
			return &wireError{Kind: name, Text: err.Error()}
		}
	}
	return &wireError{Text: err.Error()}
}

// lookError is an error that came from the child.
type lookError struct {
	text string
	kind error
}

func (e *lookError) Error() string { return e.text }
func (e *lookError) Unwrap() error { return e.kind }

func fromWire(w *wireError) error { return &lookError{text: w.Text, kind: kinds()[w.Kind]} }
