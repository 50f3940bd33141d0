package media

import (
	"encoding/binary"
	"slices"
)

// stripTarget is about how many bytes a strip holds before packing; TIFF 6.0 advises small strips.
const stripTarget = 1 << 18

// tiffField is a field of the directory that Encode writes.
type tiffField struct {
	tag, kind uint16
	values    []uint32
	bytes     []byte // instead of values, for a field of bytes
}

// Encode writes a little-endian baseline TIFF with nothing in it but the picture and its profile.
func (t *TIFFImage) Encode() ([]byte, error) {
	out := []byte("II*\x00\x00\x00\x00\x00")
	rows := max(1, min(t.Height, stripTarget/max(1, t.rowBytes())))
	var at, sizes []uint32
	for y := 0; y < t.Height; y += rows {
		strip, err := t.strip(y, min(y+rows, t.Height))
		if err != nil {
			return nil, err
		}
		at, sizes = append(at, uint32(len(out))), append(sizes, uint32(len(strip)))
		if out = append(out, strip...); len(out) > 1<<32-1<<20 {
			return nil, unsupported("TIFF of more than 4 GB")
		}
	}
	return appendDir(out, t.fields(rows, at, sizes)), nil
}

func (t *TIFFImage) bits() int {
	if t.Pix16 != nil {
		return 16
	}
	return 8
}

func (t *TIFFImage) rowBytes() int { return t.Width * t.Channels * t.bits() / 8 }

func (t *TIFFImage) strip(y0, y1 int) ([]byte, error) {
	n := t.Width * t.Channels
	var raw []byte
	if t.Pix16 == nil {
		raw = t.Pix8[y0*n : y1*n]
	} else {
		raw = make([]byte, 0, (y1-y0)*t.rowBytes())
		for _, v := range t.Pix16[y0*n : y1*n] {
			raw = binary.LittleEndian.AppendUint16(raw, v)
		}
	}
	if t.Packed {
		return deflate(raw)
	}
	return raw, nil
}

func (t *TIFFImage) fields(rows int, at, sizes []uint32) []tiffField {
	const short, long = 3, 4
	compression := uint32(1)
	if t.Packed {
		compression = 8
	}
	f := []tiffField{
		{tag: tagWidth, kind: long, values: []uint32{uint32(t.Width)}},
		{tag: tagHeight, kind: long, values: []uint32{uint32(t.Height)}},
		{tag: tagBits, kind: short, values: slices.Repeat([]uint32{uint32(t.bits())}, t.Channels)},
		{tag: tagCompression, kind: short, values: []uint32{compression}},
		{tag: tagPhotometric, kind: short, values: []uint32{uint32(t.Photometric)}},
		{tag: tagStrips, kind: long, values: at},
		{tag: tagSamples, kind: short, values: []uint32{uint32(t.Channels)}},
		{tag: tagRows, kind: long, values: []uint32{uint32(rows)}},
		{tag: tagStripBytes, kind: long, values: sizes},
	}
	if t.Photometric == TIFFPalette {
		m := make([]uint32, len(t.ColorMap))
		for i, v := range t.ColorMap {
			m[i] = uint32(v)
		}
		f = append(f, tiffField{tag: tagColorMap, kind: short, values: m})
	}
	if t.Photometric == TIFFRGB && t.Channels == 4 {
		f = append(f, tiffField{tag: tagExtra, kind: short, values: []uint32{uint32(t.Extra)}})
	}
	if len(t.ICC) > 0 {
		f = append(f, tiffField{tag: tagICC, kind: 7, bytes: t.ICC})
	}
	return f
}

func (f tiffField) encode() (count int, body []byte) {
	if f.bytes != nil {
		return len(f.bytes), f.bytes
	}
	for _, v := range f.values {
		if f.kind == 3 {
			body = binary.LittleEndian.AppendUint16(body, uint16(v))
		} else {
			body = binary.LittleEndian.AppendUint32(body, v)
		}
	}
	return len(f.values), body
}

// appendDir writes the directory behind the strips, first the values that do not fit into it.
func appendDir(out []byte, fields []tiffField) []byte {
	dir := binary.LittleEndian.AppendUint16(nil, uint16(len(fields)))
	even := func() {
		if len(out)&1 == 1 {
			out = append(out, 0) // values and directories begin on a word, TIFF 6.0 §2
		}
	}
	for _, f := range fields {
		count, body := f.encode()
		dir = binary.LittleEndian.AppendUint16(dir, f.tag)
		dir = binary.LittleEndian.AppendUint16(dir, f.kind)
		dir = binary.LittleEndian.AppendUint32(dir, uint32(count))
		if len(body) > 4 {
			even()
			dir = binary.LittleEndian.AppendUint32(dir, uint32(len(out)))
			out = append(out, body...)
			continue
		}
		dir = append(dir, append(body, 0, 0, 0, 0)[:4]...)
	}
	even()
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)))
	return append(append(out, dir...), 0, 0, 0, 0)
}

func stripTIFF(data []byte, h Header) ([]byte, error) {
	t, err := DecodeTIFF(data)
	if err != nil {
		return nil, err
	}
	if CheckICC(h.ICC) != nil {
		t.ICC = nil
	}
	return t.Encode()
}
