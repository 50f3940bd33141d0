package footage

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/consentry/consentry/internal/face"
)

// card is a grey still with white boxes for faces, so that the truth can be read off the pixels.
func card(w, h int, boxes ...face.Box) (*Picture, []Mark) {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Rect, image.NewUniform(color.RGBA{60, 60, 60, 255}), image.Point{}, draw.Src)
	var marks []Mark
	for i, b := range boxes {
		white := image.Rect(int(b.X), int(b.Y), int(b.X+b.W), int(b.Y+b.H))
		draw.Draw(img, white, image.White, image.Point{}, draw.Src)
		marks = append(marks, Mark{Person: string(rune('a' + i)), Box: b})
	}
	return NewPicture(img), marks
}

func syntheticCast() *Cast {
	c := &Cast{}
	for i := range 3 {
		p, marks := card(640, 480, face.Box{X: 60, Y: 80 + float64(20*i), W: 80, H: 110}, face.Box{X: 380, Y: 90, W: 90, H: 120})
		for j := range marks {
			marks[j].Person += string(rune('0' + i))
		}
		c.Add(p, marks)
	}
	return c
}

// Every point that is said to be seen shows the face, and no other point of its box does, whatever the pose.
func TestTruthIsWhatThePixelsShow(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	p, marks := card(400, 300, face.Box{X: 120, Y: 60, W: 100, H: 140})
	bar, _ := card(60, 700)
	for range 60 {
		pose := Pose{
			X: 320 * r.Float64(), Y: 240 * r.Float64(), Scale: 0.3 + 1.2*r.Float64(),
			Angle: 3 * (r.Float64() - 0.5), Squeeze: 0.4 + 0.6*r.Float64(),
		}
		camera := Pose{X: 160 + 20*r.Float64(), Y: 120, Scale: 0.8 + 0.4*r.Float64(), Angle: 0.4 * (r.Float64() - 0.5)}
		f := Film{Width: 320, Height: 240, Rate: 25, Shots: []Shot{{Frames: 1, Camera: still(camera), Layers: []Layer{
			{Picture: p, Marks: marks, Path: still(pose)},
			{Picture: bar, Path: still(Pose{X: 160, Y: 120, Scale: 1})},
		}}}}
		img := f.At(0).(*image.RGBA)
		sights := f.Sights(0)
		white, wrong, bright := 0, 0, 0
		for y := range f.Height {
			for x := range f.Width {
				if img.RGBAAt(x, y).R > 150 {
					bright++
				}
			}
		}
		for _, s := range sights {
			for _, q := range s.Points {
				white++
				if img.RGBAAt(int(q.X), int(q.Y)).R < 150 {
					wrong++
				}
			}
		}
		if wrong > 4+white/50 { // the seams between pixels
			t.Errorf("%d of %d points do not show the face at %+v", wrong, white, pose)
		}
		if len(sights) == 0 {
			if bright > 20 {
				t.Errorf("%d pixels of a face that is said not to be seen at %+v", bright, pose)
			}
			continue
		}
		want := sights[0].Visible() * sights[0].W * sights[0].H
		if math.Abs(want-float64(bright)) > 30+0.08*sights[0].W*sights[0].H {
			t.Errorf("%d pixels of the face, want about %.0f at %+v", bright, want, pose)
		}
	}
}

func TestSightKeepsSizeAndTurn(t *testing.T) {
	p, marks := card(400, 300, face.Box{X: 150, Y: 80, W: 100, H: 140})
	f := Film{Width: 640, Height: 480, Shots: []Shot{{Frames: 9, Layers: []Layer{{
		Picture: p, Marks: marks,
		Path: Through(false, Key{0, Pose{X: 300, Y: 200, Scale: 0.5, Angle: 0.5}}, Key{8, Pose{X: 380, Y: 200, Scale: 0.5, Angle: 0.5}}),
	}}}}}
	s := f.Sights(4)[0]
	if math.Abs(s.W-50) > 1e-6 || math.Abs(s.H-70) > 1e-6 || math.Abs(s.Angle-0.5) > 1e-9 || math.Abs(s.Speed-10) > 1e-6 {
		t.Errorf("%+v", s)
	}
	if b := s.Box(); b.W < s.W || b.H < s.H || math.Abs(b.Centre().X-s.Centre.X) > 1e-9 {
		t.Errorf("box %+v around %+v", b, s.Centre)
	}
}

