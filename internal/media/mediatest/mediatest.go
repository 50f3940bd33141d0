// Package mediatest builds, byte by byte, what picture files carry besides pixels: EXIF with a
// position and a thumbnail, XMP, IPTC, comments, trailers. It is for tests only.
package mediatest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/consentry/consentry/internal/media"
)

// EXIF is a TIFF block with orientation, a description and a GPS directory that hold secret, and a
// second directory with a "thumbnail" that does.
func EXIF(orientation int, secret string) []byte {
	le := binary.LittleEndian
	text := append([]byte(secret), 0)
	entry := func(b []byte, tag, kind uint16, count, value uint32) []byte {
		b = le.AppendUint16(le.AppendUint16(b, tag), kind)
		return le.AppendUint32(le.AppendUint32(b, count), value)
	}
	const first, gps = 8, 8 + 2 + 4*12 + 4
	const second = gps + 2 + 12 + 4
	const texts = second + 2 + 2*12 + 4
	n := uint32(len(text))
	b := le.AppendUint32([]byte("II*\x00"), first)
	b = le.AppendUint16(b, 4)
	b = entry(b, 270, 2, n, texts)                     // ImageDescription
	b = entry(b, 274, 3, 1, uint32(orientation))       // Orientation
	b = entry(b, 315, 2, n, texts)                     // Artist
	b = entry(b, 34853, 4, 1, gps)                     // GPS directory
	b = le.AppendUint32(b, second)                     // next directory
	b = entry(le.AppendUint16(b, 1), 27, 2, n, texts)  // GPSProcessingMethod
	b = le.AppendUint32(b, 0)                          //
	b = entry(le.AppendUint16(b, 2), 513, 4, 1, texts) // JPEGInterchangeFormat
	b = le.AppendUint32(entry(b, 514, 4, 1, n), 0)     // its length
	return append(b, text...)
}

// XMP is a packet that holds secret.
func XMP(secret string) []byte {
	return []byte(`<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><dc:creator>` +
		secret + `</dc:creator></x:xmpmeta><?xpacket end="w"?>`)
}

// IPTC is a Photoshop resource block with a caption.
func IPTC(secret string) []byte {
	record := append([]byte{0x1c, 2, 120, 0, byte(len(secret))}, secret...)
	b := append([]byte("8BIM\x04\x04\x00\x00"), 0, 0, 0, byte(len(record)))
	return append(b, record...)
}

// ICC is a profile that parses and is n bytes long, n ≥ 144.
func ICC(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i * 7)
	}
	binary.BigEndian.PutUint32(p, uint32(n))
	copy(p[4:], "\x00\x00\x00\x00\x04\x30\x00\x00mntrRGB XYZ ")
	copy(p[36:], "acsp")
	binary.BigEndian.PutUint32(p[128:], 1)
	copy(p[132:], "desc")
	binary.BigEndian.PutUint32(p[136:], 144)
	binary.BigEndian.PutUint32(p[140:], uint32(n-144))
	return p
}

// JPEGSegment is a marker segment.
func JPEGSegment(marker byte, body []byte) []byte {
	return append([]byte{0xff, marker, byte((len(body) + 2) >> 8), byte(len(body) + 2)}, body...)
}

// InJPEG puts segments behind SOI.
func InJPEG(data []byte, segments ...[]byte) []byte {
	return slices.Concat(data[:2], slices.Concat(segments...), data[2:])
}

// PNGChunk is a chunk with its checksum.
func PNGChunk(kind string, body []byte) []byte {
	b := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), kind...)
	b = append(b, body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// InPNG puts chunks behind IHDR.
func InPNG(data []byte, chunks ...[]byte) []byte {
	const head = 8 + 12 + 13
	return slices.Concat(data[:head], slices.Concat(chunks...), data[head:])
}

// ICCP is the body of an iCCP chunk whose profile's name is name.
func ICCP(name string, profile []byte) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write(profile) // a bytes.Buffer takes all
	_ = z.Close()
	return slices.Concat([]byte(name), []byte{0, 0}, b.Bytes())
}

