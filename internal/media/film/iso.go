package film

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/consentry/consentry/internal/media"
)

// box is one box of an ISO base media file (ISO/IEC 14496-12 §4.2), where it lies in the file.
type box struct {
	kind       string
	at         int64 // of its header
	body, stop int64 // its contents
}

// Bounds on foreign files: boxes on one level (a fragmented film has two for each fragment, one a second or so), and
// what of one box is read into memory: the sizes of the samples of 24 hours at 240 frames a second are 83 MB.
const (
	maxBoxes    = 1 << 20
	maxBoxBytes = 128 << 20
)

func damaged(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, media.ErrDamaged)...)
}

// readBox reads the header of the box at from, which must end at or before to.
func readBox(r io.ReaderAt, from, to int64) (box, error) {
	var head [16]byte
	n := min(int64(len(head)), to-from)
	if n < 8 {
		return box{}, damaged("ISO media box header")
	}
	if _, err := r.ReadAt(head[:n], from); err != nil && err != io.EOF {
		return box{}, fmt.Errorf("reading a box: %w", err)
	}
	size, skip := uint64(binary.BigEndian.Uint32(head[:])), int64(8)
	switch {
	case size == 0:
		size = uint64(to - from)
	case size == 1 && n == 16:
		size, skip = binary.BigEndian.Uint64(head[8:]), 16
	}
	if size < uint64(skip) || size > uint64(to-from) {
		return box{}, damaged("ISO media box runs over the end")
	}
	return box{kind: string(head[4:8]), at: from, body: from + skip, stop: from + int64(size)}, nil
}

// boxes reads the headers of all boxes from from to to, which they fill.
func boxes(r io.ReaderAt, from, to int64) ([]box, error) {
	var out []box
	for from < to {
		if len(out) >= maxBoxes {
			return nil, damaged("too many ISO media boxes")
		}
		b, err := readBox(r, from, to)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
		from = b.stop
	}
	return out, nil
}

func (b box) inside(r io.ReaderAt) ([]box, error) { return boxes(r, b.body, b.stop) }

// bytes reads the contents of the box.
func (b box) bytes(r io.ReaderAt) ([]byte, error) {
	if b.stop-b.body > maxBoxBytes {
		return nil, damaged("ISO media box of %d bytes", b.stop-b.body)
	}
	data := make([]byte, b.stop-b.body)
	if n, err := r.ReadAt(data, b.body); n < len(data) {
		return nil, fmt.Errorf("reading a box: %w", err)
	}
	return data, nil
}

// find follows a path of kinds from among the boxes downwards, taking the first of each.
func find(r io.ReaderAt, in []box, path ...string) (box, error) {
	for _, b := range in {
		if b.kind != path[0] {
			continue
		}
		if len(path) == 1 {
			return b, nil
		}
		inside, err := b.inside(r)
		if err != nil {
			return box{}, err
		}
		return find(r, inside, path[1:]...)
	}
	return box{}, damaged("no box %q", path[0])
}

// table is the rows of a full box that counts them: version, flags, (skip more bytes,) count, rows of width bytes each.
func table(data []byte, skip, width int) (rows []byte, err error) {
	head := 8 + skip
	if len(data) < head {
		return nil, damaged("table without a head")
	}
	n := uint64(binary.BigEndian.Uint32(data[head-4:]))
	if n*uint64(width) != uint64(len(data)-head) {
		return nil, damaged("table of %d rows in %d bytes", n, len(data))
	}
	return data[head:], nil
}
