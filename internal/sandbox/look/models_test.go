package look_test

import (
	"image"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/obscure"
	"github.com/consentry/consentry/internal/sandbox/look"
	"github.com/consentry/consentry/models"
)

// seeing gives eyes with the pulled weights, and the folder of the sample photographs.
func seeing(t *testing.T) (*look.Eyes, string) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs the weights and the sample photographs, which -short goes without")
	}
	dir := os.Getenv("CONSENTRY_MODELS")
	if dir == "" {
		var err error
		if dir, err = models.DefaultDir(); err != nil {
			t.Fatal(err)
		}
	}
	store, err := models.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	e := look.New(look.Models{
		Detector: store.Path(models.Detector), Landmarks: store.Path(models.Landmarks),
		DlibDir: store.DlibDir(), MobileFaceNet: store.Path(models.MobileFaceNet),
	}, media.DefaultLimits())
	t.Cleanup(func() { _ = e.Close() })
	return e, filepath.Join(dir, "samples")
}

func sample(t *testing.T, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func find(t *testing.T, e *look.Eyes, file []byte) []face.Face {
	t.Helper()
	if _, err := e.Decode(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	faces, err := e.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if faces, err = e.Describe(t.Context(), faces); err != nil {
		t.Fatal(err)
	}
	return faces
}

// The second look must see a face that was left bare: an inspection that sees nothing proves
// nothing.
func TestInspectSeesWhatWasLeftBare(t *testing.T) {
	e, dir := seeing(t)
	faces := find(t, e, sample(t, dir, "sample3.jpg"))
	if len(faces) < 3 {
		t.Fatalf("%d faces found on sample3.jpg, want the three women's", len(faces))
	}
	bare, err := e.Obscure(t.Context(), nil, obscure.SecureBlur)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faces {
		if f.Score < 0.9 || f.Box.Size() < 40 { // not surely a face
			continue
		}
		b := face.HeadRegion(f).Bounds()
		bare.Changed = []image.Rectangle{image.Rect(int(b.X), int(b.Y), int(b.X+b.W), int(b.Y+b.H))}
		seen, err := e.Inspect(t.Context(), bare)
		if err != nil {
			t.Fatal(err)
		}
		best := -1.0
		for _, s := range seen.Faces {
			if score, ok := gallery.Score(f.Templates, s.Templates); ok {
				best = max(best, score)
			}
		}
		if best < gallery.DefaultThresholds().Confident {
			t.Errorf("the bare face at %v was not recognised: %d seen, best score %.2f", f.Box, len(seen.Faces), best)
		}
	}
}

func TestInspectSeesNothingOfWhatIsObscured(t *testing.T) {
	e, dir := seeing(t)
	for _, name := range []string{"sample1.jpg", "sample2.jpg", "sample3.jpg", "sample4.jpg", "sample5.jpg", "sample6.jpg"} {
		for _, style := range []obscure.Style{obscure.SecureBlur, obscure.Solid} {
			faces := find(t, e, sample(t, dir, name))
			var regions []face.Region
			for _, f := range faces {
				regions = append(regions, face.HeadRegion(f))
			}
			d, err := e.Obscure(t.Context(), regions, style)
			if err != nil {
				t.Fatal(err)
			}
			seen, err := e.Inspect(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			if !seen.Outside.Within || seen.Outside.Max != 0 {
				t.Errorf("%s, %s: outside differs: %+v", name, style, seen.Outside)
			}
			for _, s := range seen.Faces {
				t.Logf("%s, %s: something like a face at %v, score %.2f", name, style, s.Box, s.Score)
				for _, f := range faces {
					if f.Score < 0.9 { // two things that are no faces may well look alike
						continue
					}
					if score, ok := gallery.Score(f.Templates, s.Templates); ok && score >= gallery.DefaultThresholds().Unsure {
						t.Errorf("%s, %s: it matches the one that was obscured at %v, score %.2f: %.2f", name, style, f.Box, f.Score, score)
					}
				}
			}
		}
	}
}

// A picture seen again is seen the same, whatever was looked at in between.
func TestLookingIsRepeatable(t *testing.T) {
	e, dir := seeing(t)
	first := find(t, e, sample(t, dir, "sample2.jpg"))
	find(t, e, sample(t, dir, "sample5.jpg"))
	if diff := cmp.Diff(first, find(t, e, sample(t, dir, "sample2.jpg"))); diff != "" {
		t.Error(diff)
	}
}
