package film

import (
	"errors"
	"hash/crc32"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// shot is a frame as it came out of the decoder.
type shot struct {
	at   time.Duration
	hash uint32
}

// decode gives all frames of the part.
func decode(t testing.TB, path string, info Info, part Part) []shot {
	t.Helper()
	d, err := tools(t).Open(t.Context(), path, info, part, limits())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var out []shot
	var f Frame
	for {
		err := d.Next(&f)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%+v behind %d frames: %v\n%s", part, len(out), err, d.child.words.head)
		}
		if f.Number != len(out) {
			t.Fatalf("frame %d is numbered %d", len(out), f.Number)
		}
		out = append(out, shot{f.At, crc32.ChecksumIEEE(f.Pix)})
	}
}

// TestPart: the frames of a part are those of the whole film that lie in it, to the frame and to the sample.
func TestPart(t *testing.T) {
	for name, how := range map[string][]string{
		"closed.mp4":    args("-c:v libx264 -preset ultrafast -bf 3 -g 25 -c:a aac"),
		"open.mp4":      args("-c:v libx264 -preset ultrafast -bf 3 -g 25 -x264-params open-gop=1 -c:a aac"),
		"open.ts":       args("-c:v libx264 -preset ultrafast -bf 3 -g 25 -x264-params open-gop=1 -c:a aac"),
		"open.hevc.mkv": args("-c:v libx265 -preset ultrafast -x265-params log-level=error:open-gop=1:keyint=25 -c:a aac"),
		"mpeg4.avi":     args("-c:v mpeg4 -bf 2 -g 25 -c:a libmp3lame"),
		"mpeg2.ts":      args("-c:v mpeg2video -bf 2 -g 100 -c:a mp2 -output_ts_offset 3"),
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "closed.mp4" {
				t.Skip("one of each kind will do")
			}
			t.Parallel()
			dir := t.TempDir()
			ffmpeg(t, dir, args("-f lavfi -i testsrc2=s=96x64:r=25:d=8 -f lavfi -i sine=d=8", how, name)...)
			path := filepath.Join(dir, name)
			info, err := tools(t).Probe(t.Context(), path, limits())
			if err != nil {
				t.Fatal(err)
			}
			all := decode(t, path, info, Part{})
			if len(all) != 200 {
				t.Fatalf("%d frames", len(all))
			}
			for _, part := range []Part{
				{From: all[133].at, To: all[152].at}, {From: all[181].at + time.Microsecond}, {To: all[30].at + time.Microsecond},
			} {
				want := slices.DeleteFunc(slices.Clone(all), func(s shot) bool { return s.at < part.From || part.To > 0 && s.at >= part.To })
				if got := decode(t, path, info, part); !slices.Equal(got, want) {
					t.Errorf("%+v: %d frames, %d expected\n%v\n%v", part, len(got), len(want), got, want)
				}
			}
		})
	}
}

// TestPartJoined: the finished part begins with its first frame at zero, and has the sound that belongs to it.
func TestPartJoined(t *testing.T) {
	if testing.Short() {
		t.Skip("many films are made")
	}
	for name, how := range map[string][]string{
		"0.mp4": args("-c:v libx264 -preset ultrafast -g 25 -filter:a atrim=end=2 -c:a aac"), // no sound is left
		"a.mp4": args("-c:v libx264 -preset ultrafast -bf 3 -g 25 -c:a aac -output_ts_offset 2"),
		"b.ts":  args("-c:v libx264 -preset ultrafast -bf 3 -g 25 -c:a aac -output_ts_offset 3"),
		"d.mov": args("-c:v mjpeg -c:a pcm_s16le"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			ffmpeg(t, dir, args("-f lavfi -i testsrc2=s=96x64:r=25:d=6 -f lavfi -i anoisesrc=d=6:a=0.3:seed=1", how, name)...)
			part := Part{From: 3500 * time.Millisecond, To: 4510 * time.Millisecond}
			r := roundTrip(t, filepath.Join(dir, name), part, cheap(), 13)
			got := ask(t, r.out).times(t)
			if len(got) < 25 || len(got) > 26 || len(got) != len(r.times) {
				t.Fatalf("%d frames finished of %d", len(got), len(r.times))
			}
			for i := range got {
				if d := got[i] - (r.times[i] - r.times[0]); d.Abs() > time.Microsecond {
					t.Fatalf("frame %d is %v late", i, d)
				}
			}
			if err := checkFile(t, r.out); err != nil {
				t.Error(err)
			}
			if err := tools(t).SameSound(t.Context(), r.out, r.source, r.info, part, cheap(), limits()); err != nil {
				t.Error(err)
			}
			if name != "a.mp4" {
				return
			}
			if err := tools(t).SameSound(t.Context(), r.out, r.source, r.info, Part{From: part.From - 40*time.Millisecond, To: part.To + 80*time.Millisecond}, cheap(), limits()); !errors.Is(err, ErrDifferent) {
				t.Errorf("the sound of another part passed: %v", err)
			}
		})
	}
}
