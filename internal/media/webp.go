package media

import "encoding/binary"

type riffChunk struct {
	kind string
	body []byte
}

// Flags of VP8X, WebP container specification (RFC 9649 §2.7).
const (
	webpAnimation = 1 << 1
	webpAlpha     = 1 << 4
	webpICC       = 1 << 5
)

// walkWebP gives the chunks of the RIFF container.
func walkWebP(data []byte) ([]riffChunk, error) {
	if len(data) < 12 || string(data[:4]) != "RIFF" || string(data[8:12]) != "WEBP" {
		return nil, damaged("WebP header")
	}
	size := int64(binary.LittleEndian.Uint32(data[4:])) + 8
	if size < 12 || size > int64(len(data)) {
		return nil, damaged("WebP of %d bytes says %d", len(data), size)
	}
	var out []riffChunk
	for at := 12; at < int(size); {
		if at+8 > int(size) {
			return nil, damaged("WebP chunk header runs over the end")
		}
		n := int64(binary.LittleEndian.Uint32(data[at+4:]))
		end := int64(at) + 8 + n
		if end > size {
			return nil, damaged("WebP chunk runs over the end")
		}
		out = append(out, riffChunk{string(data[at : at+4]), data[at+8 : end]})
		at = int(min(end+n&1, size))
		if len(out) > 1<<16 {
			return nil, damaged("WebP of too many chunks")
		}
	}
	return out, nil
}

func parseWebP(data []byte) (Header, error) {
	chunks, err := walkWebP(data)
	if err != nil {
		return Header{}, err
	}
	h := Header{Orientation: 1, BitDepth: 8}
	pictures, exifs := 0, 0
	for i, c := range chunks {
		switch c.kind {
		case "ANIM", "ANMF":
			return Header{}, ErrAnimated
		case "VP8X":
			if i != 0 || len(c.body) != 10 {
				return Header{}, damaged("WebP extended header")
			}
			if c.body[0]&webpAnimation != 0 {
				return Header{}, ErrAnimated
			}
		case "VP8 ", "VP8L":
			pictures++
			if err := webpFrame(c, &h); err != nil {
				return Header{}, err
			}
		case "ALPH":
			h.HasAlpha = true
		case "ICCP":
			h.ICC = c.body
		case "EXIF":
			if exifs++; exifs > 1 {
				return Header{}, damaged("WebP with two EXIF blocks")
			}
			h.Orientation = exifOrientation(c.body)
		}
	}
	if pictures != 1 {
		return Header{}, damaged("WebP of %d pictures", pictures)
	}
	return h, checkCanvas(chunks[0], h)
}

// checkCanvas: the extended header must claim the size that the picture has.
func checkCanvas(c riffChunk, h Header) error {
	if c.kind != "VP8X" {
		return nil
	}
	b := c.body
	w := 1 + (int(b[4]) | int(b[5])<<8 | int(b[6])<<16)
	t := 1 + (int(b[7]) | int(b[8])<<8 | int(b[9])<<16)
	if w != h.Width || t != h.Height {
		return damaged("WebP canvas %d × %d around a picture of %d × %d", w, t, h.Width, h.Height)
	}
	return nil
}

// webpFrame reads the size from the bit stream: RFC 6386 §9.1 for VP8, RFC 9649 §3.4 for VP8L.
func webpFrame(c riffChunk, h *Header) error {
	b := c.body
	if c.kind == "VP8L" {
		if len(b) < 5 || b[0] != 0x2f {
			return damaged("WebP lossless header")
		}
		v := binary.LittleEndian.Uint32(b[1:])
		if v>>29 != 0 {
			return unsupported("WebP lossless version %d", v>>29)
		}
		h.Width, h.Height = int(v&0x3fff)+1, int(v>>14&0x3fff)+1
		h.HasAlpha = h.HasAlpha || v>>28&1 == 1
		return nil
	}
	if len(b) < 10 || b[0]&1 != 0 || b[3] != 0x9d || b[4] != 0x01 || b[5] != 0x2a {
		return damaged("WebP key frame header")
	}
	h.Lossy = true
	h.Width, h.Height = int(binary.LittleEndian.Uint16(b[6:])&0x3fff), int(binary.LittleEndian.Uint16(b[8:])&0x3fff)
	return nil
}

// stripWebP writes the plain container where there is neither profile nor separate alpha, else the
// extended one.
func stripWebP(data []byte) ([]byte, error) {
	h, err := parseWebP(data)
	if err != nil {
		return nil, err
	}
	chunks, err := walkWebP(data)
	if err != nil {
		return nil, err
	}
	var picture, alpha *riffChunk
	for i, c := range chunks {
		switch c.kind {
		case "VP8 ", "VP8L":
			picture = &chunks[i]
		case "ALPH":
			if alpha != nil || picture != nil {
				return nil, damaged("WebP alpha out of place")
			}
			alpha = &chunks[i]
		}
	}
	if CheckICC(h.ICC) != nil {
		h.ICC = nil
	}
	if picture.kind == "VP8L" {
		alpha = nil
	}
	return joinWebP(h, picture, alpha), nil
}

func joinWebP(h Header, picture, alpha *riffChunk) []byte {
	var body []byte
	if len(h.ICC) > 0 || alpha != nil {
		x := make([]byte, 10)
		w, t := h.Width-1, h.Height-1
		copy(x[4:], []byte{byte(w), byte(w >> 8), byte(w >> 16), byte(t), byte(t >> 8), byte(t >> 16)})
		if h.HasAlpha {
			x[0] |= webpAlpha
		}
		if len(h.ICC) > 0 {
			x[0] |= webpICC
		}
		body = appendRIFF(body, riffChunk{"VP8X", x})
		if len(h.ICC) > 0 {
			body = appendRIFF(body, riffChunk{"ICCP", h.ICC})
		}
		if alpha != nil {
			body = appendRIFF(body, *alpha)
		}
	}
	body = appendRIFF(body, *picture)
	out := append(make([]byte, 0, 12+len(body)), "RIFF"...)
	out = binary.LittleEndian.AppendUint32(out, uint32(4+len(body)))
	return append(append(out, "WEBP"...), body...)
}

func appendRIFF(out []byte, c riffChunk) []byte {
	out = binary.LittleEndian.AppendUint32(append(out, c.kind...), uint32(len(c.body)))
	out = append(out, c.body...)
	if len(c.body)&1 == 1 {
		out = append(out, 0)
	}
	return out
}

// WithWebPICC puts a profile into a WebP that an encoder made.
func WithWebPICC(data, profile []byte) ([]byte, error) {
	chunks, err := walkWebP(data)
	if err != nil {
		return nil, err
	}
	h, err := parseWebP(data)
	if err != nil {
		return nil, err
	}
	h.ICC = profile
	var picture, alpha *riffChunk
	for i, c := range chunks {
		switch c.kind {
		case "VP8 ", "VP8L":
			picture = &chunks[i]
		case "ALPH":
			alpha = &chunks[i]
		}
	}
	return joinWebP(h, picture, alpha), nil
}

// verifyWebP: the file must be exactly what joinWebP writes from its picture, alpha and profile.
func verifyWebP(data []byte) error {
	want, err := stripWebP(data)
	if err != nil {
		return err
	}
	if string(want) != string(data) {
		return dirty("WebP with chunks, flags or bytes that the picture does not need")
	}
	return nil
}
