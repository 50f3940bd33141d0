package sandbox

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A frame is 4 bytes with the header's length, 8 bytes with the body's (both big-endian), the
// header in JSON and the body.
const (
	prefixSize = 12
	// maxHeader allows for 40,000 faces with 68 landmarks and two templates each, and for the tracks of
	// a long film: two hours with 40 faces on every frame, at 100 bytes for each place.
	maxHeader = 1 << 30
	// maxBody is well above the largest file that the limits on media let in.
	maxBody = 2 << 30
)

var errFrame = errors.New("malformed message between processes")

// writeFrame writes one frame.
func writeFrame(w io.Writer, header any, body []byte) error {
	text, err := json.Marshal(header)
	if err != nil {
		return fmt.Errorf("writing a message: %w", err)
	}
	if len(text) > maxHeader {
		return fmt.Errorf("%w: its header has %d bytes", errFrame, len(text))
	}
	var prefix [prefixSize]byte
	binary.BigEndian.PutUint32(prefix[:], uint32(len(text)))
	binary.BigEndian.PutUint64(prefix[4:], uint64(len(body)))
	for _, part := range [][]byte{prefix[:], text, body} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// readFrame reads one frame into header and returns its body. It returns io.EOF only where the
// stream ends before a frame begins.
func readFrame(r io.Reader, header any) ([]byte, error) {
	var prefix [prefixSize]byte
	if _, err := io.ReadFull(r, prefix[:]); err != nil {
		return nil, err
	}
	headerSize, bodySize := binary.BigEndian.Uint32(prefix[:]), binary.BigEndian.Uint64(prefix[4:])
	if headerSize > maxHeader || bodySize > maxBody {
		return nil, fmt.Errorf("%w: %d and %d bytes announced", errFrame, headerSize, bodySize)
	}
	text, err := readAll(r, int64(headerSize))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, header); err != nil {
		return nil, fmt.Errorf("%w: %w", errFrame, err)
	}
	return readAll(r, int64(bodySize))
}

// readAll reads exactly n bytes. It lets the buffer grow with what really arrives, so that an
// announced length alone costs no memory.
func readAll(r io.Reader, n int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, n))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) < n {
		return nil, fmt.Errorf("%w: %w", errFrame, io.ErrUnexpectedEOF)
	}
	return data, nil
}
