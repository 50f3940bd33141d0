package media

import (
	"bytes"
	"compress/lzw"
	"encoding/binary"
	"errors"
	"io"
)

// gifFile is a GIF of one frame taken apart (GIF89a specification, CompuServe 1990).
type gifFile struct {
	screen     []byte // logical screen descriptor, 7 bytes
	global     []byte // global colour table
	control    []byte // graphic control of the frame, 4 bytes, or nil
	descriptor []byte // image descriptor without its separator, 9 bytes
	local      []byte // local colour table
	minCode    byte
	blocks     []byte // the frame's data, sub-block lengths included, without the terminator
	end        int    // offset behind the trailer
	extensions int    // extension blocks other than the frame's graphic control
}

type gifReader struct {
	data []byte
	at   int
}

func (r *gifReader) take(n int) ([]byte, error) {
	if r.at+n > len(r.data) {
		return nil, damaged("GIF ends early")
	}
	b := r.data[r.at : r.at+n]
	r.at += n
	return b, nil
}

// subBlocks takes sub-blocks up to and including the terminator, and returns them without it.
func (r *gifReader) subBlocks() ([]byte, error) {
	start := r.at
	for {
		n, err := r.take(1)
		if err != nil {
			return nil, err
		}
		if n[0] == 0 {
			return r.data[start : r.at-1], nil
		}
		if _, err := r.take(int(n[0])); err != nil {
			return nil, err
		}
	}
}

func (r *gifReader) table(flags byte) ([]byte, error) {
	if flags&0x80 == 0 {
		return nil, nil
	}
	return r.take(3 << (flags&7 + 1))
}

func readGIF(data []byte) (*gifFile, error) {
	r := &gifReader{data: data, at: 6}
	if len(data) < 13 || string(data[:4]) != "GIF8" {
		return nil, damaged("GIF header")
	}
	g := &gifFile{}
	var err error
	if g.screen, err = r.take(7); err != nil {
		return nil, err
	}
	if g.global, err = r.table(g.screen[4]); err != nil {
		return nil, err
	}
	for {
		kind, err := r.take(1)
		if err != nil {
			return nil, err
		}
		switch kind[0] {
		case 0x3b:
			g.end = r.at
			if g.descriptor == nil {
				return nil, damaged("GIF without a picture")
			}
			return g, nil
		case 0x21:
			err = g.extension(r)
		case 0x2c:
			err = g.frame(r)
		default:
			err = damaged("GIF block %#x", kind[0])
		}
		if err != nil {
			return nil, err
		}
	}
}

func (g *gifFile) extension(r *gifReader) error {
	label, err := r.take(1)
	if err != nil {
		return err
	}
	body, err := r.subBlocks()
	if err != nil {
		return err
	}
	switch {
	case label[0] == 0x01:
		return unsupported("GIF with plain text to be drawn")
	case label[0] == 0xf9 && g.control == nil && g.descriptor == nil && len(body) == 5 && body[0] == 4:
		g.control = body[1:]
	default:
		g.extensions++
	}
	return nil
}

func (g *gifFile) frame(r *gifReader) error {
	if g.descriptor != nil {
		return ErrAnimated
	}
	var err error
	if g.descriptor, err = r.take(9); err != nil {
		return err
	}
	if g.local, err = r.table(g.descriptor[8]); err != nil {
		return err
	}
	code, err := r.take(1)
	if err != nil {
		return err
	}
	g.minCode = code[0]
	g.blocks, err = r.subBlocks()
	return err
}

func (g *gifFile) size() (x, y, w, h int) {
	u := func(i int) int { return int(binary.LittleEndian.Uint16(g.descriptor[i:])) }
	return u(0), u(2), u(4), u(6)
}

func parseGIF(data []byte) (Header, error) {
	g, err := readGIF(data)
	if err != nil {
		return Header{}, err
	}
	h := Header{
		Orientation: 1, BitDepth: 8, HasAlpha: g.control != nil && g.control[0]&1 == 1,
		Width: int(binary.LittleEndian.Uint16(g.screen)), Height: int(binary.LittleEndian.Uint16(g.screen[2:])),
	}
	if x, y, w, t := g.size(); x != 0 || y != 0 || w != h.Width || t != h.Height {
		return Header{}, unsupported("GIF whose frame does not fill its screen")
	}
	if g.global == nil && g.local == nil {
		return Header{}, damaged("GIF without colours")
	}
	return h, nil
}

// stripGIF writes screen, colours, the frame and, only where a colour is transparent, its graphic
// control without delay, disposal or user input.
func stripGIF(data []byte) ([]byte, error) {
	g, err := readGIF(data)
	if err != nil {
		return nil, err
	}
	out := append(make([]byte, 0, len(data)), "GIF89a"...)
	out = append(out, g.screen[:4]...)
	// The background colour is that of pixels no frame covers, and there are none; aspect 0: unknown.
	out = append(out, g.screen[4], 0, 0)
	out = append(out, g.global...)
	if g.control != nil && g.control[0]&1 == 1 {
		out = append(out, 0x21, 0xf9, 4, 1, 0, 0, g.control[3], 0)
	}
	out = append(append(out, 0x2c), g.descriptor[:8]...)
	out = append(append(out, g.descriptor[8]&^0x38), g.local...)
	out = append(append(out, g.minCode), g.blocks...)
	return append(out, 0, 0x3b), nil
}

// verifyGIF: the file must be what stripGIF writes, and the frame's data must unpack to exactly its
// pixels with nothing behind them.
func verifyGIF(data []byte) error {
	if _, err := parseGIF(data); err != nil {
		return err
	}
	want, err := stripGIF(data)
	if err != nil {
		return err
	}
	if !bytes.Equal(want, data) {
		return dirty("GIF with blocks or bytes that the picture does not need")
	}
	g, err := readGIF(data)
	if err != nil {
		return err
	}
	return g.verifyPixels()
}

func (g *gifFile) verifyPixels() error {
	if g.minCode < 2 || g.minCode > 8 {
		return damaged("GIF code size %d", g.minCode)
	}
	var packed []byte
	for b := g.blocks; len(b) > 0; b = b[1+int(b[0]):] {
		packed = append(packed, b[1:1+int(b[0])]...)
	}
	r := bytes.NewReader(packed)
	_, _, w, h := g.size()
	want := int64(w) * int64(h)
	n, err := io.Copy(io.Discard, io.LimitReader(lzw.NewReader(r, lzw.LSB, int(g.minCode)), want+1))
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged("GIF pixels")
	}
	// An encoder may leave out the end code, and may pad by a byte.
	if n != want || r.Len() > 1 {
		return dirty("GIF holds %d pixels and %d more bytes, %d pixels belong to the picture", n, r.Len(), want)
	}
	return nil
}
