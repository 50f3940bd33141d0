package evaluation

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
)

// person makes up templates; a face of the same person lies near them.
func person(seed uint64) face.Templates {
	r := rand.New(rand.NewPCG(seed, 3))
	return face.Templates{face.DlibResNet: direction(r, 128), face.MobileFaceNet: direction(r, 512)}
}

func direction(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	var sum float64
	for i := range v {
		v[i] = float32(r.NormFloat64())
		sum += float64(v[i]) * float64(v[i])
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

func big(x, side, sharpness float64, t face.Templates) face.Face {
	return face.Face{
		Box: face.Box{X: x, Y: 10, W: side, H: side}, Score: 1, Templates: t,
		Quality: face.Quality{Sharpness: sharpness},
	}
}

// folder writes empty photographs of these names.
func folder(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, n := range names {
		path := filepath.Join(dir, n)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLabelsComeFromNames(t *testing.T) {
	dir := folder(t, "anna.jpg", "anna2.jpg", "4021.png", "4021-2.jpg", "4022/x.jpeg", "crowd.jpg", "empty.jpg", "notes.txt")
	describe := func(_ context.Context, path string) ([]face.Face, error) {
		switch filepath.Base(path) {
		case "empty.jpg":
			return nil, nil
		case "crowd.jpg":
			return []face.Face{big(300, 60, 1, nil), big(10, 60, 1, nil), big(150, 60, 1, nil), big(500, 20, 1, nil)}, nil
		case "anna.jpg": // herself, herself again, a wall in the background, a stranger out of focus
			doubtful := big(900, 400, 900, nil)
			doubtful.Score = 0.5
			return []face.Face{big(10, 200, 100, person(1)), big(60, 200, 99, nil), doubtful, big(600, 250, 1, nil)}, nil
		}
		return []face.Face{big(10, 100, 10, person(2))}, nil
	}
	faces, err := LabelledFaces(context.Background(), dir, describe, [2]FaceAt{{"anna.jpg", 0}, {"x", 1}}, [2]FaceAt{{"crowd.jpg", 0}, {"crowd.jpg", 2}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range faces {
		got = append(got, f.Photograph+" "+f.Subject)
	}
	want := []string{
		"4021-2.jpg 4021", "4021.png 4021", "x.jpeg 4022", "anna.jpg anna", "anna2.jpg anna",
		"crowd.jpg crowd.jpg#0", "crowd.jpg crowd.jpg#1", "crowd.jpg crowd.jpg#0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if faces[3].Templates == nil {
		t.Error("the main face of anna.jpg is not the sharp one")
	}
}

func TestLabelledFacesPassErrorsOn(t *testing.T) {
	broken := errors.New("broken")
	dir := folder(t, "a.jpg")
	_, err := LabelledFaces(context.Background(), dir, func(context.Context, string) ([]face.Face, error) { return nil, broken })
	if !errors.Is(err, broken) || strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
	if _, err := LabelledFaces(context.Background(), t.TempDir(), nil); !errors.Is(err, ErrNoPhotographs) {
		t.Errorf("empty folder: %v", err)
	}
}

func TestWhatIsKnown(t *testing.T) {
	photos := map[string]int{"anna": 2, "once": 1}
	anna, once := LabelledFace{Photograph: "a", Subject: "anna"}, LabelledFace{Photograph: "o", Subject: "once"}
	g1, g2 := LabelledFace{Photograph: "g", Subject: "g#1", Group: true}, LabelledFace{Photograph: "g", Subject: "g#2", Group: true}
	h := LabelledFace{Photograph: "h", Subject: "h#1", Group: true}
	for name, c := range map[string]struct {
		a, b LabelledFace
		want bool
	}{
		"two persons": {anna, once, true}, "one group": {g1, g2, true}, "two groups": {g1, h, false},
		"group and several": {g1, anna, true}, "group and one": {g1, once, false}, "the other way": {once, g1, false},
	} {
		if got := known(c.a, c.b, photos); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestPerfectDescribersMissNothing(t *testing.T) {
	var faces []LabelledFace
	for i := range uint64(8) {
		for _, photo := range []string{"", "2", "3"} {
			name := string(rune('a' + i))
			faces = append(faces, LabelledFace{Photograph: name + photo, Subject: name, Templates: person(i)})
		}
	}
	faces[1].Templates = nil // one failure to describe
	r, err := EvaluateDescription(faces, gallery.DefaultThresholds())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range append(r.Enrolled, r.AllPairs...) {
		for _, p := range v.Points {
			if p.FNMR.Cases != 0 || p.WithFTE.Cases == 0 {
				t.Errorf("%s at %v: %v missed, %v with failures", v.Voice, p.FMR, p.FNMR, p.WithFTE)
			}
		}
	}
	if diff := cmp.Diff(Bands{Confident: 15, None: 1}, r.Genuine); diff != "" {
		t.Error(diff)
	}
	if r.FNMR != 1.0/16 || r.Wrong != 0 || r.Described[string(face.DlibResNet)].Cases != 23 {
		t.Errorf("%+v", r)
	}
	var out bytes.Buffer
	if err := r.Print(&out); err != nil || !strings.Contains(out.String(), "MobileFaceNet alone") {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestThresholdAtAFalseMatchRate(t *testing.T) {
	strangers := []float64{5, 1, 4, 2, 3, 10, 6, 9, 8, 7}
	for fmr, want := range map[float64]float64{0: 10, 0.05: 10, 0.1: 9, 0.35: 7} {
		if got := thresholdAt(strangers, fmr); got != want {
			t.Errorf("at %v: %v, want %v", fmr, got, want)
		}
	}
	if !math.IsInf(thresholdAt(nil, 0.1), -1) {
		t.Error("without strangers")
	}
}

func TestWilsonInterval(t *testing.T) {
	for _, c := range []struct {
		cases, of int
		low, high float64
	}{
		{0, 864, 0, 0.00443}, {0, 0, 0, 1}, {5, 10, 0.2366, 0.7634}, {10, 10, 0.7225, 1}, // Newcombe 1998, method 3
	} {
		r := NewRate(c.cases, c.of)
		if math.Abs(r.Low-c.low) > 1e-4 || math.Abs(r.High-c.high) > 1e-4 {
			t.Errorf("%d of %d: %v to %v", c.cases, c.of, r.Low, r.High)
		}
	}
}
