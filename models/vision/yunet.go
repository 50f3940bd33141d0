package vision

import (
	"errors"
	"fmt"
	"image"
	"math"
	"os"
	"slices"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
)

// YuNet (2023 release, OpenCV Zoo) is the second detector and the yardstick of evaluation. It is
// decoded here because OpenCV 4.6's own FaceDetectorYN knows only the older one.
type YuNet struct {
	net       gocv.Net
	canvas    gocv.Mat
	names     []string
	threshold float64
	scales    []float64
}

const (
	yunetSide    = 640 // pixels: the file's input shape, which its own reshapes are bound to
	yunetOverlap = 160 // pixels that neighbouring windows share
	yunetSame    = 0.3 // intersection over union from which on two boxes are one, as OpenCV Zoo has it
)

// OpenYuNet opens the weights. Faces with at least this score (0 to 1) are given, from windows of
// 640×640 pixels over the picture at each of the scales (1 is its own size).
func OpenYuNet(path string, threshold float64, scales ...float64) (*YuNet, error) {
	if !(threshold > 0 && threshold < 1) || len(scales) == 0 {
		return nil, errors.New("open YuNet: a threshold between 0 and 1 and a scale are needed")
	}
	onnx, err := os.ReadFile(path) //nolint:gosec // the caller's own model file
	if err != nil || len(onnx) == 0 {
		return nil, errors.New("open YuNet: cannot read the file")
	}
	net, err := gocv.ReadNetFromONNXBytes(onnx)
	if err != nil {
		return nil, fmt.Errorf("open YuNet: %w", err)
	}
	y := &YuNet{net: net, canvas: gocv.NewMat(), threshold: threshold, scales: scales}
	for _, s := range yunetStrides() {
		for _, kind := range []string{"cls", "obj", "bbox"} {
			y.names = append(y.names, fmt.Sprintf("%s_%d", kind, s))
		}
	}
	return y, nil
}

func yunetStrides() []int { return []int{8, 16, 32} }

// Close frees the network. The YuNet must not be used afterwards.
func (y *YuNet) Close() error { return errors.Join(y.net.Close(), y.canvas.Close()) }

// Detect gives boxes and scores, best first; there are no landmarks.
func (y *YuNet) Detect(img gocv.Mat) ([]face.Face, error) {
	if img.Empty() || img.Type() != gocv.MatTypeCV8UC3 {
		return nil, errors.New("find faces by YuNet: the picture is empty or not BGR with 8 bits")
	}
	scaledImg := gocv.NewMat()
	defer scaledImg.Close() //nolint:errcheck // frees memory only
	var all []face.Face
	for _, s := range y.scales {
		size := image.Pt(scaled(img.Cols(), s), scaled(img.Rows(), s))
		resample(img, &scaledImg, size)
		found, err := y.windows(scaledImg)
		if err != nil {
			return nil, fmt.Errorf("find faces by YuNet: %w", err)
		}
		for _, f := range found {
			sx, sy := float64(img.Cols())/float64(size.X), float64(img.Rows())/float64(size.Y)
			f.Box = face.Box{X: f.Box.X * sx, Y: f.Box.Y * sy, W: f.Box.W * sx, H: f.Box.H * sy}
			all = append(all, f)
		}
	}
	return suppress(all, yunetSame), nil
}

// windows runs the network over all windows of a picture.
func (y *YuNet) windows(img gocv.Mat) ([]face.Face, error) {
	var all []face.Face
	for _, top := range windowStarts(img.Rows()) {
		for _, left := range windowStarts(img.Cols()) {
			area := image.Rect(left, top, min(left+yunetSide, img.Cols()), min(top+yunetSide, img.Rows()))
			part := img.Region(area)
			found, err := y.window(part)
			part.Close() //nolint:errcheck,gosec // frees memory only
			if err != nil {
				return nil, err
			}
			for _, f := range found {
				if cutByWindow(f.Box, area, image.Pt(img.Cols(), img.Rows())) {
					continue
				}
				f.Box.X += float64(left)
				f.Box.Y += float64(top)
				all = append(all, f)
			}
		}
	}
	return all, nil
}

