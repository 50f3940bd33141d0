package track

import (
	"testing"

	"github.com/consentry/consentry/internal/face"
)

// sighting is one search of a film for TestWants.
type sighting struct {
	yaw  float64
	size float64
	fail bool // describing it comes to nothing
}

func constant(n int, s sighting) []sighting {
	all := make([]sighting, n)
	for i := range all {
		all[i] = s
	}
	return all
}

func TestWants(t *testing.T) {
	growing := make([]sighting, 60)
	for i := range growing {
		growing[i] = sighting{size: 20 + 2*float64(i)}
	}
	turning := append(constant(10, sighting{size: 80, yaw: 0.9, fail: true}), constant(20, sighting{size: 80})...)
	for _, test := range []struct {
		name         string
		all          []sighting
		least, most  int // attempts
		views        int
		bestFrontal  bool
		firstAttempt int
	}{
		{"a second", constant(8, sighting{size: 80}), 1, 1, 1, true, 2},
		{"seven seconds", constant(60, sighting{size: 80}), 3, 3, 3, true, 2},
		{"a minute", constant(500, sighting{size: 80}), 4, 5, 4, true, 2},
		{"coming nearer", growing, 4, 7, 4, true, 2},
		{"in profile for a second, then frontal", turning, 4, 6, 1, true, 2},
		{"never to be described", constant(500, sighting{size: 80, yaw: 1, fail: true}), 6, mostTries, 0, false, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, tried, first := newReel(t, still{}), 0, -1
			for _, s := range test.all {
				f := faceAt(100, 100, 0.95)
				f.Box.W, f.Box.H, f.Quality = s.size, s.size, face.Quality{Yaw: s.yaw, Sharpness: 1}
				r.search(f)
				for _, w := range r.b.Wants() {
					if tried++; first < 0 {
						first = r.n - 1
					}
					if !s.fail {
						w.Face.Templates = face.Templates{face.DlibResNet: {1}}
					}
					r.b.Described(w.Track, w.Face)
				}
				if len(r.b.Wants()) > 0 {
					t.Fatal("the same face is wanted twice")
				}
			}
			got := r.b.Finish()[0]
			if tried < test.least || tried > test.most || len(got.Views) < test.views || first != test.firstAttempt {
				t.Errorf("%d attempts, the first on frame %d, and %d views; want %d to %d, %d, and %d at least",
					tried, first, len(got.Views), test.least, test.most, test.firstAttempt, test.views)
			}
			if frontal := got.Best.Face.Quality.Yaw < 0.5; frontal != test.bestFrontal {
				t.Errorf("the best sighting has a yaw of %v", got.Best.Face.Quality.Yaw)
			}
		})
	}
}

// What is not lived through to the end is passed over.
func TestDescribedTooLate(t *testing.T) {
	r := newReel(t, still{})
	r.search(faceAt(100, 100, 0.95))
	id := r.b.Wants()[0].Track
	r.frame(Motion{Cut: true})
	f := faceAt(100, 100, 0.95)
	f.Templates = face.Templates{face.DlibResNet: {1}}
	r.b.Described(id, f)
	if views := r.b.Finish()[0].Views; len(views) != 0 {
		t.Errorf("%v", views)
	}
}

func TestWorth(t *testing.T) {
	frontal := make(face.Landmarks, 68)
	for i := 36; i < 42; i++ {
		frontal[i] = face.Point{X: -10}
	}
	for i := 42; i < 48; i++ {
		frontal[i] = face.Point{X: 10}
	}
	aside := append(face.Landmarks(nil), frontal...)
	aside[30] = face.Point{X: 9, Y: 8}
	collapsed := make(face.Landmarks, 68)
	base := faceAt(0, 0, 1)
	with := func(l face.Landmarks) float64 { f := base; f.Landmarks = l; return worthOf(f) }
	if !(with(frontal) > with(nil) && with(nil) > with(aside) && with(aside) > with(collapsed)) {
		t.Errorf("frontal %.2f, unknown %.2f, aside %.2f, collapsed %.2f", with(frontal), with(nil), with(aside), with(collapsed))
	}
}
