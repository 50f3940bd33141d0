package look

import (
	"context"
	"errors"
	"image"
	"math"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media/raster"
)

const (
	// portraitSide is the longer side of a portrait, in pixels: enough for a person to recognise a
	// face, and some 15 KB, so that it fits into one record of a store of small records.
	portraitSide = 320
	// A detected box runs from brows to chin and from cheek to cheek; 1.4 times that is the head
	// (see face.HeadRegion), and the rest is what hair and shoulders tell a person.
	portraitScale = 2.0
	portraitLift  = 0.05 // of the box's height: there is more head above the brows than below the chin
)

var errNoBox = errors.New("a portrait needs the box of a face")

// Portrait implements pipeline.Vision.
func (e *Eyes) Portrait(_ context.Context, box face.Box) ([]byte, error) {
	if e.source == nil {
		return nil, errNothing
	}
	part, err := portraitOf(box)
	if err != nil {
		return nil, err
	}
	picture, err := e.source.bgr()
	if err != nil {
		return nil, err
	}
	return raster.Cut(picture, part, portraitSide)
}

// portraitOf is the square around a face that its portrait shows, which may reach over the edge.
func portraitOf(box face.Box) (image.Rectangle, error) {
	const largest = 1 << 24 // pixels: beyond any picture, and far from what an int cannot hold
	for _, v := range []float64{box.X, box.Y, box.W, box.H} {
		if math.IsNaN(v) || math.Abs(v) > largest {
			return image.Rectangle{}, errNoBox
		}
	}
	if box.W <= 0 || box.H <= 0 {
		return image.Rectangle{}, errNoBox
	}
	centre, half := box.Centre(), portraitScale*max(box.W, box.H)/2
	centre.Y -= portraitLift * box.H
	return image.Rect(
		int(math.Floor(centre.X-half)), int(math.Floor(centre.Y-half)),
		int(math.Ceil(centre.X+half)), int(math.Ceil(centre.Y+half)),
	), nil
}
