package film

import (
	"encoding/binary"
	"io"
)

// sample is one coded picture or piece of sound of a track.
type sample struct {
	at   int64 // in the file
	size uint32
	dts  int64 // ticks
	cts  int32 // presentation minus decoding, ticks
	key  bool
}

func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

// samplesOf reads the sample tables of a track (ISO/IEC 14496-12 §8.6, 8.7) in decoding order.
// limit is the size of the file, which they cannot exceed.
func samplesOf(r io.ReaderAt, stbl box, limit int64) ([]sample, error) {
	inside, err := stbl.inside(r)
	if err != nil {
		return nil, err
	}
	out, err := sizes(r, inside, limit)
	if err != nil {
		return nil, err
	}
	for _, fill := range []func(io.ReaderAt, []box, []sample) error{places, decodingTimes, shifts, keys} {
		if err := fill(r, inside, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// read gives the contents of the first box of the kind; nil where there is none.
func read(r io.ReaderAt, in []box, kind string) ([]byte, error) {
	for _, b := range in {
		if b.kind == kind {
			return b.bytes(r)
		}
	}
	return nil, nil
}

func sizes(r io.ReaderAt, in []box, limit int64) ([]sample, error) {
	data, err := read(r, in, "stsz")
	if err != nil {
		return nil, err
	}
	if len(data) < 12 {
		return nil, damaged("no table of sample sizes")
	}
	same, n := be32(data[4:]), be32(data[8:])
	if same != 0 {
		return equalSizes(same, n, limit)
	}
	rows, err := table(data, 4, 4)
	if err != nil {
		return nil, err
	}
	out := make([]sample, n)
	for i := range out {
		out[i].size = be32(rows[4*i:])
	}
	return out, nil
}

// minEqual is the fewest bytes for which a table without rows is believed, as it costs its writer nothing: PCM is not
// among what is written here, and a packet of any other sound is longer.
const minEqual = 8

func equalSizes(size, n uint32, limit int64) ([]sample, error) {
	if size < minEqual || int64(n)*int64(size) > limit {
		return nil, damaged("%d samples of %d bytes", n, size)
	}
	out := make([]sample, n)
	for i := range out {
		out[i].size = size
	}
	return out, nil
}

// places gives each sample its place: chunks lie anywhere, the samples of a chunk one behind the other.
func places(r io.ReaderAt, in []box, out []sample) error {
	chunks, err := chunkOffsets(r, in)
	if err != nil {
		return err
	}
	data, err := read(r, in, "stsc")
	if err != nil {
		return err
	}
	runs, err := table(data, 0, 12)
	if err != nil {
		return err
	}
	next := 0
	for i := 0; i < len(runs); i += 12 {
		first, each, last := int(be32(runs[i:])), int(be32(runs[i+4:])), len(chunks)
		if i+12 < len(runs) {
			last = int(be32(runs[i+12:])) - 1
		}
		if first < 1 || last > len(chunks) || each < 1 || be32(runs[i+8:]) != 1 {
			return damaged("table of chunks")
		}
		for c := first; c <= last; c++ {
			if next+each > len(out) {
				return damaged("chunks hold more samples than there are")
			}
			at := chunks[c-1]
			for k := range out[next : next+each] {
				out[next+k].at = at
				at += int64(out[next+k].size)
			}
			next += each
		}
	}
	if next != len(out) {
		return damaged("chunks hold fewer samples than there are")
	}
	return nil
}

func chunkOffsets(r io.ReaderAt, in []box) ([]int64, error) {
	data, err := read(r, in, "stco")
	if err != nil {
		return nil, err
	}
	width := 4
	if data == nil {
		if data, err = read(r, in, "co64"); err != nil {
			return nil, err
		}
		width = 8
	}
	rows, err := table(data, 0, width)
	if err != nil {
		return nil, err
	}
	out := make([]int64, len(rows)/width)
	for i := range out {
		if width == 4 {
			out[i] = int64(be32(rows[4*i:]))
		} else {
			out[i] = int64(binary.BigEndian.Uint64(rows[8*i:]))
		}
	}
	return out, nil
}

func decodingTimes(r io.ReaderAt, in []box, out []sample) error {
	data, err := read(r, in, "stts")
	if err != nil {
		return err
	}
	at := int64(0)
	return runs(data, len(out), func(i int, value uint32) {
		out[i].dts = at
		at += int64(value)
	})
}

func shifts(r io.ReaderAt, in []box, out []sample) error {
	data, err := read(r, in, "ctts")
	if err != nil || data == nil {
		return err
	}
	return runs(data, len(out), func(i int, value uint32) { out[i].cts = int32(value) })
}

// runs reads a table of (count, value) that covers n samples.
func runs(data []byte, n int, fill func(i int, value uint32)) error {
	rows, err := table(data, 0, 8)
	if err != nil {
		return err
	}
	i := 0
	for ; len(rows) > 0; rows = rows[8:] {
		count, value := int(be32(rows)), be32(rows[4:])
		if count > n-i {
			return damaged("table of times covers more samples than there are")
		}
		for range count {
			fill(i, value)
			i++
		}
	}
	if i != n {
		return damaged("table of times covers fewer samples than there are")
	}
	return nil
}

// keys marks the samples at which decoding can begin; without a table, that is each.
func keys(r io.ReaderAt, in []box, out []sample) error {
	data, err := read(r, in, "stss")
	if err != nil {
		return err
	}
	if data == nil {
		for i := range out {
			out[i].key = true
		}
		return nil
	}
	rows, err := table(data, 0, 4)
	if err != nil {
		return err
	}
	for ; len(rows) > 0; rows = rows[4:] {
		i := int(be32(rows)) - 1
		if i < 0 || i >= len(out) {
			return damaged("table of key frames")
		}
		out[i].key = true
	}
	return nil
}
