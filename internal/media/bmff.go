package media

import (
	"encoding/binary"
)

// bmffBox is a box of ISO/IEC 14496-12 §4.2.
type bmffBox struct {
	kind string
	body []byte
}

// maxBoxes bounds how many boxes one level may have.
const maxBoxes = 1 << 14

// readBoxes gives, with an error, the boxes in front of the broken one.
func readBoxes(data []byte) ([]bmffBox, error) {
	var out []bmffBox
	for len(data) > 0 {
		if len(data) < 8 || len(out) >= maxBoxes {
			return out, damaged("ISO media box header")
		}
		n, head := uint64(binary.BigEndian.Uint32(data)), 8
		switch n {
		case 0:
			n = uint64(len(data))
		case 1:
			if len(data) < 16 {
				return out, damaged("ISO media box header")
			}
			n, head = binary.BigEndian.Uint64(data[8:]), 16
		}
		if n < uint64(head) || n > uint64(len(data)) {
			return out, damaged("ISO media box runs over the end")
		}
		out = append(out, bmffBox{string(data[4:8]), data[head:n]})
		data = data[n:]
	}
	return out, nil
}

func findBox(boxes []bmffBox, kind string) []byte {
	for _, b := range boxes {
		if b.kind == kind {
			return b.body
		}
	}
	return nil
}

// fullBoxes are the boxes inside of a full box: version and flags stand in front.
func fullBoxes(body []byte) ([]bmffBox, error) {
	if len(body) < 4 {
		return nil, damaged("ISO media box without version")
	}
	return readBoxes(body[4:])
}

// parseBMFF reads what ISO/IEC 23008-12 says of the primary item: its size and profile. libheif
// applies the transformations (irot, imir, clap); EXIF orientation does not count in this format.
func parseBMFF(data []byte) (Header, error) {
	meta, err := metaBoxes(data)
	if err != nil {
		return Header{}, err
	}
	id, err := primaryItem(findBox(meta, "pitm"))
	if err != nil {
		return Header{}, err
	}
	iprp, err := readBoxes(findBox(meta, "iprp"))
	if err != nil {
		return Header{}, err
	}
	props, err := readBoxes(findBox(iprp, "ipco"))
	if err != nil {
		return Header{}, err
	}
	indices, err := itemProperties(findBox(iprp, "ipma"), id)
	if err != nil {
		return Header{}, err
	}
	h := Header{Orientation: 1, BitDepth: 8, Lossy: true}
	for _, i := range indices {
		if i < 1 || i > len(props) {
			return Header{}, damaged("HEIF property %d of %d", i, len(props))
		}
		h.property(props[i-1])
	}
	if err := h.largest(props); err != nil {
		return Header{}, err
	}
	if h.Width == 0 || h.Height == 0 {
		return Header{}, damaged("HEIF picture without a size")
	}
	return h, nil
}

// metaBoxes are the boxes that describe the pictures. What phones append behind the last box (Motion
// Photo, maker's blocks) need not be boxes; it is not looked at and does not leave.
func metaBoxes(data []byte) ([]bmffBox, error) {
	top, err := readBoxes(data)
	meta := findBox(top, "meta")
	switch {
	case err != nil && (meta == nil || findBox(top, "mdat") == nil):
		return nil, err
	case findBox(top, "moov") != nil:
		return nil, ErrAnimated
	case meta == nil:
		return nil, damaged("HEIF without pictures")
	}
	return fullBoxes(meta)
}

// property takes over one property of the primary item.
func (h *Header) property(p bmffBox) {
	switch {
	case p.kind == "ispe" && len(p.body) >= 12:
		h.Width, h.Height = int(binary.BigEndian.Uint32(p.body[4:])), int(binary.BigEndian.Uint32(p.body[8:]))
	case p.kind == "pixi" && len(p.body) >= 6:
		h.BitDepth = int(p.body[5])
	case p.kind == "colr" && len(p.body) > 4 && (string(p.body[:4]) == "prof" || string(p.body[:4]) == "rICC"):
		h.ICC = p.body[4:]
	}
}

// largest refuses a file in which another picture (a tile, an auxiliary picture) claims to be far
// larger than the primary one, because decoding the primary may decode it.
func (h *Header) largest(props []bmffBox) error {
	for _, p := range props {
		if p.kind != "ispe" || len(p.body) < 12 {
			continue
		}
		w, t := uint64(binary.BigEndian.Uint32(p.body[4:])), uint64(binary.BigEndian.Uint32(p.body[8:]))
		if w*t > 4*uint64(h.Width)*uint64(h.Height)+1<<22 {
			return unsupported("HEIF with a part of %d × %d pixels in a picture of %d × %d", w, t, h.Width, h.Height)
		}
	}
	return nil
}

func primaryItem(body []byte) (uint32, error) {
	switch {
	case len(body) >= 6 && body[0] == 0:
		return uint32(binary.BigEndian.Uint16(body[4:])), nil
	case len(body) >= 8 && body[0] != 0:
		return binary.BigEndian.Uint32(body[4:]), nil
	}
	return 0, damaged("HEIF without a primary picture")
}

// byteReader reads big-endian numbers; after a read over the end it only gives zeros and bad is set.
type byteReader struct {
	b   []byte
	bad bool
}

func (r *byteReader) uint(n int) uint32 {
	if len(r.b) < n {
		r.bad = true
		return 0
	}
	var v uint32
	for _, c := range r.b[:n] {
		v = v<<8 | uint32(c)
	}
	r.b = r.b[n:]
	return v
}

// itemProperties are the indices (from 1) of the item's properties, ISO/IEC 23008-12 §9.3.
func itemProperties(body []byte, id uint32) ([]int, error) {
	r := &byteReader{b: body}
	head := r.uint(4)
	idSize, propSize := 2, 1
	if head>>24 > 0 {
		idSize = 4
	}
	if head&1 == 1 {
		propSize = 2
	}
	var out []int
	for n := r.uint(4); n > 0 && !r.bad; n-- {
		item := r.uint(idSize)
		for k := r.uint(1); k > 0 && !r.bad; k-- {
			v := r.uint(propSize)
			if item == id {
				out = append(out, int(v&(1<<(8*propSize-1)-1))) // the top bit says "essential"
			}
		}
	}
	if r.bad {
		return nil, damaged("HEIF property table")
	}
	return out, nil
}
