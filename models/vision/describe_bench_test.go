package vision

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"gocv.io/x/gocv"
)

// BenchmarkDescribe gives the time of one face with each describer. Set OPENBLAS_NUM_THREADS and
// OPENCV_FOR_THREADS_NUM to 1 to measure one core.
func BenchmarkDescribe(b *testing.B) {
	dir := os.Getenv("CONSENTRY_MODELS")
	if dir == "" {
		b.Skip("CONSENTRY_MODELS does not say where the models are")
	}
	modelFile := func(name ...string) string { return filepath.Join(append([]string{dir}, name...)...) }
	finder, err := OpenFinder(modelFile("fr_detect_cut.onnx"), modelFile("fr_landmark.onnx"), DefaultOptions())
	if err != nil {
		b.Fatal(err)
	}
	defer finder.Close() //nolint:errcheck // frees memory only
	d, err := OpenDescriber(modelFile("dlib"), modelFile("fr_feature.onnx"))
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close() //nolint:errcheck // frees memory only
	img := gocv.IMRead(modelFile("samples", "sample6.jpg"), gocv.IMReadColor)
	defer img.Close() //nolint:errcheck // frees memory only
	faces, err := finder.Find(context.Background(), img)
	if err != nil || len(faces) == 0 {
		b.Fatal(len(faces), err)
	}
	f := faces[0]
	c, err := cutFaceOut(img, f.Box)
	if err != nil {
		b.Fatal(err)
	}
	defer c.close() //nolint:errcheck // frees memory only
	for name, run := range map[string]func() error{
		"both":          func() error { return d.Describe(context.Background(), img, &f) },
		"go-face":       func() error { _, err := d.dlib.describe(c, &f); return err },
		"MobileFaceNet": func() error { _, err := d.mobile.describe(c, f.Landmarks); return err },
		"quality":       func() error { _, err := measureQuality(c, f.Landmarks); return err },
		"cutting":       func() error { c, err := cutFaceOut(img, f.Box); _ = c.close(); return err },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
