package media

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"slices"
)

// stripPNG keeps IHDR, PLTE, tRNS and the pixels, the chunks that give colours their meaning, and
// the profile under a name of our own.
func stripPNG(data []byte) ([]byte, error) {
	out := append(make([]byte, 0, len(data)), pngSignature...)
	_, err := walkPNG(data, func(c pngChunk) error {
		switch c.kind {
		case "IHDR", "PLTE", "tRNS", "IDAT", "IEND":
			if c.kind == "IEND" {
				out = appendPNGChunk(out, "IEND", nil)
				return nil
			}
			out = append(out, c.whole...)
		case "iCCP":
			var err error
			if p := readICCP(c.body); CheckICC(p) == nil {
				out, err = appendICCP(out, p)
			}
			return err
		case "gAMA", "cHRM", "sRGB", "cICP":
			if pngColourChunk(c) {
				out = append(out, c.whole...)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func appendICCP(out, profile []byte) ([]byte, error) {
	if len(profile) == 0 {
		return out, nil
	}
	packed, err := deflate(profile)
	if err != nil {
		return nil, fmt.Errorf("packing the profile: %w", err)
	}
	return appendPNGChunk(out, "iCCP", slices.Concat([]byte(pngProfileName), []byte{0, 0}, packed)), nil
}

// WithPNGColour puts the profile and the colour chunks of a source (Header.ICC, Header.PNGColour)
// into a PNG that an encoder made.
func WithPNGColour(data []byte, h Header) ([]byte, error) {
	const head = len(pngSignature) + 12 + 13
	if len(data) < head {
		return nil, damaged("PNG of %d bytes", len(data))
	}
	out := append(make([]byte, 0, len(data)+len(h.PNGColour)+len(h.ICC)+64), data[:head]...)
	out, err := appendICCP(append(out, h.PNGColour...), h.ICC)
	if err != nil {
		return nil, err
	}
	return append(out, data[head:]...), nil
}

type pngVerifier struct {
	header pngHeader
	seen   map[string]int
	last   string
	parts  [][]byte
}

func verifyPNG(data []byte) error {
	v := pngVerifier{seen: map[string]int{}}
	end, err := walkPNG(data, v.chunk)
	if err != nil {
		return err
	}
	if end != len(data) {
		return dirty("%d bytes behind the end of the PNG", len(data)-end)
	}
	return v.pixels()
}

func (v *pngVerifier) chunk(c pngChunk) error {
	n := v.seen[c.kind]
	v.seen[c.kind]++
	if (len(v.seen) == 1 && n == 0) != (c.kind == "IHDR") || n > 0 && (c.kind != "IDAT" || v.last != "IDAT") {
		return dirty("PNG chunk %q out of place", c.kind)
	}
	v.last = c.kind
	switch c.kind {
	case "IHDR":
		var err error
		v.header, err = readIHDR(c.body)
		return err
	case "IDAT":
		v.parts = append(v.parts, c.body)
		return nil
	}
	if !v.plain(c) {
		return dirty("PNG chunk %q", c.kind)
	}
	return nil
}

func (v *pngVerifier) plain(c pngChunk) bool {
	switch c.kind {
	case "PLTE":
		return len(c.body)%3 == 0 && len(c.body) <= 768 && len(c.body) > 0
	case "tRNS":
		want, ok := map[int]int{0: 2, 2: 6}[v.header.colour]
		return ok && len(c.body) == want || v.header.colour == 3 && len(c.body) <= 256
	case "iCCP":
		p := readICCP(c.body)
		return bytes.HasPrefix(c.body, []byte(pngProfileName+"\x00")) && len(p) > 0 && CheckICC(p) == nil
	case "IEND":
		return len(c.body) == 0
	}
	return pngColourChunk(c)
}

// pixels proves that the image data inflate to exactly the picture's rows and that nothing stands
// behind the stream.
func (v *pngVerifier) pixels() error {
	readers := make([]io.Reader, len(v.parts))
	for i, p := range v.parts {
		readers[i] = bytes.NewReader(p)
	}
	in := &byteCounter{r: io.MultiReader(readers...)}
	z, err := zlib.NewReader(in)
	if err != nil {
		return damaged("PNG pixels")
	}
	want := v.header.rawSize()
	n, err := io.Copy(io.Discard, io.LimitReader(z, want+1))
	if err != nil {
		return damaged("PNG pixels")
	}
	if n != want {
		return dirty("PNG holds %d bytes of pixels or more, %d belong to the picture", n, want)
	}
	if left, _ := io.Copy(io.Discard, in); left != 0 {
		return dirty("%d bytes behind the PNG's pixels", left)
	}
	return nil
}

// byteCounter hands out single bytes, so that the inflater reads not one byte too many.
type byteCounter struct {
	r   io.Reader
	buf [4096]byte
	at  int
	n   int
}

func (b *byteCounter) fill() error {
	for b.at == b.n {
		n, err := b.r.Read(b.buf[:])
		b.at, b.n = 0, n
		if n == 0 && err != nil {
			return err
		}
	}
	return nil
}

func (b *byteCounter) ReadByte() (byte, error) {
	if err := b.fill(); err != nil {
		return 0, err
	}
	b.at++
	return b.buf[b.at-1], nil
}

func (b *byteCounter) Read(p []byte) (int, error) {
	if err := b.fill(); err != nil {
		return 0, err
	}
	n := copy(p, b.buf[b.at:b.n])
	b.at += n
	return n, nil
}
