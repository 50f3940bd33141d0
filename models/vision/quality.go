package vision

import (
	"fmt"
	"math"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
)

// measureQuality measures the aligned 112×112 chip and the landmarks that align it. Without
// landmarks all is zero, which is the worst.
func measureQuality(c cut, l face.Landmarks) (face.Quality, error) {
	points, ok := fivePoints(l)
	to := similarity{}
	if ok {
		to = bestSimilarity(points, chipPoints(1))
	}
	if !to.finite() {
		return face.Quality{}, nil
	}
	chip := c.warp(to, chipSide, chipSide)
	defer chip.Close()
	grey := gocv.NewMat()
	defer grey.Close()
	gocv.CvtColor(chip, &grey, gocv.ColorBGRToGray)
	edges := gocv.NewMat()
	defer edges.Close()
	gocv.Laplacian(grey, &edges, gocv.MatTypeCV64F, 1, 1, 0, gocv.BorderDefault)
	_, deviation, err := spread(edges)
	if err != nil {
		return face.Quality{}, err
	}
	brightness, _, err := spread(grey)
	if err != nil {
		return face.Quality{}, err
	}
	return face.Quality{Sharpness: deviation * deviation, Brightness: brightness, Yaw: yaw(l)}, nil
}

// spread is the mean and the standard deviation of a one-channel picture.
func spread(m gocv.Mat) (mean, deviation float64, err error) {
	a, b := gocv.NewMat(), gocv.NewMat()
	defer a.Close()
	defer b.Close()
	gocv.MeanStdDev(m, &a, &b)
	if a.Empty() || b.Empty() {
		return 0, 0, fmt.Errorf("measuring a face's quality: %w", ErrNoPixels)
	}
	return a.GetDoubleAt(0, 0), b.GetDoubleAt(0, 0), nil
}

// yaw is where the tip of the nose stands along the line of the eyes: 0 halfway, ±1 level with an
// eye's centre or beyond it, positive towards the picture's right.
func yaw(l face.Landmarks) float64 {
	left, right, ok := l.Eyes()
	if !ok {
		return 0
	}
	ex, ey := right.X-left.X, right.Y-left.Y
	nx, ny := l[30].X-(left.X+right.X)/2, l[30].Y-(left.Y+right.Y)/2
	y := 2 * (nx*ex + ny*ey) / (ex*ex + ey*ey)
	if math.IsNaN(y) {
		return 1 // collapsed landmarks: nothing says that the face is frontal
	}
	return math.Max(-1, math.Min(1, y))
}
