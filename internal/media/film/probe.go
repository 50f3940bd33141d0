package film

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/pathless"
)

// probed is what ffprobe says, as far as it is asked.
type probed struct {
	Streams []stream `json:"streams"`
	Format  struct {
		Start    string `json:"start_time"`
		Duration string `json:"duration"`
	} `json:"format"`
}

type stream struct {
	Index       int               `json:"index"`
	Type        string            `json:"codec_type"`
	Codec       string            `json:"codec_name"`
	Width       int               `json:"width"`
	Height      int               `json:"height"`
	Aspect      string            `json:"sample_aspect_ratio"`
	Pixels      string            `json:"pix_fmt"`
	Range       string            `json:"color_range"`
	Space       string            `json:"color_space"`
	Transfer    string            `json:"color_transfer"`
	Primaries   string            `json:"color_primaries"`
	RealRate    string            `json:"r_frame_rate"`
	Rate        string            `json:"avg_frame_rate"`
	TimeBase    string            `json:"time_base"`
	Start       string            `json:"start_time"`
	Duration    string            `json:"duration"`
	Frames      string            `json:"nb_frames"`
	Tags        map[string]string `json:"tags"`
	Disposition struct {
		Picture    int `json:"attached_pic"`
		Thumbnails int `json:"timed_thumbnails"`
	} `json:"disposition"`
	SideData []struct {
		Type     string   `json:"side_data_type"`
		Rotation *float64 `json:"rotation"`
		Matrix   string   `json:"displaymatrix"`
	} `json:"side_data_list"`
}

// asked is what ffprobe is to tell. Titles and positions are not asked for.
const asked = "format=start_time,duration:stream=index,codec_type,codec_name,width,height,sample_aspect_ratio,pix_fmt," +
	"color_range,color_space,color_transfer,color_primaries,r_frame_rate,avg_frame_rate,time_base,start_time,duration,nb_frames:" +
	"stream_disposition=attached_pic,timed_thumbnails:stream_tags=DURATION:stream_side_data=side_data_type,rotation,displaymatrix"

// Probe reads what the film is, without decoding it. The error wraps ErrNoVideo, media.ErrTooLarge, media.ErrDamaged,
// media.ErrUnsupported (no film, or of a codec that is not read here), ErrStalled or ErrDied.
func (t Tools) Probe(ctx context.Context, path string, limits Limits) (Info, error) {
	container, err := inspectFile(path, limits)
	if err != nil {
		return Info{}, err
	}
	in, err := input(container, path)
	if err != nil {
		return Info{}, err
	}
	args := append([]string{"-v", "error", "-hide_banner", "-of", "json", "-show_entries", asked}, in...)
	var answer probed
	err = run(ctx, t.FFprobe, args, limits.Stall, media.ErrDamaged, func(r io.Reader) error {
		if err := json.NewDecoder(io.LimitReader(r, maxAnswer)).Decode(&answer); err != nil {
			return damaged("ffprobe's answer cannot be read")
		}
		_, err := io.Copy(io.Discard, r)
		return err
	})
	if err != nil {
		return Info{}, fmt.Errorf("probing: %w", err)
	}
	return answer.info(container, limits)
}

// maxAnswer bounds ffprobe's answer; a file may have any number of streams.
const maxAnswer = 4 << 20

// inspectFile recognises the film and makes sure that it is all there, as far as its container tells.
func inspectFile(path string, limits Limits) (container string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("opening the film: %w", pathless.Error(err))
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("looking at the film: %w", pathless.Error(err))
	}
	size := stat.Size()
	if size > limits.MaxBytes {
		return "", fmt.Errorf("%d bytes, at most %d allowed: %w", size, limits.MaxBytes, media.ErrTooLarge)
	}
	container, ok := Recognise(f, size)
	if !ok {
		return "", fmt.Errorf("not a film of a kind that is read here: %w", media.ErrUnsupported)
	}
	return container, checkWhole(f, size, container)
}

