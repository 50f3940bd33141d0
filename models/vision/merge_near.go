package vision

import (
	"math"

	"github.com/consentry/consentry/internal/face"
)

// neighbours finds boxes near another without trying all of them: a picture of gravel or tweed
// can have a hundred thousand, and comparing each with each would take minutes. Boxes lie in cells
// by octave of their longer side and by centre.
type neighbours struct {
	cells map[cell][]int
}

type cell struct{ octave, x, y int }

// octaves is how far apart two boxes that share sameFace can lie: their longer sides differ by
// less than 1/0.35 = 2.9, so by two octaves at most.
const octaves = 2

func newNeighbours() neighbours { return neighbours{cells: map[cell][]int{}} }

func octaveOf(b face.Box) int { return math.Ilogb(math.Max(b.W, b.H)) }

func (n neighbours) add(b face.Box, index int) {
	o := octaveOf(b)
	side, c := math.Ldexp(1, o), b.Centre()
	at := cell{o, int(math.Floor(c.X / side)), int(math.Floor(c.Y / side))}
	n.cells[at] = append(n.cells[at], index)
}

// first is the lowest index of a box near this one that is the same. Centres of boxes that touch are
// at most half of both longer sides apart, and a box of octave o is shorter than 2^(o+1).
func (n neighbours) first(b face.Box, same func(index int) bool) (index int, ok bool) {
	o, c := octaveOf(b), b.Centre()
	for octave := o - octaves; octave <= o+octaves; octave++ {
		side := math.Ldexp(1, octave)
		reach := math.Max(b.W, b.H)/2 + side
		for x := int(math.Floor((c.X - reach) / side)); x <= int(math.Floor((c.X+reach)/side)); x++ {
			for y := int(math.Floor((c.Y - reach) / side)); y <= int(math.Floor((c.Y+reach)/side)); y++ {
				for _, i := range n.cells[cell{octave, x, y}] {
					if (!ok || i < index) && same(i) {
						index, ok = i, true
					}
				}
			}
		}
	}
	return index, ok
}
