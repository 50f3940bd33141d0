package evaluation

import (
	"context"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
)

// stills writes grey photographs of these names.
func stills(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, n := range names {
		f, err := os.Create(filepath.Join(dir, n))
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, image.NewGray(image.Rect(0, 0, 900, 300))); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestGroupTroupeNamesPeopleByTheirPlace(t *testing.T) {
	dir := stills(t, "one.png", "two.png")
	describe := func(_ context.Context, path string) ([]face.Face, error) {
		return []face.Face{big(600, 60, 1, nil), big(10, 60, 1, nil), big(300, 10, 1, nil)}, nil // the last is too small
	}
	got, err := GroupTroupe(t.Context(), dir, describe, blind{}, [2]FaceAt{{"one.png", 1}, {"two.png", 0}})
	if err != nil {
		t.Fatal(err)
	}
	var persons []string
	for _, h := range got.Cast.Heads {
		persons = append(persons, h.Marks[0].Person)
	}
	if diff := cmp.Diff([]string{"one.png#0", "one.png#1", "one.png#1", "two.png#1"}, persons); diff != "" {
		t.Error(diff)
	}
	if len(got.Cast.Groups) != 2 || len(got.References) != 4 || got.References[0].Another {
		t.Errorf("%d groups, %+v", len(got.Cast.Groups), got.References)
	}
}

func TestSinglesTroupeKeepsReferencesOutOfTheFilms(t *testing.T) {
	dir := stills(t, "anna.png", "anna2.png", "anna3.png", "once.png", "group.png")
	templates := map[string]face.Templates{"anna.png": person(1), "anna2.png": person(2), "anna3.png": person(3), "once.png": person(4)}
	describe := func(_ context.Context, path string) ([]face.Face, error) {
		name := filepath.Base(path)
		if name == "group.png" {
			return []face.Face{big(10, 60, 1, nil), big(300, 60, 1, nil), big(600, 60, 1, nil)}, nil
		}
		f := big(100, 100, 1, templates[name])
		if name != "anna2.png" {
			f.Quality.Yaw = 0.5
		}
		return []face.Face{f}, nil
	}
	got, err := SinglesTroupe(t.Context(), dir, describe, blind{})
	if err != nil {
		t.Fatal(err)
	}
	want := []Enrolment{{Person: "single#0", Templates: person(2), Another: true}} // who looks straight ahead
	if diff := cmp.Diff(want, got.References); diff != "" {
		t.Error(diff)
	}
	if len(got.Cast.Heads) != 3 || len(got.Cast.Groups) != 0 {
		t.Errorf("%d heads, %d groups", len(got.Cast.Heads), len(got.Cast.Groups))
	}
}

func TestEverySecondPersonMayNotBeShown(t *testing.T) {
	troupe := &Troupe{}
	for i, name := range []string{"a", "b", "c", "a"} {
		troupe.References = append(troupe.References, Enrolment{Person: name, Templates: person(uint64(i))})
	}
	for all, enrolled := range map[bool]int{true: 3, false: 2} {
		c, err := CastingOf(troupe, all, "models")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]bool{"a": true, "b": false, "c": true}, c.Subjects); diff != "" || c.Enrolled != enrolled {
			t.Errorf("%d enrolled, %s", c.Enrolled, diff)
		}
	}
}

// blind is a detector that sees nothing.
type blind struct{}

// Detect implements Detector.
func (blind) Detect(gocv.Mat) ([]face.Face, error) { return nil, nil }

// wavering is a detector whose boxes reach too far up at one size.
type wavering struct{ tall int }

// Detect implements Detector.
func (w wavering) Detect(img gocv.Mat) ([]face.Face, error) {
	k := float64(img.Cols()) / 900
	b := face.Box{X: 100 * k, Y: 100 * k, W: 80 * k, H: 100 * k}
	if img.Cols() == w.tall {
		b.Y, b.H = 60*k, 140*k
	}
	return []face.Face{{Box: b}}, nil
}

func TestBoxesAreThoseThatMostSizesAgreeOn(t *testing.T) {
	picture := gocv.NewMatWithSize(300, 900, gocv.MatTypeCV8UC3)
	defer picture.Close()
	faces := []face.Face{{Box: face.Box{X: 100, Y: 60, W: 80, H: 140}}} // too tall itself
	if err := agree(picture, wavering{}, faces); err != nil {
		t.Fatal(err)
	}
	if b := faces[0].Box; math.Abs(b.Y-100) > 1 || math.Abs(b.H-100) > 1 {
		t.Errorf("%+v", b)
	}
}
