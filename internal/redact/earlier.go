package redact

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"math"
	"os"
	"path"
	"syscall"
	"time"

	"github.com/consentry/consentry/internal/clearance"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/pipeline"
)

// sortEarlier looks at what earlier runs left in the place of each derivative. What depended on
// the same things serves; everything else that we made is taken away now, before anything can go
// wrong: a consent may have been withdrawn since. A file that we did not make is in the way, and
// is left alone.
func (s *session) sortEarlier() error {
	key, out := s.key.Public().(ed25519.PublicKey), s.output
	if err := s.removeUnread(key); err != nil {
		return err
	}
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
		if !w.settled && earlier != nil && earlier.JobKey == w.key && !s.lacksBoxes(w) {
			w.find(resultFrom(*earlier, s.batch.orders[w.order]))
			continue
		}
		if err := out.remove(w.name()); err != nil {
			return err
		}
	}
	return nil
}

// removeUnread takes away what earlier runs made of inputs that cannot be read any more: nobody can
// say whether it could still be released.
func (s *session) removeUnread(key ed25519.PublicKey) error {
	taken := map[string]bool{}
	for _, w := range s.batch.items {
		taken[w.name()] = true
	}
	for _, p := range s.batch.problems {
		for _, name := range s.batch.places(p) {
			if taken[name] {
				continue
			}
			_, err := s.output.earlier(name, key)
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errForeign) {
				continue
			}
			if err := errors.Join(err, s.output.remove(name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// places are where derivatives of an input would lie that cannot be read: its format is not known,
// and HEIF and films come out under another name.
func (b *batch) places(p intake.Problem) []string {
	if p.Rel == "" {
		return nil
	}
	purposes := make([]consent.Purpose, len(b.orders))
	for i, o := range b.orders {
		purposes[i] = o.Purpose
	}
	return placesOf(purposes, p.Rel)
}

// placesOf are where the derivatives of the input lie, whatever its format.
func placesOf(purposes []consent.Purpose, rel string) []string {
	var names []string
	for _, purpose := range purposes {
		for _, name := range media.PossibleNames(rel) {
			names = append(names, path.Join(string(purpose), name))
		}
	}
	return names
}

// errForeign says that a file lies where a derivative should go and has no clearance of ours.
var errForeign = errors.New("a file that consentry did not make is in the way; move it, or choose another --out")

// earlier is the clearance of the derivative at name if both are whole and ours; nil if something
// of ours is there that does not serve; fs.ErrNotExist if nothing is; errForeign if something else.
func (o *output) earlier(name string, key ed25519.PublicKey) (*clearance.Clearance, error) {
	text, clearanceErr := readBounded(o.path(name+clearanceSuffix), clearance.MaxFile)
	info, err := os.Lstat(o.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		if clearanceErr == nil {
			return nil, nil
		}
		return nil, fs.ErrNotExist
	}
	if errors.Is(err, syscall.ENOTDIR) { // a file where we need a folder
		return nil, errForeign
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || clearanceErr != nil { // we write plain files, each with a clearance
		return nil, errForeign
	}
	file, err := os.Open(o.path(name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
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
	if !info.Mode().IsRegular() || info.Size() > limit {
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
		Film: c.Derivative.Frames > 0, Frames: c.Derivative.Frames, Seconds: c.Derivative.Seconds,
	}
	for _, f := range c.Faces {
		v := judgedAs(c.SourceSHA256, f, order)
		if g := f.Region; g != nil {
			region := image.Rect(int(g[0]), int(g[1]), int(g[0]+g[2]), int(g[1]+g[3]))
			v.Region = &region
		}
		r.Faces = append(r.Faces, v)
	}
	for _, t := range c.Tracks {
		r.Tracks = append(r.Tracks, trackFrom(t, judgedAs(c.SourceSHA256, t.Face, order)))
	}
	return r
}

// judgedAs is the verdict that was sealed, with the words for it.
func judgedAs(asset string, f clearance.Face, order pipeline.Order) pipeline.FaceResult {
	m := gallery.Match{
		Subject: f.Match.Subject, Band: gallery.Band(f.Match.Band), Score: f.Match.Score, RunnerUp: f.Match.RunnerUp,
	}
	v := order.Judge(asset, face.Box{X: f.Box[0], Y: f.Box[1], W: f.Box[2], H: f.Box[3]}, f.DetectorScore, m)
	if string(v.Outcome) == f.Outcome && v.Rule == f.Rule {
		return v
	}
	// A clearance does not say all that a match did, and a ruling on a track is not found by its box alone.
	v.Outcome, v.Rule, v.Reason = consent.Outcome(f.Outcome), f.Rule, "decided as when it was sealed"
	if f.Rule == pipeline.RulePerson {
		v.Reason = "a person decided so"
	} else {
		v.Basis = ""
	}
	return v
}

func trackFrom(t clearance.Track, v pipeline.FaceResult) pipeline.TrackResult {
	return pipeline.TrackResult{
		ID: t.Number, FirstFrame: t.FirstFrame, LastFrame: t.LastFrame, From: t.From, To: t.To,
		Frame: t.Frame, At: seconds(t.At), Box: v.Box, Score: v.Score, Match: v.Match,
		Outcome: v.Outcome, Rule: v.Rule, Reason: v.Reason, Basis: v.Basis, Region: t.Region,
	}
}

// seconds is exact to the microsecond, as time stamps are.
func seconds(s float64) time.Duration {
	return time.Duration(math.Round(s*1e6)) * time.Microsecond
}
