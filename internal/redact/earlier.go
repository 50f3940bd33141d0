package redact

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"

	"github.com/consentry/consentry/internal/clearance"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/pipeline"
)

// maxClearance bounds what is read of a clearance file.
const maxClearance = 16 << 20

// sortEarlier looks at what earlier runs left in the place of each derivative. What depended on
// the same things serves; everything else that we made is taken away now, before anything can go
// wrong: a consent may have been withdrawn since. A file that we did not make is in the way, and
// is left alone.
func (s *session) sortEarlier() error {
	key, out := s.key.Public().(ed25519.PublicKey), s.output
	withheld := s.remembered()
	for _, w := range s.batch.items {
		earlier, err := out.earlier(w.name(), key)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if a, ok := withheld[w.key]; ok && !w.settled {
				w.find(resultFromReport(a, s.batch.orders[w.order]))
			}
			continue
		case errors.Is(err, errForeign):
			w.fail(err)
			continue
		case err != nil:
			return err
		}
		if !w.settled && earlier != nil && earlier.JobKey == w.key {
			w.find(resultFrom(*earlier, s.batch.orders[w.order]))
			continue
		}
		if err := out.remove(w.name()); err != nil {
			return err
		}
	}
	return nil
}

// errForeign says that a file lies where a derivative should go and has no clearance of ours.
var errForeign = errors.New("a file that consentry did not make is in the way; move it, or choose another --out")

// earlier is the clearance of the derivative at name if both are whole and ours; nil if something
// of ours is there that does not serve; fs.ErrNotExist if nothing is; errForeign if something else.
func (o *output) earlier(name string, key ed25519.PublicKey) (*clearance.Clearance, error) {
	text, clearanceErr := readBounded(o.path(name+clearanceSuffix), maxClearance)
	file, err := os.Open(o.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		if clearanceErr == nil {
			return nil, nil
		}
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if clearanceErr != nil {
		return nil, errForeign
	}
	signed, err := clearance.Parse(text)
	if err != nil {
		return nil, errForeign
	}
	if clearance.Verify(file, text, signed.Clearance.Purpose, key) != nil {
		return nil, nil
	}
	return &signed.Clearance, nil
}

func readBounded(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%d bytes, at most %d expected", info.Size(), limit)
	}
	return os.ReadFile(path)
}

// find settles with the result of an earlier run.
func (w *wanted) find(r pipeline.Result) {
	w.settle(r)
	w.found = true
}

// resultFrom reads a result back from the clearance that was made of it.
func resultFrom(c clearance.Clearance, order pipeline.Order) pipeline.Result {
	r := pipeline.Result{
		Purpose: order.Purpose, Key: c.JobKey, Outcome: pipeline.Released,
		Width: c.Derivative.Width, Height: c.Derivative.Height, DerivativeSHA256: c.Derivative.SHA256,
	}
	for _, f := range c.Faces {
		m := gallery.Match{
			Subject: f.Match.Subject, Band: gallery.Band(f.Match.Band), Score: f.Match.Score, RunnerUp: f.Match.RunnerUp,
		}
		v := order.Judge(face.Box{X: f.Box[0], Y: f.Box[1], W: f.Box[2], H: f.Box[3]}, f.DetectorScore, m)
		if g := f.Region; g != nil {
			region := image.Rect(int(g[0]), int(g[1]), int(g[0]+g[2]), int(g[1]+g[3]))
			v.Region = &region
		}
		r.Faces = append(r.Faces, v)
	}
	return r
}