// InWebP appends chunks to a WebP file, making its container the extended one.
func InWebP(data []byte, width, height int, flags byte, chunks ...[]byte) []byte {
	body := data[12:]
	if string(body[:4]) == "VP8X" {
		flags |= body[8]
		body = body[18:]
	}
	w, h := width-1, height-1
	x := []byte{flags, 0, 0, 0, byte(w), byte(w >> 8), byte(w >> 16), byte(h), byte(h >> 8), byte(h >> 16)}
	all := slices.Concat([]byte("WEBP"), RIFFChunk("VP8X", x), body, slices.Concat(chunks...))
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(all))), all...)
}

// RIFFChunk is a chunk, padded to an even length.
func RIFFChunk(kind string, body []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(body)))
	if b = append(b, body...); len(body)&1 == 1 {
		b = append(b, 0)
	}
	return b
}

// GIFExtension is an extension block of up to 255 bytes.
func GIFExtension(label byte, head, body []byte) []byte {
	b := []byte{0x21, label}
	if head != nil {
		b = append(append(b, byte(len(head))), head...)
	}
	return append(append(append(b, byte(len(body))), body...), 0)
}

// TIFFField is a field that InTIFF adds.
type TIFFField struct {
	Tag, Kind uint16
	Count     uint32
	Value     []byte
}

// InTIFF adds fields to the only directory of a little-endian TIFF; next, if not nil, is appended as
// if it were what the directory's link to a second page points at.
func InTIFF(data []byte, next []byte, fields ...TIFFField) []byte {
	le := binary.LittleEndian
	at := le.Uint32(data[4:])
	n := int(le.Uint16(data[at:]))
	var entries [][]byte
	for i := range n {
		entries = append(entries, data[int(at)+2+12*i:int(at)+14+12*i])
	}
	out := slices.Clone(data)
	for _, f := range fields {
		e := le.AppendUint32(le.AppendUint16(le.AppendUint16(nil, f.Tag), f.Kind), f.Count)
		if len(f.Value) <= 4 {
			e = append(e, append(slices.Clone(f.Value), 0, 0, 0, 0)[:4]...)
		} else {
			e = le.AppendUint32(e, uint32(len(out)))
			out = append(out, f.Value...)
		}
		entries = slices.DeleteFunc(entries, func(o []byte) bool { return le.Uint16(o) == f.Tag })
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b []byte) int { return int(le.Uint16(a)) - int(le.Uint16(b)) })
	le.PutUint32(out[4:], uint32(len(out)))
	out = append(le.AppendUint16(out, uint16(len(entries))), slices.Concat(entries...)...)
	if next == nil {
		return append(out, 0, 0, 0, 0)
	}
	return append(le.AppendUint32(out, uint32(len(out)+4)), next...)
}

// Orient makes the file say that it must be turned; formats that cannot say so are returned as they
// are. w and h are the stored size.
func Orient(data []byte, f media.Format, orientation, w, h int) []byte {
	exif := EXIF(orientation, "camera")
	switch f {
	case media.JPEG:
		return InJPEG(data, JPEGSegment(0xe1, append([]byte("Exif\x00\x00"), exif...)))
	case media.PNG:
		return InPNG(data, PNGChunk("eXIf", exif))
	case media.WebP:
		return InWebP(data, w, h, 8, RIFFChunk("EXIF", exif))
	case media.TIFF:
		return InTIFF(data, nil, TIFFField{274, 3, 1, []byte{byte(orientation), 0}})
	}
	return data
}

