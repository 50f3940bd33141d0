// Package look is what the child process does: it decodes pictures, looks at them and obscures
// them. It is the one place where decoders and models meet, and it knows nothing else: no
// register, no gallery, no keys.
package look

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"runtime/debug"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/raster"
	"github.com/consentry/consentry/internal/obscure"
	"github.com/consentry/consentry/models/vision"
	"github.com/consentry/consentry/pipeline"
)

// Models says where the weights lie.
type Models struct {
	Detector      string // RFB-320, cut
	Landmarks     string
	DlibDir       string // go-face's three files
	MobileFaceNet string
}

// Eyes looks at one picture or film at a time. It implements pipeline.Vision and pipeline.Cinema; the
// models are opened by the first call that needs them. It is not safe for use by several goroutines.
type Eyes struct {
	models    Models
	limits    media.Limits
	finder    *vision.Finder
	checker   *vision.Finder // looks at single heads
	describer *vision.Describer
	films     projector

	data     []byte // the file taken up
	source   *view  // decoded, never altered
	finished *view  // the derivative inspected last
}

var _ pipeline.Vision = (*Eyes)(nil)

// errNothing says that a call came before Decode.
var errNothing = errors.New("no picture has been taken up")

// New prepares eyes; nothing is opened yet. From now on the whole process keeps OpenCV to one
// thread: a worker is meant to fill one core, and two workers two.
func New(m Models, limits media.Limits) *Eyes {
	vision.OneThread()
	e := &Eyes{models: m, limits: limits}
	e.films = newProjector(e)
	return e
}

// Close frees the models and the picture.
func (e *Eyes) Close() error {
	e.putDown()
	errs := []error{e.films.close()}
	for _, f := range []*vision.Finder{e.finder, e.checker} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	if e.describer != nil {
		errs = append(errs, e.describer.Close())
	}
	e.finder, e.checker, e.describer = nil, nil, nil
	return errors.Join(errs...)
}

// large is the size in bytes of a file from which on its memory is given back at once, so that it
// does not add to the next picture's: some 8 megapixels of a JPEG, and collecting takes 10 ms.
const large = 2 << 20

func (e *Eyes) putDown() {
	collect := len(e.data) >= large
	e.source.close()
	e.finished.close()
	e.data, e.source, e.finished = nil, nil, nil
	if collect {
		debug.FreeOSMemory()
	}
}

// Decode implements pipeline.Vision.
func (e *Eyes) Decode(_ context.Context, data []byte) (media.Info, error) {
	e.putDown()
	source, err := raster.Decode(data, e.limits)
	if err != nil {
		return media.Info{}, err
	}
	e.data, e.source = data, &view{picture: source}
	return source.Info(), nil
}

// Find implements pipeline.Vision.
func (e *Eyes) Find(ctx context.Context) ([]face.Face, error) {
	if e.source == nil {
		return nil, errNothing
	}
	if err := e.openFinder(); err != nil {
		return nil, err
	}
	picture, err := e.source.bgr()
	if err != nil {
		return nil, err
	}
	return e.finder.Find(ctx, picture)
}

func (e *Eyes) openFinder() (err error) {
	if e.finder == nil {
		e.finder, err = vision.OpenFinder(e.models.Detector, e.models.Landmarks, vision.DefaultOptions())
	}
	return err
}

// Describe implements pipeline.Vision.
func (e *Eyes) Describe(ctx context.Context, faces []face.Face) ([]face.Face, error) {
	if e.source == nil {
		return nil, errNothing
	}
	return e.describe(ctx, e.source, faces)
}

func (e *Eyes) describe(ctx context.Context, v *view, faces []face.Face) ([]face.Face, error) {
	if len(faces) == 0 {
		return nil, nil
	}
	if err := e.openDescriber(); err != nil {
		return nil, err
	}
	picture, err := v.bgr()
	if err != nil {
		return nil, err
	}
	for i := range faces {
		if err := e.describer.Describe(ctx, picture, &faces[i]); err != nil {
			return nil, err
		}
	}
	return faces, nil
}

func (e *Eyes) openDescriber() (err error) {
	if e.describer == nil {
		e.describer, err = vision.OpenDescriber(e.models.DlibDir, e.models.MobileFaceNet)
	}
	return err
}

// Obscure implements pipeline.Vision. It works on a picture decoded afresh, so that the one taken
// up stays what it was.
func (e *Eyes) Obscure(_ context.Context, regions []face.Region, style obscure.Style) (pipeline.Derivative, error) {
	if e.source == nil {
		return pipeline.Derivative{}, errNothing
	}
	e.source.close() // the models have seen it
	picture, err := raster.Decode(e.data, e.limits)
	if err != nil {
		return pipeline.Derivative{}, err
	}
	var changed []image.Rectangle
	if len(regions) > 0 {
		info := picture.Info()
		if changed, err = obscure.Apply(picture.Planes(), info.Width, info.Height, regions, style); err != nil {
			return pipeline.Derivative{}, err
		}
	}
	file, really, err := picture.Encode(changed)
	if err != nil {
		return pipeline.Derivative{}, err
	}
	return pipeline.Derivative{Data: file, Changed: really}, nil
}

