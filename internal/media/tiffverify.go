package media

import (
	"cmp"
	"slices"
)

type span struct{ at, end int64 }

// verifyTIFF holds the tags against an allow-list and proves that every byte belongs to the header,
// the directory, a value or a strip, and to one of them only.
func verifyTIFF(data []byte) error {
	h, err := parseTIFF(data)
	if err != nil {
		return err
	}
	d, err := readTIFFDir(data)
	if err != nil {
		return err
	}
	spans := []span{{0, 8}, {d.at, d.at + 2 + 12*int64(len(d.entries)) + 4}}
	last := uint16(0)
	for _, e := range d.entries {
		if e.tag <= last {
			return dirty("TIFF tag %d out of order", e.tag)
		}
		if last = e.tag; !d.plainTag(e) {
			return dirty("TIFF tag %d", e.tag)
		}
		if !e.inline {
			spans = append(spans, span{e.at, e.at + e.size()})
		}
	}
	if CheckICC(h.ICC) != nil {
		return dirty("TIFF profile that is none")
	}
	strips, err := d.plainStrips(h)
	if err != nil {
		return err
	}
	return covered(data, append(spans, strips...))
}

// plainTag: a tag that Encode writes, with a count that its meaning bounds, and no slack in an
// inline value.
func (d *tiffDir) plainTag(e tiffEntry) bool {
	if e.inline {
		for _, b := range d.data[e.at+e.size() : e.at+4] {
			if b != 0 {
				return false
			}
		}
	}
	channels := uint32(d.int(tagSamples, 1))
	switch e.tag {
	case tagWidth, tagHeight, tagCompression, tagPhotometric, tagSamples, tagRows, tagExtra:
		return e.count == 1 && (e.kind == 3 || e.kind == 4)
	case tagBits:
		return e.count == channels && e.kind == 3
	case tagStrips, tagStripBytes:
		return e.kind == 4
	case tagColorMap:
		return e.kind == 3 && e.count == 768 && d.int(tagPhotometric, 0) == TIFFPalette
	case tagICC:
		return e.kind == 7
	}
	return false
}

// plainStrips proves that each strip holds exactly the bytes of its rows.
func (d *tiffDir) plainStrips(h Header) ([]span, error) {
	at, sizes := d.ints(tagStrips), d.ints(tagStripBytes)
	rows := d.int(tagRows, 0)
	channels := d.int(tagSamples, 1)
	if rows < 1 || channels < 1 || channels > 4 || h.BitDepth != 8 && h.BitDepth != 16 ||
		int64(h.Width) > 1<<31 || int64(h.Height) > 1<<31 || int64(len(at)) != (int64(h.Height)+rows-1)/rows {
		return nil, dirty("TIFF of %d strips", len(at))
	}
	var out []span
	left := int64(h.Height)
	for i := range at {
		n := min(rows, left)
		left -= n
		if n > 1<<31 || !d.plainStrip(at[i], sizes[i], n*int64(h.Width)*channels*int64(h.BitDepth/8)) {
			return nil, dirty("TIFF strip that does not hold exactly its rows")
		}
		out = append(out, span{at[i], at[i] + sizes[i]})
	}
	return out, nil
}

func (d *tiffDir) plainStrip(at, size, want int64) bool {
	switch d.int(tagCompression, 0) {
	case 1:
		return size == want
	case 8:
		n, rest, err := inflatedSize(d.data[at:at+size], want)
		return err == nil && rest == 0 && n == want
	}
	return false
}

// covered proves that the spans tile the data, but for single zero bytes that align to a word.
func covered(data []byte, spans []span) error {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.at, b.at) })
	var at int64
	for _, s := range spans {
		if s.at == at+1 && at&1 == 1 && data[at] == 0 {
			at++
		}
		if s.at != at {
			return dirty("TIFF with bytes at %d that belong to nothing or to two things", min(at, s.at))
		}
		at = s.end
	}
	if at != int64(len(data)) {
		return dirty("%d bytes behind the end of the TIFF", int64(len(data))-at)
	}
	return nil
}
