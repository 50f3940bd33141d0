package media

import (
	"bytes"
	"encoding/binary"
)

// MaxScans is how many scans a JPEG may have. The default progressive script has 10; the format's
// own bound is in the hundreds, and each scan of a large picture costs as much as decoding it.
const MaxScans = 100

// JPEGComponent is one component of a frame (ITU-T T.81 B.2.2).
type JPEGComponent struct {
	ID, H, V int // identifier, sampling factors 1–4
}

// JPEGFrame is what the header of a JPEG says.
type JPEGFrame struct {
	Components  []JPEGComponent
	Progressive bool
	HasAdobe    bool // an Adobe APP14 segment says how the colours are coded
	End         int  // offset just behind the picture's EOI marker; what follows is a trailer
}

// MaxSampling gives the largest sampling factors.
func (f JPEGFrame) MaxSampling() (h, v int) {
	for _, c := range f.Components {
		h, v = max(h, c.H), max(v, c.V)
	}
	return h, v
}

const (
	jpegAPP0  = 0xe0
	jpegAPP1  = 0xe1
	jpegAPP2  = 0xe2
	jpegAPP14 = 0xee
	jpegSOI   = 0xd8
	jpegEOI   = 0xd9
	jpegSOS   = 0xda
	jpegDQT   = 0xdb
	jpegDRI   = 0xdd
	jpegDHT   = 0xc4
)

const iccMark = "ICC_PROFILE\x00"

// jpegSegment is a marker with its payload (without the length), and, behind SOS, the scan's data.
type jpegSegment struct {
	marker  byte
	payload []byte
	scan    []byte // entropy-coded data with its RST markers
	whole   []byte // all of it as it stands in the file
}

// walkJPEG calls f for each segment up to EOI and returns the offset behind it. strict refuses
// fill bytes in front of markers, which could carry something.
func walkJPEG(data []byte, strict bool, f func(jpegSegment) error) (int, error) {
	if len(data) < 4 || data[0] != 0xff || data[1] != jpegSOI {
		return 0, damaged("JPEG without start")
	}
	at := 2
	for {
		start := at
		if at+2 > len(data) || data[at] != 0xff {
			return 0, damaged("JPEG marker missing at %d", at)
		}
		for at+1 < len(data) && data[at+1] == 0xff && !strict {
			at++
		}
		if at+2 > len(data) {
			return 0, damaged("JPEG ends early")
		}
		marker := data[at+1]
		at += 2
		switch {
		case marker == jpegEOI:
			return at, nil
		case marker < 0xc0 || marker >= 0xd0 && marker <= jpegSOI:
			return 0, damaged("JPEG marker %#x out of place", marker)
		}
		seg, next, err := readSegment(data, start, at, marker)
		if err != nil {
			return 0, err
		}
		if err := f(seg); err != nil {
			return 0, err
		}
		at = next
	}
}

func readSegment(data []byte, start, at int, marker byte) (jpegSegment, int, error) {
	if at+2 > len(data) {
		return jpegSegment{}, 0, damaged("JPEG ends early")
	}
	n := int(binary.BigEndian.Uint16(data[at:]))
	if n < 2 || at+n > len(data) {
		return jpegSegment{}, 0, damaged("JPEG segment %#x runs over the end", marker)
	}
	seg := jpegSegment{marker: marker, payload: data[at+2 : at+n]}
	end := at + n
	if marker == jpegSOS {
		end = scanEnd(data, end)
		seg.scan = data[at+n : end]
	}
	seg.whole = data[start:end]
	return seg, end, nil
}

// scanEnd is where the next marker that is neither a stuffed byte nor RST stands.
func scanEnd(data []byte, at int) int {
	for {
		i := bytes.IndexByte(data[at:], 0xff)
		if i < 0 || at+i+1 >= len(data) {
			return len(data)
		}
		at += i
		if m := data[at+1]; m != 0 && (m < 0xd0 || m > 0xd7) {
			return at
		}
		at += 2
	}
}

func isSOF(m byte) bool {
	return m >= 0xc0 && m <= 0xcf && m != jpegDHT && m != 0xc8 && m != 0xcc
}

type jpegParser struct {
	h     Header
	frame *JPEGFrame
	icc   iccParts
	exif  bool
	scans int
}

