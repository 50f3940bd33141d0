package evaluation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
)

// Detector finds faces in a picture (BGR, 8 bit, upright).
type Detector interface {
	Detect(img gocv.Mat) ([]face.Face, error)
}

// Band is the recall among yardstick faces of a range of sizes.
type Band struct {
	From, To float64 // pixels, side of a square with the box's area; To is exclusive, 0 means no end
	Faces    int     // that the yardstick is sure of
	Found    int     // of them by the detector that is tested
}

// Recall is 0 to 1, or 1 where there are no faces.
func (b Band) Recall() float64 {
	if b.Faces == 0 {
		return 1
	}
	return float64(b.Found) / float64(b.Faces)
}

// String is the band's range of sizes.
func (b Band) String() string {
	if b.To == 0 {
		return fmt.Sprintf("%.0f px and more", b.From)
	}
	return fmt.Sprintf("%.0f–%.0f px", b.From, b.To)
}

// Unconfirmed is a detection that the yardstick does not see even at its low threshold. It may
// be a false one or a face that the yardstick misses; only a person can tell.
type Unconfirmed struct {
	Picture int // index in the sorted list of pictures
	Face    face.Face
}

// DetectionResult is what EvaluateDetection measured.
type DetectionResult struct {
	Pictures    int
	Bands       []Band
	Detections  int
	Unconfirmed []Unconfirmed
	PerPicture  []PictureResult
	Elapsed     time.Duration // of the tested detector over all pictures, decoding left out
}

// PictureResult is the result of one picture.
type PictureResult struct {
	Width, Height           int // pixels
	Faces, Found            int // of the yardstick from countFrom pixels on; of them found
	Detections, Unconfirmed int
	Elapsed                 time.Duration
}

const (
	sameFace  = 0.3  // intersection over union from which on a detection and a yardstick's face are one
	countFrom = 20.0 // pixels: the promise starts here
)

func bands() []Band {
	return []Band{{From: 12, To: 20}, {From: 20, To: 40}, {From: 40, To: 80}, {From: 80}}
}

// EvaluateDetection runs the tested detector over the JPEG photographs of a folder. Sure is the
// yardstick whose faces count for recall (YuNet at 0.7 and the picture's own scale); doubtful is the
// one that must not have seen a detection for it to be unconfirmed (YuNet at 0.3 at several scales).
func EvaluateDetection(ctx context.Context, dir string, tested, sure, doubtful Detector) (*DetectionResult, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.jpg"))
	if err != nil {
		return nil, fmt.Errorf("list the photographs: %w", err)
	}
	if len(paths) == 0 {
		return nil, errors.New("evaluate detection: the folder has no .jpg")
	}
	slices.Sort(paths)
	r := &DetectionResult{Bands: bands()}
	for _, p := range paths {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("evaluate detection: %w", err)
		}
		if err := r.add(p, tested, sure, doubtful); err != nil {
			return nil, fmt.Errorf("evaluate detection on picture %d: %w", r.Pictures+1, err)
		}
	}
	return r, nil
}

// add evaluates one picture.
func (r *DetectionResult) add(path string, tested, sure, doubtful Detector) error {
	img, err := readPicture(path)
	if err != nil {
		return err
	}
	defer img.Close() //nolint:errcheck // frees memory only
	start := time.Now()
	found, err := tested.Detect(img)
	elapsed := time.Since(start)
	if err != nil {
		return fmt.Errorf("run the tested detector: %w", err)
	}
	certain, err := sure.Detect(img)
	if err != nil {
		return fmt.Errorf("run the yardstick: %w", err)
	}
	possible, err := doubtful.Detect(img)
	if err != nil {
		return fmt.Errorf("run the yardstick: %w", err)
	}
	p := PictureResult{Width: img.Cols(), Height: img.Rows(), Detections: len(found), Elapsed: elapsed}
	r.countRecall(&p, found, certain)
	r.countUnconfirmed(&p, found, append(possible, certain...))
	r.Pictures++
	r.Detections += len(found)
	r.Elapsed += elapsed
	r.PerPicture = append(r.PerPicture, p)
	return nil
}

