package film

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"syscall"
	"time"
)

// Join makes the finished film at out out of all segments, in order, and the sound of the source's part.
// The frames keep the source's time stamps (of a part: counted from its first frame). No picture is encoded again.
func (t Tools) Join(ctx context.Context, out string, segments []Segment, source string, info Info, part Part, e Encoding, limits Limits) error {
	if err := t.join(ctx, out, segments, source, info, part, e, limits); err != nil {
		return fmt.Errorf("joining the film: %w", err)
	}
	return nil
}

func (t Tools) join(ctx context.Context, out string, segments []Segment, source string, info Info, part Part, e Encoding, limits Limits) error {
	r, err := newReel(segments, info, part)
	if err != nil {
		return err
	}
	return t.assemble(ctx, out, r, source, info, part, e, limits, func(*draft) error { return nil })
}

// assemble makes the film out of a reel and the source's sound. It gets its name once check agrees.
func (t Tools) assemble(ctx context.Context, out string, r *reel, source string, info Info, part Part, e Encoding, limits Limits, check func(*draft) error) error {
	file, err := newDraft(out)
	if err != nil {
		return err
	}
	args, err := joining(r, source, info, part, e, file.url)
	if err == nil {
		err = t.feed(ctx, args, r, info, limits)
	}
	if err == nil {
		err = check(file)
	}
	if err == nil {
		err = file.keep()
	}
	if err != nil {
		return errors.Join(err, file.drop())
	}
	return nil
}

// feed runs ffmpeg with the reel on its standard input.
func (t Tools) feed(ctx context.Context, args []string, r *reel, info Info, limits Limits) error {
	in, w, err := picturePipe()
	if err != nil {
		return err
	}
	c, err := start(ctx, t.FFmpeg, args, in, nil)
	if err != nil {
		closeAll(w)
		return err
	}
	// Not by the pipe: ffmpeg may search the source for sound for long, and moves the whole film in the end.
	go c.watch(limits.Stall)
	err = r.writeTo(w, info)
	closeAll(w)
	if errors.Is(err, syscall.EPIPE) { // it has ended, and knows better why
		if err = c.wait(ErrDied); err == nil {
			err = fmt.Errorf("it ended too early: %w", ErrDied)
		}
		return err
	}
	if err != nil {
		c.stop()
		return err
	}
	return c.wait(ErrDied)
}

// joining are ffmpeg's arguments: pictures from the standard input, sound from the source, both on the film's own clock.
func joining(r *reel, source string, info Info, part Part, e Encoding, url string) ([]string, error) {
	args := append(quiet(), "-xerror", "-y", "-copyts", "-protocol_whitelist", "file,pipe", "-format_whitelist",
		"mov,mp4,m4a,3gp,3g2,mj2", "-itsoffset", seconds(r.time(r.zero)), "-f", "mov", "-i", "pipe:0")
	first := r.time(r.first)
	sound, from, err := sounds(source, info, part, e, first)
	if err != nil {
		return nil, err
	}
	args = append(append(args, from...), "-map", "0:0", "-c:v", "copy", "-bsf:v", r.lengths())
	args = append(append(args, sound...), stripped()...)
	if e.Codec == "hevc" {
		args = append(args, "-tag:v", "hvc1")
	}
	if !part.Whole() {
		args = append(args, "-output_ts_offset", seconds(-first))
	}
	return append(append(args, info.clocks()...), "-movflags", "+faststart", "-f", "mp4", url), nil
}

// clocks are the arguments that set the finished film's ticks. Those of the whole film count too: edit lists, and so when the
// first picture is shown, are in them, and ffmpeg's own are milliseconds.
func (i Info) clocks() []string {
	ticks := strconv.Itoa(i.Scale)
	return []string{"-video_track_timescale", ticks, "-movie_timescale", ticks}
}

// lengths is the filter that says how long pictures are shown. ffmpeg takes a picture's length from decoding times, and so would
// show the last one, which is not decoded last, for as long as any; only its length and that of the one decoded last count.
func (r *reel) lengths() string {
	return fmt.Sprintf(`setts=pts=PTS:dts=DTS:duration=if(eq(N\,%d)+eq(N\,%d)\,%d\,1)`, r.shownLast, len(r.pts)-1, r.last)
}

// sounds are the arguments that take the sound from the source: the input, and the streams with their codecs. first is when the
// first frame of the part is shown.
func sounds(source string, info Info, part Part, e Encoding, first time.Duration) (streams, from []string, err error) {
	if e.Mute || len(info.Audio) == 0 {
		return nil, nil, nil
	}
	in, err := input(info.Container, source)
	if err != nil {
		return nil, nil, err
	}
	for i, a := range info.Audio {
		streams = append(streams, "-map", fmt.Sprintf("1:%d", a.Stream))
		streams = append(streams, a.options(i)...)
	}
	if !part.Whole() {
		cut, search := part.cutting(info, first)
		streams, in = append(streams, cut...), append(search, in...)
	}
	return streams, append(info.clock(), in...), nil
}

// options say what becomes of the sound that is the i-th of the finished film.
func (a Audio) options(i int) []string {
	stream := fmt.Sprintf(":a:%d", i)
	switch {
	case !a.Copy:
		return []string{"-c" + stream, "aac", "-b" + stream, "160k"}
	case a.Codec == "flac": // in MP4 it is an experiment to ffmpeg 5.1, though specified since 2016
		return []string{"-c" + stream, "copy", "-strict", "experimental"}
	}
	return []string{"-c" + stream, "copy"}
}

// cutting are the arguments that leave of the sound those packets that begin within the part, and, of sound that is transcoded, the
// samples in it: what to do with the streams, and where to begin reading. ffmpeg's option -ss for what is written would do, but it
// drops pictures by their decoding times; filters of packets are told times in changing units (measured).
func (p Part) cutting(info Info, first time.Duration) (streams, in []string) {
	in = []string{"-seek_timestamp", "1", "-noaccurate_seek", "-ss", seconds(first - info.shift())}
	streams = []string{"-copypriorss:a", "0"}
	trim := "atrim=start=" + seconds(first)
	if p.To > 0 {
		streams = append(streams, "-t", seconds(p.To))
		trim += ":end=" + seconds(p.To)
	}
	for i, a := range info.Audio {
		if !a.Copy {
			streams = append(streams, fmt.Sprintf("-filter:a:%d", i), trim)
		}
	}
	return streams, in
}