func parseJPEG(data []byte) (Header, error) {
	p := jpegParser{h: Header{Lossy: true, Orientation: 1}}
	end, err := walkJPEG(data, false, p.segment)
	if err != nil {
		return Header{}, err
	}
	if p.frame == nil || p.scans == 0 {
		return Header{}, damaged("JPEG without a picture")
	}
	p.frame.End = end
	p.h.JPEG, p.h.ICC = p.frame, p.icc.join()
	return p.h, nil
}

func (p *jpegParser) segment(s jpegSegment) error {
	switch {
	case isSOF(s.marker):
		return p.sof(s)
	case s.marker == jpegSOS:
		if p.scans++; p.scans > MaxScans {
			return unsupported("JPEG of more than %d scans", MaxScans)
		}
	case s.marker == jpegAPP1 && !p.exif && bytes.HasPrefix(s.payload, []byte("Exif\x00")):
		p.exif = true
		p.h.Orientation = exifOrientation(s.payload)
	case s.marker == jpegAPP2 && bytes.HasPrefix(s.payload, []byte(iccMark)):
		p.icc.add(s.payload[len(iccMark):])
	case s.marker == jpegAPP14 && len(s.payload) >= 12 && string(s.payload[:5]) == "Adobe":
		p.frameHasAdobe()
	}
	return nil
}

func (p *jpegParser) frameHasAdobe() {
	if p.frame == nil {
		p.frame = &JPEGFrame{}
	}
	p.frame.HasAdobe = true
}

// sof reads the frame header, T.81 B.2.2.
func (p *jpegParser) sof(s jpegSegment) error {
	if s.marker != 0xc0 && s.marker != 0xc1 && s.marker != 0xc2 {
		return unsupported("JPEG process %#x (lossless, hierarchical or arithmetic)", s.marker)
	}
	b := s.payload
	if len(b) < 6 || len(b) != 6+3*int(b[5]) {
		return damaged("JPEG frame header")
	}
	if p.h.Width != 0 {
		return damaged("JPEG with two frames")
	}
	if b[0] != 8 {
		return unsupported("JPEG of %d bits a sample", b[0])
	}
	p.h.BitDepth = 8
	p.h.Height, p.h.Width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	if p.h.Width == 0 || p.h.Height == 0 {
		return unsupported("JPEG of %d × %d pixels", p.h.Width, p.h.Height)
	}
	if p.frame == nil {
		p.frame = &JPEGFrame{}
	}
	p.frame.Progressive = s.marker == 0xc2
	for c := b[6:]; len(c) > 0; c = c[3:] {
		p.frame.Components = append(p.frame.Components, JPEGComponent{int(c[0]), int(c[1] >> 4), int(c[1] & 15)})
	}
	return p.frame.check()
}

func (f JPEGFrame) check() error {
	if n := len(f.Components); n != 1 && n != 3 && n != 4 {
		return unsupported("JPEG of %d components", n)
	}
	hm, vm := f.MaxSampling()
	for _, c := range f.Components {
		if c.H < 1 || c.V < 1 || c.H > 4 || c.V > 4 {
			return damaged("JPEG sampling %d × %d", c.H, c.V)
		}
		if hm%c.H != 0 || vm%c.V != 0 {
			return unsupported("JPEG sampling %d × %d of %d × %d", c.H, c.V, hm, vm)
		}
	}
	return nil
}

// iccParts joins the chunks of a profile (ICC.1 annex B.4).
type iccParts struct {
	parts map[byte][]byte
	total byte
	bad   bool
}

func (p *iccParts) add(chunk []byte) {
	if len(chunk) < 2 || chunk[0] == 0 || chunk[0] > chunk[1] || p.parts[chunk[0]] != nil || p.total != 0 && p.total != chunk[1] {
		p.bad = true
		return
	}
	if p.parts == nil {
		p.parts = map[byte][]byte{}
	}
	p.total = chunk[1]
	p.parts[chunk[0]] = chunk[2:]
}

// join is the whole profile, or nil where there is none or a chunk is missing or doubled.
func (p *iccParts) join() []byte {
	if p.bad || len(p.parts) != int(p.total) {
		return nil
	}
	var out []byte
	for i := range int(p.total) {
		out = append(out, p.parts[byte(i+1)]...)
	}
	return out
}
