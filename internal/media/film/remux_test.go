package film

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// noted puts a note into the bit stream, as cameras do with positions.
const noted = "-bsf:v h264_metadata=sei_user_data=086f3693-b7b3-4f2c-9653-21492feee5b8+Secret"

// TestRemux: what is passed on has the very pictures and sound of the source, at their times, and nothing else.
func TestRemux(t *testing.T) {
	for _, c := range []clip{
		{name: "b-frames", file: "b.mp4", short: true, make: args("-f ffmetadata -i meta.txt", picture(""), tone("440"), "-map 1 -map 2", x264, noted, "-c:a aac -map_metadata 0 -metadata:s:a:0 language=eng")},
		{name: "variable rate", file: "v.mkv", make: args("-f ffmetadata -i meta.txt", picture(vary), tone("440"), "-map 1 -map 2", x264, noted, "-map_metadata 0 -fps_mode passthrough -enc_time_base 1:90000 -c:a libopus")},
		{name: "hevc", file: "h.mkv", make: args(picture(",setsar=sar=700/699:max=65535"), tone("440"), "-c:v libx265 -preset ultrafast -x265-params log-level=error:open-gop=1:keyint=10 -c:a pcm_s16le -output_ts_offset 1.5")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && !c.short {
				t.Skip("one of each kind will do")
			}
			t.Parallel()
			path, ctx, tools := c.film(t), t.Context(), tools(t)
			info, err := tools.Probe(ctx, path, limits())
			if err != nil {
				t.Fatal(err)
			}
			out := filepath.Join(t.TempDir(), "out.mp4")
			if err := tools.Remux(ctx, out, path, info, Part{}, times(decode(t, path, info, Part{})), cheap(), limits()); err != nil {
				t.Fatal(err)
			}
			made, err := tools.Probe(ctx, out, limits())
			if err != nil {
				t.Fatal(err)
			}
			want := decode(t, path, info, Part{})
			for i := range want {
				want[i].at = want[i].at.Round(time.Microsecond)
			}
			if got := decode(t, out, made, Part{}); !slices.Equal(got, want) {
				t.Errorf("got %v\nnot %v", got, want)
			}
			if err := tools.SameSound(ctx, out, path, info, Part{}, cheap(), limits()); err != nil {
				t.Error(err)
			}
			if made.Aspect != info.Aspect || made.Colour != info.Colour {
				t.Errorf("made %+v of %+v", made, info)
			}
			film, err := os.ReadFile(out)
			if err != nil || bytes.Contains(film, []byte("Secret")) || bytes.Contains(film, []byte("x264")) || bytes.Contains(film, []byte("x265")) {
				t.Errorf("a note is left, %v", err)
			}
			ask(t, out).onlyFilm(t, len(info.Audio))
		})
	}
}

// TestCannotRemux: whatever cannot leave as it is, is not passed on.
func TestCannotRemux(t *testing.T) {
	plain := Info{Container: containerMP4, Codec: "h264", Width: 160, Height: 120, Stored: [2]int{160, 120}, Pixels: "yuv420p", Upright: true}
	for name, change := range map[string]func(*Info, *Part){
		"part":      func(_ *Info, p *Part) { p.To = time.Second },
		"codec":     func(i *Info, _ *Part) { i.Codec = "vp9" },
		"container": func(i *Info, _ *Part) { i.Container = containerAVI },
		"turned":    func(i *Info, _ *Part) { i.Upright = false },
		"depth":     func(i *Info, _ *Part) { i.Pixels = "yuv420p10le" },
		"hdr":       func(i *Info, _ *Part) { i.Colour.HDR = true },
		"range":     func(i *Info, _ *Part) { i.Colour.Full = true },
		"odd":       func(i *Info, _ *Part) { i.Stored[0]++ },
	} {
		info, part := plain, Part{}
		change(&info, &part)
		if err := (Tools{}).Remux(t.Context(), "out.mp4", "in.mp4", info, part, nil, cheap(), limits()); !errors.Is(err, ErrCannotRemux) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if why := obstacle(plain, Part{}); why != "" {
		t.Errorf("a plain film: %s", why)
	}
}

// TestRemuxHidden: pictures that an edit list cuts off do not leave.
func TestRemuxHidden(t *testing.T) {
	if testing.Short() {
		t.Skip("many films are made")
	}
	dir := t.TempDir()
	ffmpeg(t, dir, args(picture(""), tone("440"), "-c:v libx264 -preset ultrafast -bf 2 -g 50 -c:a aac whole.mp4")...)
	ffmpeg(t, dir, args("-ss 0.5 -i whole.mp4 -c copy cut.mp4")...)
	path, out := filepath.Join(dir, "cut.mp4"), filepath.Join(dir, "out.mp4")
	info, err := tools(t).Probe(t.Context(), path, limits())
	if err != nil {
		t.Fatal(err)
	}
	err = tools(t).Remux(t.Context(), out, path, info, Part{}, times(decode(t, path, info, Part{})), cheap(), limits())
	if !errors.Is(err, ErrCannotRemux) {
		t.Error(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("%v is left, %v", left, err)
	}
}

// times are those of the frames.
func times(frames []shot) []time.Duration {
	var out []time.Duration
	for _, f := range frames {
		out = append(out, f.at)
	}
	return out
}

// TestRemuxCropped: what the coding cuts off would leave with the film, and could be brought back.
func TestRemuxCropped(t *testing.T) {
	if testing.Short() {
		t.Skip("many films are made")
	}
	const x265 = "-c:v libx265 -preset ultrafast -x265-params log-level=error"
	plain := args("-f lavfi -i testsrc2=s=200x152:r=5:d=1")
	for name, c := range map[string]struct {
		make []string
		want error
	}{
		"block.mp4":         {args(plain, x264), nil},
		"interlaced.mp4":    {args("-f lavfi -i testsrc2=s=200x164:r=5:d=1", x264, "-flags +ilme+ildct"), nil},
		"across.mp4":        {args(plain, x264, "-bsf:v h264_metadata=crop_right=64"), ErrCannotRemux},
		"down.mkv":          {args(plain, x264, "-bsf:v h264_metadata=crop_top=32"), ErrCannotRemux},
		"in stream.ts":      {args(plain, x264, "-bsf:v h264_metadata=crop_right=32"), ErrCannotRemux},
		"block.hevc.mp4":    {args(plain, x265), nil},
		"cut.hevc.mp4":      {args(plain, x265, "-bsf:v hevc_metadata=crop_bottom=32"), ErrCannotRemux},
		"in stream.hevc.ts": {args(plain, x265, "-bsf:v hevc_metadata=crop_right=32"), ErrCannotRemux},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			ffmpeg(t, dir, append(c.make, name)...)
			path := filepath.Join(dir, name)
			info, err := tools(t).Probe(t.Context(), path, limits())
			if err != nil {
				t.Fatal(err)
			}
			seen := times(decode(t, path, info, Part{}))
			err = tools(t).Remux(t.Context(), filepath.Join(dir, "out.mp4"), path, info, Part{}, seen, cheap(), limits())
			if !errors.Is(err, c.want) {
				t.Errorf("%d frames: %v", len(seen), err)
			}
			if c.want == nil {
				fewer := slices.Delete(slices.Clone(seen), 2, 3)
				err := tools(t).Remux(t.Context(), filepath.Join(dir, "few.mp4"), path, info, Part{}, fewer, cheap(), limits())
				if !errors.Is(err, ErrCannotRemux) {
					t.Errorf("a picture that nobody saw: %v", err)
				}
			}
		})
	}
}
