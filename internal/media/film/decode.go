package film

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/consentry/consentry/internal/media"
)

// Decoder reads frames one after the other. It is not safe for use by several goroutines.
type Decoder struct {
	child  *child
	pixels *patient
	stamps *bufio.Reader
	files  []*os.File
	info   Info
	part   Part
	number int
	last   time.Duration // time stamp of the frame before
	end    error         // what every further call gives
}

// Open starts decoding the part of the film that Probe described: the frames with part.From ≤ At < part.To. Where the
// container can be searched, decoding begins shortly before From. Canceling ctx ends the decoder.
func (t Tools) Open(ctx context.Context, path string, info Info, part Part, limits Limits) (*Decoder, error) {
	if part.From < 0 || part.To < 0 || part.To > 0 && part.To <= part.From {
		return nil, fmt.Errorf("no frame lies between %v and %v: %w", part.From, part.To, ErrNoFrames)
	}
	args, err := decoding(path, info, part)
	if err != nil {
		return nil, err
	}
	pixels, pixelsIn, err := picturePipe()
	if err != nil {
		return nil, err
	}
	stamps, stampsIn, err := os.Pipe()
	if err != nil {
		closeAll(pixels, pixelsIn)
		return nil, fmt.Errorf("making a pipe: %w", err)
	}
	c, err := start(ctx, t.FFmpeg, args, nil, pixelsIn, stampsIn)
	if err != nil {
		closeAll(pixels, stamps)
		return nil, err
	}
	return &Decoder{
		child: c, files: []*os.File{pixels, stamps}, info: info, part: part, last: -1 << 62,
		pixels: &patient{pixels, limits.Stall},
		stamps: bufio.NewReader(&patient{stamps, limits.Stall}),
	}, nil
}

// seekMargin is how long before a part decoding begins at the latest: leading pictures of an open group, which
// cannot be decoded from there, lie within it.
const seekMargin = 2 * time.Second

// decoding are ffmpeg's arguments: raw frames on the standard output, their time stamps on descriptor 3.
func decoding(path string, info Info, part Part) ([]string, error) {
	in, err := input(info.Container, path)
	if err != nil {
		return nil, err
	}
	args := append(quiet(), "-xerror", "-copyts")
	if from := part.From - seekMargin; from > 0 && info.searchable() {
		args = append(args, "-noaccurate_seek", "-ss", seconds(info.searched(from)))
	}
	args = append(append(args, info.clock()...), in...)
	return append(args,
		"-map", fmt.Sprintf("0:%d", info.Stream), "-vf", filters(info, part), "-fps_mode", "passthrough",
		"-enc_time_base", "1:1000000", "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1"), nil
}

// shift is what is added to the container's clock to make it the film's own time: MP4's clock is taken as it is,
// as its edit lists set it on purpose; that of others starts anywhere, as players know too.
func (i Info) shift() time.Duration {
	if i.Container == containerMP4 {
		return 0
	}
	return -i.Start
}

// clock are the arguments that make the container's clock the film's own. They are a microsecond, less than half a tick, off for
// transport streams: told exactly their start, ffmpeg 5.1 takes the start of those streams that it was asked for
// instead, and picture and sound, read one by one, would no longer fit (measured: 11 ms and more).
func (i Info) clock() []string {
	shift := i.shift()
	if i.Container == containerTS {
		shift += time.Microsecond
	}
	return []string{"-itsoffset", seconds(shift)}
}

// searched is what ffmpeg has to be told to go to at, as it counts from the start of the container's clock.
func (i Info) searched(at time.Duration) time.Duration { return at - i.shift() - i.Start }

// searchable says whether decoding can begin in the middle. ffmpeg searches a transport stream by time stamps and
// not by key frames, and a GIF builds each picture on the one before.
func (i Info) searchable() bool { return i.Container != containerTS && i.Container != containerGIF }

// seconds writes a time as ffmpeg reads it.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 6, 64) }