func TestFastThingsLeaveATrace(t *testing.T) {
	p, marks := card(60, 60, face.Box{X: 0, Y: 0, W: 60, H: 60})
	at := func(speed float64) int {
		f := Film{Width: 400, Height: 100, Shots: []Shot{{Frames: 3, Layers: []Layer{{
			Picture: p, Marks: marks, Path: func(t float64) Pose { return Pose{X: 200 + speed*(t-1), Y: 50, Scale: 1} },
		}}}}}
		img, touched := f.At(1).(*image.RGBA), 0
		for x := range 400 {
			if img.RGBAAt(x, 50).R > 8 {
				touched++
			}
		}
		return touched
	}
	if still, fast := at(0), at(80); still != 60 || fast < 94 || fast > 104 { // half of 80 pixels more
		t.Errorf("%d pixels still, %d in motion", still, fast)
	}
}

func TestSameSeedSameFilms(t *testing.T) {
	if testing.Short() {
		t.Skip("draws many frames")
	}
	some := func(seed uint64) []Film {
		c := syntheticCast()
		return []Film{dark(c, seed), crowd(c, seed), cuts(c, seed)}
	}
	first, again, other := some(1), some(1), some(2)
	differ := false
	for i := range first {
		f := &first[i]
		a, b, c := make([]byte, 3*f.Width*f.Height), make([]byte, 3*f.Width*f.Height), make([]byte, 3*f.Width*f.Height)
		n := f.Frames() / 3
		f.Render(n, a)
		again[i].Render(n, b)
		other[i].Render(n, c)
		if !bytes.Equal(a, b) {
			t.Errorf("%s: the same seed makes another frame", f.Name)
		}
		differ = differ || !bytes.Equal(a, c)
	}
	if !differ {
		t.Error("another seed makes the same films")
	}
}

func TestEveryKindShowsFaces(t *testing.T) {
	if testing.Short() {
		t.Skip("draws many frames")
	}
	var kinds []string
	for _, f := range Films(syntheticCast(), 1) {
		kinds = append(kinds, f.Kind)
		bare, turned := 0, 0.0
		for n := range f.Frames() {
			for _, s := range f.Sights(n) {
				if s.Visible() > 0.5 && s.Size() >= 20 {
					bare++
				}
				turned = math.Max(turned, math.Abs(s.Angle))
			}
		}
		if bare < 40 {
			t.Errorf("%s: %d bare face-frames", f.Name, bare)
		}
		if f.Kind == Roll && (turned < 0.65 || turned > 0.75) {
			t.Errorf("rocks by %v", turned)
		}
	}
	if got := slices.Compact(kinds); !slices.Equal(got, Kinds()) {
		t.Errorf("kinds %v", got)
	}
}

func TestWriteMakesAFilmOfAllFrames(t *testing.T) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Fatal(err)
	}
	p, marks := card(400, 300, face.Box{X: 150, Y: 80, W: 100, H: 140})
	f := Film{Width: 320, Height: 240, Rate: 30, Shots: []Shot{{Frames: 13, Layers: []Layer{{Picture: p, Marks: marks, Path: still(Pose{X: 160, Y: 120, Scale: 1})}}}}}
	path := filepath.Join(t.TempDir(), "film.mp4")
	if err := f.Write(t.Context(), ffmpeg, path); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("ffprobe", "-v", "error", "-count_frames", "-select_streams", "v",
		"-show_entries", "stream=codec_name,width,height,r_frame_rate,nb_read_frames", "-of", "csv=p=0", path).Output()
	if got := strings.TrimSpace(string(out)); err != nil || got != "h264,320,240,30/1,13" {
		t.Errorf("%q, %v", got, err)
	}
	if err := f.Write(t.Context(), ffmpeg, filepath.Join(t.TempDir(), "no", "film.mp4")); err == nil {
		t.Error("a film in a folder that is not there")
	}
}
