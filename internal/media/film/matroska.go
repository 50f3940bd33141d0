package film

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// matroska feeds frames with their time stamps to ffmpeg: raw video on a pipe carries none. It writes what RFC 9559
// says, as a stream of unknown length with one cluster for each frame and microseconds as ticks.
type matroska struct {
	out     *patient
	info    Info
	started bool
	first   time.Duration
	head    []byte
}

// Elements of RFC 9559 §27.1 and RFC 8794 §11.2.
const (
	idEBML, idDocType                                   = 0x1A45DFA3, 0x4282
	idSegment, idInfo, idTimestampScale                 = 0x18538067, 0x1549A966, 0x2AD7B1
	idTracks, idTrackEntry, idNumber, idUID             = 0x1654AE6B, 0xAE, 0xD7, 0x73C5
	idType, idLacing, idCodecID, idDefaultLength        = 0x83, 0x9C, 0x86, 0x23E383
	idVideo, idWidth, idHeight, idFourCC                = 0xE0, 0xB0, 0xBA, 0x2EB524
	idCluster, idTimestamp, idBlock                     = 0x1F43B675, 0xE7, 0xA3
	unknownLength                                uint64 = 0x01FFFFFFFFFFFFFF
)

// frame writes one frame.
func (m *matroska) frame(f *Frame) error {
	m.head = m.head[:0]
	if !m.started {
		m.started, m.first = true, f.At
		m.head = m.start(m.head)
	}
	block := 4 + len(f.Pix) // track, time relative to the cluster, flags
	stamp := uint64((f.At - m.first) / time.Microsecond)
	m.head = append(m.head, element32(idCluster)...)
	m.head = binary.BigEndian.AppendUint64(m.head, 1<<56|uint64(1+1+8+1+8+block))
	m.head = number(m.head, idTimestamp, stamp)
	m.head = append(m.head, idBlock)
	m.head = binary.BigEndian.AppendUint64(m.head, 1<<56|uint64(block))
	m.head = append(m.head, 0x81, 0, 0, 0x80)
	if _, err := m.out.Write(m.head); err != nil {
		return fmt.Errorf("handing a frame to the encoder: %w", err)
	}
	if _, err := m.out.Write(f.Pix); err != nil {
		return fmt.Errorf("handing a frame to the encoder: %w", err)
	}
	return nil
}

// start is everything in front of the first cluster.
func (m *matroska) start(b []byte) []byte {
	video := number(number(nil, idWidth, uint64(m.info.Width)), idHeight, uint64(m.info.Height))
	video = text(video, idFourCC, "I420")
	entry := number(number(number(number(nil, idNumber, 1), idUID, 1), idType, 1), idLacing, 0)
	entry = text(entry, idCodecID, "V_UNCOMPRESSED")
	// Without a default length ffmpeg gives the last frame none, and an edit list then hides it (measured).
	entry = number(entry, idDefaultLength, uint64(math.Round(1e9/m.info.Rate)))
	entry = text(entry, idVideo, string(video))
	b = text(b, idEBML, string(text(nil, idDocType, "matroska")))
	b = append(b, element32(idSegment)...)
	b = binary.BigEndian.AppendUint64(b, unknownLength)
	b = text(b, idInfo, string(number(nil, idTimestampScale, 1000)))
	return text(b, idTracks, string(text(nil, idTrackEntry, string(entry))))
}

// element32 is an identifier in as many bytes as it has.
func element32(id uint32) []byte {
	b := binary.BigEndian.AppendUint32(nil, id)
	for len(b) > 1 && b[0] == 0 {
		b = b[1:]
	}
	return b
}

// number appends an element that is an unsigned number, always of eight bytes.
func number(b []byte, id uint32, v uint64) []byte {
	b = append(append(b, element32(id)...), 0x88)
	return binary.BigEndian.AppendUint64(b, v)
}

// text appends an element of any bytes.
func text(b []byte, id uint32, v string) []byte {
	b = append(b, element32(id)...)
	b = binary.BigEndian.AppendUint64(b, 1<<56|uint64(len(v)))
	return append(b, v...)
}
