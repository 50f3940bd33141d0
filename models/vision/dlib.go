package vision

import (
	"fmt"
	"image"
	"math"

	goface "github.com/Kagami/go-face"
	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
)

const (
	// dlibMargin is what the crop shows around the box on each side, in box sides.
	dlibMargin = 0.3
	// dlibCrop is the crop's side in pixels: the face in it is then 94 px, above the 80 px that
	// dlib's frontal detector needs, and each pixel more costs time.
	dlibCrop = 150
	// dlibJPEG is the quality of the JPEG that carries the crop; go-face takes nothing else.
	dlibJPEG = 95
)

// dlib describes faces with dlib's ResNet through go-face, which finds the face in the crop by
// itself and declines where its frontal detector does not (profiles, occlusions, sunglasses).
type dlib struct{ recognizer *goface.Recognizer }

func openDlib(dir string) (*dlib, error) {
	r, err := goface.NewRecognizer(dir)
	if err != nil {
		return nil, fmt.Errorf("loading the go-face models: %w", err)
	}
	return &dlib{r}, nil
}

func (d *dlib) close() { d.recognizer.Close() }

// spoken is what go-face made of one face: the template and the 68 landmarks that it found on the
// way, in pixels of the whole picture.
type spoken struct {
	template  []float32
	landmarks face.Landmarks
}

// describe gives nil where go-face declines.
func (d *dlib) describe(c cut, f *face.Face) (*spoken, error) {
	upright := uprightCrop(f)
	crop := c.warp(upright, dlibCrop, dlibCrop)
	defer crop.Close()
	jpeg, err := gocv.IMEncodeWithParams(gocv.JPEGFileExt, crop, []int{gocv.IMWriteJpegQuality, dlibJPEG})
	if err != nil {
		return nil, fmt.Errorf("encoding a crop for go-face: %w", err)
	}
	defer jpeg.Close()
	found, err := d.recognizer.Recognize(jpeg.GetBytes())
	if err != nil {
		return nil, fmt.Errorf("describing with go-face: %w", err)
	}
	i := central(found)
	if i < 0 {
		return nil, nil //nolint:nilnil // declining is no error
	}
	back := upright.inverse()
	s := &spoken{template: append([]float32(nil), found[i].Descriptor[:]...)}
	for _, p := range found[i].Shapes {
		s.landmarks = append(s.landmarks, back.apply(face.Point{X: float64(p.X) + 0.5, Y: float64(p.Y) + 0.5}))
	}
	return s, nil
}

// uprightCrop maps the picture so that the box, turned by the eyes, sits in the middle of the
// crop with its longer side and the margins filling it.
func uprightCrop(f *face.Face) similarity {
	scale := dlibCrop / (math.Max(f.Box.W, f.Box.H) * (1 + 2*dlibMargin))
	sin, cos := math.Sincos(-f.Landmarks.Roll())
	s := similarity{a: scale * cos, b: scale * sin}
	at := s.apply(f.Box.Centre())
	s.tx, s.ty = dlibCrop/2-at.X, dlibCrop/2-at.Y
	return s
}

// central is the face that covers the crop's centre, or −1; of several the one whose own centre is
// nearest to it. A neighbour's face at the crop's edge must never speak for this one.
func central(found []goface.Face) int {
	centre := image.Pt(dlibCrop/2, dlibCrop/2)
	best, nearest := -1, math.Inf(1)
	for i, f := range found {
		if !centre.In(f.Rectangle) {
			continue
		}
		dx := float64(f.Rectangle.Min.X+f.Rectangle.Max.X)/2 - dlibCrop/2
		dy := float64(f.Rectangle.Min.Y+f.Rectangle.Max.Y)/2 - dlibCrop/2
		if d := math.Hypot(dx, dy); d < nearest {
			best, nearest = i, d
		}
	}
	return best
}
