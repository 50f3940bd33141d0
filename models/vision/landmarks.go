package vision

import (
	"errors"
	"fmt"
	"image"
	"os"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
)

const (
	landmarkSide  = 64    // of the grey crop that the network takes, pixels
	landmarkRange = 256.0 // grey values are divided by it
	landmarkCount = 68    // points, x and y for each
)

// landmarker fits 68 points to a face.
type landmarker struct {
	net        gocv.Net
	crop, grey gocv.Mat // reused
}

func openLandmarker(path string) (*landmarker, error) {
	onnx, err := os.ReadFile(path) //nolint:gosec // the caller's own model file
	if err != nil || len(onnx) == 0 {
		return nil, errors.New("open the landmarks' weights: cannot read the file")
	}
	net, err := gocv.ReadNetFromONNXBytes(onnx)
	if err != nil {
		return nil, fmt.Errorf("open the landmarks' weights: %w", err)
	}
	return &landmarker{net: net, crop: gocv.NewMat(), grey: gocv.NewMat()}, nil
}

func (l *landmarker) close() error {
	return errors.Join(l.net.Close(), l.crop.Close(), l.grey.Close())
}

// fit gives the 68 points of the face in this box, in the picture's pixels. What of the box lies
// beyond the picture's edge is filled with the edge's own pixels.
func (l *landmarker) fit(img gocv.Mat, box face.Box) (face.Landmarks, error) {
	v := landmarkView(box)
	v.sample(img, &l.crop)
	gocv.CvtColor(l.crop, &l.grey, gocv.ColorBGRToGray)
	blob := gocv.BlobFromImage(l.grey, 1/landmarkRange, image.Point{}, gocv.NewScalar(0, 0, 0, 0), false, false)
	defer blob.Close() //nolint:errcheck // frees memory only
	l.net.SetInput(blob, "")
	out := l.net.Forward("")
	defer out.Close() //nolint:errcheck // frees memory only
	xy, err := out.DataPtrFloat32()
	if err != nil {
		return nil, fmt.Errorf("read the landmarks: %w", err)
	}
	if len(xy) != 2*landmarkCount {
		return nil, fmt.Errorf("the landmarks' network gave %d numbers, want %d", len(xy), 2*landmarkCount)
	}
	points := make(face.Landmarks, landmarkCount)
	for i := range points {
		points[i] = v.back(float64(xy[2*i])*landmarkSide, float64(xy[2*i+1])*landmarkSide)
	}
	return points, nil
}

// landmarkView is the part of the picture that the network is shown: the detector's box as it
// is, as in the package that the weights come from.
func landmarkView(b face.Box) view {
	return view{box: b, size: image.Pt(landmarkSide, landmarkSide)}
}
