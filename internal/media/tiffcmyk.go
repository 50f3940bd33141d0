package media

import (
	"io"
	"slices"
)

// asRGBA gives the file with a directory that takes CMYK for RGB and alpha, because the decoder knows
// no CMYK but hands the samples of RGBA over as they are.
func (d *tiffDir) asRGBA() io.Reader {
	dir := d.order.AppendUint16(nil, 0)
	n := uint16(0)
	add := func(e []byte) {
		dir = append(dir, e...)
		n++
	}
	short := func(tag, value uint16) []byte {
		e := d.order.AppendUint16(d.order.AppendUint16(nil, tag), 3)
		return append(d.order.AppendUint16(d.order.AppendUint32(e, 1), value), 0, 0)
	}
	extra := false
	for i, e := range d.entries {
		if e.tag >= tagExtra && !extra {
			add(short(tagExtra, 2))
			extra = true
		}
		switch e.tag {
		case tagExtra:
		case tagPhotometric:
			add(short(tagPhotometric, TIFFRGB))
		default:
			at := d.at + 2 + 12*int64(i)
			add(d.data[at : at+12])
		}
	}
	if !extra {
		add(short(tagExtra, 2))
	}
	d.order.PutUint16(dir, n)
	head := d.order.AppendUint32(slices.Clone(d.data[:4]), uint32(len(d.data)))
	return &overlay{head: head, data: d.data, tail: append(dir, 0, 0, 0, 0)}
}

// overlay reads data with another beginning and with tail behind it, without copying.
type overlay struct{ head, data, tail []byte }

// Read is there for the decoder's parameter only; it uses ReadAt.
func (o *overlay) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func (o *overlay) ReadAt(p []byte, at int64) (int, error) {
	n := 0
	for n < len(p) {
		from := o.at(at + int64(n))
		if len(from) == 0 {
			return n, io.EOF
		}
		n += copy(p[n:], from)
	}
	return n, nil
}

// at is what stands at an offset, up to the end of its part.
func (o *overlay) at(at int64) []byte {
	switch size := int64(len(o.data)); {
	case at < 0:
		return nil
	case at < int64(len(o.head)):
		return o.head[at:]
	case at < size:
		return o.data[at:]
	case at-size < int64(len(o.tail)):
		return o.tail[at-size:]
	}
	return nil
}