// Dirty gives files of the same picture, by the name of what each carries. Every one holds secret as
// it stands, other than those whose name begins with "packed". w and h are the picture's size.
func Dirty(data []byte, f media.Format, w, h int, secret string) map[string][]byte {
	s := []byte(secret)
	out := map[string][]byte{"trailer": slices.Concat(data, s)}
	switch f {
	case media.JPEG:
		dirtyJPEG(out, data, secret)
	case media.PNG:
		dirtyPNG(out, data, secret)
	case media.WebP:
		out["EXIF"] = InWebP(data, w, h, 8, RIFFChunk("EXIF", EXIF(1, secret)))
		out["XMP"] = InWebP(data, w, h, 4, RIFFChunk("XMP ", XMP(secret)))
		out["unknown"] = InWebP(data, w, h, 0, RIFFChunk("priv", s))
	case media.GIF:
		end := len(data) - 1
		in := func(block []byte) []byte { return slices.Concat(data[:end], block, data[end:]) }
		out["comment"] = in(GIFExtension(0xfe, nil, s))
		out["XMP"] = in(GIFExtension(0xff, []byte("XMP DataXMP"), s))
		out["loop"] = in(GIFExtension(0xff, []byte("NETSCAPE2.0"), s))
	case media.TIFF:
		dirtyTIFF(out, data, secret)
	case media.BMP:
		gap := slices.Concat(data, s)
		binary.LittleEndian.PutUint32(gap[2:], uint32(len(gap)))
		out["trailer in the size"] = gap
	}
	return out
}

func dirtyJPEG(out map[string][]byte, data []byte, secret string) {
	s := []byte(secret)
	add := func(name string, marker byte, body ...[]byte) {
		out[name] = InJPEG(data, JPEGSegment(marker, slices.Concat(body...)))
	}
	add("EXIF with GPS and thumbnail", 0xe1, []byte("Exif\x00\x00"), EXIF(1, secret))
	add("XMP", 0xe1, []byte("http://ns.adobe.com/xap/1.0/\x00"), XMP(secret))
	add("IPTC", 0xed, []byte("Photoshop 3.0\x00"), IPTC(secret))
	add("comment", 0xfe, s)
	add("JFXX thumbnail", 0xe0, []byte("JFXX\x00\x10"), s)
	add("JFIF thumbnail", 0xe0, []byte("JFIF\x00\x01\x01\x00\x00\x01\x00\x01"), []byte{byte(len(s) / 3), 1}, s[:len(s)/3*3], s[:0])
	add("MPF", 0xe2, []byte("MPF\x00"), s)
	add("JUMBF", 0xeb, []byte("JP"), s)
	add("unknown", 0xe7, s)
	out["Motion Photo trailer"] = slices.Concat(data, []byte("\x00\x00\x00\x18ftypmp42"), s)
	out["second picture"] = slices.Concat(data, InJPEG(data, JPEGSegment(0xfe, s)))
}

func dirtyPNG(out map[string][]byte, data []byte, secret string) {
	s := []byte(secret)
	add := func(name, kind string, body ...[]byte) {
		out[name] = InPNG(data, PNGChunk(kind, slices.Concat(body...)))
	}
	add("text", "tEXt", []byte("Author\x00"), s)
	add("XMP", "iTXt", []byte("XML:com.adobe.xmp\x00\x00\x00\x00\x00"), XMP(secret))
	add("packed text", "zTXt", ICCP("Author", s))
	add("time", "tIME", s[:7], s)
	add("EXIF", "eXIf", EXIF(1, secret))
	add("resolution", "pHYs", s)
	add("unknown", "prIv", s)
	add("profile name", "iCCP", ICCP(secret, ICC(200)))
}

func dirtyTIFF(out map[string][]byte, data []byte, secret string) {
	s := []byte(secret)
	n := uint32(len(s))
	add := func(name string, tag, kind uint16) {
		out[name] = InTIFF(data, nil, TIFFField{tag, kind, n, s})
	}
	add("description", 270, 2)
	add("artist", 315, 2)
	add("XMP", 700, 1)
	add("IPTC", 33723, 7)
	add("Photoshop", 34377, 7)
	add("private", 65000, 7)
	out["EXIF"] = InTIFF(slices.Concat(data, s), nil, TIFFField{34665, 4, 1, []byte{8, 0, 0, 0}})
	at := binary.LittleEndian.Uint32(data[4:])
	hole := slices.Concat(data, s, data[at:])
	binary.LittleEndian.PutUint32(hole[4:], uint32(len(data)+len(s)))
	out["bytes that belong to nothing"] = hole
}

// Secret is a text that no picture holds by chance.
func Secret() string { return fmt.Sprintf("guardian-%s-51.5N-0.1W", "4021") }