// Inspect implements pipeline.Vision.
func (e *Eyes) Inspect(ctx context.Context, d pipeline.Derivative) (pipeline.Sighting, error) {
	if e.source == nil {
		return pipeline.Sighting{}, errNothing
	}
	picture, err := raster.Decode(d.Data, e.limits)
	if err != nil {
		return pipeline.Sighting{}, fmt.Errorf("decoding the derivative: %w", err)
	}
	e.finished.close()
	e.finished = &view{picture: picture, file: d.Data}
	s := pipeline.Sighting{Info: picture.Info()}
	outside, err := raster.Compare(e.source.picture, picture, d.Changed)
	if err != nil {
		return pipeline.Sighting{}, fmt.Errorf("comparing the derivative: %w", err)
	}
	s.Outside = media.Difference{Max: outside.Max, Mean: outside.Mean, Within: outside.Within}
	faces, err := e.findAround(ctx, e.finished, d.Changed)
	if err != nil {
		return pipeline.Sighting{}, err
	}
	s.Faces, err = e.describe(ctx, e.finished, faces)
	return s, err
}

// findAround looks for faces where the picture changed, and half as much again on each side, so
// that whatever is left of a face is seen with its surroundings. Elsewhere the pixels were
// compared and are those that were looked at before.
func (e *Eyes) findAround(ctx context.Context, v *view, changed []image.Rectangle) ([]face.Face, error) {
	if len(changed) == 0 {
		return nil, nil
	}
	if err := e.openChecker(); err != nil {
		return nil, err
	}
	picture, err := v.bgr()
	if err != nil {
		return nil, err
	}
	whole := image.Rect(0, 0, picture.Cols(), picture.Rows())
	var all []face.Face
	for _, area := range changed {
		faces, err := e.checker.FindIn(ctx, picture, around(area).Intersect(whole))
		if err != nil {
			return nil, err
		}
		for _, f := range faces {
			if touches(f.Box, area) && !known(all, f) {
				all = append(all, f)
			}
		}
	}
	return all, nil
}

// openChecker opens a finder that looks at one head at a time: it shows the detector an area of
// 384 pixels square, whatever its size in the picture, in which what is left of the face would be
// some 120 pixels wide, and then the same at a half and a quarter. Always the same size, because the
// network is set up anew for every other. Of 269 faces left bare on purpose (samples, people,
// crowds) it sees, surely enough to withhold, 102 of 109 of 24 to 40 pixels and 50 of 62 of 16 to 24.
func (e *Eyes) openChecker() (err error) {
	if e.checker == nil {
		o := vision.DefaultOptions()
		o.Budget, o.Enlarge, o.Coarsest = 384*384, 8, 96
		o.Crowd = math.MaxInt // one head is no crowd
		o.Candidate = 0.2
		o.SmallestFace = 16 * o.SmallestFace // the head is large in its area, whatever its size in the picture
		e.checker, err = vision.OpenFinder(e.models.Detector, e.models.Landmarks, o)
	}
	return err
}

// around is a square twice as wide as the area, with the same centre.
func around(area image.Rectangle) image.Rectangle {
	half := max(area.Dx(), area.Dy())
	centre := area.Min.Add(area.Max).Div(2)
	return image.Rectangle{Min: centre.Sub(image.Pt(half, half)), Max: centre.Add(image.Pt(half, half))}
}

func touches(b face.Box, area image.Rectangle) bool {
	return b.Intersection(face.Box{X: float64(area.Min.X), Y: float64(area.Min.Y), W: float64(area.Dx()), H: float64(area.Dy())}) > 0
}

// sameFace is the overlap from which on two boxes are one face seen twice, as usual for detectors.
const sameFace = 0.5

// known says whether the face was found already, from a neighbouring area.
func known(all []face.Face, f face.Face) bool {
	for _, k := range all {
		if k.Box.IoU(f.Box) > sameFace {
			return true
		}
	}
	return false
}

// thumbnailSide is the longer side of the contact sheet's pictures, in pixels.
const thumbnailSide = 640

// Thumbnail implements pipeline.Vision.
func (e *Eyes) Thumbnail(_ context.Context, file []byte) ([]byte, error) {
	if e.finished != nil && bytes.Equal(e.finished.file, file) {
		return raster.Thumbnail(e.finished.picture, thumbnailSide)
	}
	picture, err := raster.Decode(file, e.limits)
	if err != nil {
		return nil, fmt.Errorf("decoding the derivative: %w", err)
	}
	return raster.Thumbnail(picture, thumbnailSide)
}