func (p probed) info(container string, limits Limits) (Info, error) {
	at := slices.IndexFunc(p.Streams, func(s stream) bool {
		return s.Type == "video" && s.Disposition.Picture == 0 && s.Disposition.Thumbnails == 0
	})
	if at < 0 {
		return Info{}, ErrNoVideo
	}
	s := p.Streams[at]
	info := Info{
		Container: container, Codec: s.Codec, Stream: s.Index, Stored: [2]int{s.Width, s.Height}, Pixels: s.Pixels,
		Duration: clock(p.Format.Duration), Start: clock(p.Format.Start), Colour: s.colour(), Audio: p.audio(),
	}
	if !slices.Contains(decodable(), s.Codec) {
		return Info{}, fmt.Errorf("a film of a codec that is not read here: %w", media.ErrUnsupported)
	}
	if err := info.measure(s, limits); err != nil {
		return Info{}, err
	}
	info.time(s)
	return info, nil
}

// decodable are the video codecs that are read: those of cameras, phones and editing programs. Others are left
// alone, as each decoder more is one more that a file could attack.
func decodable() []string {
	return []string{
		"h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mjpeg", "prores", "gif", "mpeg1video", "mpeg2video", "h263",
		"msmpeg4v3", "dvvideo", "dnxhd", "ffv1", "rawvideo",
	}
}

// measure finds the size of a frame when it is upright, and its sample aspect.
func (i *Info) measure(s stream, limits Limits) error {
	if s.Width < 2 || s.Height < 2 {
		return damaged("a film of %d × %d pixels", s.Width, s.Height)
	}
	if int64(s.Width) > limits.MaxPixels || int64(s.Width)*int64(s.Height) > limits.MaxPixels {
		return fmt.Errorf("%d × %d pixels, at most %d allowed: %w", s.Width, s.Height, limits.MaxPixels, media.ErrTooLarge)
	}
	i.Turned, i.Upright = s.turn()
	i.Aspect = [2]int{1, 1}
	if a, b, ok := fraction(s.Aspect, ":"); ok {
		i.Aspect = [2]int{a, b}
	}
	w, h := i.shown()
	i.Width, i.Height = w&^1, h&^1
	if i.Turned {
		i.Aspect[0], i.Aspect[1] = i.Aspect[1], i.Aspect[0]
	}
	return nil
}

// shown is the size of a frame after turning it upright, before it is made even.
func (i Info) shown() (w, h int) {
	if i.Turned {
		return i.Stored[1], i.Stored[0]
	}
	return i.Stored[0], i.Stored[1]
}

// identity is how ffprobe prints the matrix that turns nothing.
const identity = "00000000: 65536 0 0 00000001: 0 65536 0 00000002: 0 0 1073741824"

// turn says whether width and height change places, and whether the film is stored as it is to be shown.
func (s stream) turn() (turned, upright bool) {
	for _, d := range s.SideData {
		if d.Type != "Display Matrix" {
			continue
		}
		upright = strings.Join(strings.Fields(d.Matrix), " ") == identity
		if d.Rotation == nil {
			return false, upright
		}
		quarter := math.Mod(math.Abs(*d.Rotation)+45, 180) // as ffmpeg itself rounds
		return quarter >= 90, upright && *d.Rotation == 0
	}
	return false, true
}

// time fills in what the film says of its times.
func (i *Info) time(s stream) {
	i.Rate = 25
	for _, text := range []string{s.RealRate, s.Rate} { // the average, if there is one
		if a, b, ok := fraction(text, "/"); ok && a <= maxRate*b {
			i.Rate = float64(a) / float64(b)
		}
	}
	i.Scale = scale(s.TimeBase)
	if length := clock(s.Duration); length > 0 {
		i.Ends = clock(s.Start) + i.shift() + length
	} else if end := tagDuration(s.Tags["DURATION"]); end > 0 {
		i.Ends = end + i.shift() // ffmpeg notes when a stream ends, others how long it is, which is not more
	}
	i.Reaches = i.leastEnd()
	i.Frames, _ = strconv.Atoi(s.Frames)
	if i.Frames <= 0 {
		i.Frames = int(math.Ceil(i.Duration.Seconds() * i.Rate))
	}
	i.Frames = max(i.Frames, 1)
}

