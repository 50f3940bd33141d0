package film

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/pathless"
)

// Remux passes the film on to out without encoding it anew, stripped of all that is not its first video stream
// and its sound; the notes inside of the bit stream (SEI: captions, positions, the encoder's settings) are taken out too. The
// result has passed [CheckScrubbed], and its pictures have the source's time stamps. The error wraps ErrCannotRemux
// where codec, turn, colour, size or a part do not allow it, or where pictures would leave that nobody sees: seen are the time stamps
// of the frames that decoding gave, and each coded picture must be one of them. On the way it takes as much space again
// beside out.
func (t Tools) Remux(ctx context.Context, out, source string, info Info, part Part, seen []time.Duration, e Encoding, limits Limits) error {
	if why := obstacle(info, part); why != "" {
		return fmt.Errorf("%s: %w", why, ErrCannotRemux)
	}
	if err := t.remux(ctx, out, source, info, seen, e, limits); err != nil {
		return fmt.Errorf("passing the film on: %w", err)
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
	case info.Container == containerAVI:
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

// remux takes the coded pictures out of the source, puts them on the source's time line as if they were a segment, and
// joins them with the sound.
func (t Tools) remux(ctx context.Context, out, source string, info Info, seen []time.Duration, e Encoding, limits Limits) (err error) {
	times, err := t.pictureTimes(ctx, source, info, limits)
	if err != nil {
		return err
	}
	if !slices.EqualFunc(times, seen, near) {
		return fmt.Errorf("%d coded pictures, %d frames: %w", len(times), len(seen), ErrCannotRemux)
	}
	pictures, err := newDraft(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pictures.drop()) }()
	args, err := extracting(source, info, pictures.url)
	if err != nil {
		return err
	}
	if err := run(ctx, t.FFmpeg, args, limits.Stall, ErrCannotRemux, drain); err != nil {
		return err
	}
	r, err := newReel([]Segment{{Path: pictures.temp.Name(), Times: times}}, info, Part{})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCannotRemux, err)
	}
	if r.coding, err = withoutNotes(r.coding); err != nil {
		return fmt.Errorf("%w: %w", ErrCannotRemux, err)
	}
	e.Codec = info.Codec
	return t.assemble(ctx, out, r, source, info, Part{}, e, limits, func(made *draft) error {
		return t.checkRemuxed(ctx, made, times, info, limits)
	})
}

// extracting are the arguments that copy the coded pictures. Only their order of presentation is wanted of the time stamps here:
// decoding times, which some containers do not have and ffmpeg then guesses, are made to rise.
func extracting(source string, info Info, url string) ([]string, error) {
	in, err := input(info.Container, source)
	if err != nil {
		return nil, err
	}
	args := append(append(quiet(), "-xerror", "-y", "-copyts"), in...)
	const later = 1_000_000 // ticks, so that no picture is decoded after it is shown
	filters := fmt.Sprintf(`filter_units=pass_types=%s,setts=pts=PTS+%d:dts=if(N\,max(DTS\,PREV_OUTDTS+1)\,DTS)`, coded(info.Codec), later)
	args = append(args, "-map", fmt.Sprintf("0:%d", info.Stream), "-c:v", "copy", "-bsf:v", filters)
	if info.Codec == "hevc" {
		args = append(args, "-tag:v", "hvc1")
	}
	return append(append(args, stripped()...), "-f", "mp4", url), nil
}

func drain(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// checkRemuxed makes sure that nothing but sound and pictures went along, and each picture at its time.
func (t Tools) checkRemuxed(ctx context.Context, made *draft, want []time.Duration, info Info, limits Limits) error {
	stat, err := made.temp.Stat()
	if err != nil {
		return fmt.Errorf("looking at the film: %w", pathless.Error(err))
	}
	if err := CheckScrubbed(made.temp, stat.Size()); err != nil {
		return fmt.Errorf("%w: %w", ErrCannotRemux, err)
	}
	is, err := t.Probe(ctx, made.temp.Name(), limits)
	if err != nil {
		return err
	}
	got, err := t.pictureTimes(ctx, made.temp.Name(), is, limits)
	if err != nil {
		return err
	}
	if is.Width != info.Width || is.Height != info.Height || is.Aspect != info.Aspect || !slices.EqualFunc(got, want, near) {
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

// withoutNotes takes out of a sample description what HEVC's parameters may hold besides parameter sets, which ffmpeg's filter
// leaves there, and what a muxer found out of rates.
func withoutNotes(stsd []byte) ([]byte, error) {
	const heads = 8 + 8 + 78 // of the table, of its entry, and what every entry of video begins with
	if len(stsd) < heads || be32(stsd[4:]) != 1 {
		return nil, damaged("description of the pictures")
	}
	entry := [][]byte{stsd[16:heads]}
	for rest := stsd[heads:]; len(rest) > 0; {
		if len(rest) < 8 || be32(rest) < 8 || int64(be32(rest)) > int64(len(rest)) {
			return nil, damaged("description of the pictures")
		}
		n, kind := int(be32(rest)), string(rest[4:8])
		body := rest[8:n]
		rest = rest[n:]
		switch kind {
		case "btrt":
			continue
		case "hvcC":
			var err error
			if body, err = parameterSets(body); err != nil {
				return nil, err
			}
		}
		entry = append(entry, isoBox(kind, body))
	}
	return append(words32(0, 1), isoBox(string(stsd[12:16]), entry...)...), nil
}

// parameterSets keeps of HEVC's parameters those units that are parameter sets (ISO/IEC 14496-15 §8.3.3.1).
func parameterSets(hvcc []byte) ([]byte, error) {
	const head = 23
	if len(hvcc) < head {
		return nil, damaged("parameters of HEVC")
	}
	out, arrays, rest := slices.Clone(hvcc[:head]), int(hvcc[head-1]), hvcc[head:]
	out[head-1] = 0
	for range arrays {
		n := 3
		if len(rest) < n {
			return nil, damaged("parameters of HEVC")
		}
		for range binary.BigEndian.Uint16(rest[1:]) {
			if len(rest) < n+2 || len(rest)-n-2 < int(binary.BigEndian.Uint16(rest[n:])) {
				return nil, damaged("parameters of HEVC")
			}
			n += 2 + int(binary.BigEndian.Uint16(rest[n:]))
		}
		if kind := rest[0] & 63; kind >= 32 && kind <= 34 {
			out = append(out, rest[:n]...)
			out[head-1]++
		}
		rest = rest[n:]
	}
	return out, nil
}
