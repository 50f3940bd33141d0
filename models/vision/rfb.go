package vision

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/models"
)

// Constants of the network's training (Linzaer, Ultra-Light-Fast-Generic-Face-Detector-1MB).
const (
	rfbMean          = 127.0 // subtracted from each channel
	rfbSpread        = 128.0 // each channel is divided by it
	centreVariance   = 0.1   // SSD's: offsets of a centre are in tenths of the anchor
	sizeVariance     = 0.2   // SSD's: logarithms of a size are in fifths
	maxAnchorStretch = 4.0   // a box more than e⁴ times its anchor is no face
)

// OpenCV sets a network up anew for every other input shape, which takes longer than running it
// on a small one, so one network is kept for each of the last shapes: many small ones (a few MB
// each), and few large ones (100 MB for a megapixel).
const (
	smallShape = 512 * 512 // pixels
	maxSmall   = 12
	maxLarge   = 3
)

// rfbAnchors are the sides of the anchors in pixels for each stride.
func rfbAnchors(stride int) []float64 {
	switch stride {
	case 8:
		return []float64{10, 16, 24}
	case 16:
		return []float64{32, 48}
	case 32:
		return []float64{64, 96}
	default:
		return []float64{128, 192, 256}
	}
}

// rfb is the RFB-320 detector cut to run at every multiple of 64. Networks are kept for the last
// few input shapes.
type rfb struct {
	onnx   []byte
	heads  []models.DetectorHead
	names  []string
	nets   []shapedNet // most recently used last
	canvas gocv.Mat    // reused for padding
}

type shapedNet struct {
	shape image.Point
	net   gocv.Net
}

// openRFB reads the detector, as shipped or as cut.
func openRFB(path string) (*rfb, error) {
	onnx, err := os.ReadFile(path) //nolint:gosec // the caller's own model file
	if err != nil {
		return nil, errors.New("open the detector's weights: cannot read the file")
	}
	cut, err := models.CutDetector(onnx)
	if err != nil {
		return nil, fmt.Errorf("open the detector's weights: %w", err)
	}
	r := &rfb{onnx: cut, heads: models.DetectorHeads(), canvas: gocv.NewMat()}
	for _, h := range r.heads {
		r.names = append(r.names, h.Tensor)
	}
	return r, nil
}

func (r *rfb) close() error {
	errs := []error{r.canvas.Close()}
	for _, n := range r.nets {
		errs = append(errs, n.net.Close())
	}
	r.nets = nil
	return errors.Join(errs...)
}

// netFor is the network that ran this shape last, or a new one in the place of the one that
// rested longest.
func (r *rfb) netFor(shape image.Point) (gocv.Net, error) {
	for i, n := range r.nets {
		if n.shape == shape {
			r.nets = append(append(r.nets[:i:i], r.nets[i+1:]...), n)
			return n.net, nil
		}
	}
	if err := r.makeRoom(shape); err != nil {
		return gocv.Net{}, err
	}
	net, err := gocv.ReadNetFromONNXBytes(r.onnx)
	if err != nil {
		return gocv.Net{}, fmt.Errorf("load the detector: %w", err)
	}
	r.nets = append(r.nets, shapedNet{shape, net})
	return net, nil
}

// makeRoom closes the network that rested longest among those of this kind of shape, if there are
// enough of them.
func (r *rfb) makeRoom(shape image.Point) error {
	large := func(p image.Point) bool { return p.X*p.Y > smallShape }
	most := maxSmall
	if large(shape) {
		most = maxLarge
	}
	oldest, kept := -1, 0
	for i, n := range r.nets {
		if large(n.shape) == large(shape) {
			kept++
			if oldest < 0 {
				oldest = i
			}
		}
	}
	if kept < most {
		return nil
	}
	if err := r.nets[oldest].net.Close(); err != nil {
		return fmt.Errorf("close a network: %w", err)
	}
	r.nets = append(r.nets[:oldest], r.nets[oldest+1:]...)
	return nil
}

