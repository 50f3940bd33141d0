package evaluation

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
)

// fixed is a detector that sees the same faces in every picture.
type fixed struct {
	faces []face.Face
	err   error
}

func (f fixed) Detect(gocv.Mat) ([]face.Face, error) { return f.faces, f.err }

func square(x, y, side float64) face.Face {
	return face.Face{Box: face.Box{X: x, Y: y, W: side, H: side}, Score: 0.9}
}

// pictures is a folder with that many grey pictures.
func pictures(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	m := gocv.NewMatWithSizeFromScalar(gocv.NewScalar(90, 90, 90, 0), 60, 80, gocv.MatTypeCV8UC3)
	defer m.Close() //nolint:errcheck // frees memory only
	for i := range n {
		if !gocv.IMWrite(filepath.Join(dir, string(rune('a'+i))+".jpg"), m) {
			t.Fatal("cannot write a picture")
		}
	}
	return dir
}

func TestEvaluateDetectionCounts(t *testing.T) {
	t.Parallel()
	tested := fixed{faces: []face.Face{square(0, 0, 15), square(101, 0, 30), square(500, 500, 40), square(800, 0, 90)}}
	sure := fixed{faces: []face.Face{square(0, 0, 15), square(100, 0, 30), square(200, 0, 30), square(300, 0, 100)}}
	doubtful := fixed{faces: []face.Face{square(500, 500, 40)}}
	r, err := EvaluateDetection(context.Background(), pictures(t, 2), tested, sure, doubtful)
	if err != nil {
		t.Fatal(err)
	}
	want := []Band{{12, 20, 2, 2}, {20, 40, 4, 2}, {40, 80, 0, 0}, {80, 0, 2, 0}}
	if d := cmp.Diff(want, r.Bands); d != "" {
		t.Error(d)
	}
	if r.Recall() != 2.0/6 || r.UnconfirmedPerPicture() != 1 || r.Detections != 8 {
		t.Errorf("recall %v, unconfirmed %v, detections %d", r.Recall(), r.UnconfirmedPerPicture(), r.Detections)
	}
	for _, s := range []string{"20–40 px", "80 px and more", "33.3%", "1.00 unconfirmed", "80×60"} {
		if !strings.Contains(r.Table(), s) {
			t.Errorf("the table lacks %q", s)
		}
	}
}

func TestEvaluateDetectionFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	none := fixed{}
	text := t.TempDir()
	if err := os.WriteFile(filepath.Join(text, "a.jpg"), []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := EvaluateDetection(context.Background(), t.TempDir(), none, none, none); err == nil {
		t.Error("an empty folder is evaluated")
	}
	if _, err := EvaluateDetection(context.Background(), text, none, none, none); err == nil {
		t.Error("a file that is no picture is evaluated")
	}
	if _, err := EvaluateDetection(context.Background(), pictures(t, 1), fixed{err: broken}, none, none); !errors.Is(err, broken) {
		t.Errorf("error %v, want the detector's", err)
	}
}
