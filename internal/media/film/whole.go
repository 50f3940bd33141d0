package film

import (
	"bytes"
	"encoding/binary"
	"io"
)

// checkWhole finds films that were cut short by what their containers say of their own length, because ffmpeg plays
// many of them without complaint up to where they end. A transport stream says nothing, nor does a Matroska recording
// that was never finished.
func checkWhole(r io.ReaderAt, size int64, container string) error {
	switch container {
	case containerMP4:
		return wholeBoxes(r, size)
	case containerMatroska:
		return wholeSegment(r, size)
	case containerAVI:
		return wholeRIFF(r, size)
	case containerGIF:
		if err := walkGIF(r, size, func() bool { return true }); err != nil {
			return damaged("the film ends early")
		}
	}
	return nil
}

// wholeBoxes reads the boxes up to the end of the file. What does not look like a box behind index and media
// is left alone: some cameras append it.
func wholeBoxes(r io.ReaderAt, size int64) error {
	seen := map[string]bool{}
	var movie box
	for at := int64(0); at < size; {
		whole := seen["moov"] && seen["mdat"]
		if whole && !knownTop(r, at, size) {
			break
		}
		b, err := readBox(r, at, size)
		if err != nil {
			return damaged("the film ends early")
		}
		at, seen[b.kind] = b.stop, true
		if b.kind == "moov" {
			movie = b
		}
	}
	if !seen["moov"] {
		return damaged("the film has no index")
	}
	if seen["moof"] && !seen["mfra"] && !saysLength(r, movie) {
		return damaged("the recording was not finished")
	}
	return nil
}

// saysLength says whether a film in fragments knows how long all of them are (ISO/IEC 14496-12 §8.8.2), or at least the film
// whose index has no pictures of its own. One that neither does, nor ends with the list of its fragments (mfra), may have
// been cut between any two of them.
func saysLength(r io.ReaderAt, movie box) bool {
	in, err := movie.inside(r)
	if err != nil {
		return false
	}
	length := func(narrow, wide int64, path ...string) bool {
		b, err := find(r, in, path...)
		if err != nil {
			return false
		}
		data, err := b.bytes(r)
		if err != nil || len(data) < 4 {
			return false
		}
		from, n := narrow, int64(4)
		if data[0] == 1 {
			from, n = wide, 8
		}
		return int64(len(data)) >= from+n && !zero(data[from:from+n]) && !notKnown(data[from:from+n])
	}
	if length(4, 4, "mvex", "mehd") {
		return true
	}
	stts, err := find(r, in, "trak", "mdia", "minf", "stbl", "stts")
	return err == nil && stts.stop-stts.body == 8 && length(16, 24, "mvhd")
}

// notKnown says whether all bits are set, which stands for a length that is not known.
func notKnown(b []byte) bool { return len(bytes.Trim(b, "\xff")) == 0 }

// knownTop says whether there is the head of a box that films have at the place.
func knownTop(r io.ReaderAt, at, size int64) bool {
	b := make([]byte, min(8, size-at))
	if _, err := r.ReadAt(b, at); err != nil && err != io.EOF || len(b) < 8 {
		return false
	}
	switch string(b[4:]) {
	case "moov", "mdat", "moof", "mfra", "sidx", "free", "skip", "uuid", "styp", "emsg", "meta", "udta":
		return true
	}
	return false
}

// wholeSegment compares the size of Matroska's one segment with that of the file (RFC 8794 §6, RFC 9559 §5.1).
func wholeSegment(r io.ReaderAt, size int64) error {
	at := int64(0)
	for range 8 { // the head, and perhaps something void
		id, length, unknown, next, err := element(r, at, size)
		if err != nil {
			return err
		}
		if !unknown && length > uint64(size-next) {
			return damaged("the film ends early")
		}
		if id == 0x18538067 {
			return nil
		}
		at = next + int64(length)
	}
	return damaged("Matroska without a segment")
}

// element reads the head of an element of EBML.
func element(r io.ReaderAt, at, size int64) (id, length uint64, unknown bool, next int64, err error) {
	b := make([]byte, max(0, min(12, size-at)))
	if _, err := r.ReadAt(b, at); err != nil && err != io.EOF {
		return 0, 0, false, 0, damaged("reading Matroska")
	}
	n := 0
	for ; n < 4 && n < len(b); n++ {
		if b[0]&(0x80>>n) != 0 {
			break
		}
	}
	if n >= 4 || n+1 >= len(b) {
		return 0, 0, false, 0, damaged("the film ends early")
	}
	for _, c := range b[:n+1] {
		id = id<<8 | uint64(c)
	}
	rest := b[n+1:]
	m := 0
	for ; m < 8; m++ {
		if rest[0]&(0x80>>m) != 0 {
			break
		}
	}
	if m >= 8 || m+1 > len(rest) {
		return 0, 0, false, 0, damaged("the film ends early")
	}
	length = uint64(rest[0]) & (0x7f >> m)
	for _, c := range rest[1 : m+1] {
		length = length<<8 | uint64(c)
	}
	return id, length, length == 1<<(7*(m+1))-1, at + int64(n+1+m+1), nil
}

// wholeRIFF compares the sizes of the parts of an AVI with that of the file. Zero is what a recorder leaves that never
// came back to fill it in. Behind an AVI that is whole anything may lie.
func wholeRIFF(r io.ReaderAt, size int64) error {
	for at := int64(0); at+12 <= size; {
		var b [12]byte
		if n, _ := r.ReadAt(b[:], at); n < len(b) {
			return damaged("the film cannot be read")
		}
		n := int64(binary.LittleEndian.Uint32(b[4:]))
		if string(b[:4]) != "RIFF" || n == 0 {
			return nil
		}
		if n > size-at-8 {
			return damaged("the film ends early")
		}
		at += 8 + n + n&1
	}
	return nil
}
