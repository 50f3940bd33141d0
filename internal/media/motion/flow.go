package motion

import (
	"math"
	"slices"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/track"
)

// How points are followed, in pixels of the small copy.
const (
	inner     = 0.7  // share of a box, each way, that is all face: its corners show what is behind it
	window    = 11   // side of what is compared around a point
	levels    = 3    // of the pyramid: points are found that moved by about 40 pixels, a twelfth of the width
	returns   = 0.6  // a point that does not come back as near as this is not believed
	agrees    = 0.06 // share of a box's size by which a point may disagree with the others of its box…
	agreesAt  = 0.5  // …and what it may always
	mostZoom  = 1.12 // a head does not grow faster from one frame to the next
	fewest    = 4    // points that must come back before a box is moved
	farApart  = 0.25 // share of a box's size: nearer points say nothing of its scale
	rounds    = 15   // of refinement on each level…
	precision = 0.03 // …or until a step is smaller
	flatness  = 1e-4 // OpenCV's own least eigenvalue: below it there is nothing to hold on to
	gridSide  = 5    // points each way
	manyBoxes = 12   // more get fewer points each
)

// cloud are the points of one box.
type cloud struct {
	from, to []gocv.Point2f
	ok       []bool
}

// sow lays a grid of points into the inner part of every box, those within the picture.
func sow(boxes []face.Box, sx, sy float64, width, height int) []cloud {
	side := gridSide
	if len(boxes) > manyBoxes {
		side--
	}
	clouds := make([]cloud, len(boxes))
	for i, b := range boxes {
		for k := range side * side {
			u, v := (float64(k%side)+0.5)/float64(side)-0.5, (float64(k/side)+0.5)/float64(side)-0.5
			c := b.Centre()
			x, y := (c.X+u*inner*b.W)*sx-0.5, (c.Y+v*inner*b.H)*sy-0.5
			if x >= 0 && y >= 0 && x <= float64(width-1) && y <= float64(height-1) {
				clouds[i].from = append(clouds[i].from, gocv.Point2f{X: float32(x), Y: float32(y)})
			}
		}
	}
	return clouds
}

// flow finds the points of all clouds in b, and which of them come back to where they were in a.
func flow(a, b *pyramid, clouds []cloud, guess gocv.Point2f) error {
	var from []gocv.Point2f
	for _, c := range clouds {
		from = append(from, c.from...)
	}
	if len(from) == 0 {
		return nil
	}
	to, there, err := a.follow(b, from, guess)
	if err != nil {
		return err
	}
	back, again, err := b.follow(a, to, gocv.Point2f{X: -guess.X, Y: -guess.Y})
	if err != nil {
		return err
	}
	at := 0
	for i := range clouds {
		for range clouds[i].from {
			near := math.Hypot(float64(back[at].X-from[at].X), float64(back[at].Y-from[at].Y)) <= returns
			clouds[i].to = append(clouds[i].to, to[at])
			clouds[i].ok = append(clouds[i].ok, there[at] && again[at] && near)
			at++
		}
	}
	return nil
}

// fit moves the box with its points: by their median shift and their median change of scale.
func (c *cloud) fit(b face.Box, sx, sy float64) track.Moved {
	var dx, dy []float64
	for i, ok := range c.ok {
		if ok {
			dx = append(dx, float64(c.to[i].X-c.from[i].X))
			dy = append(dy, float64(c.to[i].Y-c.from[i].Y))
		}
	}
	if len(dx) < fewest {
		return track.Moved{Box: b}
	}
	mx, my, zoom := median(dx), median(dy), c.zoom(b.Size()*math.Sqrt(sx*sy))
	centre := b.Centre()
	moved := face.Box{W: b.W * zoom, H: b.H * zoom}
	moved.X, moved.Y = centre.X+mx/sx-moved.W/2, centre.Y+my/sy-moved.H/2
	sure := c.agreeing(mx, my, zoom, b.Size()*math.Sqrt(sx*sy))
	if sure == 0 {
		return track.Moved{Box: b}
	}
	return track.Moved{Box: moved, Sure: sure}
}

// zoom is the median growth of the distance between points that lie far apart; size is the box's in the small copy.
func (c *cloud) zoom(size float64) float64 {
	var ratios []float64
	n := len(c.from)
	for i := range n {
		j := (i + n/2 + i%3) % n // mostly half of the box away
		if !c.ok[i] || !c.ok[j] {
			continue
		}
		before := distance(c.from[i], c.from[j])
		if before >= farApart*size {
			ratios = append(ratios, distance(c.to[i], c.to[j])/before)
		}
	}
	if len(ratios) < fewest {
		return 1
	}
	return min(mostZoom, max(1/mostZoom, median(ratios)))
}

// agreeing is the share of all points that came back and went where the box went.
func (c *cloud) agreeing(mx, my, zoom, size float64) float64 {
	var cx, cy float64
	for _, p := range c.from {
		cx += float64(p.X) / float64(len(c.from))
		cy += float64(p.Y) / float64(len(c.from))
	}
	tolerance := max(agreesAt, agrees*size)
	n := 0
	for i, p := range c.from {
		x, y := cx+mx+(float64(p.X)-cx)*zoom, cy+my+(float64(p.Y)-cy)*zoom
		if c.ok[i] && math.Hypot(float64(c.to[i].X)-x, float64(c.to[i].Y)-y) <= tolerance {
			n++
		}
	}
	return float64(n) / float64(len(c.from))
}

func distance(a, b gocv.Point2f) float64 { return math.Hypot(float64(a.X-b.X), float64(a.Y-b.Y)) }

// median of at least one number; it orders them.
func median(xs []float64) float64 {
	slices.Sort(xs)
	return xs[len(xs)/2]
}
