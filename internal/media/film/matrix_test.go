package film

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// clip is a film as somebody may hand it in.
type clip struct {
	name   string
	file   string
	before [][]string // ffmpeg's arguments for files that it is made from
	make   []string   // for the film
	short  bool       // tried in short runs too
	info   func(Info) bool
}

// Sources of pictures and sound, one second of each.
func picture(extra string) []string {
	return []string{"-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=1" + extra}
}

func tone(hertz string) []string { return []string{"-f", "lavfi", "-i", "sine=d=1:f=" + hertz} }

func args(parts ...any) []string {
	var out []string
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			out = append(out, strings.Fields(p)...)
		case []string:
			out = append(out, p...)
		}
	}
	return out
}

const (
	x264     = "-c:v libx264 -preset ultrafast -bf 3 -g 10"
	vary     = ",settb=1/90000,setpts=N*3600+mod(N*N\\,7)*311+gt(N\\,20)*900000" // with a gap of ten seconds
	metadata = ";FFMETADATA1\ntitle=Secret\nlocation=+51.5-000.1/\nartist=Secret\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=Secret\n" +
		"[CHAPTER]\nTIMEBASE=1/1000\nSTART=500\nEND=1000\ntitle=Secret\n"
	subtitles = "1\n00:00:00,100 --> 00:00:00,900\nSecret\n"
)

func clips() []clip {
	rotated := func(degrees string) clip {
		return clip{
			name: "rotated " + degrees, file: "r.mov",
			before: [][]string{args(picture(""), tone("440"), x264, "-c:a aac plain.mov")},
			make:   args("-i plain.mov -c copy -metadata:s:v:0 rotate=" + degrees),
			info:   func(i Info) bool { return !i.Upright && i.Turned == (degrees != "180") },
		}
	}
	return []clip{
		{name: "b-frames", file: "b.mp4", short: true, make: args(picture(""), tone("440"), x264, "-c:a aac")},
		{name: "variable rate mp4", file: "v.mp4", make: args(picture(vary), tone("440"), x264, "-fps_mode passthrough -enc_time_base 1:90000 -c:a aac")},
		rotated("90"),
		{name: "start offset, anamorphic", file: "o.mp4", make: args(picture(",setsar=sar=700/699:max=65535"), tone("440"), x264, "-c:a aac -output_ts_offset 1.5"), info: func(i Info) bool { return i.Aspect == [2]int{700, 699} }},
		{name: "late picture, gsm", file: "l.mov", make: args("-itsoffset 0.4", picture(""), tone("440"), x264, "-c:a libgsm -ar 8000"), info: func(i Info) bool { return !i.Audio[0].Copy }},
		{
			name: "edit list", file: "e.mp4", before: [][]string{args(picture(""), tone("440"), "-c:v libx264 -bf 3 -g 50 -c:a aac whole.mp4")},
			make: args("-ss 0.5 -i whole.mp4 -c copy"), info: func(i Info) bool { return i.Frames >= 12 },
		},
		{name: "two tracks, ntsc, fragmented", file: "2.mp4", make: args("-f lavfi -i testsrc2=s=160x120:r=30000/1001:d=1", tone("440"), tone("880"), "-map 0 -map 1 -map 2", x264, "-c:a:0 aac -c:a:1 libmp3lame -metadata:s:a:0 language=eng -metadata:s:a:1 language=deu -movflags frag_keyframe+empty_moov"), info: func(i Info) bool { return len(i.Audio) == 2 }},
		{name: "metadata mp4", file: "m.mp4", make: args("-f ffmetadata -i meta.txt", picture(""), tone("440"), "-i s.srt -i cover.png -map 1 -map 2 -map 3 -map 4", x264, "-c:v:1 png -disposition:v:1 attached_pic -c:a aac -c:s mov_text -map_metadata 0 -metadata:s:a:0 handler_name=Secret -metadata:s:s:0 language=eng"), before: [][]string{args(picture(""), "-frames:v 1 cover.png")}},
		{name: "metadata, variable rate, late sound mkv", file: "m.mkv", make: args("-f ffmetadata -i meta.txt", picture(vary), "-itsoffset 0.3", tone("440"), tone("880"), "-i s.srt -map 1 -map 2 -map 3 -map 2 -map 4", x264, "-fps_mode passthrough -enc_time_base 1:90000 -c:a:0 eac3 -c:a:1 alac -c:a:2 flac -c:s srt -map_metadata 0 -metadata:s:a:0 title=Secret -attach meta.txt -metadata:s:t mimetype=text/plain")},
		{name: "odd size", file: "odd.webm", make: args("-f lavfi -i testsrc2=s=161x121:r=25:d=1", tone("440"), "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus"), info: func(i Info) bool { return i.Width == 160 && i.Height == 120 }},
		{name: "hdr", file: "h.mp4", make: args(picture(""), tone("440"), "-c:v libx265 -preset ultrafast -x265-params log-level=error -pix_fmt yuv420p10le -color_trc smpte2084 -color_primaries bt2020 -colorspace bt2020nc -tag:v hvc1 -c:a aac"), info: func(i Info) bool { return i.Colour.HDR }},
		{name: "one frame", file: "1.mp4", make: args(picture(""), x264, "-frames:v 1"), info: func(i Info) bool { return i.Frames == 1 }},
		{name: "interlaced, full range", file: "i.mp4", make: args(picture(",scale=out_range=pc,format=yuvj420p,interlace"), tone("440"), x264, "-flags +ilme+ildct -color_range pc -c:a aac"), info: func(i Info) bool { return i.Colour.Full }},
		{name: "mjpeg avi", file: "j.avi", make: args(picture(""), tone("440"), "-c:v mjpeg -c:a pcm_s16le")},
		{name: "mpeg4 avi", file: "4.avi", make: args(picture(""), tone("440"), "-c:v mpeg4 -bf 2 -c:a libmp3lame")},
		{name: "vp8", file: "8.webm", make: args(picture(""), tone("440"), "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libvorbis")},
		{name: "av1", file: "1.mkv", make: args(picture(""), tone("440"), "-c:v libaom-av1 -cpu-used 8 -usage realtime -c:a libopus")},
		{name: "prores", file: "p.mov", make: args(picture(""), tone("440"), "-c:v prores_ks -c:a pcm_s24le -timecode 01:00:00:00")},
		{name: "transport stream", file: "t.ts", short: true, make: args(picture(""), tone("440"), tone("880"), "-map 0 -map 1 -map 2", x264, "-c:a:0 aac -c:a:1 mp2")},
		{name: "broadcast", file: "b.ts", make: args(picture(""), tone("440"), "-c:v mpeg2video -bf 2 -c:a ac3 -output_ts_offset 50000")},
		{name: "gif", file: "g.gif", make: args(picture(""), "-vf split[a][b];[a]palettegen[p];[b][p]paletteuse")},
	}
}