// cutByWindow says whether a box of a window touches an edge that is not the picture's own; the
// neighbour sees that face whole.
func cutByWindow(b face.Box, area image.Rectangle, size image.Point) bool {
	const edge = 2
	return b.X < edge && area.Min.X > 0 || b.Y < edge && area.Min.Y > 0 ||
		b.X+b.W > float64(area.Dx()-edge) && area.Max.X < size.X ||
		b.Y+b.H > float64(area.Dy()-edge) && area.Max.Y < size.Y
}

// windowStarts places windows of yunetSide over n pixels.
func windowStarts(n int) []int {
	if n <= yunetSide {
		return []int{0}
	}
	count := 1 + ceilDiv(n-yunetSide, yunetSide-yunetOverlap)
	starts := make([]int, count)
	for i := range starts {
		starts[i] = (n - yunetSide) * i / (count - 1)
	}
	return starts
}

// window runs the network once over at most yunetSide × yunetSide pixels.
func (y *YuNet) window(img gocv.Mat) ([]face.Face, error) {
	gocv.CopyMakeBorder(img, &y.canvas, 0, yunetSide-img.Rows(), 0, yunetSide-img.Cols(), gocv.BorderConstant, padding())
	blob := gocv.BlobFromImage(y.canvas, 1, image.Point{}, gocv.NewScalar(0, 0, 0, 0), false, false)
	defer blob.Close() //nolint:errcheck // frees memory only
	y.net.SetInput(blob, "")
	outs := y.net.ForwardLayers(y.names)
	defer closeAll(outs)
	if len(outs) != len(y.names) {
		return nil, fmt.Errorf("%d tensors, want %d", len(outs), len(y.names))
	}
	var all []face.Face
	for i, s := range yunetStrides() {
		var t [3][]float32
		for k := range t {
			data, err := outs[3*i+k].DataPtrFloat32()
			if err != nil {
				return nil, fmt.Errorf("read tensor %s: %w", y.names[3*i+k], err)
			}
			t[k] = data
		}
		found, err := decodeYuNet(t[0], t[1], t[2], s, y.threshold)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return suppress(all, yunetSame), nil
}

// decodeYuNet reads one stride: the score is √(class · objectness), centre and logarithm of the
// size are relative to the cell.
func decodeYuNet(cls, obj, bbox []float32, stride int, threshold float64) ([]face.Face, error) {
	cols := yunetSide / stride
	n := cols * cols
	if len(cls) != n || len(obj) != n || len(bbox) != 4*n {
		return nil, fmt.Errorf("stride %d has %d scores, %d boxes, want %d", stride, len(cls), len(bbox)/4, n)
	}
	unit := func(v float32) float64 { return math.Min(math.Max(float64(v), 0), 1) }
	var found []face.Face
	for i := range n {
		score := math.Sqrt(unit(cls[i]) * unit(obj[i]))
		if !(score >= threshold) {
			continue
		}
		b := bbox[4*i : 4*i+4]
		s := float64(stride)
		w, h := math.Exp(float64(b[2]))*s, math.Exp(float64(b[3]))*s
		cx, cy := (float64(i%cols)+float64(b[0]))*s, (float64(i/cols)+float64(b[1]))*s
		found = append(found, face.Face{Box: face.Box{X: cx - w/2, Y: cy - h/2, W: w, H: h}, Score: score})
	}
	return found, nil
}

// suppress keeps the best of all boxes whose intersection over union is at least same, best first.
func suppress(found []face.Face, same float64) []face.Face {
	sorted := slices.SortedFunc(slices.Values(found), byScore)
	var kept []face.Face
	for _, f := range sorted {
		if !slices.ContainsFunc(kept, func(k face.Face) bool { return k.Box.IoU(f.Box) >= same }) {
			kept = append(kept, f)
		}
	}
	return kept
}
