// Package face holds the words that every other package uses to speak of a face in a picture:
// where it is, how it is turned, what a describer made of it, and the region that hides it.
//
// It is pure: no I/O, no pictures, no models. All coordinates are pixels of the upright image
// (EXIF orientation applied), origin top left, x to the right and y down. A pixel (i, j) covers
// the square from (i, j) to (i+1, j+1).
package face

import "math"

// Point is a position in pixels of the upright image.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Box is an axis-aligned rectangle around a face, from forehead to chin as the detector draws it.
type Box struct {
	X float64 `json:"x"` // left edge
	Y float64 `json:"y"` // top edge
	W float64 `json:"w"` // width, > 0
	H float64 `json:"h"` // height, > 0
}

// Centre is the middle of the box.
func (b Box) Centre() Point { return Point{b.X + b.W/2, b.Y + b.H/2} }

// Size is the side in pixels of a square with the box's area. Limits on face size speak of it.
func (b Box) Size() float64 { return math.Sqrt(b.W * b.H) }

// Area is in square pixels.
func (b Box) Area() float64 { return b.W * b.H }

// Intersection is the area in square pixels that both boxes cover.
func (b Box) Intersection(o Box) float64 {
	w := math.Min(b.X+b.W, o.X+o.W) - math.Max(b.X, o.X)
	h := math.Min(b.Y+b.H, o.Y+o.H) - math.Max(b.Y, o.Y)
	if w <= 0 || h <= 0 {
		return 0
	}
	return w * h
}

// IoU is intersection over union, 0 to 1.
func (b Box) IoU(o Box) float64 {
	i := b.Intersection(o)
	if i == 0 {
		return 0
	}
	return i / (b.Area() + o.Area() - i)
}

// Landmarks are the 68 points of the iBUG 300-W mark-up in its order (0–16 jaw, 17–26 brows,
// 27–35 nose, 36–41 the eye on the picture's left, 42–47 the eye on its right, 48–67 mouth),
// or nil where none were fitted.
type Landmarks []Point

// Eyes gives the centre of the eye on the picture's left and of the one on its right.
// ok is false where there are no landmarks.
func (l Landmarks) Eyes() (left, right Point, ok bool) {
	if len(l) != 68 {
		return Point{}, Point{}, false
	}
	return mean(l[36:42]), mean(l[42:48]), true
}

// Roll is the angle in radians by which the head is turned in the picture's plane: 0 upright,
// positive clockwise as seen. It is 0 where there are no landmarks.
func (l Landmarks) Roll() float64 {
	left, right, ok := l.Eyes()
	if !ok {
		return 0
	}
	return math.Atan2(right.Y-left.Y, right.X-left.X)
}

func mean(ps []Point) Point {
	var m Point
	for _, p := range ps {
		m.X += p.X / float64(len(ps))
		m.Y += p.Y / float64(len(ps))
	}
	return m
}

// Describer names a model that turns a face into a template.
type Describer string

// The describers of this version.
const (
	// DlibResNet is dlib's face recognition ResNet v1 through go-face: 128 numbers, compared by
	// Euclidean distance.
	DlibResNet Describer = "dlib-resnet-v1"
	// MobileFaceNet is aligned by landmarks and run through OpenCV's DNN: 512 numbers of unit
	// length, compared by cosine.
	MobileFaceNet Describer = "mobilefacenet"
)

// Templates are what the describers made of one face, by describer. A describer that declined
// (a profile, an occlusion) has no entry; an empty map means "not described".
type Templates map[Describer][]float32

// Quality says how good a face is for recognition and enrolment.
type Quality struct {
	Sharpness  float64 `json:"sharpness"`  // variance of the Laplacian of the 112×112 grey aligned crop; higher is sharper
	Brightness float64 `json:"brightness"` // mean grey of that crop, 0–255
	Yaw        float64 `json:"yaw"`        // −1 to 1: 0 frontal, ±1 profile, from the nose's place between the eyes
}

// Face is one face found in a picture.
type Face struct {
	Box       Box       `json:"box"`
	Score     float64   `json:"score"` // the detector's confidence, 0–1
	Landmarks Landmarks `json:"landmarks,omitempty"`
	Quality   Quality   `json:"quality"`
	Templates Templates `json:"templates,omitempty"`
}
