package vision

import (
	"context"
	"errors"
	"sync"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
)

// Describer makes templates of faces with two models: dlib's ResNet through go-face and
// MobileFaceNet. It holds about 120 MB. It is safe for use by many goroutines, but they take
// turns: open one per core.
type Describer struct {
	mu     sync.Mutex
	closed bool
	dlib   *dlib
	mobile *mobileFaceNet
}

// Errors of Describe.
var (
	// ErrClosed says that the describer was closed before.
	ErrClosed = errors.New("describer is closed")
	// ErrNotBGR says that the picture is empty or not 8-bit BGR.
	ErrNotBGR = errors.New("picture is not 8-bit BGR")
)

// OpenDescriber loads both models: dlibDir holds go-face's three files by their fixed names,
// mobileFaceNetONNX is MobileFaceNet's file. It takes one to three seconds.
func OpenDescriber(dlibDir, mobileFaceNetONNX string) (*Describer, error) {
	m, err := openMobileFaceNet(mobileFaceNetONNX)
	if err != nil {
		return nil, err
	}
	d, err := openDlib(dlibDir)
	if err != nil {
		return nil, errors.Join(err, m.close())
	}
	return &Describer{dlib: d, mobile: m}, nil
}

// Close frees the models. A second call does nothing; Describe afterwards gives ErrClosed.
func (d *Describer) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	d.dlib.close()
	return d.mobile.close()
}

// Describe fills the face's templates and quality from the picture it was found in (upright, BGR,
// 8 bit). It replaces what was there. A describer that declines leaves no entry: go-face where it
// finds no frontal face, MobileFaceNet where there are no landmarks, whose quality then is zero too. On an error
// the face is left without templates.
func (d *Describer) Describe(ctx context.Context, img gocv.Mat, f *face.Face) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f.Templates, f.Quality = nil, face.Quality{}
	if d.closed {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if img.Empty() || img.Type() != gocv.MatTypeCV8UC3 {
		return ErrNotBGR
	}
	c, err := cutFaceOut(img, f.Box)
	if err != nil {
		return err
	}
	t, q, err := d.describeCut(ctx, c, f)
	if err := errors.Join(err, c.close()); err != nil {
		return err
	}
	f.Templates, f.Quality = t, q
	return nil
}

func (d *Describer) describeCut(ctx context.Context, c cut, f *face.Face) (face.Templates, face.Quality, error) {
	t := face.Templates{}
	said, err := d.dlib.describe(c, f)
	if err != nil {
		return nil, face.Quality{}, err
	}
	// dlib's own landmarks align MobileFaceNet better than the finder's: 7 of 39 genuine pairs are
	// missed at a false match rate of 10 % instead of 12.
	landmarks := f.Landmarks
	if said != nil {
		t[face.DlibResNet] = said.template
		landmarks = said.landmarks
	}
	if err := ctx.Err(); err != nil {
		return nil, face.Quality{}, err
	}
	v, err := d.mobile.describe(c, landmarks)
	if err != nil {
		return nil, face.Quality{}, err
	}
	if v != nil {
		t[face.MobileFaceNet] = v
	}
	q, err := measureQuality(c, landmarks)
	if err != nil {
		return nil, face.Quality{}, err
	}
	return t, q, nil
}
