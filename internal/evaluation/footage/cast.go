package footage

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/draw"

	"github.com/consentry/consentry/internal/face"
)

// Cast are the stills that films are made of.
type Cast struct {
	Groups []Still // whole photographs, in which every face is marked
	Heads  []Still // single heads, cut out of photographs
}

// Still is a photograph, or a head cut out of one.
type Still struct {
	Picture *Picture
	Marks   []Mark // of a head exactly one
}

// A head is cut out as an oval around its face: hair, ears, chin and some neck. Its radii are in sides of a square
// with the box's area, as the detector's boxes are narrow for some heads and wide for others.
const (
	ovalAcross = 0.8
	ovalAlong  = 0.95
	ovalLift   = 0.08
	ovalSoft   = 0.25 // share of the radius over which it fades
)

// Below the head are neck and shoulders in one colour, so that no head flies and those in front hide what is behind them.
const (
	bustAcross = 3.2 // width of the cut, in the same unit
	bustAlong  = 3.6 // its height; the face's centre is a quarter of it below the upper edge
	chest      = 1.6 // how far below the face's centre the shoulders' middle is
)

// CutOut cuts the head of a face out of a photograph and sets it on shoulders.
func CutOut(photograph *Picture, m Mark) Still {
	size, c := m.Box.Size(), m.Box.Centre()
	w, h := int(bustAcross*size), int(bustAlong*size)
	x0, y0 := int(c.X)-w/2, int(c.Y)-h/4
	cut := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(cut, cut.Rect, photograph.Image(), image.Pt(x0, y0), draw.Src)
	middle := face.Point{X: c.X - float64(x0), Y: c.Y - float64(y0)}
	fade(cut, oval(middle, size, m.Roll))
	bust := shoulders(w, h, middle, size, cloth(c))
	draw.Draw(bust, bust.Rect, cut, image.Point{}, draw.Over)
	m.Box.X, m.Box.Y = m.Box.X-float64(x0), m.Box.Y-float64(y0)
	return Still{Picture: NewPicture(bust), Marks: []Mark{m}}
}

// oval is how much of a place around the face at c belongs to its head.
func oval(c face.Point, size, roll float64) func(x, y float64) float64 {
	sin, cos := math.Sincos(roll)
	c = face.Point{X: c.X + sin*ovalLift*size, Y: c.Y - cos*ovalLift*size}
	return func(x, y float64) float64 {
		dx, dy := x-c.X, y-c.Y
		u, v := (dx*cos+dy*sin)/(ovalAcross*size), (dy*cos-dx*sin)/(ovalAlong*size)
		return math.Max(0, math.Min(1, (1-math.Hypot(u, v))/ovalSoft))
	}
}

// cloth is a dull colour, another for each place of a photograph.
func cloth(at face.Point) color.RGBA {
	k := int(at.X)*7919 + int(at.Y)*104729
	return opaque(float64(30+k%110), float64(30+k/7%100), float64(30+k/49%120))
}

func shoulders(w, h int, c face.Point, size float64, colour color.RGBA) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Rect, image.NewUniform(colour), image.Point{}, draw.Src)
	fade(img, func(x, y float64) float64 {
		x, y = (x-c.X)/size, (y-c.Y)/size
		depth := math.Max(stick(x, y, 0, 0.3, 0, 1, 0.35), stick(x, y, -0.7, chest, 0.7, chest, 0.6))
		depth = math.Max(depth, stick(x, y, 0, chest+0.3, 0, chest+2, 1.15))
		return math.Max(0, math.Min(1, depth*20))
	})
	return img
}

// Add adds a photograph all of whose faces are marked, and each of them as a head.
func (c *Cast) Add(photograph *Picture, marks []Mark) {
	c.Groups = append(c.Groups, Still{photograph, marks})
	for _, m := range marks {
		c.Heads = append(c.Heads, CutOut(photograph, m))
	}
}

// AddHead adds one face of a photograph in which there may be others.
func (c *Cast) AddHead(photograph *Picture, m Mark) { c.Heads = append(c.Heads, CutOut(photograph, m)) }
