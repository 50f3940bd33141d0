package footage

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
)

const (
	// shutter is how long a frame is exposed, as a share of the time between two: the usual 180°.
	shutter = 0.5
	// blurStep is how far, in pixels, something may move between two of the moments that make up a frame.
	blurStep = 3.0
	// mostMoments bounds the work for one frame, and keeps the sums within 16 bits.
	mostMoments = 40
	// standsStill is how far, in pixels, something may move while the shutter is open without leaving a trace worth drawing.
	standsStill = 0.7
)

// canvas is where a frame is put together. It is used again for each.
type canvas struct {
	frame  *image.RGBA
	behind []uint8  // what stands still behind what moves
	sum    []uint16 // of the moments
}

// Render draws a frame as RGB, 3 bytes a pixel, into dst, which has Width × Height × 3 bytes.
func (f *Film) Render(frame int, dst []byte) {
	f.render(newCanvas(f), frame, dst)
}

func newCanvas(f *Film) *canvas {
	c := &canvas{frame: image.NewRGBA(image.Rect(0, 0, f.Width, f.Height))}
	c.behind, c.sum = make([]uint8, len(c.frame.Pix)), make([]uint16, len(c.frame.Pix))
	return c
}

func (f *Film) render(c *canvas, frame int, dst []byte) {
	n, within := f.shotOf(frame)
	shot := &f.Shots[n]
	t := float64(within)
	fillBlack(c.frame)
	if moments, moving := f.exposure(shot, t); moments == 1 {
		f.compose(c.frame, shot, t, 0, len(shot.Layers))
	} else {
		f.expose(c, shot, t, moments, moving)
	}
	e := Exposure{Gain: 1}
	if shot.Light != nil {
		e = shot.Light(t)
	}
	e.develop(c.frame, dst, rand.New(rand.NewPCG(f.Seed, uint64(frame))))
}

// travel is how far a layer's picture moves at most while the shutter is open, pixels of the frame.
func travel(l Layer, from, to affine) float64 {
	w, h := l.Picture.Size()
	farthest := 0.0
	for _, at := range [][2]float64{{0.2, 0.2}, {0.8, 0.2}, {0.2, 0.8}, {0.8, 0.8}} {
		p, q := from.apply(at[0]*float64(w), at[1]*float64(h)), to.apply(at[0]*float64(w), at[1]*float64(h))
		farthest = math.Max(farthest, math.Hypot(p.X-q.X, p.Y-q.Y))
	}
	return farthest
}

// exposure says of how many moments a frame is made so that what moves fastest leaves a smooth trace, and which is the first
// layer that moves: those behind it are drawn once.
func (f *Film) exposure(shot *Shot, t float64) (moments, moving int) {
	from, to := f.places(shot, t-shutter/2), f.places(shot, t+shutter/2)
	fastest := 0.0
	moving = len(shot.Layers)
	for i, l := range shot.Layers {
		by := travel(l, from[i], to[i])
		fastest = math.Max(fastest, by)
		if by > standsStill {
			moving = min(moving, i)
		}
	}
	return min(max(1, int(math.Ceil(fastest/blurStep))), mostMoments), moving
}

// expose averages the moments while the shutter is open. Only the rows that something moves in are drawn more than once.
func (f *Film) expose(c *canvas, shot *Shot, t float64, moments, moving int) {
	f.compose(c.frame, shot, t, 0, moving)
	first, end := f.rows(shot, t, moving)
	rows := c.frame.Pix[first*c.frame.Stride : end*c.frame.Stride]
	behind, sum := c.behind[:len(rows)], c.sum[:len(rows)]
	copy(behind, rows)
	clear(sum)
	for i := range moments {
		copy(rows, behind)
		f.compose(c.frame, shot, t+shutter*((float64(i)+0.5)/float64(moments)-0.5), moving, len(shot.Layers))
		for j, v := range rows {
			sum[j] += uint16(v)
		}
	}
	for j, v := range sum {
		rows[j] = uint8((int(v) + moments/2) / moments)
	}
}

// rows are those that the layers from moving on may reach while the shutter is open.
func (f *Film) rows(shot *Shot, t float64, moving int) (first, end int) {
	all := image.Rectangle{}
	whole := image.Rect(0, 0, f.Width, f.Height)
	for _, at := range []float64{t - shutter/2, t, t + shutter/2} {
		for i, place := range f.places(shot, at)[moving:] {
			w, h := shot.Layers[moving+i].Picture.Size()
			all = all.Union(covered(whole, place, w, h).Inset(-4).Intersect(whole))
		}
	}
	return all.Min.Y, all.Max.Y
}

// compose draws some of the layers as they lie at one moment.
func (f *Film) compose(dst *image.RGBA, shot *Shot, t float64, first, end int) {
	places := f.places(shot, t)
	for i := first; i < end; i++ {
		radius := 0.0
		if l := shot.Layers[i]; l.Defocus != nil {
			radius = l.Defocus(t)
		}
		lay(dst, shot.Layers[i].Picture, places[i], radius)
	}
}

func fillBlack(dst *image.RGBA) {
	clear(dst.Pix)
	for i := 3; i < len(dst.Pix); i += 4 {
		dst.Pix[i] = 255
	}
}

