package pipeline

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/consentry/consentry/internal/atomicfile"
	"github.com/consentry/consentry/internal/track"
)

// plan is what was decided about a film once it had been watched. It lies in the scratch folder, so that a job that is
// broken off while it is rendered need not be watched again. It holds no templates.
type plan struct {
	Asset    string          `json:"asset"`
	Keys     []string        `json:"keys"`    // of the orders, see [Order.FilmKey]
	Watched  Watched         `json:"watched"` // without templates
	Verdicts [][]TrackResult `json:"verdicts"`
	// Added are for each order the tracks of faces that were seen in its finished film only; their verdicts come after the others. What
	// the film of one order shows too badly to be told need not be so in another's.
	Added  [][]track.Track `json:"added"`
	Rounds []int           `json:"rounds"` // how often more was obscured, for each order
}

// seen is what is known of the film for one order.
func (p *plan) seen(number int) Watched {
	w := p.Watched
	w.Tracks = slices.Concat(p.Watched.Tracks, p.Added[number])
	return w
}

// lastID is the highest number of a track.
func (p *plan) lastID() int {
	last := 0
	for _, tracks := range append(slices.Clone(p.Added), p.Watched.Tracks) {
		if n := len(tracks); n > 0 {
			last = max(last, tracks[n-1].ID)
		}
	}
	return last
}

const (
	planFile = "plan"
	// originalFile is the film itself.
	originalFile = "original"
	// lockFile is held by the worker whose folder it is.
	lockFile = "lock"
)

// planDomain keeps signatures over plans apart from all others of the same key.
const planDomain = "consentry film plan v1\n"

// keep writes the plan down, signed: the process that decodes foreign files writes in the same folder.
func (l *Line) keep(p plan, asset Asset) error {
	body, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("writing the film's plan: %w", err)
	}
	err = atomicfile.Write(filepath.Join(asset.Folder, planFile), 0o600, func(w io.Writer) error {
		if _, err := w.Write(ed25519.Sign(l.Key, planMessage(body))); err != nil {
			return err
		}
		_, err := w.Write(body)
		return err
	})
	if err != nil {
		return fmt.Errorf("writing the film's plan: %w", err)
	}
	return nil
}

func planMessage(body []byte) []byte {
	digest := sha256.Sum256(body)
	return append([]byte(planDomain), digest[:]...)
}

// planned reads the plan back. One that is missing, damaged, not our own or for other orders counts for nothing.
func (l *Line) planned(asset Asset, orders []Order) (plan, bool) {
	data, err := os.ReadFile(filepath.Join(asset.Folder, planFile))
	if err != nil || len(data) < ed25519.SignatureSize {
		return plan{}, false
	}
	signature, body := data[:ed25519.SignatureSize], data[ed25519.SignatureSize:]
	if !ed25519.Verify(l.Key.Public().(ed25519.PublicKey), planMessage(body), signature) {
		return plan{}, false
	}
	var p plan
	if json.Unmarshal(body, &p) != nil {
		return plan{}, false
	}
	return p, p.Asset == asset.Digest && len(orders) > 0 && slices.Equal(p.Keys, filmKeys(asset.Digest, orders)) && p.complete()
}

// complete says whether there is a verdict on every track for every order.
func (p *plan) complete() bool {
	n := len(p.Keys)
	if len(p.Verdicts) != n || len(p.Added) != n || len(p.Rounds) != n {
		return false
	}
	for i, verdicts := range p.Verdicts {
		seen := p.seen(i)
		same := slices.EqualFunc(verdicts, seen.Tracks, func(v TrackResult, t track.Track) bool { return v.ID == t.ID })
		if !same || seen.check() != nil || p.Rounds[i] < 0 {
			return false
		}
	}
	return true
}

// emptied removes from the scratch folder what an earlier attempt left there under a plan that is not valid any more.
func emptied(asset Asset) error {
	entries, err := os.ReadDir(asset.Folder)
	if err != nil {
		return fmt.Errorf("looking into the scratch folder: %w", scratchError(err))
	}
	for _, e := range entries {
		if e.Name() == filepath.Base(asset.Path) || e.Name() == lockFile {
			continue
		}
		if err := os.RemoveAll(filepath.Join(asset.Folder, e.Name())); err != nil {
			return fmt.Errorf("clearing the scratch folder: %w", scratchError(err))
		}
	}
	return nil
}
