package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"time"

	"github.com/consentry/consentry/internal/clearance"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/gallery"
)

// seal signs the statement that this derivative may be published for the order's purpose.
func (l *Line) seal(result *Result, photo photograph, derivative Derivative, order Order) error {
	l.Step("seal")
	digest := sha256.Sum256(derivative.Data)
	result.DerivativeSHA256 = hex.EncodeToString(digest[:])
	c := l.statement(result, photo.asset, order)
	c.Derivative = clearance.File{
		SHA256: result.DerivativeSHA256,
		Bytes:  int64(len(derivative.Data)),
		Format: string(photo.info.OutputFormat),
		Width:  photo.info.Width,
		Height: photo.info.Height,
	}
	return l.sign(result, c)
}

// statement is all that a clearance says besides what the derivative is.
func (l *Line) statement(result *Result, asset Asset, order Order) clearance.Clearance {
	c := clearance.Clearance{
		Version:      clearance.Version,
		SourceSHA256: asset.Digest,
		Purpose:      string(order.Purpose),
		Policy:       clearance.Policy{Name: order.Policy.Name, Digest: order.Policy.Digest()},
		ModelsSHA:    order.ModelDigest,
		Options:      clearance.Options{Mode: string(order.Mode), Style: string(order.Style), UnknownFace: string(consent.UnknownFace(order.Policy, order.UnknownFace).Outcome)},
		JobKey:       result.Key,
		Issued:       l.Now().UTC().Truncate(time.Second),
		Faces:        clearedFaces(result.Faces),
	}
	if order.Mode != Everyone {
		c.Register = clearance.Register{Revision: order.Register.Revision(), Digest: order.Register.Digest()}
		c.GallerySHA = order.Gallery.Digest()
	}
	return c
}

func (l *Line) sign(result *Result, c clearance.Clearance) error {
	signed, err := clearance.Sign(c, l.Key)
	if err != nil {
		return fmt.Errorf("sealing the derivative: %w", err)
	}
	result.Clearance = signed
	return nil
}

func clearedFaces(verdicts []FaceResult) []clearance.Face {
	faces := make([]clearance.Face, len(verdicts))
	for i, v := range verdicts {
		faces[i] = clearance.Face{
			Number:        i + 1,
			Box:           [4]float64{v.Box.X, v.Box.Y, v.Box.W, v.Box.H},
			DetectorScore: v.Score,
			Match:         clearedMatch(v.Match),
			Outcome:       string(v.Outcome),
			Rule:          v.Rule,
		}
		if v.Outcome != consent.Show {
			faces[i].Region = corners(v.Region)
		}
	}
	return faces
}

func clearedMatch(m gallery.Match) clearance.Match {
	return clearance.Match{Subject: m.Subject, Band: string(m.Band), Score: m.Score, RunnerUp: m.RunnerUp}
}

// corners is x, y, width and height; nil where there is no region, which the clearance refuses
// for a face that is not shown.
func corners(r *image.Rectangle) *[4]float64 {
	if r == nil {
		return nil
	}
	return &[4]float64{float64(r.Min.X), float64(r.Min.Y), float64(r.Dx()), float64(r.Dy())}
}
