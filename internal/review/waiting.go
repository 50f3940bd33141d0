package review

import (
	"slices"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/report"
)

// Face is one face of one asset as the reports of runs show it.
type Face struct {
	ID      string       `json:"id"`
	Asset   string       `json:"asset"` // SHA-256 of the original
	Path    string       `json:"path"`  // as in the report
	Box     face.Box     `json:"box"`
	Match   report.Match `json:"match"`
	Reason  string       `json:"reason"`  // why a person decides
	Waiting []Wait       `json:"waiting"` // the purposes for which it waits, or all that it was judged for where it waits for none
	Outs    []string     `json:"-"`       // output folders of the runs that it is part of
	waits   bool
}

// Wait is a purpose for which a face waits.
type Wait struct {
	Purpose consent.Purpose `json:"purpose"`
	Bases   []string        `json:"bases,omitempty"` // what the person goes by, in each run
}

// Faces collects the faces of reports, one entry for a face however many purposes and runs have it.
type Faces struct {
	byID  map[string]*Face
	order []string
}

// Add takes the faces of the report of the run that wrote to out.
func (f *Faces) Add(out string, r report.Report) {
	if f.byID == nil {
		f.byID = map[string]*Face{}
	}
	for _, asset := range r.Assets {
		for _, seen := range asset.Faces {
			if seen.ID != "" {
				f.add(out, asset, seen)
			}
		}
	}
}

func (f *Faces) add(out string, asset report.Asset, seen report.Face) {
	known := f.byID[seen.ID]
	if known == nil {
		box := face.Box{X: seen.Box[0], Y: seen.Box[1], W: seen.Box[2], H: seen.Box[3]}
		known = &Face{ID: seen.ID, Asset: asset.SHA256, Path: asset.Path, Box: box, Match: seen.Match, Reason: seen.Reason}
		f.byID[seen.ID] = known
		f.order = append(f.order, seen.ID)
	}
	waits := seen.Outcome == report.Review
	if waits && !known.waits { // what it does not wait for does not matter then
		known.Waiting, known.waits = nil, true
		known.Match, known.Reason = seen.Match, seen.Reason
	}
	if waits == known.waits {
		known.wait(consent.Purpose(asset.Purpose), seen.Basis)
	}
	if !slices.Contains(known.Outs, out) {
		known.Outs = append(known.Outs, out)
	}
}

func (f *Face) wait(purpose consent.Purpose, basis string) {
	i := slices.IndexFunc(f.Waiting, func(w Wait) bool { return w.Purpose == purpose })
	if i < 0 {
		i = len(f.Waiting)
		f.Waiting = append(f.Waiting, Wait{Purpose: purpose})
	}
	if !slices.Contains(f.Waiting[i].Bases, basis) {
		f.Waiting[i].Bases = append(f.Waiting[i].Bases, basis)
	}
}

// Waiting lists the faces that wait for a person, in the order of the reports.
func (f *Faces) Waiting() []Face {
	list := []Face{}
	for _, id := range f.order {
		if f.byID[id].waits {
			list = append(list, *f.byID[id])
		}
	}
	return list
}

// Find is the face with this id, whether it waits or not.
func (f *Faces) Find(id string) (Face, bool) {
	known, ok := f.byID[id]
	if !ok {
		return Face{}, false
	}
	return *known, true
}
