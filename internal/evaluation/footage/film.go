package footage

import (
	"math"

	"github.com/consentry/consentry/internal/face"
)

// Film is a made film: shots one after the other.
type Film struct {
	Name          string
	Kind          string  // what it is to show; see [Kinds]
	Width, Height int     // pixels, even
	Rate          float64 // frames a second
	Shots         []Shot
	Seed          uint64 // of the noise
}

// Shot is a run of frames without a cut. Layers lie one behind the other, the farthest first.
type Shot struct {
	Frames int
	Layers []Layer
	Camera Path  // moves all layers together; its pose is that of the frame's centre; nil: the camera stands still
	Light  Light // nil: as the stills are
}

// Layer is a picture that moves.
type Layer struct {
	Picture *Picture
	Marks   []Mark // the faces in it
	Path    Path
	Defocus Defocus // nil: sharp throughout
}

// Mark is a face in a still.
type Mark struct {
	Person string   // the same for the same person; never a name
	Box    face.Box // pixels of the still
	Roll   float64  // radians, as [face.Landmarks.Roll]
}

// Light says what happens to the light of the frame at a time.
type Light func(t float64) Exposure

// Exposure is how a frame is exposed.
type Exposure struct {
	Gain  float64 // 1 is as it was
	Flash float64 // added to each sample, 0 to 255
	Noise float64 // standard deviation of the noise, samples
}

// Defocus is by how many pixels of the frame a layer is out of focus at a time.
type Defocus func(t float64) float64

// Sight is one face on one frame.
type Sight struct {
	Person string
	Shot   int // from 0
	Layer  int // of the shot; a person twice in one shot is told apart by it
	Centre face.Point
	W, H   float64      // of the box across and along the head's still, pixels
	Angle  float64      // by which the box is turned, radians
	Points []face.Point // of a grid over the box those that can be seen: inside of the frame, behind nothing
	Of     int          // how many the grid has
	Speed  float64      // how far the centre moves until the next frame, pixels
	Smear  float64      // how far it moves while the frame is exposed, as a share of the box's width
}

// gridSide squared is the number of points in which a face's box is judged.
const gridSide = 20

// opaqueFrom is the opacity from which on what lies behind counts as hidden.
const opaqueFrom = 0.5

// Size is the side of a square with the box's area, pixels.
func (s Sight) Size() float64 { return math.Sqrt(s.W * s.H) }

// Visible is the share of the box that can be seen, 0 to 1.
func (s Sight) Visible() float64 { return float64(len(s.Points)) / float64(s.Of) }

// Box is the smallest upright box around the turned one.
func (s Sight) Box() face.Box {
	sin, cos := math.Sincos(s.Angle)
	w := math.Abs(s.W*cos) + math.Abs(s.H*sin)
	h := math.Abs(s.W*sin) + math.Abs(s.H*cos)
	return face.Box{X: s.Centre.X - w/2, Y: s.Centre.Y - h/2, W: w, H: h}
}

// Frames is the number of frames.
func (f *Film) Frames() int {
	n := 0
	for _, s := range f.Shots {
		n += s.Frames
	}
	return n
}

// shotOf is the shot that a frame is in, and the frame's number in it.
func (f *Film) shotOf(frame int) (shot, within int) {
	for frame >= f.Shots[shot].Frames {
		frame -= f.Shots[shot].Frames
		shot++
	}
	return shot, frame
}

// Sights lists the faces of a frame of which anything can be seen.
func (f *Film) Sights(frame int) []Sight {
	n, within := f.shotOf(frame)
	shot := &f.Shots[n]
	now, next := f.places(shot, float64(within)), f.places(shot, float64(within+1))
	var sights []Sight
	for i, l := range shot.Layers {
		for _, m := range l.Marks {
			s := sightOf(m, now[i])
			s.Shot, s.Layer = n, i
			moved := sightOf(m, next[i])
			s.Speed = math.Hypot(moved.Centre.X-s.Centre.X, moved.Centre.Y-s.Centre.Y)
			s.Smear = shutter * s.Speed / s.W
			s.Points = f.seen(shot, now, i, m)
			if len(s.Points) > 0 {
				sights = append(sights, s)
			}
		}
	}
	return sights
}

func sightOf(m Mark, place affine) Sight {
	c := m.Box.Centre()
	return Sight{
		Person: m.Person,
		Centre: place.apply(c.X, c.Y),
		W:      m.Box.W * math.Hypot(place.a, place.c),
		H:      m.Box.H * math.Hypot(place.b, place.d),
		Angle:  math.Atan2(-place.b, place.d), // of the upright axis: a squeeze leaves it alone
		Of:     gridSide * gridSide,
	}
}

// places maps each layer's picture into the frame at a time within the shot.
func (f *Film) places(shot *Shot, t float64) []affine {
	camera := affine{a: 1, d: 1}
	if shot.Camera != nil {
		camera = shot.Camera(t).place(f.Width, f.Height)
	}
	places := make([]affine, len(shot.Layers))
	for i, l := range shot.Layers {
		w, h := l.Picture.Size()
		places[i] = camera.after(l.Path(t).place(w, h))
	}
	return places
}

// seen lists the points of a face that lie in the frame and behind none of the layers in front of it.
func (f *Film) seen(shot *Shot, places []affine, layer int, m Mark) []face.Point {
	var front []affine
	for _, p := range places[layer+1:] {
		front = append(front, p.inverse())
	}
	var points []face.Point
	for i := range gridSide * gridSide {
		x := m.Box.X + m.Box.W*(float64(i%gridSide)+0.5)/gridSide
		y := m.Box.Y + m.Box.H*(float64(i/gridSide)+0.5)/gridSide
		p := places[layer].apply(x, y)
		if p.X >= 0 && p.Y >= 0 && p.X < float64(f.Width) && p.Y < float64(f.Height) && !hidden(shot.Layers[layer+1:], front, p) {
			points = append(points, p)
		}
	}
	return points
}

func hidden(front []Layer, toPicture []affine, p face.Point) bool {
	for i, l := range front {
		at := toPicture[i].apply(p.X, p.Y)
		if l.Picture.alphaAt(at.X, at.Y) >= opaqueFrom {
			return true
		}
	}
	return false
}
