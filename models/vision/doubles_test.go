package vision

import (
	"image"
	"math"
	"slices"
	"testing"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
)

// A pair of a pair is the point itself, and in a mirrored face each point lies where its partner was.
func TestMirrorOf(t *testing.T) {
	t.Parallel()
	middle := map[int]bool{8: true, 27: true, 28: true, 29: true, 30: true, 33: true, 51: true, 57: true, 62: true, 66: true}
	for i := range landmarkCount {
		j := mirrorOf(i)
		if j < 0 || j >= landmarkCount || mirrorOf(j) != i {
			t.Errorf("point %d has partner %d, which has partner %d", i, j, mirrorOf(j))
		}
		if (i == j) != middle[i] {
			t.Errorf("point %d has partner %d", i, j)
		}
	}
	for left, right := range map[int]int{0: 16, 17: 26, 31: 35, 36: 45, 39: 42, 41: 46, 48: 54, 59: 55, 60: 64, 67: 65} {
		if mirrorOf(left) != right {
			t.Errorf("point %d has partner %d, want %d", left, mirrorOf(left), right)
		}
	}
}

// One of the 22 is a profile on which the landmarks jump as on clothes, so the median is what counts.
func TestUnrestTellsFacesFromClothes(t *testing.T) {
	f := openTestFinder(t, DefaultOptions())
	var all []float64
	for i, faces := range sampleFaces() {
		img := readSample(t, i+1)
		for _, b := range faces {
			u, err := f.landmarks.unrest(img, b)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, u)
		}
	}
	slices.Sort(all)
	dress, err := f.landmarks.unrest(readSample(t, 4), face.Box{X: 981, Y: 456, W: 221, H: 280})
	if median := all[len(all)/2]; err != nil || dress < 2*median {
		t.Errorf("landmarks jump by %.3f on a dress, by %.3f on faces, error %v", dress, median, err)
	}
}

func TestSettledRisesWithEvidence(t *testing.T) {
	t.Parallel()
	i := impression{score: 0.9, hits: 12, size: 120}
	oftener := i
	oftener.hits = 20
	for name, better := range map[string]float64{
		"more hits":          oftener.settled(-2, 0.05),
		"better looks":       i.settled(1, 0.05),
		"steadier landmarks": i.settled(-2, 0.02),
	} {
		if better <= i.settled(-2, 0.05) {
			t.Errorf("%s do not raise the odds", name)
		}
	}
	if i.settled(0, 0) != i.settled(0, leastUnrest) {
		t.Error("landmarks that do not move at all gain more than a face's")
	}
}

// headAt is a face whose landmarks are spread over a square of this side.
func headAt(box face.Box, x, y, side float64) face.Face {
	l := make(face.Landmarks, landmarkCount)
	for i := range l {
		l[i] = face.Point{X: x + side*float64(i%8)/8, Y: y + side*float64(i/8)/9}
	}
	return face.Face{Box: box, Score: 0.99, Landmarks: l}
}

func TestOneHead(t *testing.T) {
	t.Parallel()
	whole := headAt(face.Box{X: 100, Y: 100, W: 100, H: 130}, 100, 110, 90)
	tests := []struct {
		name   string
		other  face.Face
		finest float64
		want   bool
	}{
		{"hair and forehead, landmarks nearly the same", headAt(face.Box{X: 100, Y: 40, W: 100, H: 130}, 105, 100, 90), 0.5, true},
		{"the same box, landmarks elsewhere", headAt(face.Box{X: 110, Y: 60, W: 100, H: 130}, 110, 60, 90), 0.5, false},
		{"the same again, shown large", headAt(face.Box{X: 110, Y: 60, W: 100, H: 130}, 110, 68, 90), 1, true},
		{"a neighbour cheek to cheek", headAt(face.Box{X: 165, Y: 100, W: 100, H: 130}, 120, 110, 90), 1, false},
		{"without landmarks", face.Face{Box: whole.Box}, 1, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, pair := range [][2]face.Face{{whole, tt.other}, {tt.other, whole}} {
				if got := oneHead(pair[0], pair[1], tt.finest); got != tt.want {
					t.Errorf("one head: %v, want %v", got, tt.want)
				}
			}
		})
	}
}

func TestDropDoublesKeepsTheBetterBoxOfAHead(t *testing.T) {
	f := openTestFinder(t, DefaultOptions())
	img := readSample(t, 6)
	var found []face.Face
	for _, b := range sampleFaces()[5][:2] {
		half := face.Box{X: b.X - 0.2*b.W, Y: b.Y - 0.35*b.H, W: b.W, H: b.H}
		for _, box := range []face.Box{half, b} {
			l, err := f.landmarks.fit(img, box)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, face.Face{Box: box, Score: 0.99, Landmarks: l})
		}
	}
	kept, err := f.dropDoubles(img, found, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(kept) != 2 || kept[0].Box != found[1].Box || kept[1].Box != found[3].Box {
		t.Errorf("%d of 4 boxes are kept, want the two that hold a face", len(kept))
	}
}

// The sleeves, dresses and shoulders that were taken for faces once must not be again.
func TestClothesAreNoFaces(t *testing.T) {
	f := openTestFinder(t, DefaultOptions())
	for _, c := range []struct {
		sample int
		box    face.Box
	}{
		{1, face.Box{X: 455, Y: 598, W: 173, H: 365}},
		{4, face.Box{X: 981, Y: 456, W: 221, H: 280}},
		{5, face.Box{X: 1592, Y: 632, W: 184, H: 249}},
	} {
		if n := found(find(t, f, readSample(t, c.sample)), c.box); n != 0 {
			t.Errorf("sample %d: a piece of clothing is found as a face", c.sample)
		}
	}
}

func TestApartIsAMeanDistance(t *testing.T) {
	t.Parallel()
	a := face.Landmarks{{X: 0, Y: 0}, {X: 10, Y: 0}}
	b := face.Landmarks{{X: 3, Y: 4}, {X: 10, Y: 15}}
	if d := apart(a, b); math.Abs(d-10) > 1e-9 {
		t.Errorf("distance %v, want 10", d)
	}
	if d := apart(nil, nil); d != 0 {
		t.Errorf("nothing is %v apart from nothing", d)
	}
}

// The points of a mirrored view come back to where the picture has them.
func TestFitViewIsInThePicturesPixels(t *testing.T) {
	f := openTestFinder(t, DefaultOptions())
	img, b := readSample(t, 6), sampleFaces()[5][1]
	turned := newMat(t)
	gocv.Flip(img, turned, 1)
	v := landmarkView(b)
	v.mirrored = true
	got, err := f.landmarks.fitView(img, v)
	if err != nil {
		t.Fatal(err)
	}
	w := float64(img.Cols())
	want, err := f.landmarks.fit(*turned, face.Box{X: w - b.X - b.W, Y: b.Y, W: b.W, H: b.H})
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range want {
		if math.Hypot(w-p.X-got[i].X, p.Y-got[i].Y) > 0.02*b.W {
			t.Fatalf("point %d lies at %v, want %v (%v)", i, got[i], face.Point{X: w - p.X, Y: p.Y}, image.Pt(img.Cols(), img.Rows()))
		}
	}
}
