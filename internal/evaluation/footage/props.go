package footage

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"

	"golang.org/x/image/draw"
)

// backdrop is what heads move in front of: clouds of dull colour, some grain, and upright folds as of a curtain. Nothing in it is a face.
func backdrop(r *rand.Rand, w, h int) *Picture {
	img := clouds(r, w, h, 9, 60+60*r.Float64(), 30)
	fine := clouds(r, w, h, 90, 128, 128)
	fold, deep := 30+80*r.Float64(), 0.05+0.2*r.Float64()
	for y := range h {
		for x := range w {
			px := img.Pix[y*img.Stride+4*x:][:4]
			k := 1 + deep*math.Sin(2*math.Pi*float64(x)/fold+math.Sin(float64(y)/90))
			grain := (float64(fine.Pix[y*fine.Stride+4*x]) - 128) / 9
			for c := range 3 {
				px[c] = sample8(k*float64(px[c]) + grain)
			}
		}
	}
	return NewPicture(img)
}

// clouds scales a few random colours up: so many across, about a middle, and so much above or below it.
func clouds(r *rand.Rand, w, h, across int, middle, spread float64) *image.RGBA {
	few := image.NewRGBA(image.Rect(0, 0, across, max(2, across*h/w)))
	for i := 0; i < len(few.Pix); i += 4 {
		for c := range 3 {
			few.Pix[i+c] = sample8(middle + spread*(2*r.Float64()-1))
		}
		few.Pix[i+3] = 255
	}
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(img, img.Rect, few, few.Rect, draw.Src, nil)
	return img
}

// Pixels of a hand's picture, the forearm included, and where its palm is.
const (
	handWidth, handHeight = 400, 900
	palmX, palmY          = 200, 300
)

// hand is a hand with a forearm, fingers up, in a colour like skin, with soft shading.
func hand(r *rand.Rand) *Picture {
	tone := 0.35 + 0.65*r.Float64()
	shade := clouds(r, handWidth, handHeight, 5, 100, 100)
	img := image.NewRGBA(image.Rect(0, 0, handWidth, handHeight))
	for y := range handHeight {
		for x := range handWidth {
			inside := handDepth(float64(x), float64(y))
			k := tone * (0.75 + 0.25*math.Min(1, inside/40) + float64(shade.Pix[y*shade.Stride+4*x])/1200)
			img.SetRGBA(x, y, opaque(225*k, 172*k, 145*k))
		}
	}
	fade(img, func(x, y float64) float64 { return math.Max(0, math.Min(1, 0.5+handDepth(x, y)/3)) })
	return NewPicture(img)
}

// handDepth is how far a place lies inside of the hand, pixels; below 0 outside.
func handDepth(x, y float64) float64 {
	depth := stick(x, y, 200, 420, 200, 1000, 75) // forearm
	depth = math.Max(depth, stick(x, y, 150, 330, 250, 330, 95))
	for _, f := range [][4]float64{{95, 290, 60, 120}, {165, 270, 150, 60}, {230, 270, 245, 55}, {295, 290, 335, 110}, {110, 380, 15, 290}} {
		depth = math.Max(depth, stick(x, y, f[0], f[1], f[2], f[3], 34))
	}
	return depth
}

// stick is how far a place lies inside of a rounded stick between two points.
func stick(x, y, x0, y0, x1, y1, radius float64) float64 {
	dx, dy := x1-x0, y1-y0
	t := math.Max(0, math.Min(1, ((x-x0)*dx+(y-y0)*dy)/(dx*dx+dy*dy)))
	return radius - math.Hypot(x-x0-t*dx, y-y0-t*dy)
}

// pillar is an upright bar that passes in front.
func pillar(r *rand.Rand, w, h int) *Picture {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	base := color.RGBA{uint8(20 + r.IntN(120)), uint8(20 + r.IntN(120)), uint8(20 + r.IntN(120)), 255}
	for y := range h {
		for x := range w {
			k := 0.6 + 0.8*float64(x)/float64(w)
			img.SetRGBA(x, y, opaque(k*float64(base.R), k*float64(base.G), k*float64(base.B)))
		}
	}
	return NewPicture(img)
}
