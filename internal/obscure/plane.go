package obscure

// Plane is one channel of a picture at its own resolution, as the file holds it: a chroma channel
// of a 4:2:0 JPEG has a quarter of the picture's samples, and an interleaved RGB picture is three
// planes over one slice. Changing samples through a Plane changes the picture it came from.
//
// Sample (x, y) covers the image pixels from (x·SubX, y·SubY) up to but not including
// ((x+1)·SubX, (y+1)·SubY), cut off at the picture's right and bottom edge.
type Plane struct {
	Width, Height int // samples
	SubX, SubY    int // image pixels per sample across and down: 1, 2 or 4
	Stride, Step  int // distance between rows and between neighbours in a row, in slice elements
	// Exactly one of Pix8 and Pix16 is set.
	Pix8  []uint8
	Pix16 []uint16
}

// Offset is the place of sample (x, y) in the slice. It does not check its arguments.
func (p *Plane) Offset(x, y int) int { return y*p.Stride + x*p.Step }

// At reads sample (x, y). It panics outside of the plane only where the slice ends.
func (p *Plane) At(x, y int) uint16 {
	if p.Pix8 != nil {
		return uint16(p.Pix8[p.Offset(x, y)])
	}
	return p.Pix16[p.Offset(x, y)]
}

// Set writes sample (x, y). A plane of bytes keeps the low 8 bits.
func (p *Plane) Set(x, y int, v uint16) {
	if p.Pix8 != nil {
		p.Pix8[p.Offset(x, y)] = uint8(v)
		return
	}
	p.Pix16[p.Offset(x, y)] = v
}
