package film

import (
	"os"
	"path/filepath"
	"testing"
)

// first decodes the first frame of a film.
func first(t testing.TB, path string) (Frame, Info) {
	t.Helper()
	info, err := tools(t).Probe(t.Context(), path, limits())
	if err != nil {
		t.Fatal(err)
	}
	d, err := tools(t).Open(t.Context(), path, info, Part{}, limits())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var f Frame
	if err := d.Next(&f); err != nil {
		t.Fatal(err)
	}
	if len(f.Pix) != info.Width*info.Height*3/2 || f.Width != info.Width || f.Height != info.Height {
		t.Fatalf("%d bytes for %d × %d", len(f.Pix), f.Width, f.Height)
	}
	return f, info
}

// TestUpright: a film stored on its side comes out upright, sample for sample.
func TestUpright(t *testing.T) {
	if testing.Short() {
		t.Skip("many films are made")
	}
	dir := t.TempDir()
	ffmpeg(t, dir, args(picture(",setsar=2/1"), x264, "-frames:v 2 0.mov")...)
	plain, _ := first(t, filepath.Join(dir, "0.mov"))
	luma, _, _ := plain.Planes()
	w, h := plain.Width, plain.Height
	for degrees, from := range map[string]func(x, y int) (int, int){ // where the sample at x, y was stored
		// ffmpeg 5.1 writes for 90 the matrix 0 -1 1 0, which takes what is right up (ISO/IEC 14496-12 §8.2.2).
		"90":  func(x, y int) (int, int) { return w - 1 - y, x },
		"180": func(x, y int) (int, int) { return w - 1 - x, h - 1 - y },
		"270": func(x, y int) (int, int) { return y, h - 1 - x },
	} {
		ffmpeg(t, dir, args("-i 0.mov -c copy -metadata:s:v:0 rotate="+degrees, degrees+".mov")...)
		f, info := first(t, filepath.Join(dir, degrees+".mov"))
		turned := degrees != "180"
		if info.Upright || info.Turned != turned || turned != (f.Width == h) || turned != (info.Aspect == [2]int{1, 2}) {
			t.Errorf("%s: %+v", degrees, info)
			continue
		}
		got, _, _ := f.Planes()
		for i := range got {
			if x, y := from(i%f.Width, i/f.Width); got[i] != luma[y*w+x] {
				t.Errorf("%s: %d at %d, %d instead of %d", degrees, got[i], i%f.Width, i/f.Width, luma[y*w+x])
				break
			}
		}
	}
}

// TestColours: samples come out 8 bit and of limited range, whatever they were.
func TestColours(t *testing.T) {
	if testing.Short() {
		t.Skip("many films are made")
	}
	for name, c := range map[string]struct {
		make    string
		y, u, v byte
	}{
		"limited.mp4": {"-f lavfi -i color=white:s=32x32:d=0.1 -c:v libx264 -preset ultrafast -pix_fmt yuv420p", 235, 128, 128},
		"full.mp4":    {"-f lavfi -i color=white:s=32x32:d=0.1,format=yuvj420p -c:v libx264 -preset ultrafast -color_range pc", 235, 128, 128},
		"full.avi":    {"-f lavfi -i color=white:s=32x32:d=0.1 -c:v mjpeg -q:v 1", 235, 128, 128},
		"red.gif":     {"-f lavfi -i color=red:s=32x32:d=0.2", 63, 102, 240},
		// PQ's 0.58 is BT.2408's white of 203 cd/m², twice the 100 that hable's curve is told is white.
		"pq.mp4": {"-f lavfi -i color=white:s=32x32:d=0.1,format=yuv420p10le,lutyuv=y=594 -c:v libx265 -preset ultrafast -x265-params log-level=error -color_trc smpte2084 -color_primaries bt2020 -colorspace bt2020nc", 0, 128, 128},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			ffmpeg(t, dir, args(c.make, name)...)
			f, info := first(t, filepath.Join(dir, name))
			y, u, v := f.Planes()
			if info.Colour.HDR {
				if y[0] < 150 || y[0] >= 235 || absolute(u[0], 128) > 2 || absolute(v[0], 128) > 2 {
					t.Errorf("white became %d, %d, %d", y[0], u[0], v[0])
				}
				return
			}
			if absolute(y[0], c.y) > 1 || absolute(u[0], c.u) > 1 || absolute(v[0], c.v) > 1 {
				t.Errorf("%d, %d, %d", y[0], u[0], v[0])
			}
		})
	}
}

func absolute(a, b byte) int { return max(int(a)-int(b), int(b)-int(a)) }

// TestWrongName: a film is what its bytes are.
func TestWrongName(t *testing.T) {
	dir := t.TempDir()
	ffmpeg(t, dir, args(picture(""), "-frames:v 3 -c:v mjpeg film.mkv")...)
	path := filepath.Join(dir, "-i film.jpg")
	if err := os.Rename(filepath.Join(dir, "film.mkv"), path); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	if f, info := first(t, "-i film.jpg"); info.Container != containerMatroska || f.Width != 160 {
		t.Errorf("%+v", info)
	}
}
