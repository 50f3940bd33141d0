package obscure

import (
	"encoding/binary"
	"image"
	"math"
	"slices"
)

const (
	// contextShare is how far around a region its surroundings are read, as a share of its size.
	contextShare = 0.35
	// minContext is the least share of a window's samples that must lie outside of all regions.
	// With less, the window grows, so that one odd pixel does not colour a whole head.
	minContext = 1.0 / 64
)

// detail says how finely the fill's field is worked out.
type detail struct {
	side   int     // cells along the longer side of a fill's window
	factor float64 // of the over-relaxation; the best for a square of n cells is 2/(1+sin(π/n))
	rounds int     // of it
}

// stillDetail is for single pictures. The region spans about 18 of the cells, so that no detail
// finer than an eighteenth of the head survives from the surroundings: a calm surface by eye on the
// sample photographs. The factor is the best for a span of 30; 80 rounds then bring the error below
// 10⁻⁶ of the contrast.
func stillDetail() detail { return detail{side: 32, factor: 1.8, rounds: 80} }

// fill is what a region is filled with: a grid of values from which a uniform cubic B-spline makes
// a field without visible cells. A grid of one cell is a flat tone.
type fill struct {
	origin image.Point // sample at the grid's top left corner
	cell   int         // side of a cell in samples
	w, h   int         // cells
	v      []float64   // w*h values in the plane's range
}

// grey is the fill where nothing outside can be read: the middle of the range.
func grey(p *Plane) fill {
	v := 128.0
	if p.Pix16 != nil {
		v = 32768
	}
	return flat(v)
}

func flat(v float64) fill { return fill{cell: 1, w: 1, h: 1, v: []float64{v}} }

// blurFill makes the fill of region i: block means of what lies outside, blurred so that edges do
// not reach in, then continued across the inside as the harmonic function with these boundary
// values (a soap film: no streaks, no extremes of its own), then blurred again.
func blurFill(p *Plane, shapes []shape, i int, d detail) fill {
	b, ok := readContext(p, shapes, i, d)
	if !ok {
		return grey(p)
	}
	b.soften()
	b.spanInside(d)
	f := fill{origin: b.window.Min, cell: b.cell, w: b.w, h: b.h, v: b.sum}
	smooth(f.v, f.w, f.h, 2)
	return f
}

// readContext reads the surroundings of region i, from a window that grows until it has enough.
func readContext(p *Plane, shapes []shape, i int, d detail) (blocks, bool) {
	all := image.Rect(0, 0, p.Width, p.Height)
	bounds := shapes[i].bounds
	size := max(bounds.Dx(), bounds.Dy())
	for margin := max(4, int(contextShare*float64(size))); ; margin *= 2 {
		window := bounds.Inset(-margin).Intersect(all)
		b := readBlocks(p, shapes, window, d)
		if b.total >= minContext*float64(window.Dx()*window.Dy()) {
			return b, true
		}
		if window == all {
			return b, b.total > 0
		}
	}
}

// solidFills gives each group of touching regions the mean of the samples around its members.
func solidFills(p *Plane, shapes []shape, groups []int, fills []fill, d detail) {
	sums, counts := make([]float64, len(shapes)), make([]float64, len(shapes))
	for i, g := range groups {
		if shapes[i].bounds.Empty() {
			continue
		}
		if b, ok := readContext(p, shapes, i, d); ok {
			for k := range b.sum {
				sums[g] += b.sum[k]
				counts[g] += b.count[k]
			}
		}
	}
	for i, g := range groups {
		fills[i] = grey(p)
		if counts[g] > 0 {
			fills[i] = flat(sums[g] / counts[g])
		}
	}
}

// blocks are sums over the outside samples of each square cell of a window.
type blocks struct {
	window image.Rectangle
	cell   int
	w, h   int
	sum    []float64
	count  []float64
	total  float64 // of count, scaled up where rows are skipped
}

// readBlocks sums the samples of the window that lie outside of all shapes. From cells of 16
// samples on it reads only some rows: the mean of 128 samples is as good as that of 256.
func readBlocks(p *Plane, shapes []shape, window image.Rectangle, d detail) blocks {
	cell := (max(window.Dx(), window.Dy()) + d.side - 1) / d.side
	b := blocks{window: window, cell: cell, w: (window.Dx() + cell - 1) / cell, h: (window.Dy() + cell - 1) / cell}
	b.sum, b.count = make([]float64, b.w*b.h), make([]float64, b.w*b.h)
	var inWindow []*shape
	for i := range shapes {
		if shapes[i].bounds.Overlaps(window) {
			inWindow = append(inWindow, &shapes[i])
		}
	}
	skip := max(1, cell/8)
	var hidden []run
	for y := window.Min.Y; y < window.Max.Y; y += skip {
		hidden = hidden[:0]
		for _, s := range inWindow {
			if r := s.innerRun(y); r.from < r.to {
				hidden = append(hidden, r)
			}
		}
		b.addRow(p, y, hidden)
	}
	for _, c := range b.count {
		b.total += c * float64(skip)
	}
	return b
}

