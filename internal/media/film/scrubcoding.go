package film

import (
	"encoding/binary"
	"io"
)

// coding is how the units of a picture are told apart: by the length in front of each (ISO/IEC 14496-15 §5.3.2, 8.3.2).
type coding struct {
	hevc   bool
	length int // bytes of the length
}

// maxDescription bounds what a stream says of its coding: parameter sets are some dozen bytes, and tables of
// scaling factors could make them some hundred.
const maxDescription = 4096

// description checks the sample description: one entry, of a kind that is known, with its parameters and nothing else.
func (l *lane) description(data []byte) error {
	if len(data) < 16 || len(data) > maxDescription || be32(data) != 0 || be32(data[4:]) != 1 || int(be32(data[8:])) != len(data)-8 {
		return notScrubbed("description of %d bytes", len(data))
	}
	kind, entry := string(data[12:16]), data[16:]
	if l.video {
		return l.picture(kind, entry)
	}
	return soundEntry(kind, entry)
}

// inner reads the boxes of data, each with its check; exactly one of them may be and must be of the kinds in one.
func inner(data []byte, one map[string]func([]byte) error, more map[string]func([]byte) error) error {
	found := 0
	for len(data) > 0 {
		if len(data) < 8 || be32(data) < 8 || int64(be32(data)) > int64(len(data)) {
			return notScrubbed("description of a stream")
		}
		n, kind := int(be32(data)), string(data[4:8])
		check, is := one[kind]
		if is {
			found++
		} else if check, is = more[kind]; !is {
			return notScrubbed("a box %q in the description of a stream", kind)
		}
		if err := check(data[8:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	if found != 1 {
		return notScrubbed("%d descriptions of one coding", found)
	}
	return nil
}

// sized: numbers only, of so many bytes.
func sized(least, most int) func([]byte) error {
	return func(data []byte) error {
		if len(data) < least || len(data) > most {
			return notScrubbed("%d bytes of parameters", len(data))
		}
		return nil
	}
}

// picture checks an entry of video (ISO/IEC 14496-12 §12.1.3): no maker, no name of the encoder.
func (l *lane) picture(kind string, b []byte) error {
	const fixed = 78
	if len(b) < fixed || !zero(b[:6]) || be32(b[4:])&0xffff != 1 || !zero(b[8:24]) ||
		be32(b[28:]) != 72<<16 || be32(b[32:]) != 72<<16 || !zero(b[36:40]) || be32(b[38:])&0xffff != 1 ||
		!zero(b[42:74]) || be32(b[74:]) != 0x0018ffff {
		return notScrubbed("description of the pictures")
	}
	one := map[string]func([]byte) error{"avcC": l.avc}
	switch kind {
	case "avc1":
	case "hvc1", "hev1":
		one = map[string]func([]byte) error{"hvcC": l.hvc}
	default:
		return notScrubbed("pictures coded as %q", kind)
	}
	return inner(b[fixed:], one, map[string]func([]byte) error{
		"pasp": sized(8, 8), "btrt": sized(12, 12), "fiel": sized(2, 2), "chrm": sized(2, 2), "colr": func(data []byte) error {
			if len(data) != 11 || string(data[:4]) != "nclx" {
				return notScrubbed("a colour profile")
			}
			return nil
		},
	})
}

// avc checks the parameter sets of H.264 (ISO/IEC 14496-15 §5.3.3.1).
func (l *lane) avc(b []byte) error {
	if len(b) < 7 || b[0] != 1 {
		return notScrubbed("parameters of H.264")
	}
	l.coding = coding{length: int(b[4]&3) + 1}
	rest, err := sets(b[6:], int(b[5]&31), 7, false)
	if err == nil && len(rest) == 0 {
		err = notScrubbed("parameters of H.264")
	}
	if err == nil {
		rest, err = sets(rest[1:], int(rest[0]), 8, false)
	}
	if err != nil {
		return err
	}
	if len(rest) != 0 && (len(rest) != 4 || rest[3] != 0) { // chroma format, two bit depths, no extensions
		return notScrubbed("parameters of H.264")
	}
	return nil
}

// sets passes over n parameter sets of the kind.
func sets(b []byte, n, kind int, hevc bool) ([]byte, error) {
	for range n {
		if len(b) < 4 || len(b)-2 < int(binary.BigEndian.Uint16(b)) || binary.BigEndian.Uint16(b) < 2 || unitKind(b[2], hevc) != kind {
			return nil, notScrubbed("parameter sets")
		}
		if hevc && layer(b[2:]) != 0 {
			return nil, notScrubbed("parameter sets of another layer")
		}
		end := 2 + int(binary.BigEndian.Uint16(b))
		if kind == sequence(hevc) {
			if err := hidesNothing(b[2:end], hevc); err != nil {
				return nil, err
			}
		}
		b = b[end:]
	}
	return b, nil
}

// unitKind is the type of a unit by its first byte.
func unitKind(b byte, hevc bool) int {
	if hevc {
		return int(b >> 1 & 63)
	}
	return int(b & 31)
}

// layer is nuh_layer_id of a unit of HEVC (H.265 §7.3.1.2). Players show layer 0 only; others could hold whole pictures.
func layer(head []byte) int { return int(head[0]&1)<<5 | int(head[1]>>3) }

// sequence is the kind of sequence parameter sets.
func sequence(hevc bool) int {
	if hevc {
		return 33
	}
	return 7
}

// hvc checks the parameter sets of HEVC (ISO/IEC 14496-15 §8.3.3.1).
func (l *lane) hvc(b []byte) error {
	if len(b) < 23 || b[0] > 1 {
		return notScrubbed("parameters of HEVC")
	}
	l.coding = coding{hevc: true, length: int(b[21]&3) + 1}
	arrays, rest := int(b[22]), b[23:]
	for range arrays {
		if len(rest) < 3 {
			return notScrubbed("parameters of HEVC")
		}
		kind, n := int(rest[0]&63), int(binary.BigEndian.Uint16(rest[1:]))
		if kind < 32 || kind > 34 {
			return notScrubbed("a unit of kind %d", kind)
		}
		var err error
		if rest, err = sets(rest[3:], n, kind, true); err != nil {
			return err
		}
	}
	return empty(rest)
}

// slice says whether the unit is part of a picture, a parameter set, or the empty mark between pictures.
func (c coding) slice(kind int) bool {
	if c.hevc {
		return kind <= 9 || kind >= 16 && kind <= 21 || kind >= 32 && kind <= 35
	}
	return kind >= 1 && kind <= 5 || kind >= 7 && kind <= 9
}

// units checks the kind of each unit of a picture.
func (c coding) units(r io.ReaderAt, e extent) error {
	var head [5]byte
	for at := e.at; at < e.stop; {
		if e.stop-at <= int64(c.length) {
			return notScrubbed("a picture with bytes behind it")
		}
		if _, err := r.ReadAt(head[:c.length+1], at); err != nil {
			return damaged("a picture ends early")
		}
		n := int64(0)
		for _, b := range head[:c.length] {
			n = n<<8 | int64(b)
		}
		at += int64(c.length)
		if n == 0 || n > e.stop-at {
			return notScrubbed("a unit of %d bytes", n)
		}
		kind := unitKind(head[c.length], c.hevc)
		if !c.slice(kind) {
			return notScrubbed("a unit of kind %d in a picture", kind)
		}
		if err := c.unit(r, at, n, kind); err != nil {
			return err
		}
		if mark := c.hevc && kind == 35 || !c.hevc && kind == 9; mark && n > 3 {
			return notScrubbed("a mark of %d bytes", n)
		}
		at += n
	}
	return nil
}

// unit checks what lies at the place: it is of layer 0, and no parameter set that hides something of the pictures.
func (c coding) unit(r io.ReaderAt, at, n int64, kind int) error {
	set := kind == sequence(c.hevc)
	if !set && !c.hevc {
		return nil
	}
	if n < 2 || set && n > maxSet {
		return notScrubbed("a unit of %d bytes", n)
	}
	data := make([]byte, 2)
	if set {
		data = make([]byte, n)
	}
	if _, err := r.ReadAt(data, at); err != nil {
		return damaged("a picture ends early")
	}
	if c.hevc && layer(data) != 0 {
		return notScrubbed("a unit of layer %d", layer(data))
	}
	if set {
		return hidesNothing(data, c.hevc)
	}
	return nil
}

// soundEntry checks an entry of sound (ISO/IEC 14496-12 §12.2.3).
func soundEntry(kind string, b []byte) error {
	const fixed = 28
	if len(b) < fixed || !zero(b[:6]) || be32(b[4:])&0xffff != 1 || !zero(b[8:16]) || !zero(b[20:24]) {
		return notScrubbed("description of the sound")
	}
	kinds := map[string]string{
		"mp4a": "esds", ".mp3": "esds", "ac-3": "dac3", "ec-3": "dec3", "Opus": "dOps", "alac": "alac", "fLaC": "dfLa",
		"dtsc": "ddts", "dtsh": "ddts", "dtsl": "ddts", "dtse": "ddts",
	}
	parameters, known := kinds[kind]
	if !known {
		return notScrubbed("sound coded as %q", kind)
	}
	// The longest are FLAC's, of 42 bytes, ALAC's, of 52 with the places of loudspeakers, and AAC's, of 54 to 80.
	one := map[string]func([]byte) error{parameters: sized(3, 96)}
	return inner(b[fixed:], one, map[string]func([]byte) error{"btrt": sized(12, 12)})
}
