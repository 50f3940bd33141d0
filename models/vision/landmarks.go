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
	return l.fitView(img, landmarkView(box))
}

// fitView gives the points as the network sees them in the view, in the picture's pixels and in the
// network's order: in a mirrored view the face's right eye takes the left eye's places.
func (l *landmarker) fitView(img gocv.Mat, v view) (face.Landmarks, error) {
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

// unrest is how far the points jump when the box is mirrored: their mean distance against the box's
// size. Half of the faces of 80 pixels and more stay below 0.011, 95 % below 0.052; on
// sleeves, hair and folds, where there is nothing to hold on to, the median is 0.077.
func (l *landmarker) unrest(img gocv.Mat, box face.Box) (float64, error) {
	v := landmarkView(box)
	plain, err := l.fitView(img, v)
	if err != nil {
		return 0, err
	}
	v.mirrored = true
	mirrored, err := l.fitView(img, v)
	if err != nil {
		return 0, err
	}
	turned := make(face.Landmarks, len(mirrored))
	for i := range turned {
		turned[i] = mirrored[mirrorOf(i)]
	}
	return apart(plain, turned) / box.Size(), nil
}

// mirrorOf is the point (0 to 67, the order of iBUG 300-W) that takes the place of this one when
// the face is mirrored.
func mirrorOf(point int) int {
	// Within each of these runs the numbers of a pair have the same sum.
	for _, r := range []struct{ last, sum int }{
		{16, 16},           // the jaw from ear to ear
		{26, 43},           // the brows
		{30, 2 * point},    // the bridge of the nose lies in the middle
		{35, 66},           // the nostrils
		{39, 81}, {41, 87}, // one eye: upper lid with both corners, lower lid
		{45, 81}, {47, 87}, // the other
		{54, 102}, {59, 114}, // the lips' outer line: above with both corners, below
		{64, 124}, {67, 132}, // their inner line
	} {
		if point <= r.last {
			return r.sum - point
		}
	}
	return point
}