// Next reads the next frame into f, whose memory it uses again. It returns io.EOF after the last frame of a film
// that was whole, and any other error where it was not; the error is the same from then on.
func (d *Decoder) Next(f *Frame) error {
	if d.end != nil {
		return d.end
	}
	if err := d.next(f); err != nil {
		d.child.kill()
		<-d.child.done
		closeAll(d.files...)
		d.end = err
		if !errors.Is(err, io.EOF) {
			d.end = fmt.Errorf("decoding: %w", err)
		}
	}
	return d.end
}

func (d *Decoder) next(f *Frame) error {
	at, err := d.stamp()
	for err == nil && at < d.part.From {
		at, err = d.stamp()
	}
	switch {
	case errors.Is(err, io.EOF):
		return d.finish()
	case err != nil:
		return d.blame(err)
	case d.part.To > 0 && at >= d.part.To:
		return d.enough()
	}
	n := d.info.Width * d.info.Height * 3 / 2
	if cap(f.Pix) < n {
		f.Pix = make([]byte, n)
	}
	f.Pix = f.Pix[:n]
	if _, err := io.ReadFull(d.pixels, f.Pix); err != nil {
		return d.blame(err)
	}
	f.Number, f.At, f.Width, f.Height = d.number, at, d.info.Width, d.info.Height
	d.number++
	return nil
}

// stamp reads the time stamp of the next frame, which is in the line "frame:0 pts:0 pts_time:0"; the line "k=1" behind
// it is only there because the filter writes nothing without a key. pts is in microseconds: pts_time is rounded
// to six digits, which is 10 ms after a quarter of an hour.
func (d *Decoder) stamp() (time.Duration, error) {
	line, err := d.stamps.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	_, rest, found := bytes.Cut(line, []byte("pts:"))
	digits, _, _ := bytes.Cut(rest, []byte(" "))
	us, err := strconv.ParseInt(string(digits), 10, 64)
	if !found || err != nil {
		return 0, damaged("a frame without a time stamp")
	}
	at := time.Duration(us) * time.Microsecond
	if at <= d.last {
		return 0, damaged("time stamps go backwards from %v to %v", d.last, at)
	}
	d.last = at
	_, err = d.stamps.ReadSlice('\n')
	return at, err
}

// blame finds out why reading failed.
func (d *Decoder) blame(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return d.child.stall()
	}
	if errors.Is(err, media.ErrDamaged) {
		return err
	}
	if err := d.child.wait(media.ErrDamaged); err != nil {
		return err
	}
	return damaged("the last frame is not whole")
}

// finish looks at how decoding ended: no frame may be missing, and ffmpeg must not have complained about
// anything, because not everything that it hides makes it fail.
func (d *Decoder) finish() error {
	if n, err := d.pixels.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
		return d.blame(errors.Join(err, damaged("more pixels than time stamps")))
	}
	if err := d.child.wait(media.ErrDamaged); err != nil {
		return err
	}
	if d.child.words.spoke() {
		return damaged("the decoder complained")
	}
	if d.number == 0 {
		return ErrNoFrames
	}
	if d.part.To == 0 && d.last < d.info.Reaches {
		return damaged("the film ends at %v and should reach %v", d.last, d.info.Reaches)
	}
	return io.EOF
}

// enough ends decoding behind the part.
func (d *Decoder) enough() error {
	d.child.stop()
	if d.child.words.spoke() {
		return damaged("the decoder complained")
	}
	if d.number == 0 {
		return ErrNoFrames
	}
	return io.EOF
}

// Close ends the decoder, also before the end.
func (d *Decoder) Close() error {
	d.child.stop()
	closeAll(d.files...)
	if d.end == nil {
		d.end = os.ErrClosed
	}
	return nil
}

// patient reads from a pipe, and waits for each piece no longer than stall.
type patient struct {
	file  *os.File
	stall time.Duration
}

// Read implements io.Reader.
func (p *patient) Read(b []byte) (int, error) {
	if err := p.file.SetReadDeadline(time.Now().Add(p.stall)); err != nil {
		return 0, err
	}
	return p.file.Read(b)
}

// Write implements io.Writer.
func (p *patient) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		if err := p.file.SetWriteDeadline(time.Now().Add(p.stall)); err != nil {
			return done, err
		}
		n, err := p.file.Write(b[done:min(done+pipeBytes, len(b))])
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}
