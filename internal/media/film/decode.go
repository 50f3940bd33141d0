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
	tools  Tools
	ctx    context.Context // of all children, one after the other
	path   string
	info   Info
	part   Part
	stall  time.Duration
	margin time.Duration // how long before the part decoding has begun; 0: at the film's beginning

	child  *child
	pixels *patient
	lines  *patient
	stamps *bufio.Reader // on lines
	files  []*os.File
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
	d := &Decoder{tools: t, ctx: ctx, path: path, info: info, part: part, stall: limits.Stall}
	if info.Container != containerGIF { // each picture of a GIF builds on the one before
		d.margin = seekMargin
	}
	if err := d.start(); err != nil {
		return nil, err
	}
	return d, nil
}

// seekMargin is how long before a part decoding begins at first. Leading pictures of an open group, which cannot be decoded from
// there, lie within it; and a transport stream is searched by time and not by key frames, of which there then
// is most likely one within it.
const seekMargin = 2 * time.Second

// start starts a child.
func (d *Decoder) start() error {
	if d.margin >= d.part.From {
		d.margin = 0
	}
	args, err := d.arguments()
	if err != nil {
		return err
	}
	pixels, pixelsIn, err := picturePipe()
	if err != nil {
		return err
	}
	stamps, stampsIn, err := os.Pipe()
	if err != nil {
		closeAll(pixels, pixelsIn)
		return fmt.Errorf("making a pipe: %w", err)
	}
	if d.child, err = start(d.ctx, d.tools.FFmpeg, args, nil, pixelsIn, stampsIn); err != nil {
		closeAll(pixels, stamps)
		return err
	}
	d.files, d.last = []*os.File{pixels, stamps}, beforeAll
	d.pixels, d.lines = &patient{pixels, d.stall}, &patient{stamps, d.stall}
	d.stamps = bufio.NewReader(d.lines)
	return nil
}

// beforeAll is before every time stamp.
const beforeAll = time.Duration(-1 << 63)

// stop ends the child.
func (d *Decoder) stop() {
	d.child.stop()
	closeAll(d.files...)
}

// again starts anew from further back, in the end from the beginning: the place found was behind the part's first frame, or
// nothing can be decoded from there.
func (d *Decoder) again() error {
	d.stop()
	const farther = 10
	if d.margin *= farther; d.margin > farther*farther*seekMargin {
		d.margin = 0
	}
	return d.start()
}

// arguments are ffmpeg's: raw frames on the standard output, their time stamps on descriptor 3.
func (d *Decoder) arguments() ([]string, error) {
	in, err := input(d.info.Container, d.path)
	if err != nil {
		return nil, err
	}
	args := append(quiet(), "-xerror", "-copyts")
	if d.margin > 0 {
		args = append(args, "-noaccurate_seek", "-ss", seconds(d.info.searched(d.part.From-d.margin)))
	}
	args = append(append(args, d.info.clock()...), in...)
	return append(args,
		"-map", fmt.Sprintf("0:%d", d.info.Stream), "-vf", filters(d.info, d.part), "-fps_mode", "passthrough",
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

// seconds writes a time as ffmpeg reads it.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 6, 64) }

// Next reads the next frame into f, whose memory it uses again. It returns io.EOF after the last frame of a film
// that was whole, and any other error where it was not; the error is the same from then on.
func (d *Decoder) Next(f *Frame) error {
	if d.end != nil {
		return d.end
	}
	err := d.next(f)
	for d.mayBegin(err) {
		if err = d.again(); err == nil {
			err = d.next(f)
		}
	}
	if err != nil {
		d.stop()
		d.end = err
		if !errors.Is(err, io.EOF) {
			d.end = fmt.Errorf("decoding: %w", err)
		}
	}
	return d.end
}

// mayBegin says whether the error may only be due to the place where decoding began.
func (d *Decoder) mayBegin(err error) bool {
	if err == nil || d.number > 0 || d.margin == 0 || d.ctx.Err() != nil || errors.Is(err, ErrStalled) {
		return false
	}
	return d.last == beforeAll || !errors.Is(err, ErrNoFrames)
}

// errLate says that decoding did not begin before the part.
var errLate = errors.New("decoding did not begin before the part")

func (d *Decoder) next(f *Frame) error {
	first := d.last == beforeAll
	at, err := d.stamp()
	if first && d.margin > 0 && err == nil && at >= d.part.From {
		return errLate
	}
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
		return d.complaint()
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
		return d.complaint()
	}
	if d.number == 0 {
		return ErrNoFrames
	}
	return io.EOF
}

// complaint says what the decoder complained about, as far as that is known.
func (d *Decoder) complaint() error {
	if d.margin == 0 && d.child.words.beganLate() {
		return damaged("decoding cannot begin at the start of the film")
	}
	return damaged("the decoder complained")
}

// Close ends the decoder, also before the end.
func (d *Decoder) Close() error {
	d.stop()
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
