package evaluation_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/evaluation"
	"github.com/consentry/consentry/internal/evaluation/footage"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/sandbox/look"
	"github.com/consentry/consentry/models"
	"github.com/consentry/consentry/models/vision"
	"github.com/consentry/consentry/pipeline"
)

// seeing gives eyes with the pulled weights, and the folder of the sample photographs.
func seeing(t *testing.T) (*look.Eyes, *vision.Finder, string) {
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
	if err := store.Verify(t.Context(), store.SampleNames()...); err != nil {
		t.Fatal(err)
	}
	e := look.New(look.Models{
		Detector: store.Path(models.Detector), Landmarks: store.Path(models.Landmarks),
		DlibDir: store.DlibDir(), MobileFaceNet: store.Path(models.MobileFaceNet),
	}, media.DefaultLimits())
	t.Cleanup(func() { _ = e.Close() })
	finder, err := vision.OpenFinder(store.Path(models.Detector), store.Path(models.Landmarks), vision.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = finder.Close() })
	return e, finder, filepath.Join(dir, "samples")
}

// troupe are two of the sample photographs. Nobody is matched, so that nobody is described.
func troupe(t *testing.T, e *look.Eyes, finder *vision.Finder, dir string) *evaluation.Troupe {
	t.Helper()
	some := t.TempDir()
	for _, name := range []string{"sample3.jpg", "sample6.jpg"} {
		if err := os.Symlink(filepath.Join(dir, name), filepath.Join(some, name)); err != nil {
			t.Fatal(err)
		}
	}
	found, err := evaluation.GroupTroupe(t.Context(), some, func(ctx context.Context, path string) ([]face.Face, error) {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if _, err := e.Decode(ctx, data); err != nil {
			return nil, err
		}
		return e.Find(ctx)
	}, finder)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestMadeFilms(t *testing.T) {
	e, finder, dir := seeing(t)
	cast := &troupe(t, e, finder, dir).Cast
	t.Run("nobody is bare", func(t *testing.T) { nobodyIsBare(t, e, footage.Short(cast, 1)) })
	t.Run("the truth agrees with the detector", func(t *testing.T) { truthAgrees(t, finder, footage.Short(cast, 2)) })
}

// nobodyIsBare is the promise of films: on no single frame.
func nobodyIsBare(t *testing.T, e *look.Eyes, films []footage.Film) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Fatal(err)
	}
	studio := &evaluation.Studio{Dir: t.TempDir(), FFmpeg: ffmpeg, Cinemas: []pipeline.Cinema{e}}
	watched, err := studio.Watch(t.Context(), films, pipeline.WatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	results, err := evaluation.Cover(films, watched)
	if err != nil {
		t.Fatal(err)
	}
	var all evaluation.Coverage
	inside := 0
	for _, r := range results {
		all.FaceFrames += r.All.FaceFrames
		all.Covered += r.All.Covered
		inside += r.All.Inside.Frames
	}
	if all.FaceFrames < 200 || all.Share() < 0.99 || inside > 0 {
		var table bytes.Buffer
		if err := evaluation.PrintFilms(&table, results); err != nil {
			t.Fatal(err)
		}
		t.Errorf("%d face-frames, %.4f covered, %d bare inside a track:\n%s", all.FaceFrames, all.Share(), inside, table.String())
	}
}

// truthAgrees says whether faces are where a detector sees them.
func truthAgrees(t *testing.T, finder *vision.Finder, films []footage.Film) {
	seen, of := 0, 0
	for _, f := range films {
		for _, n := range []int{2, f.Frames() - 3} {
			found := detect(t, finder, &f, n)
			for _, s := range f.Sights(n) {
				if s.Visible() < 0.95 || s.Speed > 6 {
					continue // a detector need not see what is hidden or smeared
				}
				of++
				if slices.ContainsFunc(found, func(d face.Face) bool { return d.Box.IoU(s.Box()) >= 0.45 }) {
					seen++
				}
			}
		}
	}
	if of < 6 || float64(seen) < 0.9*float64(of) {
		t.Errorf("the detector sees %d of %d faces where they are said to be", seen, of)
	}
}

func detect(t *testing.T, finder *vision.Finder, f *footage.Film, frame int) []face.Face {
	t.Helper()
	img, err := gocv.ImageToMatRGB(f.At(frame))
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	found, err := finder.Detect(img)
	if err != nil {
		t.Fatal(err)
	}
	return found
}
