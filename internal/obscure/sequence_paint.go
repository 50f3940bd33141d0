package obscure

import "slices"

// full is the cover of a sample that shows nothing but fill.
const full = 256

// veil is one region's part in the row that is being painted.
type veil struct {
	shape        *shape
	fill         mesh // numbers are samples, rounded for cutting
	cover        mesh // 0 to full; it is meant for the feather only
	outer, inner run
	values       []int32 // room for a row of fill
	covers       []int32 // of cover, along outer
}

// paintFields writes the fields into the plane, each sample at most once and from its own original
// value, so that the order of the shapes does not matter.
func paintFields(p *Plane, shapes []shape, fields []field) {
	members := make([][]*veil, len(shapes))
	groups := groupsOf(shapes)
	for i := range shapes {
		if !shapes[i].bounds.Empty() {
			members[groups[i]] = append(members[groups[i]], newVeil(&shapes[i], &fields[i]))
		}
	}
	for _, veils := range members {
		paintGroup(p, veils)
	}
}

func newVeil(s *shape, f *field) *veil {
	width := s.bounds.Dx()
	// Four knots across the feather follow its curve to within a hundredth.
	cover := newMesh(s.bounds, s.feather/s.subX/4, 3)
	cover.knots = func(out []int32, y int) { s.coverRow(out, y, cover.step) }
	return &veil{shape: s, fill: f.mesh(s), cover: cover, values: make([]int32, width), covers: make([]int32, width)}
}

// coverRow works out the cover of every step-th sample of row y.
func (s *shape) coverRow(out []int32, y, step int) {
	outer, inner := s.outerRun(y), s.innerRun(y)
	for i := range out {
		x := s.bounds.Min.X + i*step
		switch {
		case inner.has(x):
			out[i] = full << fixed
		case outer.has(x):
			out[i] = int32(s.cover(x, y) * (full << fixed))
		default:
			out[i] = 0
		}
	}
}

// paintGroup paints regions that may overlap.
func paintGroup(p *Plane, veils []*veil) {
	var shared []run
	from, to := p.Height, 0
	for _, v := range veils {
		from, to = min(from, v.shape.bounds.Min.Y), max(to, v.shape.bounds.Max.Y)
	}
	for y := from; y < to; y++ {
		for _, v := range veils {
			v.at(y)
		}
		row := p.Pix8[p.Offset(0, y):][:p.Width]
		shared = sharedRuns(shared[:0], veils)
		for _, v := range veils {
			v.paintAlone(row, shared)
		}
		for _, r := range shared {
			paintShared(row, r, veils)
		}
	}
}

// at prepares row y.
func (v *veil) at(y int) {
	v.outer, v.inner = v.shape.outerRun(y), v.shape.innerRun(y)
	if v.outer.from >= v.outer.to {
		v.outer, v.inner = run{}, run{}
		return
	}
	if v.inner.from >= v.inner.to {
		v.inner = run{v.outer.to, v.outer.to}
	}
	v.fill.at(y)
	v.cover.at(y)
	for _, r := range []run{{v.outer.from, v.inner.from}, {v.inner.to, v.outer.to}} {
		if r.from < r.to {
			v.cover.values(v.covers[r.from-v.outer.from:r.to-v.outer.from], r)
		}
	}
}

// sharedRuns are the runs of the row that two or more regions touch, apart and in order.
func sharedRuns(out []run, veils []*veil) []run {
	for i, v := range veils {
		for _, o := range veils[:i] {
			if r := v.outer.and(o.outer); r.from < r.to {
				out = append(out, r)
			}
		}
	}
	if len(out) < 2 {
		return out
	}
	slices.SortFunc(out, func(a, b run) int { return a.from - b.from })
	last := 0
	for _, r := range out[1:] {
		if r.from <= out[last].to {
			out[last].to = max(out[last].to, r.to)
			continue
		}
		last++
		out[last] = r
	}
	return out[:last+1]
}

// paintAlone writes the samples that no other region touches: all but the shared runs.
func (v *veil) paintAlone(row []uint8, shared []run) {
	x := v.outer.from
	for _, r := range shared {
		v.paint(row, run{x, min(r.from, v.outer.to)})
		x = max(x, r.to)
	}
	v.paint(row, run{x, v.outer.to})
}

// paint writes the samples of a run, as if no other region touched them.
func (v *veil) paint(row []uint8, r run) {
	inner := v.inner.and(r)
	if inner.from >= inner.to {
		v.blend(row, r)
		return
	}
	v.blend(row, run{r.from, inner.from})
	v.fill.samples(row[inner.from:inner.to], inner)
	v.blend(row, run{inner.to, r.to})
}

// blend writes the samples of a run that lies in the feather.
func (v *veil) blend(row []uint8, r run) {
	if r.from >= r.to {
		return
	}
	out := row[r.from:r.to]
	covers := v.covers[r.from-v.outer.from:][:len(out)]
	values := v.values[:len(out)]
	v.fill.values(values, r)
	for i, c := range covers {
		c >>= fixed
		out[i] = uint8((int32(out[i])*(full-c) + values[i]>>fixed*c + full/2) / full)
	}
}

// paintShared writes the samples of a run that several regions may touch: their fills weigh as much as
// they cover, and any region that has a sample inside hides it.
func paintShared(row []uint8, r run, veils []*veil) {
	for _, v := range veils {
		if part := v.outer.and(r); part.from < part.to {
			v.fill.values(v.values[part.from-v.outer.from:part.to-v.outer.from], part)
		}
	}
	for x := r.from; x < r.to; x++ {
		var value, weight float64
		clear := 1.0
		for _, v := range veils {
			if !v.outer.has(x) {
				continue
			}
			c := v.coverAt(x)
			weight += c
			value += c * float64(v.values[x-v.outer.from])
			clear *= 1 - c
		}
		if weight > 0 {
			fill := value / weight / (1 << fixed)
			row[x] = uint8(fill + clear*(float64(row[x])+0.5-fill))
		}
	}
}

// coverAt is 0 to 1, and exactly 1 inside of the region.
func (v *veil) coverAt(x int) float64 {
	if v.inner.has(x) {
		return 1
	}
	return float64(v.covers[x-v.outer.from]>>fixed) / full
}