// film makes the clip in a folder of its own.
func (c clip) film(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"meta.txt": metadata, "s.srt": subtitles} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range c.before {
		ffmpeg(t, dir, a...)
	}
	ffmpeg(t, dir, append(slices.Clone(c.make), c.file)...)
	return filepath.Join(dir, c.file)
}

// report is what ffprobe says of a film, asked for everything.
type report struct {
	probed
	Frames []struct {
		Type   string `json:"media_type"`
		At     string `json:"best_effort_timestamp_time"`
		Stream int    `json:"stream_index"`
	} `json:"frames"`
	Chapters []struct{} `json:"chapters"`
	Format   struct {
		Tags map[string]string `json:"tags"`
	} `json:"format"`
}

func ask(t testing.TB, path string) report {
	t.Helper()
	out, err := exec.Command(tools(t).FFprobe, "-v", "error", "-of", "json", "-show_chapters", "-show_streams", "-show_format",
		"-show_entries", "frame=media_type,stream_index,best_effort_timestamp_time", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var answer report
	if err := errors.Join(json.Unmarshal(out, &answer), json.Unmarshal(out, &answer.probed)); err != nil {
		t.Fatal(err)
	}
	return answer
}

// times are those of the frames of the first video stream.
func (a report) times(t testing.TB) []time.Duration {
	video := slices.IndexFunc(a.Streams, func(s stream) bool { return s.Type == "video" })
	var out []time.Duration
	for _, f := range a.Frames {
		if f.Type != "video" || f.Stream != video {
			continue
		}
		if f.At == "" { // ffprobe does not know the last one's of an AVI
			out = append(out, -1)
			continue
		}
		v, err := strconv.ParseFloat(f.At, 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, time.Duration(math.Round(v*1e6))*time.Microsecond)
	}
	return out
}

// onlyFilm makes sure that ffprobe sees one video stream, sound, and no words but those that every MP4 has.
func (a report) onlyFilm(t *testing.T, sounds int) {
	t.Helper()
	if len(a.Streams) != 1+sounds || len(a.Chapters) != 0 {
		t.Errorf("%d streams and %d chapters", len(a.Streams), len(a.Chapters))
	}
	for k := range a.Format.Tags {
		if !slices.Contains([]string{"major_brand", "minor_version", "compatible_brands"}, k) {
			t.Errorf("the film has a tag %q", k)
		}
	}
	for _, s := range a.Streams {
		for k, v := range s.Tags {
			if !slices.Contains([]string{"language=und", "handler_name=VideoHandler", "handler_name=SoundHandler", "vendor_id=[0][0][0][0]"}, k+"="+v) {
				t.Errorf("a stream has a tag %q with %q", k, v)
			}
		}
	}
}

// TestMatrix: whatever the film, the finished one has its frames at their times, its sound bit for bit and at its
// place, its shape and colours, and nothing else.
func TestMatrix(t *testing.T) {
	for _, c := range clips() {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && !c.short {
				t.Skip("one of each kind will do")
			}
			t.Parallel()
			r := roundTrip(t, c.film(t), Part{}, cheap(), 14)
			if c.info != nil && !c.info(r.info) {
				t.Errorf("probed as %+v", r.info)
			}
			compare(t, r)
		})
	}
}