// detect runs the network once over the picture (BGR, 8 bit) and gives every box with at least
// this score in the picture's own pixels, duplicates included.
func (r *rfb) detect(img gocv.Mat, atLeast float64) ([]face.Face, error) {
	shape := image.Pt(roundUp(img.Cols(), stride), roundUp(img.Rows(), stride))
	net, err := r.netFor(shape)
	if err != nil {
		return nil, err
	}
	input := img
	if shape != image.Pt(img.Cols(), img.Rows()) {

		gocv.CopyMakeBorder(img, &r.canvas, 0, shape.Y-img.Rows(), 0, shape.X-img.Cols(), gocv.BorderConstant, padding())
		input = r.canvas
	}
	blob := gocv.BlobFromImage(input, 1/rfbSpread, image.Point{}, gocv.NewScalar(rfbMean, rfbMean, rfbMean, 0), true, false)
	defer blob.Close() //nolint:errcheck // frees memory only
	net.SetInput(blob, "")
	outs := net.ForwardLayers(r.names)
	defer closeAll(outs)
	return r.decode(outs, atLeast)
}

// decode turns the eight tensors into boxes.
func (r *rfb) decode(outs []gocv.Mat, atLeast float64) ([]face.Face, error) {
	if len(outs) != len(r.heads) {
		return nil, fmt.Errorf("the detector gave %d tensors, want %d", len(outs), len(r.heads))
	}
	var found []face.Face
	for i := 0; i < len(outs); i += 2 {
		scores, rows, cols, err := headData(outs[i], r.heads[i])
		if err != nil {
			return nil, err
		}
		boxes, boxRows, boxCols, err := headData(outs[i+1], r.heads[i+1])
		if err != nil {
			return nil, err
		}
		if boxRows != rows || boxCols != cols {
			return nil, errors.New("the detector's scores and boxes have different grids")
		}
		g := grid{stride: r.heads[i].Stride, rows: rows, cols: cols, scores: scores, boxes: boxes}
		found = g.appendFaces(found, atLeast)
	}
	return found, nil
}

// headData is a head's tensor [1, channels, rows, columns] as numbers.
func headData(m gocv.Mat, h models.DetectorHead) (data []float32, rows, cols int, err error) {
	s := m.Size()
	if len(s) != 4 || s[0] != 1 || s[1] != h.Channels {
		return nil, 0, 0, fmt.Errorf("the detector's tensor %s has shape %v", h.Tensor, s)
	}
	data, err = m.DataPtrFloat32()
	if err != nil {
		return nil, 0, 0, fmt.Errorf("read the detector's tensor %s: %w", h.Tensor, err)
	}
	if len(data) < s[1]*s[2]*s[3] {
		return nil, 0, 0, fmt.Errorf("the detector's tensor %s is short", h.Tensor)
	}
	return data, s[2], s[3], nil
}

// grid is what the network says for one stride.
type grid struct {
	stride, rows, cols int
	scores             []float32 // [anchor][background, face][row][column], logits
	boxes              []float32 // [anchor][dx, dy, log w, log h][row][column]
}

func (g grid) appendFaces(found []face.Face, atLeast float64) []face.Face {
	n := g.rows * g.cols
	logit := float32(math.Log(atLeast / (1 - atLeast)))
	for a, side := range rfbAnchors(g.stride) {
		background, isFace := g.scores[2*a*n:(2*a+1)*n], g.scores[(2*a+1)*n:(2*a+2)*n]
		for i := range n {
			d := isFace[i] - background[i]
			if d < logit {
				continue
			}
			if b, ok := g.box(a, i, side); ok {
				found = append(found, face.Face{Box: b, Score: 1 / (1 + math.Exp(-float64(d)))})
			}
		}
	}
	return found
}

// box decodes the box of one anchor at one cell. ok is false where the numbers are no box.
func (g grid) box(a, i int, side float64) (b face.Box, ok bool) {
	n := g.rows * g.cols
	at := func(k int) float64 { return float64(g.boxes[(4*a+k)*n+i]) }
	cx := (float64(i%g.cols)+0.5)*float64(g.stride) + at(0)*centreVariance*side
	cy := (float64(i/g.cols)+0.5)*float64(g.stride) + at(1)*centreVariance*side
	lw, lh := at(2)*sizeVariance, at(3)*sizeVariance
	if !(math.Abs(lw) < maxAnchorStretch && math.Abs(lh) < maxAnchorStretch) || math.IsNaN(cx+cy) {
		return face.Box{}, false
	}
	w, h := side*math.Exp(lw), side*math.Exp(lh)
	return face.Box{X: cx - w/2, Y: cy - h/2, W: w, H: h}, true
}

func closeAll(ms []gocv.Mat) {
	for i := range ms {
		ms[i].Close() //nolint:errcheck,gosec // frees memory only
	}
}

// padding is the grey that the network sees as nothing: zero after the mean is taken off.
func padding() color.RGBA { return color.RGBA{R: rfbMean, G: rfbMean, B: rfbMean} }
