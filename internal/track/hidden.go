package track

import "github.com/consentry/consentry/internal/face"

// Where a lost face is carried to, another may be seen. Then the flow in that place is the other's, and only what lies beside the
// other's head is followed.
const (
	headWidth  = 1.3 // of a head, in widths of its face's box
	headHeight = 1.4 // the same in heights
	leastPart  = 0.3 // share of a box that must lie beside the other's head, to be followed
)

// visible is the part of a box that no other face's head hides: the largest rectangle beside, above or below it; an empty box if there is
// too little.
func visible(id int, box face.Box, seen []occupant) face.Box {
	part := box
	for _, o := range seen {
		if o.id != id {
			part = beside(part, headOf(o.box))
		}
	}
	if part.Area() < leastPart*box.Area() {
		return face.Box{X: box.X, Y: box.Y}
	}
	return part
}

func headOf(b face.Box) face.Box {
	c := b.Centre()
	w, h := headWidth*b.W, headHeight*b.H
	return face.Box{X: c.X - w/2, Y: c.Y - h/2, W: w, H: h}
}

// beside is the largest of the four rectangles of b that lie beside o.
func beside(b, o face.Box) face.Box {
	if b.Intersection(o) == 0 {
		return b
	}
	var best face.Box
	for _, r := range []face.Box{
		{X: b.X, Y: b.Y, W: o.X - b.X, H: b.H},
		{X: o.X + o.W, Y: b.Y, W: b.X + b.W - o.X - o.W, H: b.H},
		{X: b.X, Y: b.Y, W: b.W, H: o.Y - b.Y},
		{X: b.X, Y: o.Y + o.H, W: b.W, H: b.Y + b.H - o.Y - o.H},
	} {
		if r.W > 0 && r.H > 0 && r.Area() > best.Area() {
			best = r
		}
	}
	return best
}

// whole moves a box as its part moved. A part says nothing of how the whole grows.
func whole(box, part face.Box, m Moved) Moved {
	switch {
	case part == box:
		return m
	case part.W <= 0 || part.H <= 0:
		return Moved{Box: box}
	}
	p, q := part.Centre(), m.Box.Centre()
	box.X, box.Y = box.X+q.X-p.X, box.Y+q.Y-p.Y
	return Moved{Box: box, Sure: m.Sure}
}
