package film

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/consentry/consentry/internal/pathless"
)

// Encoder writes one segment: pictures only. It is not safe for use by several goroutines.
type Encoder struct {
	child *child
	in    *os.File
	mux   *matroska
	file  *draft
	info  Info
	times []time.Duration
	end   error // what every further call gives
}

// Segment is a finished run of frames in a file of its own.
type Segment struct {
	Path  string          `json:"path"`
	Times []time.Duration `json:"times"` // time stamp of each frame, in the source's own time
}

// Create starts a segment of the film at path. The file is there only after Close. Segments of one film must be made with the
// same Info and Encoding, or they cannot be joined. Canceling ctx ends the encoder.
func (t Tools) Create(ctx context.Context, path string, info Info, e Encoding, limits Limits) (*Encoder, error) {
	options, err := e.options(info)
	if err != nil {
		return nil, err
	}
	file, err := newDraft(path)
	if err != nil {
		return nil, err
	}
	r, w, err := picturePipe()
	if err != nil {
		return nil, errors.Join(err, file.drop())
	}
	c, err := start(ctx, t.FFmpeg, encoding(options, file.url), r, nil)
	if err != nil {
		closeAll(w)
		return nil, errors.Join(err, file.drop())
	}
	out := &patient{w, limits.Stall}
	return &Encoder{child: c, in: w, mux: &matroska{out: out, info: info}, file: file, info: info}, nil
}

// encoding are ffmpeg's arguments. A segment's own time stamps only matter for their order and for rate control.
func encoding(options []string, url string) []string {
	args := append(quiet(), "-xerror", "-y", "-protocol_whitelist", "file,pipe", "-format_whitelist", "matroska,webm",
		"-f", "matroska", "-probesize", "32", "-analyzeduration", "0", "-i", "pipe:0", "-map", "0:0")
	args = append(append(args, stripped()...), "-fps_mode", "passthrough", "-enc_time_base", "-1",
		"-video_track_timescale", "1000000", "-write_btrt", "0") // the rate of bits differs between segments
	return append(append(args, options...), "-f", "mp4", url)
}

// presets are those of x264 and x265.
func presets() []string {
	return []string{"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"}
}

// options are the encoder's. Each segment begins with a picture that refers to nothing before, groups of pictures are
// closed, and the notes that encoders leave about themselves are taken out (SEI: H.264 unit 6, HEVC 39 and 40).
func (e Encoding) options(info Info) ([]string, error) {
	if e.CRF < 0 || e.CRF > 51 || !slices.Contains(presets(), e.Preset) {
		return nil, fmt.Errorf("no encoding with CRF %d and preset %q", e.CRF, e.Preset)
	}
	args := []string{"-preset", e.Preset, "-crf", strconv.Itoa(e.CRF), "-pix_fmt", "yuv420p"}
	switch e.Codec {
	case "h264":
		args = append(args, "-c:v", "libx264", "-x264-params", "open-gop=0", "-bsf:v", "filter_units=remove_types=6")
	case "hevc":
		args = append(args, "-c:v", "libx265", "-tag:v", "hvc1", "-x265-params",
			"log-level=error:info=0:open-gop=0:repeat-headers=0", "-bsf:v", "filter_units=remove_types=39|40")
	default:
		return nil, fmt.Errorf("no encoder for codec %q", e.Codec)
	}
	if info.Aspect[0] > 0 && info.Aspect[1] > 0 {
		args = append(args, "-vf", fmt.Sprintf("setsar=sar=%d/%d:max=65535", info.Aspect[0], info.Aspect[1]))
	}
	return append(args, info.Colour.tags()...), nil
}

// Write adds a frame. Time stamps must rise, and the size must be the film's.
func (e *Encoder) Write(f *Frame) error {
	if e.end != nil {
		return e.end
	}
	if err := e.write(f); err != nil {
		e.fail(fmt.Errorf("encoding: %w", err))
	}
	return e.end
}

