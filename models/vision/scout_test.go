package vision

import (
	"image"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
)

func openTestScout(t *testing.T) *Scout {
	t.Helper()
	s, err := OpenScout(modelFile(t, "fr_detect_cut.onnx"), modelFile(t, "fr_landmark.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestScoutSize(t *testing.T) {
	for _, test := range []struct{ frame, want image.Point }{
		{image.Pt(1920, 1080), image.Pt(848, 480)},
		{image.Pt(1080, 1920), image.Pt(480, 848)},
		{image.Pt(3840, 2160), image.Pt(1200, 672)},
		{image.Pt(320, 240), image.Pt(224, 176)},
		{image.Pt(2, 2), image.Pt(16, 16)},
		{image.Pt(8192, 2), image.Pt(5728, 16)},
	} {
		if got := scoutSize(test.frame); got != test.want {
			t.Errorf("a frame of %v is searched at %v, want %v", test.frame, got, test.want)
		}
	}
}

// What the Finder is sure of, the Scout finds: the samples' faces are large.
func TestScoutFindsWhatTheFinderDoes(t *testing.T) {
	s, f := openTestScout(t), openTestFinder(t, DefaultOptions())
	sure, hit := 0, 0
	for n := 1; n <= 6; n++ {
		img := readSample(t, n)
		want, err := f.Find(t.Context(), img)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Find(t.Context(), img, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if w.Score < 0.9 || w.Box.Size() < 24*math.Max(1, float64(img.Cols())/1920) {
				continue
			}
			sure++
			for _, g := range got {
				if g.Box.IoU(w.Box) > 0.4 {
					hit++
					break
				}
			}
		}
	}
	if sure < 10 || hit < sure*9/10 {
		t.Errorf("%d of %d faces found, want nine of ten", hit, sure)
	}
}

func TestGlanceFindsTheFaceBesideTheBox(t *testing.T) {
	s := openTestScout(t)
	img := readSample(t, 3)
	faces, err := s.Find(t.Context(), img, true)
	if err != nil || len(faces) == 0 {
		t.Fatal(len(faces), err)
	}
	sure := 0
	for _, f := range faces {
		if f.Score < 0.9 {
			continue
		}
		sure++
		beside := f.Box
		beside.X += f.Box.W / 5
		seen, ok, err := s.Glance(img, beside)
		if err != nil || !ok || seen.Box.IoU(f.Box) < 0.4 || len(seen.Landmarks) != landmarkCount {
			t.Errorf("the face at %v is seen at %v, %t, %v", f.Box, seen.Box, ok, err)
		}
	}
	if sure < 3 {
		t.Errorf("%d faces are sure, want the three women's", sure)
	}
	for _, nothing := range []face.Box{
		{}, {X: 10, Y: 10, W: -1, H: 3}, {X: math.NaN(), W: 1, H: 1}, {X: 1, Y: 1, W: math.Inf(1), H: 1}, {X: -900, Y: -900, W: 50, H: 50},
	} {
		if _, ok, err := s.Glance(img, nothing); ok || err != nil {
			t.Errorf("%v: a face is seen, or %v", nothing, err)
		}
	}
}

// Landmarks of a face that was shrunk first lie where those of the face itself lie.
func TestFitIsWhereTheFinderFits(t *testing.T) {
	s := openTestScout(t)
	img := readSample(t, 3)
	faces, err := s.Find(t.Context(), img, false)
	if err != nil || len(faces) == 0 {
		t.Fatal(len(faces), err)
	}
	if err := s.Fit(img, faces); err != nil {
		t.Fatal(err)
	}
	for _, f := range faces {
		want, err := s.landmarks.fit(img, f.Box)
		if err != nil {
			t.Fatal(err)
		}
		if d := apart(want, f.Landmarks); d > 0.02*f.Box.Size() {
			t.Errorf("landmarks of the face at %v are %.1f pixels off", f.Box, d)
		}
	}
}

func TestScoutIsRepeatable(t *testing.T) {
	s := openTestScout(t)
	img, other := readSample(t, 2), readSample(t, 5)
	first, err := s.Find(t.Context(), img, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Find(t.Context(), other, true); err != nil {
		t.Fatal(err)
	}
	again, err := s.Find(t.Context(), img, true)
	if diff := cmp.Diff(first, again); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestScoutRefusesNoFrame(t *testing.T) {
	s := openTestScout(t)
	empty := gocv.NewMat()
	defer empty.Close()
	if _, err := s.Find(t.Context(), empty, true); err == nil {
		t.Error("an empty frame was searched")
	}
}
