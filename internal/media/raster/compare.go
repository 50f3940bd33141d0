package raster

import (
	"fmt"
	"image"
	"math"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/obscure"
)

// Tolerance is how far samples may be from the source's where nothing was to change, on the scale
// of 8 bits. Both are 0 for formats that lose nothing.
type Tolerance struct {
	Max  float64 `json:"max"`  // of any sample
	Mean float64 `json:"mean"` // of any channel, absolute
}

// Difference is what Compare found outside of the changed rectangles, on the scale of 8 bits.
type Difference struct {
	Max       float64   `json:"max"`     // largest absolute difference of a sample
	Mean      float64   `json:"mean"`    // mean absolute difference, of the channel that has the largest
	Samples   int64     `json:"samples"` // how many were compared
	Tolerance Tolerance `json:"tolerance"`
	Within    bool      `json:"within"` // both are within the tolerance
}

// Measured with TestLossyWebPTolerance: noise of full contrast, the worst that 4:2:0 VP8 meets,
// differs by at most 8 and by 1.6 in the mean once it is coded again at quality 95. The bounds leave
// room for what noise does not show, and stay far below what a face that comes or goes would do.
const (
	webpMax  = 32
	webpMean = 3
)

// requantised bounds what coding afresh with these tables can change. A coefficient moves by half a
// step at most. By Parseval the mean square of the samples' error is at most that of the
// coefficients', and the mean error is at most its root; a sample's error is at most the sum over
// all coefficients of half a step times the basis function's largest value (1/8 for DC, else below
// √2/8 in one axis and 1/4 in both). The rounding of two integer transforms adds at most 2.
func requantised(quant [][64]uint16) Tolerance {
	t := Tolerance{}
	for _, q := range quant {
		var squares, sum float64
		for i, v := range q {
			half := float64(v) / 2
			squares += half * half
			peak := 1.0
			if i%8 > 0 {
				peak *= math.Sqrt2
			}
			if i/8 > 0 {
				peak *= math.Sqrt2
			}
			sum += half * peak / 8
		}
		t.Max, t.Mean = max(t.Max, min(255, sum+2)), max(t.Mean, math.Sqrt(squares/64)+1)
	}
	return t
}

// Compare looks at every sample outside of the changed rectangles (those that Encode returned).
// source is the picture that was changed and encoded, derivative the decoded result. A sample is
// left out only where all pixels that it covers lie in one changed rectangle. The error says that
// the two are not of one kind; such a derivative must not be released.
func Compare(source, derivative *Picture, changed []image.Rectangle) (Difference, error) {
	if source.info.OutputFormat != derivative.info.Format || source.Bounds() != derivative.Bounds() {
		return Difference{}, fmt.Errorf("%s of %v became %s of %v: %w", source.info.Format, source.Bounds().Max,
			derivative.info.Format, derivative.Bounds().Max, media.ErrDamaged)
	}
	a, b := source.Planes(), derivative.Planes()
	if len(a) != len(b) {
		a, b = withOpaque(a, source.info), withOpaque(b, derivative.info)
	}
	if len(a) != len(b) {
		return Difference{}, fmt.Errorf("%d channels became %d: %w", len(a), len(b), media.ErrDamaged)
	}
	d := Difference{Tolerance: source.body.tolerance()}
	for c := range a {
		if err := d.plane(&a[c], &b[c], changed, source.body.size()); err != nil {
			return Difference{}, err
		}
	}
	d.Within = d.Max <= d.Tolerance.Max && d.Mean <= d.Tolerance.Mean
	return d, nil
}

// withOpaque adds an alpha channel that is opaque throughout where RGB has none, because an encoder
// leaves out a channel that says nothing.
func withOpaque(planes []obscure.Plane, info media.Info) []obscure.Plane {
	if len(planes) != 3 || info.Format == media.JPEG {
		return planes
	}
	p := obscure.Plane{Width: info.Width, Height: info.Height, SubX: 1, SubY: 1}
	if planes[0].Pix8 != nil {
		p.Pix8 = []uint8{255}
	} else {
		p.Pix16 = []uint16{65535}
	}
	return append(planes, p) // stride and step 0: one sample stands for all
}

func (d *Difference) plane(a, b *obscure.Plane, changed []image.Rectangle, size image.Point) error {
	if a.Width != b.Width || a.Height != b.Height || a.SubX != b.SubX || a.SubY != b.SubY || (a.Pix8 == nil) != (b.Pix8 == nil) {
		return fmt.Errorf("channel of %d × %d became %d × %d: %w", a.Width, a.Height, b.Width, b.Height, media.ErrDamaged)
	}
	var cover []image.Rectangle
	for _, r := range changed {
		if c := covered(a, r, size); !c.Empty() {
			cover = append(cover, c)
		}
	}
	var sum, n int64
	var worst int
	for y := range a.Height {
		for x := 0; x < a.Width; {
			from, to := nextRun(a, x, y, cover)
			s, w := rowDifference(a, b, from, to, y)
			sum, worst, n = sum+s, max(worst, w), n+int64(to-from)
			x = to
		}
	}
	scale := 1.0
	if a.Pix16 != nil {
		scale = 1.0 / 257
	}
	d.Samples += n
	d.Max = max(d.Max, float64(worst)*scale)
	if n > 0 {
		d.Mean = max(d.Mean, float64(sum)*scale/float64(n))
	}
	return nil
}

// nextRun is the next run [from, to) of samples in row y, at x or later, that no rectangle
// covers. It is empty at the row's end.
func nextRun(p *obscure.Plane, x, y int, cover []image.Rectangle) (from, to int) {
	for moved := true; moved; {
		moved = false
		for _, c := range cover {
			if y >= c.Min.Y && y < c.Max.Y && x >= c.Min.X && x < c.Max.X {
				x, moved = c.Max.X, true
			}
		}
	}
	to = p.Width
	for _, c := range cover {
		if y >= c.Min.Y && y < c.Max.Y && c.Min.X >= x {
			to = min(to, c.Min.X)
		}
	}
	return x, max(x, to)
}

// covered are the samples all of whose pixels lie in r. The last sample of a row or column may stand
// for fewer pixels than the others.
func covered(p *obscure.Plane, r image.Rectangle, size image.Point) image.Rectangle {
	c := image.Rect((r.Min.X+p.SubX-1)/p.SubX, (r.Min.Y+p.SubY-1)/p.SubY, r.Max.X/p.SubX, r.Max.Y/p.SubY)
	if r.Max.X >= size.X {
		c.Max.X = p.Width
	}
	if r.Max.Y >= size.Y {
		c.Max.Y = p.Height
	}
	return c
}

func rowDifference(a, b *obscure.Plane, from, to, y int) (sum int64, worst int) {
	if a.Pix8 == nil {
		for x := from; x < to; x++ {
			d := int(a.At(x, y)) - int(b.At(x, y))
			d = max(d, -d)
			sum, worst = sum+int64(d), max(worst, d)
		}
		return sum, worst
	}
	i, j := a.Offset(from, y), b.Offset(from, y)
	if n := to - from; a.Step == 1 && b.Step == 1 && string(a.Pix8[i:i+n]) == string(b.Pix8[j:j+n]) {
		return 0, 0
	}
	for range to - from {
		d := int(a.Pix8[i]) - int(b.Pix8[j])
		d = max(d, -d)
		sum, worst = sum+int64(d), max(worst, d)
		i, j = i+a.Step, j+b.Step
	}
	return sum, worst
}
