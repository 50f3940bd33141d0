package pipeline

import (
	"context"
	"image"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/obscure"
)

// Vision looks at one picture at a time. Decode takes up a picture; the other methods speak of
// the one taken up last. It decodes foreign bytes, so it runs in a process of its own that knows
// neither register nor gallery nor keys; when that process dies, errors wrap [ErrCrashed] and the
// next Decode starts a new one. It is not safe for use by several goroutines.
type Vision interface {
	// Decode takes up a picture.
	Decode(ctx context.Context, data []byte) (media.Info, error)
	// Find finds every face, with its landmarks.
	Find(ctx context.Context) ([]face.Face, error)
	// Describe adds templates and quality. A face that no describer can describe comes back
	// without templates; that is no error.
	Describe(ctx context.Context, faces []face.Face) ([]face.Face, error)
	// Obscure makes a finished file in which the regions are obscured and nothing but pixels and
	// colour profile is left. Without regions the pixels are those of the original, bit for bit
	// where the format allows.
	Obscure(ctx context.Context, regions []face.Region, style obscure.Style) (Derivative, error)
	// Inspect decodes a finished file afresh, compares it with the picture taken up, and looks
	// for faces in and around what changed.
	Inspect(ctx context.Context, derivative Derivative) (Sighting, error)
	// Thumbnail is a small JPEG of a finished file.
	Thumbnail(ctx context.Context, file []byte) ([]byte, error)
	// Portrait is a small upright JPEG, without metadata, of one face of the picture taken up, for
	// the person who has to say later whom a reference shows.
	Portrait(ctx context.Context, box face.Box) ([]byte, error)
}

// Derivative is a finished file.
type Derivative struct {
	Data    []byte            // the file
	Changed []image.Rectangle // for each region, the pixels of the upright picture that changed for it
}

// Sighting is what a second look at a finished file found.
type Sighting struct {
	Info    media.Info
	Faces   []face.Face      // in and around what changed, described
	Outside media.Difference // between original and derivative, outside of what changed
}
