package film

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

func contains(b []byte, part string) bool { return strings.Contains(string(b), part) }

// isAnimatedGIF walks through the blocks (GIF89a specification, CompuServe 1990) up to a second picture.
func isAnimatedGIF(r io.ReaderAt, size int64) bool {
	if b := head(r, size, 6); string(b) != "GIF87a" && string(b) != "GIF89a" {
		return false
	}
	pictures := 0
	_ = walkGIF(r, size, func() bool { pictures++; return pictures < 2 })
	return pictures >= 2
}

var errGIF = errors.New("GIF ends early")

// walkGIF calls picture for each picture that has begun, until it says no. It returns nil at the trailer.
func walkGIF(r io.ReaderAt, size int64, picture func() bool) error {
	in := bufio.NewReader(io.NewSectionReader(r, 0, size))
	var screen [13]byte
	if _, err := io.ReadFull(in, screen[:]); err != nil {
		return errGIF
	}
	if err := skipTable(in, screen[10]); err != nil {
		return err
	}
	for {
		kind, err := in.ReadByte()
		if err != nil {
			return errGIF
		}
		switch kind {
		case 0x3b:
			return nil
		case 0x21: // extension: a label, then blocks
			err = skip(in, 1)
		case 0x2c:
			if !picture() {
				return nil
			}
			err = skipPicture(in)
		case 0:
			continue // padding between blocks, which decoders pass over
		default:
			return errGIF
		}
		if err = errors.Join(err, skipBlocks(in)); err != nil {
			return err
		}
	}
}

func skip(in *bufio.Reader, n int) error {
	if _, err := in.Discard(n); err != nil {
		return errGIF
	}
	return nil
}

// skipTable passes over a table of colours, where the flags say that there is one.
func skipTable(in *bufio.Reader, flags byte) error {
	if flags&0x80 == 0 {
		return nil
	}
	return skip(in, 3<<(flags&7+1))
}

// skipPicture passes over a picture's descriptor, table of colours and code size.
func skipPicture(in *bufio.Reader) error {
	var descriptor [9]byte
	if _, err := io.ReadFull(in, descriptor[:]); err != nil {
		return errGIF
	}
	return errors.Join(skipTable(in, descriptor[8]), skip(in, 1))
}

// skipBlocks passes over blocks up to the empty one.
func skipBlocks(in *bufio.Reader) error {
	for {
		n, err := in.ReadByte()
		if err != nil {
			return errGIF
		}
		if n == 0 {
			return nil
		}
		if err := skip(in, int(n)); err != nil {
			return err
		}
	}
}
