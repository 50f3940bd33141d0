package obscure

import "math"

// fieldSide is the number of nodes of a field each way. Fills have fewer cells across the region:
// see filmDetail.
const fieldSide = 12

// filmDetail is coarser than stillDetail: the region spans about 9 of the cells. By eye that cannot be
// told from the finer one in a film, and it takes a tenth of the time. The factor is the best for a span
// of 10; 25 rounds then bring the error below 10⁻⁵ of the contrast.
func filmDetail() detail { return detail{side: 16, factor: 1.53, rounds: 25} }

// field is a fill in places relative to its region, so that it can be compared with that of another
// frame: the nodes of a uniform cubic B-spline over the upright box around the feather's outer rim.
type field struct {
	left, top    float64 // of the box, in samples
	cellW, cellH float64 // of a node, in samples
	v            []float64
}

func newField(s *shape) field {
	return field{
		left: s.centre.X/s.subX - s.rim.X, top: s.centre.Y/s.subY - s.rim.Y,
		cellW: 2 * s.rim.X / fieldSide, cellH: 2 * s.rim.Y / fieldSide,
		v: make([]float64, fieldSide*fieldSide),
	}
}

// sample reads the fill at the nodes.
func (f *field) sample(from *fill) {
	for j := range fieldSide {
		y := f.top + (float64(j)+0.5)*f.cellH
		for i := range fieldSide {
			x := f.left + (float64(i)+0.5)*f.cellW
			f.v[j*fieldSide+i] = from.between(x, y)
		}
	}
}

// settle moves the field from what it was on the frame before to what it is, by a share of the way,
// and returns it to be remembered. Both are made from outside samples only.
func (f *field) settle(before []float64, share float64) []float64 {
	for i := range before {
		f.v[i] = before[i] + share*(f.v[i]-before[i])
	}
	return f.v
}

// between evaluates the fill at a place in samples; the border of its grid repeats.
func (f *fill) between(x, y float64) (v float64) {
	if len(f.v) == 1 {
		return f.v[0]
	}
	i, wx := splineAt((x-float64(f.origin.X))/float64(f.cell), f.w)
	j, wy := splineAt((y-float64(f.origin.Y))/float64(f.cell), f.h)
	for b, w := range wy {
		row := f.v[clamp(j+b, f.h)*f.w:]
		for a := range wx {
			v += w * wx[a] * row[clamp(i+a, f.w)]
		}
	}
	return v
}

// splineAt gives the first of the four cells and their weights in the uniform cubic B-spline, at a
// place counted in cells from the grid's edge. Places beyond the n cells are taken to its border.
func splineAt(at float64, n int) (first int, w [4]float64) {
	at = max(0, min(at, float64(n))) - 0.5
	whole := math.Floor(at)
	t := at - whole
	s := 1 - t
	return int(whole) - 1, [4]float64{s * s * s / 6, (3*t*t*t - 6*t*t + 4) / 6, (3*s*s*s - 6*s*s + 4) / 6, t * t * t / 6}
}

// mesh evaluates the field over the plane's samples. At least three knots a node leave it all but
// straight between them.
func (f *field) mesh(s *shape) mesh {
	m := newMesh(s.bounds, min(f.cellW, f.cellH)/3, 4)
	taps := make([]tap, len(m.above))
	for i := range taps {
		x := float64(s.bounds.Min.X+i*m.step) + 0.5
		taps[i].first, taps[i].weights = splineAt((x-f.left)/f.cellW, fieldSide)
	}
	m.knots = func(out []int32, y int) { f.knots(out, taps, y) }
	return m
}

// tap is where on the axis of a field something lies.
type tap struct {
	first   int
	weights [4]float64
}

// knots evaluates the field at the taps along row y, rounded for cutting.
func (f *field) knots(out []int32, taps []tap, y int) {
	var line [fieldSide + 4]float64 // the border repeats, by two nodes on either side
	first, weights := splineAt((float64(y)+0.5-f.top)/f.cellH, fieldSide)
	for k, w := range weights {
		nodes := f.v[clamp(first+k, fieldSide)*fieldSide:][:fieldSide]
		for i, v := range nodes {
			line[i+2] += w * v
		}
	}
	line[1], line[fieldSide+2] = line[2], line[fieldSide+1]
	line[0], line[fieldSide+3] = line[2], line[fieldSide+1]
	for i := range taps {
		w, v := &taps[i].weights, line[taps[i].first+2:][:4]
		out[i] = int32((w[0]*v[0] + w[1]*v[1] + w[2]*v[2] + w[3]*v[3] + 0.5) * (1 << fixed))
	}
}
