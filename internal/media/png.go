package media

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// pngProfileName is the one name that profiles get: the source's name is free text.
const pngProfileName = "icc"

type pngChunk struct {
	kind  string
	body  []byte
	whole []byte
}

// walkPNG calls f for each chunk, IEND included, and returns the offset behind it.
func walkPNG(data []byte, f func(pngChunk) error) (int, error) {
	at := len(pngSignature)
	if !bytes.HasPrefix(data, []byte(pngSignature)) {
		return 0, damaged("PNG without signature")
	}
	for {
		if at+12 > len(data) {
			return 0, damaged("PNG ends early")
		}
		n := int64(binary.BigEndian.Uint32(data[at:]))
		if n > int64(len(data)-at-12) {
			return 0, damaged("PNG chunk runs over the end")
		}
		end := at + 12 + int(n)
		c := pngChunk{kind: string(data[at+4 : at+8]), body: data[at+8 : end-4], whole: data[at:end]}
		if crc32.ChecksumIEEE(data[at+4:end-4]) != binary.BigEndian.Uint32(data[end-4:]) {
			return 0, damaged("PNG chunk %q with a wrong checksum", c.kind)
		}
		if err := f(c); err != nil {
			return 0, err
		}
		if at = end; c.kind == "IEND" {
			return at, nil
		}
	}
}

// pngHeader is IHDR (PNG 3rd edition §11.2.1).
type pngHeader struct {
	width, height, depth, colour int
	interlaced                   bool
}

func readIHDR(b []byte) (pngHeader, error) {
	if len(b) != 13 {
		return pngHeader{}, damaged("PNG header of %d bytes", len(b))
	}
	w, h := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	if w == 0 || h == 0 || w > 1<<31-1 || h > 1<<31-1 || b[10] != 0 || b[11] != 0 || b[12] > 1 {
		return pngHeader{}, damaged("PNG header")
	}
	p := pngHeader{int(w), int(h), int(b[8]), int(b[9]), b[12] == 1}
	if p.channels() == 0 || p.depth != 1 && p.depth != 2 && p.depth != 4 && p.depth != 8 && p.depth != 16 {
		return pngHeader{}, damaged("PNG of colour type %d and %d bits", b[9], b[8])
	}
	return p, nil
}

func (p pngHeader) channels() int {
	switch p.colour {
	case 0, 3:
		return 1
	case 2:
		return 3
	case 4:
		return 2
	case 6:
		return 4
	}
	return 0
}

// rawSize is how many bytes the filtered rows have once inflated.
func (p pngHeader) rawSize() int64 {
	pass := func(w, h int64) int64 {
		if w == 0 || h == 0 {
			return 0
		}
		return h * (1 + (w*int64(p.depth*p.channels())+7)/8)
	}
	w, h := int64(p.width), int64(p.height)
	if !p.interlaced {
		return pass(w, h)
	}
	var sum int64
	for _, a := range adam7() {
		sum += pass((w-a[0]+a[2]-1)/a[2], (h-a[1]+a[3]-1)/a[3])
	}
	return sum
}

// adam7 gives x and y start and step of the seven passes, PNG §8.2.
func adam7() [7][4]int64 {
	return [7][4]int64{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}
}

func parsePNG(data []byte) (Header, error) {
	h := Header{Orientation: 1}
	first, idat, exif := true, false, false
	_, err := walkPNG(data, func(c pngChunk) error {
		if first != (c.kind == "IHDR") {
			return damaged("PNG chunk %q out of place", c.kind)
		}
		first = false
		switch c.kind {
		case "IHDR":
			p, err := readIHDR(c.body)
			h.Width, h.Height, h.BitDepth, h.HasAlpha = p.width, p.height, p.depth, p.colour >= 4
			return err
		case "IDAT":
			idat = true
		case "acTL", "fcTL", "fdAT":
			return ErrAnimated
		case "tRNS":
			h.HasAlpha = true
		case "eXIf":
			if exif {
				return damaged("PNG with two EXIF blocks")
			}
			exif = true
			h.Orientation = exifOrientation(c.body)
		case "iCCP":
			h.ICC = readICCP(c.body)
		case "gAMA", "cHRM", "sRGB", "cICP":
			if pngColourChunk(c) {
				h.PNGColour = append(h.PNGColour, c.whole...)
			}
		}
		return nil
	})
	if err == nil && !idat {
		err = damaged("PNG without pixels")
	}
	return h, err
}

// pngColourChunk says whether a chunk that gives the colours their meaning has its right length.
func pngColourChunk(c pngChunk) bool {
	switch c.kind {
	case "gAMA", "cICP":
		return len(c.body) == 4
	case "cHRM":
		return len(c.body) == 32
	case "sRGB":
		return len(c.body) == 1
	}
	return false
}

// readICCP inflates a profile, nil where it cannot be or is larger than MaxICC.
func readICCP(body []byte) []byte {
	i := bytes.IndexByte(body, 0)
	if i < 1 || i > 79 || i+2 > len(body) || body[i+1] != 0 {
		return nil
	}
	p, rest, err := inflate(body[i+2:], MaxICC)
	if err != nil || rest != 0 {
		return nil
	}
	return p
}

// inflate unpacks a zlib stream of at most most bytes and says how many bytes follow it.
func inflate(packed []byte, most int64) (out []byte, rest int, err error) {
	r := bytes.NewReader(packed)
	z, err := zlib.NewReader(r)
	if err != nil {
		return nil, 0, fmt.Errorf("inflating: %w", ErrDamaged)
	}
	out, err = io.ReadAll(io.LimitReader(z, most+1))
	if err != nil {
		return nil, 0, fmt.Errorf("inflating: %w", ErrDamaged)
	}
	if int64(len(out)) > most {
		return nil, 0, fmt.Errorf("inflating more than %d bytes: %w", most, ErrTooLarge)
	}
	return out, r.Len(), nil
}

// inflatedSize is how many bytes a zlib stream unpacks to, counted up to most+1, and how many bytes
// follow it.
func inflatedSize(packed []byte, most int64) (n int64, rest int, err error) {
	r := bytes.NewReader(packed)
	z, err := zlib.NewReader(r)
	if err != nil {
		return 0, 0, fmt.Errorf("inflating: %w", ErrDamaged)
	}
	if n, err = io.Copy(io.Discard, io.LimitReader(z, most+1)); err != nil {
		return 0, 0, fmt.Errorf("inflating: %w", ErrDamaged)
	}
	return n, r.Len(), nil
}

func deflate(p []byte) ([]byte, error) {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write(p); err != nil {
		return nil, fmt.Errorf("deflating: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("deflating: %w", err)
	}
	return b.Bytes(), nil
}

func appendPNGChunk(out []byte, kind string, body []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
	at := len(out)
	out = append(append(out, kind...), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[at:]))
}
