package media

import (
	"bytes"
	"encoding/binary"
)

// tiffEntry is one field of an image file directory (TIFF 6.0 §2).
type tiffEntry struct {
	tag, kind uint16
	count     uint32
	at        int64 // where the value starts, inline or not
	inline    bool
}

type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// tiffDir is the first directory of a TIFF file or of an EXIF block.
type tiffDir struct {
	data    []byte
	order   byteOrder
	at      int64 // where the directory starts
	entries []tiffEntry
	next    int64 // offset of the next directory, 0 for none
}

// tiffSize is the size of one value of each type, TIFF 6.0 §2; 0 for unknown types.
func tiffSize(kind uint16) int64 {
	switch kind {
	case 1, 2, 6, 7:
		return 1
	case 3, 8:
		return 2
	case 4, 9, 11, 13:
		return 4
	case 5, 10, 12:
		return 8
	}
	return 0
}

func readTIFFDir(data []byte) (*tiffDir, error) {
	if len(data) < 8 {
		return nil, damaged("TIFF header of %d bytes", len(data))
	}
	d := &tiffDir{data: data}
	switch string(data[:4]) {
	case "II*\x00":
		d.order = binary.LittleEndian
	case "MM\x00*":
		d.order = binary.BigEndian
	default:
		return nil, damaged("TIFF header")
	}
	d.at = int64(d.order.Uint32(data[4:]))
	size := int64(len(data))
	if d.at < 8 || d.at+2 > size {
		return nil, damaged("TIFF directory outside of the file")
	}
	n := int64(d.order.Uint16(data[d.at:]))
	end := d.at + 2 + 12*n
	if end+4 > size {
		return nil, damaged("TIFF directory of %d fields runs over the end", n)
	}
	for i := range n {
		e, err := d.entry(d.at + 2 + 12*i)
		if err != nil {
			return nil, err
		}
		d.entries = append(d.entries, e)
	}
	d.next = int64(d.order.Uint32(data[end:]))
	return d, nil
}

func (d *tiffDir) entry(at int64) (tiffEntry, error) {
	b := d.data[at:]
	e := tiffEntry{tag: d.order.Uint16(b), kind: d.order.Uint16(b[2:]), count: d.order.Uint32(b[4:])}
	size := tiffSize(e.kind) * int64(e.count)
	if size <= 4 {
		e.at, e.inline = at+8, true
		return e, nil
	}
	e.at = int64(d.order.Uint32(b[8:]))
	if e.at+size > int64(len(d.data)) {
		return e, damaged("TIFF field %d outside of the file", e.tag)
	}
	return e, nil
}

func (d *tiffDir) find(tag uint16) (tiffEntry, bool) {
	for _, e := range d.entries {
		if e.tag == tag {
			return e, true
		}
	}
	return tiffEntry{}, false
}

func (e tiffEntry) size() int64 { return tiffSize(e.kind) * int64(e.count) }

func (d *tiffDir) bytes(e tiffEntry) []byte { return d.data[e.at : e.at+e.size()] }

// maxValues bounds how many values of a field are read: more strips than any file of the largest
// size has.
const maxValues = 1 << 22

// value reads one number of a field of bytes, shorts or longs.
func (d *tiffDir) value(e tiffEntry, i int64) (int64, bool) {
	if i >= int64(e.count) {
		return 0, false
	}
	switch e.kind {
	case 1:
		return int64(d.data[e.at+i]), true
	case 3:
		return int64(d.order.Uint16(d.data[e.at+2*i:])), true
	case 4:
		return int64(d.order.Uint32(d.data[e.at+4*i:])), true
	}
	return 0, false
}

// ints are the values of a field of bytes, shorts or longs; nil for other types and for too many.
func (d *tiffDir) ints(tag uint16) []int64 {
	e, ok := d.find(tag)
	if !ok || e.count > maxValues {
		return nil
	}
	var out []int64
	for i := range int64(e.count) {
		v, ok := d.value(e, i)
		if !ok {
			return nil
		}
		out = append(out, v)
	}
	return out
}

// int is the first value of a field, or otherwise where there is none.
func (d *tiffDir) int(tag uint16, otherwise int64) int64 {
	if e, ok := d.find(tag); ok {
		if v, ok := d.value(e, 0); ok {
			return v
		}
	}
	return otherwise
}

// exifOrientation reads tag 274 of an EXIF block, with or without the "Exif\0\0" in front. It looks
// for nothing else, so that a block with a broken field elsewhere, which is common, still tells how
// the picture stands. A block without a readable tag says nothing: 1.
func exifOrientation(block []byte) int {
	block = bytes.TrimPrefix(block, []byte("Exif\x00\x00"))
	if len(block) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if string(block[:2]) == "MM" {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(block[4:]))
	if at+2 > int64(len(block)) {
		return 1
	}
	n := int64(order.Uint16(block[at:]))
	for at += 2; n > 0 && at+12 <= int64(len(block)); n, at = n-1, at+12 {
		if order.Uint16(block[at:]) != 274 {
			continue
		}
		o := int64(order.Uint16(block[at+8:]))
		if order.Uint16(block[at+2:]) == 4 { // a long, against the standard
			o = int64(order.Uint32(block[at+8:]))
		}
		if o < 1 || o > 8 {
			return 1
		}
		return int(o)
	}
	return 1
}
