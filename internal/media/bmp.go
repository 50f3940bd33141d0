package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"

	"golang.org/x/image/bmp"
)

// plausibleBMP: the header's size is one of those that exist, so that a text which begins with
// "BM" is not taken for a picture.
func plausibleBMP(head []byte) bool {
	if len(head) < 26 {
		return false
	}
	switch binary.LittleEndian.Uint32(head[14:]) {
	case 12, 40, 52, 56, 64, 108, 124:
		return true
	}
	return false
}

func parseBMP(data []byte) (Header, error) {
	if len(data) < 54 || !plausibleBMP(data) {
		return Header{}, damaged("BMP header")
	}
	if binary.LittleEndian.Uint32(data[14:]) < 40 {
		return Header{}, unsupported("BMP of OS/2 kind")
	}
	w, h := int64(int32(binary.LittleEndian.Uint32(data[18:]))), int64(int32(binary.LittleEndian.Uint32(data[22:])))
	if h < 0 {
		h = -h
	}
	if w <= 0 || h == 0 {
		return Header{}, damaged("BMP of %d × %d pixels", w, h)
	}
	bits := int(binary.LittleEndian.Uint16(data[28:]))
	row := (w*int64(bits) + 31) / 32 * 4
	if c := binary.LittleEndian.Uint32(data[30:]); c != 1 && c != 2 && row*h > int64(len(data)) && w < 1<<20 && h < 1<<20 && w*h < 1<<31 {
		return Header{}, damaged("BMP of %d bytes whose pixels need %d", len(data), row*h)
	}
	return Header{Width: int(w), Height: int(h), Orientation: 1, BitDepth: 8}, nil
}

// DecodeBMP reads a BMP. An alpha channel is dropped: few viewers show it, fewer programs write a
// meaning into it, and the colours below it are what everybody sees.
func DecodeBMP(data []byte) (image.Image, error) {
	m, err := bmp.Decode(bytes.NewReader(data))
	if errors.Is(err, bmp.ErrUnsupported) {
		return nil, fmt.Errorf("reading BMP: %w: %w", ErrUnsupported, err)
	}
	if err != nil {
		return nil, fmt.Errorf("reading BMP: %w: %w", ErrDamaged, err)
	}
	if n, ok := m.(*image.NRGBA); ok {
		for i := 3; i < len(n.Pix); i += 4 {
			n.Pix[i] = 255
		}
	}
	return m, nil
}

// EncodeBMP writes 24 bits a pixel, or 8 and a palette of 256 colours.
func EncodeBMP(m image.Image) ([]byte, error) {
	if p, ok := m.(*image.Paletted); ok && len(p.Palette) < 256 {
		// The encoder writes 256 colours whatever the palette has, the missing ones as transparent.
		full := append(make(color.Palette, 0, 256), p.Palette...)
		for len(full) < 256 {
			full = append(full, color.RGBA{A: 255})
		}
		m = &image.Paletted{Pix: p.Pix, Stride: p.Stride, Rect: p.Rect, Palette: full}
	}
	var out bytes.Buffer
	if err := bmp.Encode(&out, m); err != nil {
		return nil, fmt.Errorf("writing BMP: %w", err)
	}
	return out.Bytes(), nil
}

// stripBMP decodes and writes again: the format has no metadata worth keeping, but gaps, row
// padding and reserved fields that can carry something.
func stripBMP(data []byte) ([]byte, error) {
	m, err := DecodeBMP(data)
	if err != nil {
		return nil, err
	}
	return EncodeBMP(m)
}

// verifyBMP: the file must be, byte for byte, what stripBMP writes.
func verifyBMP(data []byte) error {
	h, err := parseBMP(data)
	if err != nil {
		return err
	}
	if int64(h.Width)*int64(h.Height) > int64(len(data)) {
		return damaged("BMP of %d bytes for %d × %d pixels", len(data), h.Width, h.Height)
	}
	want, err := stripBMP(data)
	if err != nil {
		return err
	}
	if !bytes.Equal(want, data) {
		return dirty("BMP with gaps, padding or fields that the picture does not need")
	}
	return nil
}
