package film

import (
	"context"
	"errors"
	"io"
	"time"
)

var errStub = errors.New("not written yet")

// Tools are the programs that do the work.
type Tools struct{ FFmpeg, FFprobe string }

// FindTools looks for ffmpeg and ffprobe on the path. The error wraps ErrNoFFmpeg.
func FindTools() (Tools, error) { return Tools{}, errStub }

// Recognise tells a film by its bytes, whatever it is called: "mp4" (also MOV, M4V, 3GP), "matroska"
// (also WebM), "avi", "mpegts", "gif" (only an animated one). ok is false for anything else, a still
// picture and a playlist among them. It reads little more than the head, but of a GIF up to the second picture.
func Recognise(r io.ReaderAt, size int64) (container string, ok bool) { return "", false }

// Probe reads what the film is, without decoding it.
func (t Tools) Probe(ctx context.Context, path string, limits Limits) (Info, error) {
	return Info{}, errStub
}

// Decoder reads frames one after the other.
type Decoder struct{}

// Open starts decoding the part of the film that Probe described.
func (t Tools) Open(ctx context.Context, path string, info Info, part Part, limits Limits) (*Decoder, error) {
	return nil, errStub
}

// Next reads the next frame into f, whose memory it uses again. It returns io.EOF after the last frame of
// a film that was whole, and any other error where it was not.
func (d *Decoder) Next(f *Frame) error { return errStub }

// Close ends the decoder, also before the end.
func (d *Decoder) Close() error { return errStub }

// Encoder writes one segment: pictures only.
type Encoder struct{}

// Segment is a finished run of frames in a file of its own.
type Segment struct {
	Path  string          `json:"path"`
	Times []time.Duration `json:"times"` // time stamp of each frame, in the source's own time
}

// Create starts a segment of the film at path. The file is there only after Close.
func (t Tools) Create(ctx context.Context, path string, info Info, e Encoding, limits Limits) (*Encoder, error) {
	return nil, errStub
}

// Write adds a frame. Time stamps must rise.
func (e *Encoder) Write(f *Frame) error { return errStub }

// Close finishes the file, on the disk too, and returns the segment.
func (e *Encoder) Close() (Segment, error) { return Segment{}, errStub }

// Abort ends the encoder and removes what it wrote. After Close it does nothing.
func (e *Encoder) Abort() {}

// Join makes the finished film at out of all segments, in order, and the sound of the source's part.
// The frames keep the source's time stamps (of a part: counted from its first frame).
func (t Tools) Join(ctx context.Context, out string, segments []Segment, source string, info Info, part Part, e Encoding, limits Limits) error {
	return errStub
}

// Remux passes the film on to out without encoding it anew, stripped of all that is not its first video stream
// and its sound. The error wraps ErrCannotRemux where codec, container, turn or colour do not allow it.
func (t Tools) Remux(ctx context.Context, out, source string, info Info, part Part, e Encoding, limits Limits) error {
	return errStub
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