// lay draws a picture over the frame, out of focus by a radius in pixels of the frame: then a coarser level is drawn, whose
// pixels are about as large as the blur.
func lay(dst *image.RGBA, p *Picture, place affine, radius float64) {
	scale := place.scale()
	if radius > 1 {
		scale /= radius
	}
	src, share := p.level(scale)
	toLevel := affine{a: share, d: share}.after(place.inverse())
	w, h := p.Size()
	area := covered(dst.Rect, place, w, h)
	for y := area.Min.Y; y < area.Max.Y; y++ {
		at := toLevel.apply(float64(area.Min.X)+0.5, float64(y)+0.5)
		row := dst.Pix[y*dst.Stride+4*area.Min.X:]
		for x := range area.Dx() {
			over(row[4*x:4*x+4:4*x+4], src, at.X+float64(x)*toLevel.a-0.5, at.Y+float64(x)*toLevel.c-0.5)
		}
	}
}

// covered is the part of the frame that the placed picture may reach.
func covered(frame image.Rectangle, place affine, w, h int) image.Rectangle {
	lowX, lowY, highX, highY := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, at := range [][2]float64{{0, 0}, {float64(w), 0}, {0, float64(h)}, {float64(w), float64(h)}} {
		p := place.apply(at[0], at[1])
		lowX, lowY = math.Min(lowX, p.X), math.Min(lowY, p.Y)
		highX, highY = math.Max(highX, p.X), math.Max(highY, p.Y)
	}
	clamp := func(v float64) int { return int(math.Max(-1e6, math.Min(1e6, v))) }
	return image.Rect(clamp(lowX)-1, clamp(lowY)-1, clamp(highX)+2, clamp(highY)+2).Intersect(frame)
}

// over lays what a picture has between four of its pixels over one pixel of the frame. Beyond its edge it is transparent.
func over(dst []uint8, src *image.RGBA, x, y float64) {
	i, j := int(math.Floor(x)), int(math.Floor(y))
	w, h := src.Rect.Dx(), src.Rect.Dy()
	if i < -1 || j < -1 || i >= w || j >= h {
		return
	}
	fx, fy := uint32((x-float64(i))*256), uint32((y-float64(j))*256)
	weights := [4]uint32{(256 - fx) * (256 - fy), fx * (256 - fy), (256 - fx) * fy, fx * fy}
	var v [4]uint32 // of 255 × 65536
	if i >= 0 && j >= 0 && i+1 < w && j+1 < h {
		above := src.Pix[j*src.Stride+4*i:][:8:8]
		below := src.Pix[(j+1)*src.Stride+4*i:][:8:8]
		for c := range v {
			v[c] = weights[0]*uint32(above[c]) + weights[1]*uint32(above[c+4]) + weights[2]*uint32(below[c]) + weights[3]*uint32(below[c+4])
		}
	} else {
		atEdge(&v, weights, src, i, j)
	}
	through := 255 - (v[3]+1<<15)>>16
	for c := range 3 {
		dst[c] = uint8(min(255, (v[c]+1<<15)>>16+uint32(dst[c])*through/255))
	}
}

// atEdge is the part of over for places where not all four pixels are in the picture.
func atEdge(v *[4]uint32, weights [4]uint32, src *image.RGBA, i, j int) {
	for corner, weight := range weights {
		x, y := i+corner&1, j+corner>>1
		if x < 0 || y < 0 || x >= src.Rect.Dx() || y >= src.Rect.Dy() {
			continue
		}
		px := src.Pix[y*src.Stride+4*x:][:4:4]
		for c := range v {
			v[c] += weight * uint32(px[c])
		}
	}
}

// noiseTable is how many numbers of a normal distribution are drawn; each run of samples reads them from another place.
const noiseTable = 1 << 16

// develop turns the frame into RGB samples.
func (e Exposure) develop(frame *image.RGBA, dst []byte, r *rand.Rand) {
	var curve [256]int
	for i := range curve {
		curve[i] = int(math.Round(e.Gain*float64(i) + e.Flash))
	}
	noise := make([]int, noiseTable)
	if e.Noise > 0 {
		for i := range noise {
			noise[i] = int(math.Round(e.Noise * r.NormFloat64()))
		}
	}
	const run = 1021 // no divisor of a width, so that nothing repeats from row to row
	at := 0
	for i, n := 0, len(frame.Pix)/4; i < n; i++ {
		if i%run == 0 {
			at = r.IntN(noiseTable - 3*run)
		}
		for c := range 3 {
			dst[3*i+c] = uint8(min(max(curve[frame.Pix[4*i+c]]+noise[at], 0), 255))
			at++
		}
	}
}

// At gives one frame as an image, to look at.
func (f *Film) At(frame int) image.Image {
	rgb := make([]byte, 3*f.Width*f.Height)
	f.Render(frame, rgb)
	img := image.NewRGBA(image.Rect(0, 0, f.Width, f.Height))
	for i := range f.Width * f.Height {
		img.SetRGBA(i%f.Width, i/f.Width, color.RGBA{rgb[3*i], rgb[3*i+1], rgb[3*i+2], 255})
	}
	return img
}
