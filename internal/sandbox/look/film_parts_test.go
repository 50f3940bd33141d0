package look_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/sandbox/look"
	"github.com/consentry/consentry/internal/track"
)

func TestPlanSegments(t *testing.T) {
	for name, test := range map[string]struct {
		frames int
		shots  []int
		want   []int
	}{
		"one frame":      {1, []int{0}, []int{0}},
		"one segment":    {250, []int{0}, []int{0}},
		"one shot":       {501, []int{0}, []int{0, 250, 500}},
		"at a shot":      {600, []int{0, 10, 200, 240}, []int{0, 240, 490}},
		"early shots":    {600, []int{0, 10, 20, 260}, []int{0, 250, 500}},
		"at the limit":   {600, []int{0, 250}, []int{0, 250, 500}},
		"shot at half":   {300, []int{0, 125}, []int{0, 250}},
		"no shots known": {300, nil, []int{0, 250}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, look.PlanSegments(test.frames, test.shots)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whatever the shots, segments cover the film, and none is longer than promised nor shorter than half of that, but the last.
func TestSegmentsCoverTheFilm(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		frames := 1 + random.IntN(2000)
		shots := []int{0}
		for at := random.IntN(200) + 1; at < frames; at += random.IntN(400) + 1 {
			shots = append(shots, at)
		}
		firsts := look.PlanSegments(frames, slices.Clone(shots))
		if firsts[0] != 0 {
			t.Fatal(firsts)
		}
		for i, first := range firsts {
			end := frames
			if i+1 < len(firsts) {
				end = firsts[i+1]
			}
			if n := end - first; n < 1 || n > look.SegmentFrames || n <= look.SegmentFrames/2 && end < frames {
				t.Fatalf("a segment of %d frames: %v, shots %v", n, firsts, shots)
			}
		}
	}
}

func TestMeansAreMeans(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, size := range [][2]int{{8, 8}, {320, 240}, {322, 182}, {1920, 1080}, {40, 2000}} {
		w, h := size[0], size[1]
		y := make([]byte, w*h)
		base := random.IntN(200)
		for i := range y {
			y[i] = byte(base + random.IntN(50))
		}
		for i, m := range look.Means(y, w, h) {
			if int(m) < base || int(m) > base+50 {
				t.Fatalf("%v: cell %d has mean %d of grey values from %d to %d", size, i, m, base, base+50)
			}
		}
		for i := range y {
			y[i] = 255
		}
		if means := look.Means(y, w, h); slices.Max(means) != 255 || slices.Min(means) != 255 {
			t.Fatalf("%v: a white frame has means %v", size, means)
		}
	}
	if means := look.Means(make([]byte, 24), 6, 4); len(means) != 0 {
		t.Errorf("a frame smaller than a block has means %v", means)
	}
}

func TestSame(t *testing.T) {
	const w, h = 64, 48
	plain := make([]byte, w*h)
	for i := range plain {
		plain[i] = 100
	}
	noise, spot := slices.Clone(plain), slices.Clone(plain)
	for i := range noise {
		noise[i] += byte(i % 2)
	}
	for row := range 8 {
		for col := range 8 {
			spot[(row+20)*w+col+20] = 110
		}
	}
	if !look.Same(plain, plain, w, h) || !look.Same(plain, noise, w, h) {
		t.Error("noise of one grey value is taken for something that happened")
	}
	if look.Same(plain, spot, w, h) {
		t.Error("a spot is not noticed")
	}
	if look.Same(plain[:24], plain[:24], 6, 4) {
		t.Error("frames too small to be compared are taken for the same")
	}
}

func path(frames ...int) []track.Position {
	var p []track.Position
	for _, f := range frames {
		p = append(p, track.Position{Frame: f, Box: face.Box{X: float64(10 * f), Y: 5, W: 20, H: 30}})
	}
	return p
}

func TestScenesKnowEveryCover(t *testing.T) {
	covers := []track.Cover{{Track: 3, Path: path(4, 9)}, {Track: 1, Path: path(0, 2)}, {Track: 2, Path: path(2, 4)}, {Track: 4}}
	want := []int{1, 1, 2, 1, 2, 1, 1, 1, 1, 1, 0}
	if diff := cmp.Diff(want, look.RegionsOn(covers, 11)); diff != "" {
		t.Error(diff)
	}
}

func TestOnFrame(t *testing.T) {
	p := path(2, 4, 10)
	for frame, want := range map[int]float64{2: 20, 3: 30, 4: 40, 7: 70, 10: 100} {
		if b, ok := look.OnFrame(p, frame); !ok || b.X != want || b.W != 20 {
			t.Errorf("frame %d: %v, %t", frame, b, ok)
		}
	}
	for _, frame := range []int{1, 11} {
		if b, ok := look.OnFrame(p, frame); ok {
			t.Errorf("frame %d: %v", frame, b)
		}
	}
}
