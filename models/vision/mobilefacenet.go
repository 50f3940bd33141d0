package vision

import (
	"errors"
	"fmt"
	"image"
	"math"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
)

const (
	chipSide     = 112 // pixels, what MobileFaceNet was trained on
	mobileLength = 512 // numbers in its template
)

// chipPoints are where MobileFaceNet expects the eyes' centres, the tip of the nose and the
// mouth's corners in its chip: the five points that ArcFace training sets are aligned to
// (insightface, arcface_dst), counted from the chip's corner, so half a pixel more than there.
func chipPoints() []face.Point {
	return []face.Point{
		{X: 38.7946, Y: 52.1963},
		{X: 74.0318, Y: 52.0014},
		{X: 56.5252, Y: 72.2366},
		{X: 42.0493, Y: 92.8655},
		{X: 71.2299, Y: 92.7041},
	}
}

// fivePoints are the same five points of a face. ok is false where there are no landmarks or
// they collapse into one place.
func fivePoints(l face.Landmarks) (points []face.Point, ok bool) {
	left, right, ok := l.Eyes()
	if !ok || !(math.Hypot(right.X-left.X, right.Y-left.Y) > 1) {
		return nil, false
	}
	return []face.Point{left, right, l[30], l[48], l[54]}, true
}

// mobileFaceNet describes aligned faces with MobileFaceNet through OpenCV's DNN.
type mobileFaceNet struct{ net gocv.Net }

func openMobileFaceNet(onnx string) (*mobileFaceNet, error) {
	net := gocv.ReadNetFromONNX(onnx)
	if net.Empty() {
		return nil, errors.Join(errors.New("loading MobileFaceNet: not a network that OpenCV reads"), net.Close())
	}
	return &mobileFaceNet{net}, nil
}

func (m *mobileFaceNet) close() error { return m.net.Close() }

// describe turns an aligned chip into a template of unit length: the sum of what the network says
// of the chip and of its mirror image.
func (m *mobileFaceNet) describe(chip gocv.Mat) ([]float32, error) {
	sum := make([]float32, mobileLength)
	if err := m.addTo(sum, chip); err != nil {
		return nil, err
	}
	mirrored := gocv.NewMat()
	defer mirrored.Close()
	gocv.Flip(chip, &mirrored, 1)
	if err := m.addTo(sum, mirrored); err != nil {
		return nil, err
	}
	return unit(sum)
}

// addTo adds the network's answer for one chip. Input: RGB, (x − 127)/128.
func (m *mobileFaceNet) addTo(sum []float32, chip gocv.Mat) error {
	blob := gocv.BlobFromImage(chip, 1.0/128, image.Pt(chipSide, chipSide), gocv.NewScalar(127, 127, 127, 0), true, false)
	defer blob.Close()
	m.net.SetInput(blob, "")
	out := m.net.Forward("")
	defer out.Close()
	v, err := out.DataPtrFloat32()
	if err != nil {
		return fmt.Errorf("reading MobileFaceNet's answer: %w", err)
	}
	if len(v) != mobileLength {
		return fmt.Errorf("MobileFaceNet gave %d numbers, not %d", len(v), mobileLength)
	}
	for i, x := range v {
		sum[i] += x
	}
	return nil
}

// unit scales a vector to length one, in place.
func unit(v []float32) ([]float32, error) {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	norm := math.Sqrt(sum)
	if !(norm > 0) || math.IsInf(norm, 0) {
		return nil, errors.New("MobileFaceNet gave a vector without a direction")
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / norm)
	}
	return v, nil
}
