package footage

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/draw"
)

// Picture is a still that is drawn at any scale: the original and its halves, quarters and so on, so that nothing aliases.
// What is transparent in it shows what lies behind.
type Picture struct {
	levels []*image.RGBA // premultiplied; each half as large as the one before
}

// smallestLevel is where halving ends: the shorter side in pixels.
const smallestLevel = 8

// NewPicture copies the image.
func NewPicture(img image.Image) *Picture {
	b := img.Bounds()
	whole := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(whole, whole.Bounds(), img, b.Min, draw.Src)
	p := &Picture{levels: []*image.RGBA{whole}}
	for last := whole; min(last.Rect.Dx(), last.Rect.Dy()) >= 2*smallestLevel; {
		last = halved(last)
		p.levels = append(p.levels, last)
	}
	return p
}

// Size is width and height in pixels.
func (p *Picture) Size() (w, h int) { return p.levels[0].Rect.Dx(), p.levels[0].Rect.Dy() }

// Image is the picture itself. It must not be altered.
func (p *Picture) Image() *image.RGBA { return p.levels[0] }

// halved averages four pixels into one. An odd last column or row is left out: less than a pixel.
func halved(src *image.RGBA) *image.RGBA {
	w, h := src.Rect.Dx()/2, src.Rect.Dy()/2
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		above, below := src.Pix[2*y*src.Stride:], src.Pix[(2*y+1)*src.Stride:]
		row := dst.Pix[y*dst.Stride:]
		for x := range w {
			for c := range 4 {
				i := 8*x + c
				row[4*x+c] = uint8((int(above[i]) + int(above[i+4]) + int(below[i]) + int(below[i+4]) + 2) / 4)
			}
		}
	}
	return dst
}

// level is the smallest copy that is not smaller than what is drawn at this scale, and how large it is against the original.
func (p *Picture) level(scale float64) (*image.RGBA, float64) {
	n := 0
	if scale > 0 && scale < 1 {
		n = int(math.Floor(math.Log2(1/scale) + 1e-9))
	}
	n = min(max(n, 0), len(p.levels)-1)
	return p.levels[n], math.Ldexp(1, -n)
}

// alphaAt is how opaque the picture is at a place, 0 to 1, and 0 outside of it.
func (p *Picture) alphaAt(x, y float64) float64 {
	i, j := int(math.Floor(x)), int(math.Floor(y))
	img := p.levels[0]
	if i < 0 || j < 0 || i >= img.Rect.Dx() || j >= img.Rect.Dy() {
		return 0
	}
	return float64(img.Pix[j*img.Stride+4*i+3]) / 255
}

// fade multiplies each pixel by how much of it is to be seen, 0 to 1.
func fade(img *image.RGBA, seen func(x, y float64) float64) {
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			k := seen(float64(x)+0.5, float64(y)+0.5)
			px := img.Pix[y*img.Stride+4*x:][:4]
			for c := range px {
				px[c] = uint8(math.Round(float64(px[c]) * k))
			}
		}
	}
}

func opaque(r, g, b float64) color.RGBA {
	return color.RGBA{sample8(r), sample8(g), sample8(b), 255}
}

func sample8(v float64) uint8 { return uint8(math.Round(math.Max(0, math.Min(255, v)))) }
