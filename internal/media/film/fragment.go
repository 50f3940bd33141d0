package film

import "encoding/binary"

// isoBox makes a box of what is in it.
func isoBox(kind string, contents ...[]byte) []byte {
	b := append(make([]byte, 4, 64), kind...)
	for _, c := range contents {
		b = append(b, c...)
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

// words32 is numbers of 32 bits.
func words32(values ...uint32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// unity is the matrix that turns nothing (ISO/IEC 14496-12 §8.2.2).
func unity() []byte { return words32(1<<16, 0, 0, 0, 1<<16, 0, 0, 0, 1<<30) }

// header is everything in front of the first fragment: one video track without samples of its own.
func (r *reel) header(info Info) []byte {
	empty := func(kind string) []byte { return isoBox(kind, words32(0, 0)) }
	stbl := isoBox("stbl", isoBox("stsd", r.coding), empty("stts"), empty("stsc"), isoBox("stsz", words32(0, 0, 0)), empty("stco"))
	dinf := isoBox("dinf", isoBox("dref", words32(0, 1), isoBox("url ", words32(1))))
	minf := isoBox("minf", isoBox("vmhd", words32(1, 0, 0)), dinf, stbl)
	mdia := isoBox("mdia",
		isoBox("mdhd", words32(0, 0, 0, uint32(r.scale), 0, 0x55c4<<16)),
		isoBox("hdlr", words32(0, 0), []byte("vide"), words32(0, 0, 0), []byte{0}), minf)
	size := words32(uint32(info.Width)<<16, uint32(info.Height)<<16)
	tkhd := isoBox("tkhd", words32(3, 0, 0, 1, 0, 0, 0, 0, 0, 0), unity(), size)
	mvhd := isoBox("mvhd", words32(0, 0, 0, 1000, 0, 1<<16, 1<<24, 0, 0), unity(), words32(0, 0, 0, 0, 0, 0, 2))
	mvex := isoBox("mvex", isoBox("trex", words32(0, 1, 1, 0, 0, 0)))
	return append(isoBox("ftyp", []byte("iso5"), words32(0), []byte("iso5")), isoBox("moov", mvhd, isoBox("trak", tkhd, mdia), mvex)...)
}

// Flags of ISO/IEC 14496-12 §8.8.
const (
	baseIsFragment = 0x020000 // tfhd: offsets count from the fragment
	runFlags       = 1<<24 | 0x000f01
	runOffset      = 8 + 12 // of the data offset in a trun box
	pictureKey     = 0x02000000
	pictureOther   = 0x01010000
)

// fragment is the n-th segment's index, and the head of its media; next is the number of its first sample.
func (r *reel) fragment(n, next int, samples []sample) []byte {
	rows := words32(runFlags, uint32(len(samples)), 0)
	for i, s := range samples {
		k, length, flags := next+i, r.last, uint32(pictureOther)
		if k+1 < len(r.dts) {
			length = r.dts[k+1] - r.dts[k]
		}
		if s.key {
			flags = pictureKey
		}
		rows = append(rows, words32(uint32(length), s.size, flags, uint32(r.pts[k]-r.dts[k]))...)
	}
	run := isoBox("trun", rows)
	at := binary.BigEndian.AppendUint64(words32(1<<24), uint64(r.dts[next]))
	build := func() []byte {
		traf := isoBox("traf", isoBox("tfhd", words32(baseIsFragment, 1)), isoBox("tfdt", at), run)
		return isoBox("moof", isoBox("mfhd", words32(0, uint32(n+1))), traf)
	}
	const mediaHead = 16
	binary.BigEndian.PutUint32(run[runOffset-4:], uint32(len(build())+mediaHead))
	return binary.BigEndian.AppendUint64(append(build(), "\x00\x00\x00\x01mdat"...), uint64(spool{samples: samples}.bytes()+mediaHead))
}
