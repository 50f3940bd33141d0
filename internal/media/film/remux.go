package film

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/consentry/consentry/internal/media"
)

// Remux passes the film on to out without encoding it anew, stripped of all that is not its first video stream
// and its sound; the notes inside of the bit stream (SEI: captions, positions, the encoder's settings) are taken out too. The
// result has passed [CheckScrubbed], and its pictures have the source's time stamps. The error wraps ErrCannotRemux
// where codec, container, turn, colour, size or a part do not allow it, or where pictures would leave that nobody sees.
func (t Tools) Remux(ctx context.Context, out, source string, info Info, part Part, e Encoding, limits Limits) error {
	if why := obstacle(info, part); why != "" {
		return fmt.Errorf("%s: %w", why, ErrCannotRemux)
	}
	file, err := newDraft(out)
	if err != nil {
		return err
	}
	if err = t.remux(ctx, file, source, info, e, limits); err == nil {
		err = file.keep()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("passing the film on: %w", err), file.drop())
	}
	return nil
}

// obstacle says why the film has to be encoded anew; empty where it need not.
func obstacle(info Info, part Part) string {
	switch {
	case !part.Whole():
		return "only a part is wanted"
	case info.Codec != "h264" && info.Codec != "hevc":
		return "the codec is none that derivatives have"
	case info.Container != containerMP4 && info.Container != containerMatroska:
		return "the container does not say when each picture is shown"
	case !info.Upright:
		return "it is not stored upright"
	case info.Pixels != "yuv420p" || info.Colour.HDR || info.Colour.Full:
		return "its colours are not those of derivatives"
	case info.Stored != [2]int{info.Width, info.Height}:
		return "its size is odd"
	}
	return ""
}

// coded are the units of the bit stream that pictures are made of: slices and parameter sets (H.264 table 7-1, HEVC
// table 7-1). All others are left out: notes, fillers, and what the standards leave to anybody.
func coded(codec string) string {
	if codec == "hevc" {
		return "0-9|16-21|32-34"
	}
	return "1-5|7|8"
}

func (t Tools) remux(ctx context.Context, file *draft, source string, info Info, e Encoding, limits Limits) error {
	in, err := input(info.Container, source)
	if err != nil {
		return err
	}
	args := append(append(append(quiet(), "-xerror", "-y", "-copyts"), info.clock()...), in...)
	args = append(args, "-map", fmt.Sprintf("0:%d", info.Stream), "-c:v", "copy", "-bsf:v", "filter_units=pass_types="+coded(info.Codec))
	if info.Codec == "hevc" {
		args = append(args, "-tag:v", "hvc1")
	}
	if !e.Mute {
		for i, a := range info.Audio {
			args = append(append(args, "-map", fmt.Sprintf("0:%d", a.Stream)), a.options(i, Part{}, 0)...)
		}
	}
	args = append(append(append(args, stripped()...), info.clocks()...), "-movflags", "+faststart", "-f", "mp4", file.url)
	if err := run(ctx, t.FFmpeg, args, limits.Stall, ErrCannotRemux, drain); err != nil {
		return err
	}
	return t.checkRemuxed(ctx, file, source, info, limits)
}

func drain(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// checkRemuxed makes sure that nothing but sound and pictures went along, and each picture at its time.
func (t Tools) checkRemuxed(ctx context.Context, file *draft, source string, info Info, limits Limits) error {
	stat, err := file.temp.Stat()
	if err != nil {
		return fmt.Errorf("looking at the film: %w", err)
	}
	if err := CheckScrubbed(file.temp, stat.Size()); err != nil {
		return fmt.Errorf("%w: %w", ErrCannotRemux, err)
	}
	made, err := t.Probe(ctx, file.temp.Name(), limits)
	if err != nil {
		return err
	}
	want, err := t.pictureTimes(ctx, source, info, limits)
	if err != nil {
		return err
	}
	got, err := t.pictureTimes(ctx, file.temp.Name(), made, limits)
	if err != nil {
		return err
	}
	if made.Width != info.Width || made.Height != info.Height || made.Aspect != info.Aspect || !slices.EqualFunc(got, want, near) {
		return fmt.Errorf("size or time stamps would change: %w", ErrCannotRemux)
	}
	return nil
}

// near says whether two times are the same for the eye and the promise: within a millisecond.
func near(a, b time.Duration) bool { return (a - b).Abs() <= time.Millisecond }

// pictureTimes are the time stamps of all coded pictures, sorted, on the film's own clock. A picture that an edit list
// hides, or one without a time stamp, is ErrCannotRemux.
func (t Tools) pictureTimes(ctx context.Context, path string, info Info, limits Limits) ([]time.Duration, error) {
	in, err := input(info.Container, path)
	if err != nil {
		return nil, err
	}
	args := append([]string{"-v", "error", "-hide_banner", "-select_streams", strconv.Itoa(info.Stream), "-of", "csv=p=0", "-show_entries", "packet=pts_time,flags"}, in...)
	var out []time.Duration
	err = run(ctx, t.FFprobe, args, limits.Stall, media.ErrDamaged, func(r io.Reader) error {
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			stamp, flags, _ := strings.Cut(lines.Text(), ",")
			if _, err := strconv.ParseFloat(stamp, 64); err != nil || strings.Contains(flags, "D") {
				return fmt.Errorf("a picture that is not shown: %w", ErrCannotRemux)
			}
			out = append(out, clock(stamp)+info.shift())
		}
		return lines.Err()
	})
	slices.Sort(out)
	return out, err
}