// leastEnd is a time stamp that the frames of a whole film reach; 0 where that cannot be told. MP4 and GIF say how long the last
// frame is shown too, which may be any time, and are not needed here, as they cannot be cut short unnoticed; the length of a
// transport stream is an estimate.
func (i Info) leastEnd() time.Duration {
	usual := time.Duration(3 * float64(time.Second) / i.Rate)
	switch {
	case i.Container == containerAVI:
		return max(0, i.Ends-max(time.Second, i.Ends/20, usual))
	case i.Container == containerMatroska && i.Ends > 0:
		return max(0, i.Ends-max(10*time.Second, i.Ends/20, usual))
	}
	return 0
}

// maxRate is the most frames a second that are believed; what says more has no rate, like time stamps of
// Matroska where nothing else is known.
const maxRate = 1000

// scale finds ticks in which the source's time stamps are exact: its own, made finer until players are used to
// them; 90000, as in transport streams, where they are finer than the microseconds that we see.
func scale(base string) int {
	_, ticks, ok := fraction(base, "/")
	if !ok || ticks > 1_000_000 {
		return 90000
	}
	for ticks < 10000 { // ffmpeg's own rule for MP4
		ticks *= 2
	}
	return ticks
}

// colour is what the stream says of its samples.
func (s stream) colour() Colour {
	c := Colour{
		Space: told(s.Space, "bt709", "fcc", "bt470bg", "smpte170m", "smpte240m", "ycgco", "bt2020nc", "bt2020c", spaceRGB),
		Transfer: told(s.Transfer, "bt709", "bt470m", "bt470bg", "smpte170m", "smpte240m", "linear", "iec61966-2-4", "bt1361e",
			"iec61966-2-1", "bt2020-10", "bt2020-12", "smpte2084", "smpte428", "arib-std-b67"),
		Primaries: told(s.Primaries, "bt709", "bt470m", "bt470bg", "smpte170m", "smpte240m", "film", "bt2020", "smpte428",
			"smpte431", "smpte432", "ebu3213"),
		Full: s.Range == "pc" || strings.HasPrefix(s.Pixels, "yuvj"),
	}
	c.HDR = c.Transfer == "smpte2084" || c.Transfer == "arib-std-b67"
	if s.redGreenBlue() {
		c.Space, c.Full, c.HDR = spaceRGB, true, false
	}
	return c
}

func (s stream) redGreenBlue() bool {
	return slices.ContainsFunc([]string{"rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal8", "x2rgb", "x2bgr"}, func(p string) bool {
		return strings.HasPrefix(s.Pixels, p)
	})
}

// told is the name where it is one of those that mean something.
func told(name string, names ...string) string { return known(name, "", names...) }

// clock reads seconds as ffprobe prints them; 0 where there are none.
func clock(text string) time.Duration {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(v) > 1e9 {
		return 0
	}
	return time.Duration(math.Round(v*1e6)) * time.Microsecond
}

// tagDuration reads the length of a stream as Matroska's muxers note it: 00:00:02.000000000.
func tagDuration(text string) time.Duration {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return 0
	}
	d, err := time.ParseDuration(parts[0] + "h" + parts[1] + "m" + parts[2] + "s")
	if err != nil || d < 0 {
		return 0
	}
	return d
}

// fraction reads two positive numbers.
func fraction(text, between string) (a, b int, ok bool) {
	left, right, _ := strings.Cut(text, between)
	a, errA := strconv.Atoi(left)
	b, errB := strconv.Atoi(right)
	return a, b, errA == nil && errB == nil && a > 0 && b > 0
}
