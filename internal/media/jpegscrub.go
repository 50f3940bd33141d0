package media

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// plainJFIF is the APP0 segment of a picture without a resolution and without a thumbnail.
const plainJFIF = "\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"

// stripJPEG keeps tables, frame and scans as they are, a plain JFIF segment where there was one,
// Adobe's colour segment and the profile.
func stripJPEG(data []byte) ([]byte, error) {
	out := make([]byte, 0, len(data))
	out = append(out, 0xff, jpegSOI)
	hadJFIF := false
	var icc iccParts
	var adobe, rest []byte
	_, err := walkJPEG(data, false, func(s jpegSegment) error {
		switch {
		case s.marker == jpegAPP0 && bytes.HasPrefix(s.payload, []byte("JFIF\x00")):
			hadJFIF = true
		case s.marker == jpegAPP2 && bytes.HasPrefix(s.payload, []byte(iccMark)):
			icc.add(s.payload[len(iccMark):])
		case s.marker == jpegAPP14 && len(s.payload) >= 12 && string(s.payload[:5]) == "Adobe":
			adobe = append([]byte{0xff, jpegAPP14, 0, 14}, s.payload[:12]...)
		case s.marker == jpegDQT || s.marker == jpegDHT || s.marker == jpegDRI || s.marker == jpegSOS || isSOF(s.marker):
			rest = append(rest, withoutFill(s.whole)...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if hadJFIF {
		out = append(out, plainJFIF...)
	}
	out = append(out, adobe...)
	if p := icc.join(); CheckICC(p) == nil {
		out = appendJPEGICC(out, p)
	}
	return append(append(out, rest...), 0xff, jpegEOI), nil
}

// appendJPEGICC writes a profile as APP2 segments, ICC.1 annex B.4.
func appendJPEGICC(out, p []byte) []byte {
	const most = 65535 - 2 - len(iccMark) - 2
	total := (len(p) + most - 1) / most
	for i := range total {
		part := p[i*most : min((i+1)*most, len(p))]
		out = append(out, 0xff, jpegAPP2)
		out = binary.BigEndian.AppendUint16(out, uint16(2+len(iccMark)+2+len(part)))
		out = append(out, iccMark...)
		out = append(out, byte(i+1), byte(total))
		out = append(out, part...)
	}
	return out
}

type jpegVerifier struct {
	icc                iccParts
	hasICC             bool
	jfif, adobe, frame bool
	tables, scans      int
}

// verifyJPEG holds each segment against the allow-list and checks that tables have exactly the
// length that their contents need.
func verifyJPEG(data []byte) error {
	v := jpegVerifier{}
	end, err := walkJPEG(data, true, v.segment)
	if err != nil {
		return err
	}
	if end != len(data) {
		return dirty("%d bytes behind the end of the JPEG", len(data)-end)
	}
	if !v.frame || v.scans == 0 {
		return damaged("JPEG without a picture")
	}
	if v.hasICC {
		if p := v.icc.join(); len(p) == 0 || CheckICC(p) != nil {
			return dirty("JPEG profile segments that do not make a profile")
		}
	}
	return nil
}

func (v *jpegVerifier) segment(s jpegSegment) error {
	switch {
	case s.marker == jpegAPP0:
		return v.app0(s.payload)
	case s.marker == jpegAPP2 && bytes.HasPrefix(s.payload, []byte(iccMark)):
		v.hasICC = true
		v.icc.add(s.payload[len(iccMark):])
		return nil
	case s.marker == jpegAPP14:
		return once(&v.adobe, len(s.payload) == 12 && string(s.payload[:5]) == "Adobe" && s.payload[11] <= 2, "Adobe segment")
	case s.marker >= 0xc0 && s.marker <= 0xc2:
		return once(&v.frame, len(s.payload) >= 6 && len(s.payload) == 6+3*int(s.payload[5]), "frame header")
	case s.marker == jpegDRI:
		return v.table(len(s.payload) == 2, "restart interval")
	case s.marker == jpegDQT:
		return v.table(plainDQT(s.payload), "quantisation table")
	case s.marker == jpegDHT:
		return v.table(plainDHT(s.payload), "Huffman table")
	case s.marker == jpegSOS:
		return v.sos(s.payload)
	}
	return dirty("JPEG segment %#x", s.marker)
}

func (v *jpegVerifier) app0(p []byte) error {
	ok := string(p) == plainJFIF[4:] // version and resolution are free numbers otherwise
	return once(&v.jfif, ok, "JFIF segment")
}

func (v *jpegVerifier) sos(p []byte) error {
	v.scans++
	if len(p) < 1 || len(p) != 4+2*int(p[0]) || v.scans > MaxScans {
		return dirty("JPEG scan header")
	}
	return nil
}

// table also bounds the number of tables: each scan needs at most eight Huffman tables.
func (v *jpegVerifier) table(ok bool, what string) error {
	if v.tables++; !ok || v.tables > 8*MaxScans {
		return dirty("JPEG %s", what)
	}
	return nil
}

func once(seen *bool, ok bool, what string) error {
	if *seen || !ok {
		return dirty("JPEG %s", what)
	}
	*seen = true
	return nil
}

// plainDQT: whole tables of 64 values (T.81 B.2.4.1), at most the four that exist.
func plainDQT(p []byte) bool {
	n := 0
	for len(p) > 0 {
		size := 65
		if p[0]>>4 == 1 {
			size = 129
		}
		if p[0]>>4 > 1 || p[0]&15 > 3 || len(p) < size {
			return false
		}
		p = p[size:]
		n++
	}
	return n >= 1 && n <= 4
}

// plainDHT: whole tables (T.81 B.2.4.2), at most the eight that exist.
func plainDHT(p []byte) bool {
	n := 0
	for len(p) > 0 {
		if len(p) < 17 || p[0]>>4 > 1 || p[0]&15 > 3 {
			return false
		}
		size := 17
		for _, c := range p[1:17] {
			size += int(c)
		}
		if size > 17+256 || len(p) < size {
			return false
		}
		p = p[size:]
		n++
	}
	return n >= 1 && n <= 8
}

// WithJPEGICC puts a profile into a JPEG that Strip or an encoder made.
func WithJPEGICC(data, profile []byte) ([]byte, error) {
	if len(profile) == 0 {
		return data, nil
	}
	if len(data) < 2 {
		return nil, fmt.Errorf("adding a profile: %w", ErrDamaged)
	}
	out := append(make([]byte, 0, len(data)+len(profile)+64), data[:2]...)
	rest := data[2:]
	if bytes.HasPrefix(rest, []byte("\xff\xe0\x00\x10JFIF\x00")) { // JFIF wants to be first
		out, rest = append(out, rest[:18]...), rest[18:]
	}
	return append(appendJPEGICC(out, profile), rest...), nil
}

// withoutFill drops the fill bytes that may stand before a marker (ITU-T T.81 B.1.1.2).
func withoutFill(segment []byte) []byte {
	for len(segment) > 1 && segment[1] == 0xff {
		segment = segment[1:]
	}
	return segment
}
