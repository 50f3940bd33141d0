package film

import "slices"

// maxSet bounds a sequence parameter set: some dozen bytes, and with tables of scaling factors some hundred.
const maxSet = 4096

// hidesNothing makes sure that a sequence parameter set cuts off no more of the pictures than what fills their last blocks: what
// is cut off is coded all the same, and anybody can bring it back. set begins with the head of its unit.
func hidesNothing(set []byte, hevc bool) error {
	if len(set) > maxSet {
		return notScrubbed("a parameter set of %d bytes", len(set))
	}
	b := &bits{data: unescaped(set)}
	var cut [2]uint64
	var block [2]uint64
	if hevc {
		cut, block = b.hevc()
	} else {
		cut, block = b.avc()
	}
	if b.short {
		return notScrubbed("a parameter set that cannot be read")
	}
	if cut[0] >= block[0] || cut[1] >= block[1] {
		return notScrubbed("%d × %d samples of the pictures are cut off", cut[0], cut[1])
	}
	return nil
}

// unescaped takes out the bytes that keep start codes from appearing (ITU-T H.264 §7.4.1, H.265 §7.4.2).
func unescaped(unit []byte) []byte {
	out, zeros := make([]byte, 0, len(unit)), 0
	for _, c := range unit {
		if zeros >= 2 && c == 3 {
			zeros = 0
			continue
		}
		zeros++
		if c != 0 {
			zeros = 0
		}
		out = append(out, c)
	}
	return out
}

// bits reads numbers of some bits. Behind the end there are zeros, and short is true.
type bits struct {
	data  []byte
	at    int // bit
	short bool
}

func (b *bits) read(n int) (v uint64) {
	for range n {
		v <<= 1
		if b.at>>3 >= len(b.data) {
			b.short = true
			continue
		}
		v |= uint64(b.data[b.at>>3] >> (7 - b.at&7) & 1)
		b.at++
	}
	return v
}

// golomb reads ue(v) (H.264 §9.1, H.265 §9.2), which is less than 2³².
func (b *bits) golomb() uint64 {
	n := 0
	for b.read(1) == 0 {
		if n++; n > 32 {
			b.short = true
		}
		if b.short {
			return 0
		}
	}
	return 1<<n - 1 + b.read(n)
}

// signed reads se(v).
func (b *bits) signed() int64 {
	v := int64(b.golomb())
	if v&1 == 1 {
		return (v + 1) / 2
	}
	return -v / 2
}

// cropped reads a window: how many samples of luma it cuts off across and down, in units of these sizes.
func (b *bits) cropped(across, down uint64) (cut [2]uint64) {
	if b.read(1) == 0 {
		return cut
	}
	left, right, top, bottom := b.golomb(), b.golomb(), b.golomb(), b.golomb()
	return [2]uint64{(left + right) * across, (top + bottom) * down}
}

// chroma is how many samples of luma there are for one of chroma, across and down, by chroma_format_idc.
func chroma(format uint64) (across, down uint64) {
	switch format {
	case 1:
		return 2, 2
	case 2:
		return 2, 1
	}
	return 1, 1
}

// macroblock is H.264's, samples across and down.
const macroblock = 16

// avc reads ITU-T H.264 §7.3.2.1.1 up to the window. Pictures are made of whole macroblocks, interlaced ones of pairs of
// them.
func (b *bits) avc() (cut, block [2]uint64) {
	b.read(8) // head of the unit
	profile := b.read(8)
	b.read(8 + 8)
	b.golomb()
	format := uint64(1)
	if slices.Contains([]uint64{100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}, profile) {
		format = b.richer()
	}
	b.golomb()
	switch b.golomb() { // order of presentation
	case 0:
		b.golomb()
	case 1:
		b.read(1)
		b.signed()
		b.signed()
		for range min(b.golomb(), 256) {
			b.signed()
		}
	}
	b.golomb()
	b.read(1)
	b.golomb()
	b.golomb()
	rows := 2 - b.read(1) // macroblocks
	if rows == 2 {
		b.read(1)
	}
	b.read(1)
	across, down := chroma(format)
	return b.cropped(across, down*rows), [2]uint64{macroblock, macroblock * rows}
}

// richer reads what profiles from High on say of chroma, depth and scaling.
func (b *bits) richer() uint64 {
	format := b.golomb()
	lists := 8
	if format == 3 {
		lists = 12
		if b.read(1) == 1 { // planes apart
			format = 0
		}
	}
	b.golomb()
	b.golomb()
	b.read(1)
	if b.read(1) == 0 {
		return format
	}
	for i := range lists {
		if b.read(1) == 0 {
			continue
		}
		size := 16
		if i >= 6 {
			size = 64
		}
		for last, next, j := int64(8), int64(8), 0; j < size; j++ {
			if next != 0 {
				next = (last + b.signed() + 256) & 255
			}
			if next != 0 {
				last = next
			}
		}
	}
	return format
}

// hevc reads ITU-T H.265 §7.3.2.2.1 up to the size of the smallest coding block, of which pictures are made. Some encoders fill up
// to 16 samples even where it is of 8.
func (b *bits) hevc() (cut, block [2]uint64) {
	b.read(16 + 4)
	layers := int(b.read(3))
	b.read(1)
	b.read(88 + 8)
	var present [8][2]uint64
	for i := range layers {
		present[i] = [2]uint64{b.read(1), b.read(1)}
	}
	if layers > 0 {
		b.read(2 * (8 - layers))
	}
	for i := range layers {
		b.read(int(88*present[i][0] + 8*present[i][1]))
	}
	b.golomb()
	format := b.golomb()
	if format == 3 && b.read(1) == 1 {
		format = 0
	}
	b.golomb()
	b.golomb()
	cut = b.cropped(chroma(format))
	b.golomb()
	b.golomb()
	b.golomb()
	first := layers
	if b.read(1) == 1 {
		first = 0
	}
	for i := first; i <= layers; i++ {
		b.golomb()
		b.golomb()
		b.golomb()
	}
	least := uint64(max(16, 8<<min(b.golomb(), 3)))
	return cut, [2]uint64{least, least}
}