// compare holds the finished film against its source.
func compare(t *testing.T, r rounds) {
	t.Helper()
	want, answer := ask(t, r.source).times(t), ask(t, r.out)
	got := answer.times(t)
	if len(got) != len(want) || len(r.times) != len(want) || len(want) == 0 {
		t.Fatalf("%d frames decoded, %d finished, %d expected", len(r.times), len(got), len(want))
	}
	for i := range want {
		if want[i] < 0 {
			want[i] = r.times[i]
		} else {
			want[i] += r.info.shift()
		}
		if (r.times[i]-want[i]).Abs() > time.Microsecond || (got[i]-want[i]).Abs() > time.Microsecond {
			t.Fatalf("frame %d: decoded at %v, finished at %v, expected at %v", i, r.times[i], got[i], want[i])
		}
	}
	answer.onlyFilm(t, len(r.info.Audio))
	if err := checkFile(t, r.out); err != nil {
		t.Error(err)
	}
	if err := tools(t).SameSound(t.Context(), r.out, r.source, r.info, Part{}, cheap(), limits()); err != nil {
		t.Error(err)
	}
	made, err := answer.info(containerMP4, limits())
	if err != nil {
		t.Fatal(err)
	}
	if made.Width != r.info.Width || made.Height != r.info.Height || made.Aspect != r.info.Aspect || !made.Upright {
		t.Errorf("made %+v\nof %+v", made, r.info)
	}
	if d := made.Ends - r.info.Ends; r.info.Ends > 0 && d.Abs() > 50*time.Millisecond {
		t.Errorf("the last frame is shown %v longer", d)
	}
	wantColour := r.info.Colour
	wantColour.Full = false
	if wantColour.HDR || wantColour.Space == spaceRGB {
		wantColour = Colour{Space: "bt709", Transfer: "bt709", Primaries: "bt709"}
	}
	if made.Colour != wantColour {
		t.Errorf("colour %+v of %+v", made.Colour, r.info.Colour)
	}
}

// TestHEVC: the other codec that is written.
func TestHEVC(t *testing.T) {
	if testing.Short() {
		t.Skip("x265 takes its time")
	}
	c := clip{file: "b.mp4", make: args(picture(vary), tone("440"), x264, "-fps_mode passthrough -enc_time_base 1:90000 -c:a aac")}
	compare(t, roundTrip(t, c.film(t), Part{}, Encoding{Codec: "hevc", CRF: 32, Preset: "ultrafast"}, 9))
}
