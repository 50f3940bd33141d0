package vision

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/consentry/consentry/internal/face"
)

// One cell of a 3×2 grid of stride 16 speaks for its second anchor of 48 pixels.
func testGrid() grid {
	n := 6
	g := grid{stride: 16, rows: 2, cols: 3, scores: make([]float32, 4*n), boxes: make([]float32, 8*n)}
	for i := range n {
		g.scores[i], g.scores[2*n+i] = 9, 9 // background everywhere
	}
	cell := 4                  // second row, second column
	g.scores[3*n+cell] = 9 + 2 // second anchor: face by two
	g.boxes[4*n+cell] = 1      // a tenth of 48 to the right
	g.boxes[5*n+cell] = -1     // a tenth up
	g.boxes[6*n+cell] = 0      // as wide as the anchor
	g.boxes[7*n+cell] = float32(math.Log(1.5) / sizeVariance)
	return g
}

func TestDecodeOneCell(t *testing.T) {
	t.Parallel()
	got := testGrid().appendFaces(nil, 0.5)
	w, h := 48.0, 72.0
	want := []face.Face{{
		Box:   face.Box{X: 24 + 4.8 - w/2, Y: 24 - 4.8 - h/2, W: w, H: h},
		Score: 1 / (1 + math.Exp(-2)),
	}}
	if d := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-4)); d != "" {
		t.Error(d)
	}
	if more := testGrid().appendFaces(nil, 0.9); len(more) != 0 {
		t.Error("a face below the threshold is given")
	}
}

func TestDecodeRefusesWhatIsNoBox(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]float32{
		"not a number": float32(math.NaN()), "infinite": float32(math.Inf(1)), "beyond its anchor": 100,
	} {
		g := testGrid()
		g.boxes[7*6+4] = v
		if got := g.appendFaces(nil, 0.5); len(got) != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestDecodeYuNet(t *testing.T) {
	t.Parallel()
	const cols = yunetSide / 32
	n := cols * cols
	cls, obj, bbox := make([]float32, n), make([]float32, n), make([]float32, 4*n)
	i := 3*cols + 5
	cls[i], obj[i] = 0.81, 1.5 // above 1 counts as 1
	copy(bbox[4*i:], []float32{0.5, 0.25, float32(math.Log(2)), float32(math.Log(3))})
	got, err := decodeYuNet(cls, obj, bbox, 32, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	want := []face.Face{{Box: face.Box{X: 5.5*32 - 32, Y: 3.25*32 - 48, W: 64, H: 96}, Score: 0.9}}
	if d := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-4)); d != "" {
		t.Error(d)
	}
	if _, err := decodeYuNet(cls[1:], obj, bbox, 32, 0.5); err == nil {
		t.Error("tensors of another size are taken")
	}
}

func TestViewGoesThereAndBack(t *testing.T) {
	t.Parallel()
	v := view{box: face.Box{X: 10, Y: 20, W: 40, H: 80}}
	v.size.X, v.size.Y = 20, 20
	box := face.Box{X: 2, Y: 4, W: 10, H: 5}
	if d := cmp.Diff(face.Box{X: 14, Y: 36, W: 20, H: 20}, v.backBox(box), cmpopts.EquateApprox(0, 1e-9)); d != "" {
		t.Error(d)
	}
	v.mirrored = true
	if d := cmp.Diff(face.Box{X: 26, Y: 36, W: 20, H: 20}, v.backBox(box), cmpopts.EquateApprox(0, 1e-9)); d != "" {
		t.Error("mirrored:", d)
	}
}

func TestWindowsCoverThePicture(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 640, 641, 1000, 3000} {
		end := 0
		for i, s := range windowStarts(n) {
			if i > 0 && end-s < yunetOverlap {
				t.Errorf("%d pixels: windows share %d", n, end-s)
			}
			end = min(s+yunetSide, n)
		}
		if end != n {
			t.Errorf("%d pixels: windows end at %d", n, end)
		}
	}
}