func (e *Encoder) write(f *Frame) error {
	if f.Width != e.info.Width || f.Height != e.info.Height || len(f.Pix) != f.Width*f.Height*3/2 {
		return fmt.Errorf("a frame of %d × %d in a film of %d × %d: %w", f.Width, f.Height, e.info.Width, e.info.Height, ErrSizeChange)
	}
	if n := len(e.times); n > 0 && f.At <= e.times[n-1] {
		return fmt.Errorf("time stamps do not rise: %w", ErrDifferent)
	}
	if err := e.mux.frame(f); err != nil {
		return e.blame(err)
	}
	e.times = append(e.times, f.At)
	return nil
}

// blame finds out why writing failed.
func (e *Encoder) blame(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return e.child.stall()
	}
	if !errors.Is(err, syscall.EPIPE) {
		return err
	}
	if err := e.child.wait(ErrDied); err != nil { // it knows better why
		return err
	}
	return fmt.Errorf("it ended too early: %w", ErrDied)
}

// fail ends everything and removes the file.
func (e *Encoder) fail(err error) {
	e.child.stop()
	closeAll(e.in)
	e.end = errors.Join(err, e.file.drop())
}

// Close finishes the file, on the disk too, and returns the segment. An empty segment is ErrNoFrames.
func (e *Encoder) Close() (Segment, error) {
	if e.end != nil {
		return Segment{}, e.end
	}
	if err := e.finish(); err != nil {
		e.fail(fmt.Errorf("finishing a segment: %w", err))
		return Segment{}, e.end
	}
	e.end = os.ErrClosed
	return Segment{Path: e.file.path, Times: e.times}, nil
}

func (e *Encoder) finish() error {
	if len(e.times) == 0 {
		return ErrNoFrames
	}
	closeAll(e.in) // the end of the input
	go e.child.watch(e.mux.out.stall)
	if err := e.child.wait(ErrDied); err != nil {
		return err
	}
	return e.file.keep()
}

// Abort ends the encoder and removes what it wrote. After Close it does nothing.
func (e *Encoder) Abort() {
	if e.end == nil {
		e.fail(os.ErrClosed)
	}
}

// draft is a file that gets its name only when it is finished. It is named and locked like those of package atomicfile, so
// that its Clean can tell it, and keeps away while we live.
type draft struct {
	path, url string
	temp      *os.File
}

func newDraft(path string) (*draft, error) {
	temp, err := os.CreateTemp(filepath.Dir(path), ".consentry-*.tmp")
	if err != nil {
		return nil, fmt.Errorf("making a temporary file: %w", full(pathless.Error(err)))
	}
	d := &draft{path: path, temp: temp}
	if err := syscall.Flock(int(temp.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil && !errors.Is(err, syscall.ENOTSUP) {
		return nil, errors.Join(fmt.Errorf("locking a temporary file: %w", err), d.drop())
	}
	if d.url, err = fileURL(temp.Name()); err != nil {
		return nil, errors.Join(err, d.drop())
	}
	return d, nil
}

// keep puts the file on the disk under its name.
func (d *draft) keep() error {
	if err := d.temp.Sync(); err != nil {
		return fmt.Errorf("writing a film to disk: %w", full(pathless.Error(err)))
	}
	if err := os.Chmod(d.temp.Name(), 0o600); err != nil {
		return fmt.Errorf("setting a film's mode: %w", pathless.Error(err))
	}
	if err := os.Rename(d.temp.Name(), d.path); err != nil {
		return fmt.Errorf("giving a film its name: %w", pathless.Error(err))
	}
	if err := d.temp.Close(); err != nil {
		return fmt.Errorf("closing a film: %w", pathless.Error(err))
	}
	return syncFolder(filepath.Dir(d.path))
}

// drop removes the file, if it is still a draft.
func (d *draft) drop() error {
	err := os.Remove(d.temp.Name())
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	closeAll(d.temp)
	return pathless.Error(err)
}

// full makes every way in which a disk is full the same error.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		return ErrNoSpace
	}
	return err
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("opening a folder to sync it: %w", pathless.Error(err))
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) { // some network file systems
		return fmt.Errorf("syncing a folder: %w", pathless.Error(err))
	}
	return nil
}
