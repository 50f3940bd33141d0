package obscure

// painter writes the fills into a plane. Each sample is written at most once, from its own
// original value and from fills that are complete, so that the order does not matter.
type painter struct {
	plane  *Plane
	shapes []shape
	fills  []fill
}

// layer is one region's part in the row being painted.
type layer struct {
	index        int
	shape        *shape
	outer, inner run
	line         line
	values       []float64 // of the fill along outer
}

// paint writes the samples of which region i is the first to cover.
func (pt *painter) paint(i int) {
	bounds := pt.shapes[i].bounds
	var layers []layer
	for j := range pt.shapes {
		if j == i || pt.shapes[j].bounds.Overlaps(bounds) {
			layers = append(layers, layer{index: j, shape: &pt.shapes[j], line: pt.fills[j].newLine()})
		}
	}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		var own run
		for k := range layers {
			l := &layers[k]
			l.outer, l.inner = l.shape.outerRun(y), l.shape.innerRun(y)
			if l.outer.from < l.outer.to {
				l.line.at(y)
				l.values = l.line.values(l.outer)
			}
			if l.index == i {
				own = l.outer
			}
		}
		pt.paintRow(y, own, layers, i)
	}
}

func (pt *painter) paintRow(y int, own run, layers []layer, i int) {
	for x := own.from; x < own.to; x++ {
		value, clear, ok := mix(layers, x, y, i)
		if !ok {
			continue
		}
		if clear > 0 {
			value = (1-clear)*value + clear*float64(pt.plane.At(x, y))
		}
		pt.plane.Set(x, y, uint16(value+0.5))
	}
}

// mix blends the fills that cover sample (x, y) by their cover. clear is the share that stays of
// the original: exactly 0 where any region has the sample inside. ok is false where a region
// before i covers it too, which then writes it.
func mix(layers []layer, x, y, i int) (value, clear float64, ok bool) {
	weight := 0.0
	clear = 1
	for k := range layers {
		l := &layers[k]
		if !l.outer.has(x) {
			continue
		}
		if l.index < i {
			return 0, 0, false
		}
		c := 1.0
		if !l.inner.has(x) {
			c = l.shape.cover(x, y)
		}
		weight += c
		value += c * l.values[x-l.outer.from]
		clear *= 1 - c
	}
	if weight == 0 {
		return 0, 0, false
	}
	return value / weight, clear, true
}

// line evaluates a fill along one row.
type line struct {
	fill  *fill
	row   []float64    // the grid, combined for this row: one value a column of cells
	taps  [][4]float64 // weights of four columns for each place within a cell
	first []int        // the first of these columns, counted from the place's own
	out   []float64
}

func (f *fill) newLine() line {
	l := line{fill: f, row: make([]float64, f.w), taps: make([][4]float64, f.cell), first: make([]int, f.cell)}
	for i := range l.taps {
		l.first[i], l.taps[i] = spline(i, f.cell)
	}
	return l
}

// spline gives the first of the four cells, counted from the cell that sample i of the grid's axis
// lies in, and their weights in the uniform cubic B-spline.
func spline(i, cell int) (first int, w [4]float64) {
	t := (float64(i%cell)+0.5)/float64(cell) - 0.5
	first = -1
	if t < 0 {
		t++
		first = -2
	}
	s := 1 - t
	return first, [4]float64{s * s * s / 6, (3*t*t*t - 6*t*t + 4) / 6, (3*s*s*s - 6*s*s + 4) / 6, t * t * t / 6}
}

// at prepares row y.
func (l *line) at(y int) {
	f := l.fill
	if f.h == 1 {
		copy(l.row, f.v)
		return
	}
	i := y - f.origin.Y
	first, w := spline(i, f.cell)
	for x := range l.row {
		l.row[x] = 0
	}
	for k, weight := range w {
		cy := clamp(i/f.cell+first+k, f.h)
		for x := range l.row {
			l.row[x] += weight * f.v[cy*f.w+x]
		}
	}
}

// values evaluates the fill over a run of the prepared row.
func (l *line) values(r run) []float64 {
	f := l.fill
	l.out = l.out[:0]
	if f.w == 1 {
		for range r.to - r.from {
			l.out = append(l.out, l.row[0])
		}
		return l.out
	}
	cell, place := (r.from-f.origin.X)/f.cell, (r.from-f.origin.X)%f.cell
	for range r.to - r.from {
		first := cell + l.first[place]
		t := &l.taps[place]
		if first >= 0 && first+4 <= f.w {
			g := l.row[first : first+4]
			l.out = append(l.out, t[0]*g[0]+t[1]*g[1]+t[2]*g[2]+t[3]*g[3])
		} else {
			l.out = append(l.out, l.atBorder(first, t))
		}
		if place++; place == f.cell {
			cell, place = cell+1, 0
		}
	}
	return l.out
}

// atBorder evaluates where the grid ends: its border repeats.
func (l *line) atBorder(first int, taps *[4]float64) (v float64) {
	for k, t := range taps {
		v += t * l.row[clamp(first+k, l.fill.w)]
	}
	return v
}

func clamp(i, n int) int { return max(0, min(i, n-1)) }
