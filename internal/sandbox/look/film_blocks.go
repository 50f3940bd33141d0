package look

import (
	"encoding/binary"
)

// blockSide is the side in pixels of the blocks by which frames are compared.
const blockSide = 8

// blocks are the sums of the grey values of the blocks of a frame, row by row. What is left over at the right and below
// is not looked at.
type blocks struct {
	cols, rows int
	sums       []uint16 // of 64 values, 0 to 16,320
}

// measure sums up the Y plane of a frame, and uses the memory of b again.
func (b *blocks) measure(y []byte, width, height int) {
	b.cols, b.rows = width/blockSide, height/blockSide
	if n := b.cols * b.rows; cap(b.sums) < n {
		b.sums = make([]uint16, n)
	} else {
		b.sums = b.sums[:n]
	}
	for row := range b.rows {
		top := y[row*blockSide*width:]
		for col := range b.cols {
			b.sums[row*b.cols+col] = blockSum(top[col*blockSide:], width)
		}
	}
}

// blockSum adds 64 bytes, eight at a time: each row is folded to four lanes of 16 bits, which hold
// 16 × 255 = 4080 without a carry.
func blockSum(y []byte, stride int) uint16 {
	const even = 0x00ff00ff00ff00ff
	var lanes uint64
	for row := range blockSide {
		x := binary.LittleEndian.Uint64(y[row*stride:])
		lanes += x&even + x>>8&even
	}
	return uint16(lanes * 0x0001000100010001 >> 48)
}

// stirred is how much the mean of a block changes, in grey values, if anything is to have happened in it. A face that
// comes, goes or moves by a pixel changes the blocks at its edges by more; noise and re-encoding of what stands still, by less.
const stirred = 1

// same says that nothing happened between two frames of one size.
func (b *blocks) same(o *blocks) bool {
	if len(b.sums) == 0 || b.cols != o.cols || b.rows != o.rows {
		return false
	}
	const most = stirred * blockSide * blockSide
	for i, s := range b.sums {
		if d := int(s) - int(o.sums[i]); d > most || d < -most {
			return false
		}
	}
	return true
}

// leapt is by how many grey values the cells of the grid change on average where a picture is another one: motion within a
// scene stays below, at cuts, flashes and frames that are lit for a moment it is more.
const leapt = 25

// leaps says that a frame is another picture than one of the same size; a strobe shows a face for one frame between black ones.
func (b *blocks) leaps(o *blocks) bool {
	if len(b.sums) == 0 || b.cols != o.cols || b.rows != o.rows {
		return false
	}
	var here, there [gridCols * gridRows]byte
	mine, other := b.means(here[:0]), o.means(there[:0])
	sum := 0
	for i, m := range mine {
		d := int(m) - int(other[i])
		sum += max(d, -d)
	}
	return sum > leapt*len(mine)
}

// The grid by whose means a finished film is held against what went into the encoder.
const gridCols, gridRows = 16, 9

// means are the mean grey values, 0 to 255, of the cells of a grid of at most gridCols × gridRows, appended to dst.
func (b *blocks) means(dst []byte) []byte {
	cols, rows := min(gridCols, b.cols), min(gridRows, b.rows)
	for j := range rows {
		for i := range cols {
			dst = append(dst, b.mean(i*b.cols/cols, (i+1)*b.cols/cols, j*b.rows/rows, (j+1)*b.rows/rows))
		}
	}
	return dst
}

func (b *blocks) mean(left, right, top, bottom int) byte {
	sum := 0
	for row := top; row < bottom; row++ {
		for _, s := range b.sums[row*b.cols+left : row*b.cols+right] {
			sum += int(s)
		}
	}
	n := (right - left) * (bottom - top) * blockSide * blockSide
	return byte((sum + n/2) / n)
}