// addRow adds what lies between the hidden runs of a row.
func (b *blocks) addRow(p *Plane, y int, hidden []run) {
	slices.SortFunc(hidden, func(a, c run) int { return a.from - c.from })
	x := b.window.Min.X
	for _, r := range hidden {
		b.addRun(p, y, x, min(r.from, b.window.Max.X))
		x = max(x, r.to)
	}
	b.addRun(p, y, x, b.window.Max.X)
}

func (b *blocks) addRun(p *Plane, y, from, to int) {
	row := (y - b.window.Min.Y) / b.cell * b.w
	for from < to {
		c := (from - b.window.Min.X) / b.cell
		end := min(to, b.window.Min.X+(c+1)*b.cell)
		var s uint64
		if p.Pix8 != nil {
			s = sum8(p.Pix8[p.Offset(from, y):], end-from, p.Step)
		} else {
			s = sum(p.Pix16[p.Offset(from, y):], end-from, p.Step)
		}
		b.sum[row+c] += float64(s)
		b.count[row+c] += float64(end - from)
		from = end
	}
}

// sum8 adds bytes that lie side by side eight at a time: folded to four lanes of 16 bits, of which none
// carries within 128 steps.
func sum8(pix []uint8, n, step int) (s uint64) {
	const even, most = 0x00ff00ff00ff00ff, 128
	for step == 1 && n >= 8 {
		words := min(n/8, most)
		var lanes uint64
		for i := range words {
			x := binary.LittleEndian.Uint64(pix[8*i:])
			lanes += x&even + x>>8&even
		}
		s += lanes&0xffff + lanes>>16&0xffff + lanes>>32&0xffff + lanes>>48
		pix, n = pix[8*words:], n-8*words
	}
	return s + sum(pix, n, step)
}

func sum[T uint8 | uint16](pix []T, n, step int) uint64 {
	var s uint64
	for i := range n {
		s += uint64(pix[i*step])
	}
	return s
}

// soften turns the sums into means blurred over the neighbouring cells, each weighing as many
// samples as it holds. Cells without samples keep a count of 0.
func (b *blocks) soften() {
	sums, counts := slices.Clone(b.sum), slices.Clone(b.count)
	smooth(sums, b.w, b.h, 2)
	smooth(counts, b.w, b.h, 2)
	for i, c := range b.count {
		b.sum[i] = 0
		if c > 0 {
			b.sum[i] = sums[i] / counts[i]
		}
	}
}

// spanInside fills the cells without samples with the harmonic continuation of the others, by
// successive over-relaxation. Where the grid ends there is no flow across its border.
func (b *blocks) spanInside(d detail) {
	var empty []int
	var mean, n float64
	low, high := math.Inf(1), math.Inf(-1)
	for i, c := range b.count {
		if c == 0 {
			empty = append(empty, i)
			continue
		}
		mean += b.sum[i]
		n++
		low, high = min(low, b.sum[i]), max(high, b.sum[i])
	}
	for _, i := range empty {
		b.sum[i] = mean / n
	}
	for range d.rounds {
		for _, i := range empty {
			b.sum[i] += d.factor * (b.neighbours(i) - b.sum[i])
		}
	}
	// The finished field lies between its boundary values; an unfinished one might not.
	for _, i := range empty {
		b.sum[i] = max(low, min(b.sum[i], high))
	}
}

// neighbours is the mean of the up to four cells beside cell i.
func (b *blocks) neighbours(i int) float64 {
	x, y := i%b.w, i/b.w
	var s, n float64
	if x > 0 {
		s, n = s+b.sum[i-1], n+1
	}
	if x < b.w-1 {
		s, n = s+b.sum[i+1], n+1
	}
	if y > 0 {
		s, n = s+b.sum[i-b.w], n+1
	}
	if y < b.h-1 {
		s, n = s+b.sum[i+b.w], n+1
	}
	if n == 0 {
		return b.sum[i]
	}
	return s / n
}

// smooth blurs a grid in place, times times with (1 2 1)/4 both ways; its border repeats.
func smooth(v []float64, w, h, times int) {
	line := make([]float64, max(w, h))
	for range times {
		for y := range h {
			smoothLine(v[y*w:], w, 1, line)
		}
		for x := range w {
			smoothLine(v[x:], h, w, line)
		}
	}
}

func smoothLine(v []float64, n, step int, tmp []float64) {
	for i := range n {
		tmp[i] = v[i*step]
	}
	for i := range n {
		v[i*step] = (tmp[max(i-1, 0)] + 2*tmp[i] + tmp[min(i+1, n-1)]) / 4
	}
}
