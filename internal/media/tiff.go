package media

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"io"
	"slices"

	"golang.org/x/image/tiff"
)

// Tags of TIFF 6.0 that matter here; 34675 is the ICC profile (ICC.1 annex B.5).
const (
	tagSubfile     = 254
	tagWidth       = 256
	tagHeight      = 257
	tagBits        = 258
	tagCompression = 259
	tagPhotometric = 262
	tagStrips      = 273
	tagSamples     = 277
	tagRows        = 278
	tagStripBytes  = 279
	tagPlanar      = 284
	tagColorMap    = 320
	tagTiles       = 324
	tagTileBytes   = 325
	tagInkSet      = 332
	tagExtra       = 338
	tagFormat      = 339
	tagICC         = 34675
)

// Photometric interpretations that TIFFImage has.
const (
	TIFFGrey    = 1 // 0 is black
	TIFFRGB     = 2
	TIFFPalette = 3
	TIFFCMYK    = 5 // 0 is no ink
)

// TIFFImage is a decoded TIFF: interleaved samples of 8 or 16 bits.
type TIFFImage struct {
	Width, Height, Channels int
	Photometric             int
	Extra                   int      // what a fourth channel is: 1 premultiplied, 2 plain alpha
	Pix8                    []uint8  // exactly one of Pix8 and Pix16 is set; no padding between rows
	Pix16                   []uint16 //
	ColorMap                []uint16 // palettes: 256 reds, 256 greens, 256 blues
	ICC                     []byte
	Packed                  bool // strips are to be compressed, as the source's were
}

func parseTIFF(data []byte) (Header, error) {
	d, err := readTIFFDir(data)
	if err != nil {
		return Header{}, err
	}
	if d.next != 0 {
		return Header{}, ErrMultiPage
	}
	h := Header{
		Width: int(d.int(tagWidth, 0)), Height: int(d.int(tagHeight, 0)),
		BitDepth: int(d.int(tagBits, 1)), Orientation: int(d.int(274, 1)),
		TIFFPacked: d.int(tagCompression, 1) > 1,
		HasAlpha:   d.int(tagSamples, 1) == 4 && d.int(tagPhotometric, 0) == TIFFRGB,
	}
	if e, ok := d.find(tagICC); ok && tiffSize(e.kind) == 1 {
		h.ICC = slices.Clone(d.bytes(e))
	}
	if err := d.supported(); err != nil {
		return Header{}, err
	}
	return h, d.checkStrips()
}

// supported refuses what the decoder would misread instead of refusing it itself.
func (d *tiffDir) supported() error {
	if c := d.int(tagCompression, 1); !slices.Contains([]int64{0, 1, 2, 3, 4, 5, 8, 32773, 32946}, c) {
		return unsupported("TIFF compression %d", c)
	}
	if d.int(tagSubfile, 0)&1 != 0 {
		return unsupported("TIFF whose first picture is a preview")
	}
	if d.int(tagPlanar, 1) != 1 {
		return unsupported("TIFF with separate colour planes")
	}
	for _, f := range d.ints(tagFormat) {
		if f != 1 {
			return unsupported("TIFF sample format %d", f)
		}
	}
	switch p := d.int(tagPhotometric, -1); {
	case p >= 0 && p <= TIFFPalette:
		return nil
	case p == TIFFCMYK && d.int(tagSamples, 1) == 4 && d.int(tagInkSet, 1) == 1 && slices.Contains([]int64{8, 16}, d.int(tagBits, 1)):
		return nil
	default:
		return unsupported("TIFF photometric interpretation %d", p)
	}
}

// checkStrips: every strip or tile must lie in the file.
func (d *tiffDir) checkStrips() error {
	at, n := d.ints(tagStrips), d.ints(tagStripBytes)
	if len(at) == 0 {
		at, n = d.ints(tagTiles), d.ints(tagTileBytes)
	}
	if len(at) == 0 || len(at) != len(n) {
		return damaged("TIFF of %d strips and %d lengths", len(at), len(n))
	}
	for i := range at {
		if at[i]+n[i] > int64(len(d.data)) {
			return damaged("TIFF strip outside of the file")
		}
	}
	return nil
}

// DecodeTIFF reads a TIFF that Parse accepted: grey, palette, RGB, RGBA and CMYK of 8 or 16 bits
// (one bit is widened to eight).
func DecodeTIFF(data []byte) (*TIFFImage, error) {
	h, err := parseTIFF(data)
	if err != nil {
		return nil, err
	}
	d, err := readTIFFDir(data)
	if err != nil {
		return nil, err
	}
	cmyk := d.int(tagPhotometric, 0) == TIFFCMYK
	var in io.Reader = bytes.NewReader(data)
	if cmyk {
		in = d.asRGBA()
	}
	m, err := tiff.Decode(in)
	if err != nil {
		return nil, fmt.Errorf("decoding TIFF: %w: %w", tiffKind(err), err)
	}
	t := &TIFFImage{
		Width: h.Width, Height: h.Height, ICC: h.ICC, Packed: h.TIFFPacked, Channels: 3, Photometric: TIFFRGB,
	}
	if d.int(tagSamples, 1) == 4 {
		t.Channels, t.Extra = 4, int(d.int(tagExtra, 2))
	}
	err = t.take(m)
	if cmyk {
		t.Photometric, t.Extra = TIFFCMYK, 0
	}
	return t, err
}

func tiffKind(err error) error {
	if _, ok := err.(tiff.UnsupportedError); ok { //nolint:errorlint // the package returns the bare type
		return ErrUnsupported
	}
	return ErrDamaged
}

// take moves the decoder's samples over without copying where their layout allows.
func (t *TIFFImage) take(m image.Image) error {
	switch m := m.(type) {
	case *image.Gray:
		t.Channels, t.Photometric, t.Extra, t.Pix8 = 1, TIFFGrey, 0, m.Pix
	case *image.Gray16:
		t.Channels, t.Photometric, t.Extra, t.Pix16 = 1, TIFFGrey, 0, words(m.Pix, 1, 1)
	case *image.Paletted:
		t.Channels, t.Photometric, t.Extra, t.Pix8 = 1, TIFFPalette, 0, m.Pix
		t.ColorMap = make([]uint16, 768)
		for i, c := range m.Palette[:min(256, len(m.Palette))] {
			r, g, b, _ := c.RGBA()
			t.ColorMap[i], t.ColorMap[256+i], t.ColorMap[512+i] = uint16(r), uint16(g), uint16(b)
		}
	case *image.RGBA:
		t.Pix8 = narrow(m.Pix, t.Channels)
	case *image.NRGBA:
		t.Pix8 = narrow(m.Pix, t.Channels)
	case *image.RGBA64:
		t.Pix16 = words(m.Pix, 4, t.Channels)
	case *image.NRGBA64:
		t.Pix16 = words(m.Pix, 4, t.Channels)
	default:
		return unsupported("TIFF decoded to %T", m)
	}
	return nil
}

// narrow drops the fourth of four channels in place where only three are wanted.
func narrow(pix []uint8, channels int) []uint8 {
	if channels == 4 {
		return pix
	}
	n := len(pix) / 4
	for i := range n {
		copy(pix[3*i:3*i+3], pix[4*i:4*i+3])
	}
	return pix[:3*n]
}

// words turns big-endian samples into numbers, keeping the first channels of each pixel.
func words(pix []uint8, per, channels int) []uint16 {
	n := len(pix) / 2 / per
	out := make([]uint16, 0, n*channels)
	for i := range n {
		for c := range channels {
			out = append(out, binary.BigEndian.Uint16(pix[2*(i*per+c):]))
		}
	}
	return out
}
