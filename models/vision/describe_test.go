package vision

import (
	"context"
	"errors"
	"image"
	"math"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
)

func openTestDescriber(t *testing.T) *Describer {
	t.Helper()
	dlibDir := filepath.Dir(modelFile(t, "dlib", "dlib_face_recognition_resnet_model_v1.dat"))
	d, err := OpenDescriber(dlibDir, modelFile(t, "fr_feature.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// looker finds and describes in tests.
type looker struct {
	finder    *Finder
	describer *Describer
}

func openLooker(t *testing.T) looker {
	t.Helper()
	return looker{openTestFinder(t, DefaultOptions()), openTestDescriber(t)}
}

func (l looker) all(t *testing.T, img gocv.Mat) []face.Face {
	t.Helper()
	fs := find(t, l.finder, img)
	for i := range fs {
		if err := l.describer.Describe(context.Background(), img, &fs[i]); err != nil {
			t.Fatal(err)
		}
	}
	return fs
}

// at is the found face that is nearest to the wanted one.
func (l looker) at(t *testing.T, img gocv.Mat, want face.Box) face.Face {
	t.Helper()
	for _, f := range find(t, l.finder, img) {
		if f.Box.IoU(want) < 0.35 {
			continue
		}
		if err := l.describer.Describe(context.Background(), img, &f); err != nil {
			t.Fatal(err)
		}
		return f
	}
	t.Fatal("the face is not found")
	return face.Face{}
}

func TestWomanOfTheDemo(t *testing.T) {
	l := openLooker(t)
	her := l.at(t, readSample(t, 3), sampleFaces()[2][1])
	g, err := gallery.New([]gallery.Reference{{Subject: "4021", Digest: "sample3", Templates: her.Templates}}, gallery.DefaultThresholds())
	if err != nil {
		t.Fatal(err)
	}
	where := map[int]face.Box{1: sampleFaces()[0][2], 3: sampleFaces()[2][1]}
	for n := 1; n <= 6; n++ {
		faces := l.all(t, readSample(t, n))
		var probes []face.Templates
		for _, f := range faces {
			probes = append(probes, f.Templates)
		}
		confident := 0
		for i, m := range g.MatchPhotograph(probes) {
			want := gallery.None
			if b, ok := where[n]; ok && faces[i].Box.IoU(b) >= 0.35 {
				want = gallery.Confident
				confident++
			}
			// Alone, without her own face to outdo them, others may be unsure but never her.
			alone := g.MatchPhotograph(probes[i : i+1])[0]
			if m.Band != want || (alone.Band == gallery.Confident) != (want == gallery.Confident) {
				t.Errorf("sample %d, face %d: %s, alone %s, score %.2f, want %s", n, i, m.Band, alone.Band, m.Score, want)
			}
		}
		if _, ok := where[n]; ok && confident != 1 {
			t.Errorf("sample %d: she is seen %d times", n, confident)
		}
	}
}

func TestChangedFacesKeepMatchingThemselves(t *testing.T) {
	l := openLooker(t)
	img := readSample(t, 6)
	for k, b := range sampleFaces()[5] {
		c := b.Centre()
		r := image.Rect(int(c.X-1.2*b.W), int(c.Y-1.2*b.H), int(c.X+1.2*b.W), int(c.Y+1.2*b.H)).
			Intersect(image.Rect(0, 0, img.Cols(), img.Rows()))
		crop := img.Region(r)
		t.Cleanup(func() { _ = crop.Close() })
		in := face.Box{X: b.X - float64(r.Min.X), Y: b.Y - float64(r.Min.Y), W: b.W, H: b.H}
		self := l.at(t, crop, in)
		for name, change := range changes() {
			changed, at := change(t, crop, in)
			score, ok := gallery.Score(self.Templates, l.at(t, changed, at).Templates)
			if !ok || score < gallery.DefaultThresholds().Confident {
				t.Errorf("face %d %s: score %.2f, %v", k, name, score, ok)
			}
		}
	}
}

type change func(t *testing.T, img gocv.Mat, b face.Box) (gocv.Mat, face.Box)

func changes() map[string]change {
	turn := func(degrees float64) change {
		return func(t *testing.T, img gocv.Mat, b face.Box) (gocv.Mat, face.Box) {
			return rotated(t, img, b, degrees)
		}
	}
	return map[string]change{
		"at a third of its size": func(t *testing.T, img gocv.Mat, b face.Box) (gocv.Mat, face.Box) {
			out := newMat(t)
			gocv.Resize(img, out, image.Point{}, 0.33, 0.33, gocv.InterpolationArea)
			return *out, zoomed(b, 0.33)
		},
		"turned left":  turn(15),
		"turned right": turn(-15),
		"mirrored": func(t *testing.T, img gocv.Mat, b face.Box) (gocv.Mat, face.Box) {
			out := newMat(t)
			gocv.Flip(img, out, 1)
			return *out, face.Box{X: float64(img.Cols()) - b.X - b.W, Y: b.Y, W: b.W, H: b.H}
		},
	}
}

func TestTemplatesAreWhatTheGalleryTakes(t *testing.T) {
	l := openLooker(t)
	f := l.at(t, readSample(t, 6), sampleFaces()[5][2])
	if len(f.Templates[face.DlibResNet]) != 128 || len(f.Templates[face.MobileFaceNet]) != 512 {
		t.Fatalf("%d and %d numbers", len(f.Templates[face.DlibResNet]), len(f.Templates[face.MobileFaceNet]))
	}
	if _, err := gallery.New([]gallery.Reference{{Subject: "1", Templates: f.Templates}}, gallery.DefaultThresholds()); err != nil {
		t.Error(err)
	}
	if q := f.Quality; q.Sharpness < 20 || q.Brightness < 40 || q.Brightness > 220 || math.Abs(q.Yaw) > 0.5 {
		t.Errorf("quality of a good frontal face: %+v", q)
	}
}

func TestDescribeIsRepeatable(t *testing.T) {
	l := openLooker(t)
	img := readSample(t, 6)
	f := l.at(t, img, sampleFaces()[5][2])
	again := f
	if err := l.describer.Describe(context.Background(), img, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f, again); diff != "" {
		t.Error(diff)
	}
}

func TestWallIsNotDescribed(t *testing.T) {
	d := openTestDescriber(t)
	f := face.Face{Box: face.Box{X: 50, Y: 50, W: 100, H: 100}}
	img := canvas(t, 200, 200)
	if err := d.Describe(context.Background(), img, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Templates) != 0 || f.Quality != (face.Quality{}) {
		t.Errorf("an empty wall is described: %v, %+v", f.Templates, f.Quality)
	}
}

func TestDescribeRefuses(t *testing.T) {
	d := openTestDescriber(t)
	img := canvas(t, 100, 100)
	grey := newMat(t)
	gocv.CvtColor(img, grey, gocv.ColorBGRToGray)
	box := face.Box{X: 20, Y: 20, W: 50, H: 50}
	stopped, stop := context.WithCancel(context.Background())
	stop()
	for name, c := range map[string]struct {
		ctx  context.Context
		img  gocv.Mat
		box  face.Box
		want error
	}{
		"nothing":       {context.Background(), *newMat(t), box, ErrNotBGR},
		"grey":          {context.Background(), *grey, box, ErrNotBGR},
		"outside":       {context.Background(), img, face.Box{X: 500, Y: 500, W: 50, H: 50}, ErrNoPixels},
		"flat box":      {context.Background(), img, face.Box{X: 5, Y: 5, W: 50}, ErrNoPixels},
		"not a number":  {context.Background(), img, face.Box{X: math.NaN(), Y: 5, W: 50, H: 50}, ErrNoPixels},
		"endless":       {context.Background(), img, face.Box{X: 5, Y: 5, W: math.Inf(1), H: 50}, ErrNoPixels},
		"out of time":   {stopped, img, box, context.Canceled},
		"far away":      {context.Background(), img, face.Box{X: 1e300, Y: -1e300, W: 50, H: 50}, ErrNoPixels},
		"a speck":       {context.Background(), img, face.Box{X: 5, Y: 5, W: 1e-9, H: 1e-9}, nil},
		"a mighty face": {context.Background(), img, face.Box{X: -1e5, Y: -1e5, W: 2e5, H: 2e5}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := face.Face{Box: c.box, Templates: face.Templates{face.DlibResNet: {1}}}
			if err := d.Describe(c.ctx, c.img, &f); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if len(f.Templates) != 0 {
				t.Error("templates of before are left")
			}
		})
	}
}

// Wild landmarks come from wild faces: nothing of them may reach OpenCV as a matrix without meaning.
func TestWildLandmarks(t *testing.T) {
	d := openTestDescriber(t)
	img := canvas(t, 100, 100)
	for name, p := range map[string]func(i int) face.Point{
		"one place":     func(int) face.Point { return face.Point{X: 50, Y: 50} },
		"not a number":  func(int) face.Point { return face.Point{X: math.NaN(), Y: 1} },
		"endless":       func(i int) face.Point { return face.Point{X: math.Inf(i%2*2 - 1), Y: 1} },
		"far apart":     func(i int) face.Point { return face.Point{X: float64(i) * 1e200, Y: 1e200} },
		"on one line":   func(i int) face.Point { return face.Point{X: float64(i), Y: 50} },
		"upside down":   func(i int) face.Point { return face.Point{X: float64(100 - i), Y: float64(-i)} },
		"a long way up": func(i int) face.Point { return face.Point{X: float64(i), Y: -1e7} },
	} {
		t.Run(name, func(t *testing.T) {
			f := face.Face{Box: face.Box{X: 20, Y: 20, W: 50, H: 50}, Landmarks: make(face.Landmarks, 68)}
			for i := range f.Landmarks {
				f.Landmarks[i] = p(i)
			}
			if err := d.Describe(context.Background(), img, &f); err != nil {
				t.Fatal(err)
			}
			for _, v := range f.Templates {
				if slices.ContainsFunc(v, func(x float32) bool { return x != x }) {
					t.Error("a template that is not a number")
				}
			}
		})
	}
}

func TestCloseIsSafe(t *testing.T) {
	d := openTestDescriber(t)
	img := canvas(t, 100, 100)
	var turns sync.WaitGroup
	for range 4 {
		turns.Go(func() {
			for range 5 {
				f := face.Face{Box: face.Box{X: 20, Y: 20, W: 50, H: 50}}
				if err := d.Describe(context.Background(), img, &f); err != nil && !errors.Is(err, ErrClosed) {
					t.Error(err)
				}
			}
		})
	}
	turns.Go(func() {
		if err := errors.Join(d.Close(), d.Close()); err != nil {
			t.Error(err)
		}
	})
	turns.Wait()
	f := face.Face{Box: face.Box{X: 20, Y: 20, W: 50, H: 50}}
	if err := d.Describe(context.Background(), img, &f); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestOpenDescriberRefuses(t *testing.T) {
	mobile := modelFile(t, "fr_feature.onnx")
	if _, err := OpenDescriber(t.TempDir(), mobile); err == nil {
		t.Error("a folder without go-face's files is taken")
	}
	if _, err := OpenDescriber(filepath.Dir(mobile), filepath.Join(t.TempDir(), "none.onnx")); err == nil {
		t.Error("a missing MobileFaceNet is taken")
	}
}