func readPicture(path string) (gocv.Mat, error) {
	b, err := os.ReadFile(path) //nolint:gosec // the evaluation's own folder
	if err != nil || len(b) == 0 {
		return gocv.Mat{}, errors.New("the file cannot be read")
	}
	img, err := gocv.IMDecode(b, gocv.IMReadColor)
	if err != nil {
		return gocv.Mat{}, fmt.Errorf("decode it: %w", err)
	}
	if img.Empty() {
		img.Close() //nolint:errcheck,gosec // an empty one holds nothing
		return gocv.Mat{}, errors.New("it does not decode")
	}
	return img, nil
}

func (r *DetectionResult) countRecall(p *PictureResult, found, certain []face.Face) {
	for _, c := range certain {
		hit := seen(c, found)
		for i := range r.Bands {
			b := &r.Bands[i]
			if s := c.Box.Size(); s < b.From || b.To > 0 && s >= b.To {
				continue
			}
			b.Faces++
			if hit {
				b.Found++
			}
		}
		if c.Box.Size() >= countFrom {
			p.Faces++
			if hit {
				p.Found++
			}
		}
	}
}

func (r *DetectionResult) countUnconfirmed(p *PictureResult, found, possible []face.Face) {
	for _, f := range found {
		if seen(f, possible) {
			continue
		}
		p.Unconfirmed++
		r.Unconfirmed = append(r.Unconfirmed, Unconfirmed{Picture: r.Pictures, Face: f})
	}
}

func seen(f face.Face, among []face.Face) bool {
	return slices.ContainsFunc(among, func(o face.Face) bool { return o.Box.IoU(f.Box) >= sameFace })
}

// Recall is the share of the yardstick's faces of 20 pixels and more that were found, 0 to 1.
func (r *DetectionResult) Recall() float64 {
	all := Band{}
	for _, b := range r.Bands {
		if b.From >= countFrom {
			all.Faces += b.Faces
			all.Found += b.Found
		}
	}
	return all.Recall()
}

// UnconfirmedPerPicture is the mean number of detections that the yardstick does not see.
func (r *DetectionResult) UnconfirmedPerPicture() float64 {
	return float64(len(r.Unconfirmed)) / float64(max(1, r.Pictures))
}

// Table is the result as text, one line a band and one a picture.
func (r *DetectionResult) Table() string {
	var t strings.Builder
	fmt.Fprintf(&t, "%-16s %6s %6s %8s\n", "face size", "faces", "found", "recall")
	for _, b := range r.Bands {
		fmt.Fprintf(&t, "%-16s %6d %6d %7.1f%%\n", b, b.Faces, b.Found, 100*b.Recall())
	}
	fmt.Fprintf(&t, "%-16s %22.1f%%\n", "20 px and more", 100*r.Recall())
	fmt.Fprintf(&t, "\n%-9s %-11s %6s %6s %10s %11s %6s\n", "picture", "pixels", "faces", "found", "detections", "unconfirmed", "ms")
	for i, p := range r.PerPicture {
		fmt.Fprintf(&t, "%-9d %-11s %6d %6d %10d %11d %6d\n", i+1, fmt.Sprintf("%d×%d", p.Width, p.Height),
			p.Faces, p.Found, p.Detections, p.Unconfirmed, p.Elapsed.Milliseconds())
	}
	n := max(1, r.Pictures)
	fmt.Fprintf(&t, "\n%d pictures: %.1f detections, %.2f unconfirmed, %d ms a picture\n", r.Pictures,
		float64(r.Detections)/float64(n), r.UnconfirmedPerPicture(), r.Elapsed.Milliseconds()/int64(n))
	return t.String()
}
