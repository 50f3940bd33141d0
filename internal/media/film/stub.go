package film

import (
	"context"
	"errors"
	"io"
)

var errStub = errors.New("not written yet")

// Remux passes the film on to out without encoding it anew, stripped of all that is not its first video stream
// and its sound. The error wraps ErrCannotRemux where codec, container, turn or colour do not allow it.
func (t Tools) Remux(ctx context.Context, out, source string, info Info, part Part, e Encoding, limits Limits) error {
	return ErrCannotRemux
}

// SameSound compares the finished film's sound with the source's: as many streams, the packets of each stream that
// was copied identical (for a part: those of the part), the length of each that was transcoded within 0.1 s.
// It wraps ErrDifferent.
func (t Tools) SameSound(ctx context.Context, derivative, source string, info Info, part Part, e Encoding, limits Limits) error {
	return errStub
}

// CheckScrubbed proves by an allow-list of boxes and streams that a finished MP4 holds one video stream, the sound, and
// nothing else: no metadata, no names, no positions, no times of making, nothing between or behind the boxes.
// It wraps media.ErrNotScrubbed.
func CheckScrubbed(r io.ReaderAt, size int64) error { return errStub }
