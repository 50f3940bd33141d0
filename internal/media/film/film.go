// Package film reads and writes films with ffmpeg as a child process. OpenCV 4.6 must not: it turns
// phone clips upside down, loses time stamps and drops sound.
//
// It promises: frames come out upright, as 8-bit 4:2:0 of limited range, one for each frame of
// the source with its own time stamp, or an error; a damaged film never passes in part. A film that
// it writes holds one video stream and the sound, bit for bit where MP4 can hold it, and nothing else.
// Only local files of known containers are opened; a playlist or a file that points elsewhere is refused.
// A child that makes no progress is ended; one that outlives its parent is not possible.
//
// A film's own time is what a player's clock shows: that of an MP4 as its edit lists have it, and that of any other container
// counted from its earliest stream. The finished film has the same time, so picture and sound stay together and
// the time stamps can be compared as they are; of a part, it begins with the part's first frame.
//
// What it cannot see: that a transport stream or a recording that was never finished was cut between two frames, and damage to
// pictures of codecs that decode any bytes (VP8, VP9). Interlaced films are decoded as whole frames and written as such.
package film

import (
	"errors"
	"time"
)

// Kinds of errors. All errors about a film wrap one of them or one of media's.
var (
	// ErrNoFFmpeg: ffmpeg or ffprobe is not installed.
	ErrNoFFmpeg = errors.New("ffmpeg and ffprobe are not installed")
	// ErrNoVideo: a file with sound only, or with nothing that moves.
	ErrNoVideo = errors.New("the file holds no video")
	// ErrNoFrames: a video stream without a single frame.
	ErrNoFrames = errors.New("the film holds no frames")
	// ErrSizeChange: the picture changes its size in mid-stream.
	ErrSizeChange = errors.New("the picture changes its size in the middle of the film")
	// ErrStalled: ffmpeg made no progress for longer than Limits.Stall.
	ErrStalled = errors.New("ffmpeg made no progress")
	// ErrDied: ffmpeg was killed or crashed.
	ErrDied = errors.New("ffmpeg died")
	// ErrNoSpace: the disk is full.
	ErrNoSpace = errors.New("no space left on the disk")
	// ErrCannotRemux: the film cannot be passed on without encoding it anew.
	ErrCannotRemux = errors.New("the film has to be encoded anew")
	// ErrDifferent: the finished film is not the source's in frames, times, size or sound.
	ErrDifferent = errors.New("the finished film differs from the source")
)

// Limits bound what is opened at all. How long a film lasts is not bounded.
type Limits struct {
	MaxBytes  int64         // size of the file
	MaxPixels int64         // width × height of a frame
	Stall     time.Duration // how long ffmpeg may make no progress
}

// DefaultLimits are 256 GiB, 8192 × 4608 pixels (8K with a margin) and one minute.
func DefaultLimits() Limits {
	return Limits{MaxBytes: 256 << 30, MaxPixels: 8192 * 4608, Stall: time.Minute}
}

// Part is the part of a film that is worked on: the frames with From ≤ At < To, in the source's own time (see
// [Frame]). A zero To is the end; the zero Part is everything.
type Part struct {
	From time.Duration `json:"from,omitempty"`
	To   time.Duration `json:"to,omitempty"`
}

// Whole says whether the part is the whole film.
func (p Part) Whole() bool { return p == Part{} }

// Encoding says how a film is written.
type Encoding struct {
	Codec  string `json:"codec"`  // "h264" or "hevc"
	CRF    int    `json:"crf"`    // 0 to 51, lower is better
	Preset string `json:"preset"` // of x264 and x265: ultrafast to veryslow
	Mute   bool   `json:"mute"`   // leave the sound out
}

// DefaultEncoding is H.264 with CRF 20 at the preset veryfast, with sound.
func DefaultEncoding() Encoding { return Encoding{Codec: "h264", CRF: 20, Preset: "veryfast"} }

// Colour is how samples are to be understood, in ffmpeg's words; empty where the source does not say.
type Colour struct {
	Space     string `json:"space,omitempty"`
	Transfer  string `json:"transfer,omitempty"`
	Primaries string `json:"primaries,omitempty"`
	HDR       bool   `json:"hdr,omitempty"`  // PQ or HLG: frames are tone-mapped to BT.709
	Full      bool   `json:"full,omitempty"` // full range; frames are of limited range all the same
}

// Audio is one audio stream.
type Audio struct {
	Stream int    `json:"stream"` // its number in the file
	Codec  string `json:"codec"`  // ffmpeg's name
	Copy   bool   `json:"copy"`   // MP4 can hold it; else it is transcoded to AAC
}

// Info says what a film is.
type Info struct {
	Container string        `json:"container"` // one of the names of [Recognise]
	Codec     string        `json:"codec"`     // of the video, ffmpeg's name
	Width     int           `json:"width"`     // of an upright frame as it comes from the decoder, pixels, even
	Height    int           `json:"height"`
	Aspect    [2]int        `json:"aspect"`   // of a sample, 1:1 for square; after turning upright
	Duration  time.Duration `json:"duration"` // as the container says; 0: it does not
	Rate      float64       `json:"rate"`     // frames a second on the average, > 0
	Frames    int           `json:"frames"`   // as the container says or by duration × rate: an estimate for progress
	Colour    Colour        `json:"colour"`
	Audio     []Audio       `json:"audio,omitempty"`
	Upright   bool          `json:"upright"` // stored without a turn, so that it can be passed on without encoding

	Stream  int           `json:"stream"`            // number of the video stream in the file
	Stored  [2]int        `json:"stored"`            // width and height as stored, before the turn; may be odd
	Turned  bool          `json:"turned,omitempty"`  // by 90° or 270°, so that width and height change places
	Pixels  string        `json:"pixels"`            // ffmpeg's name of the pixel format as stored
	Start   time.Duration `json:"start,omitempty"`   // where the container's clock starts
	Reaches time.Duration `json:"reaches,omitempty"` // the last frame has at least this time stamp, or the film is not whole; 0: not known
	Ends    time.Duration `json:"ends,omitempty"`    // when the last frame stops being shown, as the video stream says; 0: it does not
	Scale   int           `json:"scale"`             // ticks a second of the finished film's time stamps, in which the source's are exact where possible
}

// Frame is one upright picture in I420: the Y plane of Width × Height bytes, then U and V of half the
// size each way. Width and Height are even.
type Frame struct {
	Number        int           // from 0, within the part
	At            time.Duration // time stamp in the source's own time, to the microsecond
	Width, Height int
	Pix           []byte // Width × Height × 3/2 bytes
}

// Planes are Y, U and V of the frame; they share its memory.
func (f *Frame) Planes() (y, u, v []byte) {
	n := f.Width * f.Height
	return f.Pix[:n:n], f.Pix[n : n+n/4 : n+n/4], f.Pix[n+n/4 : n+n/2]
}
