package obscure

import "image"

// fixed is the number of bits after the point of a mesh's numbers.
const fixed = 16

// mesh gives a number for every sample of a rectangle, row after row: worked out at the knots, which
// are every step-th sample of every step-th row, and on straight lines between.
type mesh struct {
	bounds       image.Rectangle
	bits, step   int                      // a power of two, so that nothing has to be divided, and that power
	knots        func(out []int32, y int) // works out the knots of row y, fixed-point; y may lie below bounds
	row          int                      // the row of knots above the row of samples; -1: none yet
	above, below []int32                  // that row of knots and the next
	rest         int32                    // rows of samples from there to the row that is prepared
}

// newMesh makes a mesh without its function, with knots at most so far apart, and at most 2^most.
func newMesh(bounds image.Rectangle, apart float64, most int) mesh {
	m := mesh{bounds: bounds, row: -1}
	for m.bits < most && float64(int(2)<<m.bits) <= apart {
		m.bits++
	}
	m.step = 1 << m.bits
	n := bounds.Dx()>>m.bits + 2
	m.above, m.below = make([]int32, n), make([]int32, n)
	return m
}

// at prepares row y. Rows must rise.
func (m *mesh) at(y int) {
	row := (y - m.bounds.Min.Y) >> m.bits
	m.rest = int32((y - m.bounds.Min.Y) & (m.step - 1))
	if m.row != row {
		if m.above, m.below = m.below, m.above; m.row < 0 || m.row != row-1 {
			m.knots(m.above, m.bounds.Min.Y+row<<m.bits)
		}
		m.knots(m.below, m.bounds.Min.Y+(row+1)<<m.bits)
		m.row = row
	}
}

// knot is the number at the i-th knot's place in the prepared row.
func (m *mesh) knot(i int) int32 { return m.above[i] + (m.below[i]-m.above[i])>>m.bits*m.rest }

// values writes the numbers along a run of the prepared row that is not empty.
func (m *mesh) values(out []int32, r run) {
	i, x := m.knotBefore(r)
	knot := m.knot(i)
	for ; x < r.to; x += m.step {
		i++
		next := m.knot(i)
		rise := (next - knot) >> m.bits
		from, to := max(x, r.from), min(x+m.step, r.to)
		value := knot + rise*int32(from-x)
		cut := out[from-r.from : to-r.from]
		for k := range cut {
			cut[k] = value
			value += rise
		}
		knot = next
	}
}

// samples is values, cut to samples.
func (m *mesh) samples(out []uint8, r run) {
	i, x := m.knotBefore(r)
	knot := m.knot(i)
	for ; x < r.to; x += m.step {
		i++
		next := m.knot(i)
		rise := (next - knot) >> m.bits
		from, to := max(x, r.from), min(x+m.step, r.to)
		value := knot + rise*int32(from-x)
		cut := out[from-r.from : to-r.from]
		for k := range cut {
			cut[k] = uint8(value >> fixed)
			value += rise
		}
		knot = next
	}
}

// knotBefore is the last knot at or before the run, and its place in the row.
func (m *mesh) knotBefore(r run) (i, x int) {
	i = (r.from - m.bounds.Min.X) >> m.bits
	return i, m.bounds.Min.X + i<<m.bits
}
