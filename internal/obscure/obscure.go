// Package obscure hides regions of a picture beyond recovery.
//
// Its promise: every sample in the union of the regions becomes a function of samples outside of
// that union only. Two pictures that differ only inside give the same bytes, so that nothing about
// a hidden face can be learned from the result, by whatever means. A sample of a subsampled plane
// is inside if any image pixel that it covers, or that its next neighbour covers, touches a region:
// encoders make chroma samples from pixels a little beyond their own.
//
// Around each region lies a feather, in which the fill fades into the original. It lies outside
// only and is itself made from outside samples. Beyond the feather no bit changes.
//
// What stays visible is that somebody is there, and the place, size and tilt of the region. An
// alpha channel is a plane like any other and must be given too, or it keeps the outline it holds.
//
// Results depend on the arguments alone, those of a Sequence also on the pictures before: no clock, no
// randomness, no goroutines. Time and memory follow the size of the regions and not that of the picture.
package obscure

import (
	"errors"
	"fmt"
	"image"
	"math"

	"github.com/consentry/consentry/internal/face"
)

// Style says what the regions are filled with.
type Style string

// The styles, as the command line spells them. Both keep the promise.
const (
	// SecureBlur is a calm field that continues the surroundings, as a very strong blur would show
	// them if the face were not there.
	SecureBlur Style = "secure-blur"
	// Solid is one flat tone for each region, or for each group of regions that touch: the mean of
	// what surrounds it.
	Solid Style = "solid"
)

// Errors that Apply wraps.
var (
	// ErrStyle is a style that this package does not know.
	ErrStyle = errors.New("unknown style")
	// ErrRegion is a region with a radius that is not above zero, a number that is not finite, or
	// one beyond ±10⁹ pixels.
	ErrRegion = errors.New("bad region")
	// ErrPlane is a plane that does not fit the picture or its own slice.
	ErrPlane = errors.New("bad plane")
)

// ParseStyle reads a style as the command line spells it.
func ParseStyle(s string) (Style, error) {
	switch st := Style(s); st {
	case SecureBlur, Solid:
		return st, nil
	default:
		return "", fmt.Errorf("%w %q: want %q or %q", ErrStyle, s, SecureBlur, Solid)
	}
}

// Apply hides the regions in all planes of a picture of width × height pixels. The planes must be
// all that the picture has, for a channel left out stays as it was.
//
// changed[i] is the rectangle in image pixels, cut to the picture, that holds everything altered on
// account of region i, feather included; it is empty for a region outside of the picture. Outside
// of the union of these rectangles no sample changes.
//
// Where no sample of a plane lies outside of the regions, the fill is the middle of the plane's
// range: 128, or 32768 for a plane of 16 bits.
//
// On error nothing has been altered.
func Apply(planes []Plane, width, height int, regions []face.Region, style Style) (changed []image.Rectangle, err error) {
	if _, err := ParseStyle(string(style)); err != nil {
		return nil, fmt.Errorf("obscure: %w", err)
	}
	if err := checkPlanes(planes, width, height); err != nil {
		return nil, fmt.Errorf("obscure: %w", err)
	}
	for i, r := range regions {
		if err := checkRegion(r); err != nil {
			return nil, fmt.Errorf("obscure: region %d: %w", i, err)
		}
	}
	changed = make([]image.Rectangle, len(regions))
	picture := image.Rect(0, 0, width, height)
	for i := range planes {
		p := &planes[i]
		shapes := makeShapes(regions, p)
		hide(p, shapes, style)
		for j, s := range shapes {
			changed[j] = changed[j].Union(s.pixels(p).Intersect(picture))
		}
	}
	return changed, nil
}

// hide computes all fills before the first sample is written, so that no fill is made from
// another region's feather and the order of the regions does not matter to it.
func hide(p *Plane, shapes []shape, style Style) {
	pt := painter{plane: p, shapes: shapes, fills: makeFills(p, shapes, style, stillDetail())}
	for i := range shapes {
		pt.paint(i)
	}
}

// makeFills gives every shape that lies on the plane its fill.
func makeFills(p *Plane, shapes []shape, style Style, d detail) []fill {
	fills := make([]fill, len(shapes))
	if style == Solid {
		solidFills(p, shapes, groupsOf(shapes), fills, d)
		return fills
	}
	for i := range shapes {
		if !shapes[i].bounds.Empty() {
			fills[i] = blurFill(p, shapes, i, d)
		}
	}
	return fills
}

// maxCoordinate keeps all arithmetic on places and radii far from the limits of float64.
const maxCoordinate = 1e9

func checkRegion(r face.Region) error {
	for _, v := range []float64{r.Centre.X, r.Centre.Y, r.RX, r.RY, r.Angle} {
		if math.IsNaN(v) || math.Abs(v) > maxCoordinate {
			return fmt.Errorf("%w: %v", ErrRegion, v)
		}
	}
	if r.RX <= 0 || r.RY <= 0 {
		return fmt.Errorf("%w: radii %v and %v", ErrRegion, r.RX, r.RY)
	}
	return nil
}

func checkPlanes(planes []Plane, width, height int) error {
	if len(planes) == 0 || width <= 0 || height <= 0 || width > maxCoordinate || height > maxCoordinate {
		return fmt.Errorf("%w: %d planes of %d×%d pixels", ErrPlane, len(planes), width, height)
	}
	for i := range planes {
		if err := checkPlane(&planes[i], width, height); err != nil {
			return fmt.Errorf("plane %d: %w", i, err)
		}
	}
	return nil
}

func checkPlane(p *Plane, width, height int) error {
	if p.SubX < 1 || p.SubY < 1 || p.SubX > 16 || p.SubY > 16 {
		return fmt.Errorf("%w: subsampled by %d×%d", ErrPlane, p.SubX, p.SubY)
	}
	if p.Width != (width+p.SubX-1)/p.SubX || p.Height != (height+p.SubY-1)/p.SubY {
		return fmt.Errorf("%w: %d×%d samples for %d×%d pixels", ErrPlane, p.Width, p.Height, width, height)
	}
	if (p.Pix8 == nil) == (p.Pix16 == nil) {
		return fmt.Errorf("%w: needs samples of either 8 or 16 bits", ErrPlane)
	}
	if p.Step < 1 || p.Stride < (p.Width-1)*p.Step+1 {
		return fmt.Errorf("%w: rows overlap (stride %d, step %d)", ErrPlane, p.Stride, p.Step)
	}
	n := len(p.Pix8) + len(p.Pix16)
	// Divided rather than multiplied, so that a foreign header cannot overflow the product.
	if last := n - 1 - (p.Width-1)*p.Step; last < 0 || (p.Height-1) > last/p.Stride {
		return fmt.Errorf("%w: %d elements are too few", ErrPlane, n)
	}
	return nil
}
