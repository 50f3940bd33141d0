package media

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// SniffBytes is how much of a file's head Sniff wants to see.
const SniffBytes = 512

// Sniff tells the format from the first bytes, whatever the file is called. The error wraps
// ErrDamaged for an empty file, ErrVideo for a known video container, otherwise ErrUnsupported.
func Sniff(head []byte) (Format, error) {
	switch {
	case len(head) == 0:
		return "", damaged("empty file")
	case bytes.HasPrefix(head, []byte("\xff\xd8\xff")):
		return JPEG, nil
	case bytes.HasPrefix(head, []byte(pngSignature)):
		return PNG, nil
	case bytes.HasPrefix(head, []byte("GIF87a")), bytes.HasPrefix(head, []byte("GIF89a")):
		return GIF, nil
	case bytes.HasPrefix(head, []byte("II*\x00")), bytes.HasPrefix(head, []byte("MM\x00*")):
		return TIFF, nil
	case bytes.HasPrefix(head, []byte("BM")) && plausibleBMP(head):
		return BMP, nil
	case startsFilm(head):
		return "", ErrVideo
	}
	return sniffContainer(head)
}

// startsFilm knows films by their first bytes: Matroska's EBML header, Windows Media's header object, the pack
// and sequence headers of MPEG (ISO/IEC 13818-1 §2.5.3.3, 13818-2 §6.2.2.1), Ogg, Flash, and MXF's
// partition pack (SMPTE ST 377-1 §7.1). An MPEG transport stream has no such mark.
func startsFilm(head []byte) bool {
	return slices.ContainsFunc([]string{
		"\x1a\x45\xdf\xa3", "\x30\x26\xb2\x75\x8e\x66\xcf\x11", "\x00\x00\x01\xba", "\x00\x00\x01\xb3",
		"OggS", "FLV\x01", "\x06\x0e\x2b\x34\x02\x05\x01\x01",
	}, func(mark string) bool { return bytes.HasPrefix(head, []byte(mark)) })
}

func sniffContainer(head []byte) (Format, error) {
	if len(head) < 12 {
		return "", unsupported("not a picture format that is known here")
	}
	switch {
	case string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP":
		return WebP, nil
	case string(head[:4]) == "RIFF" && string(head[8:12]) == "AVI ":
		return "", ErrVideo
	case string(head[4:8]) == "ftyp":
		return sniffBrands(head)
	}
	return "", unsupported("not a picture format that is known here")
}

// sniffBrands reads the brands of an ISO base media file (ISO/IEC 14496-12 §4.3; HEIF brands from
// ISO/IEC 23008-12 §10, AVIF's from its specification v1.1 §6).
func sniffBrands(head []byte) (Format, error) {
	end := min(int(binary.BigEndian.Uint32(head)), len(head))
	brands := []string{string(head[8:12])}
	for at := 16; at+4 <= end; at += 4 {
		brands = append(brands, string(head[at:at+4]))
	}
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(brands, n) })
	}
	switch {
	case has("avif", "avis"):
		return AVIF, nil
	case has("heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1"):
		return HEIF, nil
	case has("isom", "iso2", "iso4", "iso5", "iso6", "mp41", "mp42", "qt  ", "M4V ", "avc1", "3gp4", "3gp5", "3gp6", "dash", "MSNV"):
		return "", ErrVideo
	}
	return "", unsupported("an ISO media file of a brand that is not known here")
}

// Parse reads the header of a whole file: format, size, orientation, profile. It refuses what is
// over the limits, animated or of several pages, before anything is decoded, and allocates nothing
// that depends on a size the file merely claims.
func Parse(data []byte, limits Limits) (Header, error) {
	if err := limits.CheckBytes(int64(len(data))); err != nil {
		return Header{}, err
	}
	f, err := Sniff(data[:min(len(data), SniffBytes)])
	if err != nil {
		return Header{}, err
	}
	h, err := parseAs(data, f)
	if err != nil {
		return Header{}, err
	}
	if err := limits.CheckSize(h.Width, h.Height); err != nil {
		return Header{}, err
	}
	h.Format = f
	if h.Orientation < 1 || h.Orientation > 8 {
		h.Orientation = 1
	}
	if CheckICC(h.ICC) != nil {
		h.ICC = nil // viewers ignore a profile that does not parse, and it could hold anything
	}
	return h, nil
}

func parseAs(data []byte, f Format) (Header, error) {
	switch f {
	case JPEG:
		return parseJPEG(data)
	case PNG:
		return parsePNG(data)
	case WebP:
		return parseWebP(data)
	case TIFF:
		return parseTIFF(data)
	case GIF:
		return parseGIF(data)
	case BMP:
		return parseBMP(data)
	case HEIF, AVIF:
		return parseBMFF(data)
	}
	return Header{}, unsupported("format %q", string(f))
}

// Strip returns the same picture, sample for sample, without anything that is not needed to show
// it. HEIF and AVIF are ErrUnsupported, because they leave as JPEG; a picture whose metadata says
// that it must be turned is ErrNotUpright. data is not changed.
func Strip(data []byte, f Format) ([]byte, error) {
	h, err := parseAs(data, f)
	if err != nil {
		return nil, err
	}
	if h.Orientation > 1 && h.Orientation <= 8 {
		return nil, ErrNotUpright
	}
	switch f {
	case JPEG:
		return stripJPEG(data)
	case PNG:
		return stripPNG(data)
	case WebP:
		return stripWebP(data)
	case TIFF:
		return stripTIFF(data, h)
	case GIF:
		return stripGIF(data)
	case BMP:
		return stripBMP(data)
	}
	return nil, unsupported("format %q cannot be stripped", string(f))
}

// VerifyScrubbed proves that finished bytes hold pixels, at most one ICC profile that parses, and
// what their format needs to show them, and nothing else: everything is checked against an
// allow-list, and every byte belongs to something on it. The error wraps ErrNotScrubbed, ErrDamaged
// or ErrUnsupported. HEIF and AVIF never pass, because they are not formats that derivatives have.
func VerifyScrubbed(data []byte) error {
	h, err := Parse(data, Limits{MaxBytes: 1<<32 - 1, MaxPixels: verifiedPixels})
	if err != nil {
		return err
	}
	switch h.Format {
	case JPEG:
		return verifyJPEG(data)
	case PNG:
		return verifyPNG(data)
	case WebP:
		return verifyWebP(data)
	case TIFF:
		return verifyTIFF(data)
	case GIF:
		return verifyGIF(data)
	case BMP:
		return verifyBMP(data)
	}
	return unsupported("format %q is none that derivatives have", string(h.Format))
}

// verifiedPixels bounds the verifier's work on bytes from a process that may have been taken over.
// It is above every limit that makes sense for decoding.
const verifiedPixels = 1 << 30
