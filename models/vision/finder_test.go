package vision

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
)

// modelFile is the path of a file of the model directory; a short run may do without.
func modelFile(t *testing.T, name ...string) string {
	t.Helper()
	dir := os.Getenv("CONSENTRY_MODELS")
	if dir == "" {
		data := os.Getenv("XDG_DATA_HOME")
		if data == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				t.Fatal(err)
			}
			data = filepath.Join(home, ".local", "share")
		}
		dir = filepath.Join(data, "consentry", "models")
	}
	if testing.Short() {
		t.Skip("needs the weights or the sample photographs, which -short goes without")
	}
	path := filepath.Join(append([]string{dir}, name...)...)
	if _, err := os.Stat(path); err != nil {
		t.Fatal("pull the models first:", err)
	}
	return path
}

func openTestFinder(t *testing.T, o Options) *Finder {
	t.Helper()
	f, err := OpenFinder(modelFile(t, "fr_detect_cut.onnx"), modelFile(t, "fr_landmark.onnx"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func readSample(t *testing.T, n int) gocv.Mat {
	t.Helper()
	img := gocv.IMRead(modelFile(t, "samples", fmt.Sprintf("sample%d.jpg", n)), gocv.IMReadColor)
	if img.Empty() {
		t.Fatal("the sample does not decode")
	}
	t.Cleanup(func() { _ = img.Close() })
	return img
}

// newMat is an empty picture that the test's end frees.
func newMat(t *testing.T) *gocv.Mat {
	t.Helper()
	m := gocv.NewMat()
	t.Cleanup(func() { _ = m.Close() })
	return &m
}

// sampleFaces are the 22 faces of the six samples, marked by hand: centre and side.
func sampleFaces() [][]face.Box {
	at := func(x, y, side float64) face.Box {
		return face.Box{X: x - side/2, Y: y - side/2, W: side, H: side}
	}
	return [][]face.Box{
		{at(508, 480, 210), at(932, 563, 213), at(1568, 336, 244)},
		{at(452, 264, 217), at(974, 356, 180), at(1539, 270, 211)},
		{at(689, 482, 250), at(1197, 367, 319), at(1587, 457, 233)},
		{at(346, 350, 177), at(752, 211, 227), at(1090, 257, 272), at(1339, 298, 224)},
		{at(475, 1042, 242), at(687, 554, 203), at(864, 238, 194), at(1199, 340, 202), at(1510, 514, 264)},
		{at(357, 650, 236), at(760, 486, 241), at(1269, 464, 232), at(1584, 444, 259)},
	}
}

// found counts the faces that are the wanted one.
func found(fs []face.Face, want face.Box) int {
	n := 0
	for _, f := range fs {
		if f.Box.IoU(want) >= 0.35 {
			n++
		}
	}
	return n
}

func find(t *testing.T, f *Finder, img gocv.Mat) []face.Face {
	t.Helper()
	fs, err := f.Find(context.Background(), img)
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

// zoomed is the box after the picture is scaled.
func zoomed(b face.Box, s float64) face.Box {
	return face.Box{X: b.X * s, Y: b.Y * s, W: b.W * s, H: b.H * s}
}

func TestFindsAllFacesOfTheSamples(t *testing.T) {
	f := openTestFinder(t, DefaultOptions())
	for _, scale := range []float64{1, 0.5, 0.25} {
		extra := 0
		for i, faces := range sampleFaces() {
			img, small := readSample(t, i+1), newMat(t)
			gocv.Resize(img, small, image.Point{}, scale, scale, gocv.InterpolationArea)
			fs := find(t, f, *small)
			extra += len(fs) - len(faces)
			for k, b := range faces {
				if n := found(fs, zoomed(b, scale)); n != 1 {
					t.Errorf("sample %d at scale %v: face %d is found %d times", i+1, scale, k+1, n)
				}
			}
		}
		if extra > 8 { // six at full size; of the ten that there were once, four were clothes
			t.Errorf("scale %v: %d false detections in six samples", scale, extra)
		}
	}
}

func TestLandmarksLieOnTheFace(t *testing.T) {
	f := openTestFinder(t, DefaultOptions())
	fs := find(t, f, readSample(t, 6))
	for _, b := range sampleFaces()[5] {
		for _, x := range fs {
			if x.Box.IoU(b) < 0.35 {
				continue
			}
			left, right, ok := x.Landmarks.Eyes()
			if !ok {
				t.Fatal("no landmarks")
			}
			apart := math.Hypot(right.X-left.X, right.Y-left.Y) / x.Box.W
			mouth := x.Landmarks[57]
			if left.X >= right.X || apart < 0.3 || apart > 0.7 || mouth.Y <= left.Y || mouth.Y <= right.Y ||
				mouth.X <= left.X || mouth.X >= right.X || math.Abs(x.Landmarks.Roll()) > 0.4 {
				t.Errorf("eyes at %v and %v, mouth at %v in %v", left, right, mouth, x.Box)
			}
		}
	}
}

// rotated turns the picture about its middle; the box's centre goes along.
func rotated(t *testing.T, img gocv.Mat, b face.Box, degrees float64) (gocv.Mat, face.Box) {
	t.Helper()
	m := gocv.GetRotationMatrix2D(image.Pt(img.Cols()/2, img.Rows()/2), degrees, 1)
	t.Cleanup(func() { _ = m.Close() })
	out := newMat(t)
	gocv.WarpAffineWithParams(img, out, m, image.Pt(img.Cols(), img.Rows()), gocv.InterpolationLinear,
		gocv.BorderReplicate, color.RGBA{})
	c := b.Centre()
	x := m.GetDoubleAt(0, 0)*c.X + m.GetDoubleAt(0, 1)*c.Y + m.GetDoubleAt(0, 2)
	y := m.GetDoubleAt(1, 0)*c.X + m.GetDoubleAt(1, 1)*c.Y + m.GetDoubleAt(1, 2)
	return *out, face.Box{X: x - b.W/2, Y: y - b.H/2, W: b.W, H: b.H}
}

func TestFindsTurnedFaces(t *testing.T) {
	f := openTestFinder(t, DefaultOptions())
	for _, degrees := range []float64{-20, -10, 10, 20} {
		for _, i := range []int{2, 5} {
			for k, b := range sampleFaces()[i] {
				img, want := rotated(t, readSample(t, i+1), b, degrees)
				whole := face.Box{W: float64(img.Cols()), H: float64(img.Rows())}
				if whole.Intersection(want) < 0.95*want.Area() {
					continue // turned out of the picture
				}
				if n := found(find(t, f, img), want); n != 1 {
					t.Errorf("sample %d turned by %v: face %d is found %d times", i+1, degrees, k+1, n)
				}
			}
		}
	}
}

// facePatch is the second woman of the sixth sample with her surroundings, shrunk so that her
// face's side is so many pixels.
func facePatch(t *testing.T, side float64) *gocv.Mat {
	t.Helper()
	b := sampleFaces()[5][1]
	c, r := b.Centre(), b.W*1.2
	img := readSample(t, 6)
	part := img.Region(image.Rect(int(c.X-r), int(c.Y-r), int(c.X+r), int(c.Y+r)))
	defer part.Close() //nolint:errcheck // frees memory only
	patch := newMat(t)
	s := side / b.W
	gocv.Resize(part, patch, image.Point{}, s, s, gocv.InterpolationArea)
	return patch
}

// paste puts the patch's middle there and says where the face is then.
func paste(onto gocv.Mat, patch gocv.Mat, at image.Point, side float64) face.Box {
	corner := at.Sub(image.Pt(patch.Cols()/2, patch.Rows()/2))
	place := onto.Region(image.Rectangle{Min: corner, Max: corner.Add(image.Pt(patch.Cols(), patch.Rows()))})
	defer place.Close() //nolint:errcheck // frees memory only
	patch.CopyTo(&place)
	return face.Box{X: float64(at.X) - side/2, Y: float64(at.Y) - side/2, W: side, H: side}
}

func canvas(t *testing.T, w, h int) gocv.Mat {
	t.Helper()
	m := gocv.NewMatWithSizeFromScalar(gocv.NewScalar(90, 100, 110, 0), h, w, gocv.MatTypeCV8UC3)
	t.Cleanup(func() { _ = m.Close() })
	return m
}

func TestFindsTwentyPixelsInTwentyFourMegapixels(t *testing.T) {
	f := openTestFinder(t, DefaultOptions())
	img, patch := canvas(t, 6000, 4000), facePatch(t, 20)
	var want []face.Box
	for _, at := range []image.Point{{40, 40}, {1613, 1471}, {3000, 2000}, {4771, 955}, {5950, 3960}} {
		want = append(want, paste(img, *patch, at, 20))
	}
	fs := find(t, f, img)
	for _, b := range want {
		if n := found(fs, b); n != 1 {
			t.Errorf("the face at %v is found %d times", b.Centre(), n)
		}
	}
}

// A face slid over the borders of tiles is found at each place, once.
func TestSeamsLoseNothing(t *testing.T) {
	o := DefaultOptions()
	o.Tile, o.Enlarge, o.SeenAt = 320, 1, o.SmallestFace
	f := openTestFinder(t, o)
	for _, side := range []float64{24, 60, 150} {
		patch := facePatch(t, side)
		for x := 200; x <= 520; x += 19 {
			img := canvas(t, 720, 600)
			want := paste(img, *patch, image.Pt(x, 180+x/4), side)
			if n := found(find(t, f, img), want); n != 1 {
				t.Errorf("a face of %v pixels at %d is found %d times", side, x, n)
			}
		}
	}
}

func TestFindInSeesWhatFindSees(t *testing.T) {
	f := openTestFinder(t, DefaultOptions())
	img := readSample(t, 5)
	for k, b := range sampleFaces()[4] {
		area := image.Rect(int(b.X), int(b.Y), int(b.X+b.W), int(b.Y+b.H))
		fs, err := f.FindIn(context.Background(), img, area)
		if err != nil {
			t.Fatal(err)
		}
		if n := found(fs, b); n != 1 {
			t.Errorf("face %d is found %d times in its own box", k+1, n)
		}
		for _, x := range fs {
			if x.Box.Intersection(rectBox(area)) == 0 {
				t.Errorf("a face outside of the area is given: %v", x.Box)
			}
		}
	}
	fs, err := f.FindIn(context.Background(), img, image.Rect(-50, -50, -10, -10))
	if err != nil || len(fs) != 0 {
		t.Errorf("an area beyond the picture gives %d faces and error %v", len(fs), err)
	}
}

func TestFindIsRepeatable(t *testing.T) {
	f := openTestFinder(t, DefaultOptions())
	img := readSample(t, 4)
	first := find(t, f, img)
	find(t, f, readSample(t, 1))
	if d := cmp.Diff(first, find(t, f, img)); d != "" {
		t.Error(d)
	}
}

func TestFindRefusesOtherPictures(t *testing.T) {
	f := openTestFinder(t, DefaultOptions())
	grey := gocv.NewMatWithSize(100, 100, gocv.MatTypeCV8UC1)
	t.Cleanup(func() { _ = grey.Close() })
	for name, img := range map[string]gocv.Mat{"empty": *newMat(t), "grey": grey} {
		if _, err := f.Find(context.Background(), img); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestFindTakesAnySize(t *testing.T) {
	f := openTestFinder(t, DefaultOptions())
	for _, size := range []image.Point{{1, 1}, {2, 1}, {1, 700}, {3000, 3}, {17, 33}} {
		if fs := find(t, f, canvas(t, size.X, size.Y)); len(fs) != 0 {
			t.Errorf("%v pixels of one colour show %d faces", size, len(fs))
		}
	}
}

func TestFindStopsWithItsContext(t *testing.T) {
	f := openTestFinder(t, DefaultOptions())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := f.Find(ctx, canvas(t, 640, 480)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

func TestOpenFinderRefuses(t *testing.T) {
	good, landmarks := modelFile(t, "fr_detect_cut.onnx"), modelFile(t, "fr_landmark.onnx")
	text := filepath.Join(t.TempDir(), "text.onnx")
	if err := os.WriteFile(text, []byte("no network"), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := DefaultOptions()
	bad.Tile = 1000
	for name, open := range map[string]func() (*Finder, error){
		"no detector":     func() (*Finder, error) { return OpenFinder(text+"x", landmarks, DefaultOptions()) },
		"text":            func() (*Finder, error) { return OpenFinder(text, landmarks, DefaultOptions()) },
		"other network":   func() (*Finder, error) { return OpenFinder(landmarks, landmarks, DefaultOptions()) },
		"no landmarks":    func() (*Finder, error) { return OpenFinder(good, text+"x", DefaultOptions()) },
		"a tile of 1,000": func() (*Finder, error) { return OpenFinder(good, landmarks, bad) },
		"no options":      func() (*Finder, error) { return OpenFinder(good, landmarks, Options{}) },
	} {
		if _, err := open(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
