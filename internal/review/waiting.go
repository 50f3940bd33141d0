package review

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/report"
	"github.com/consentry/consentry/pipeline"
)

// Face is one face of one photograph, or one track of one film, as runs saw it.
type Face struct {
	ID      string       `json:"id"`
	Asset   string       `json:"asset"` // SHA-256 of the original
	Path    string       `json:"path"`  // as in the report
	Box     face.Box     `json:"box"`
	Film    *Moment      `json:"film,omitempty"` // nil for a photograph
	Match   report.Match `json:"match"`
	Reason  string       `json:"reason"`  // why a person decides
	Waiting []Wait       `json:"waiting"` // the purposes for which it waits
	Judged  []Wait       `json:"judged"`  // all purposes that it was judged for, those for which it waits among them
	waits   bool
}

// Wait is a purpose for which a face waits or was judged.
type Wait struct {
	Purpose consent.Purpose `json:"purpose"`
	Bases   []string        `json:"bases,omitempty"` // what the person goes by, in each run
	open    bool            // a person can have it shown, in some run
	closed  string          // why not, in another
}

// Faces collects the faces of runs, one entry for a face however many purposes and runs have it.
type Faces struct {
	byID  map[string]*Face
	order []string
}

// Faces gives the faces of all runs, the latest first. What a later run has made anew counts as that
// run saw it.
func (k Known) Faces() *Faces {
	faces := Faces{byID: map[string]*Face{}}
	made := map[string]bool{}
	for _, r := range slices.Backward(slices.Concat(k.Elsewhere, k.Runs)) {
		for _, asset := range r.Assets {
			place := r.Host + "\x00" + r.Out + "\x00" + asset.Place
			if made[place] {
				continue
			}
			made[place] = true
			for _, seen := range asset.sightings() {
				if seen.ID != "" {
					faces.add(asset, seen)
				}
			}
		}
	}
	return &faces
}

func (f *Faces) add(asset Asset, seen sighting) {
	known := f.byID[seen.ID]
	if known == nil {
		box := face.Box{X: seen.Box[0], Y: seen.Box[1], W: seen.Box[2], H: seen.Box[3]}
		known = &Face{
			ID: seen.ID, Asset: asset.SHA256, Path: asset.Path, Box: box, Film: seen.film,
			Match: seen.Match, Reason: seen.Reason, Waiting: []Wait{},
		}
		f.byID[seen.ID] = known
		f.order = append(f.order, seen.ID)
	}
	known.Judged = waitFor(known.Judged, asset.Purpose, seen.Face)
	if seen.Outcome != report.Review {
		return
	}
	if !known.waits { // why it waits matters more than what it was judged by elsewhere
		known.waits, known.Match, known.Reason = true, seen.Match, seen.Reason
	}
	known.Waiting = waitFor(known.Waiting, asset.Purpose, seen.Face)
}

func waitFor(list []Wait, purpose consent.Purpose, seen report.Face) []Wait {
	i := slices.IndexFunc(list, func(w Wait) bool { return w.Purpose == purpose })
	if i < 0 {
		i = len(list)
		list = append(list, Wait{Purpose: purpose})
	}
	w := &list[i]
	if seen.Basis != "" && !slices.Contains(w.Bases, seen.Basis) {
		w.Bases = append(w.Bases, seen.Basis)
	}
	if why := closed(seen); why != "" {
		w.closed = why
	} else {
		w.open = true
	}
	return list
}

// Waiting lists the faces that wait for a person, in the order of the runs.
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

// For gives the purposes that a person decides for: those named, or else those for which the face
// waits, or else all that it was judged for. A purpose that it was not judged for is an error.
func (f Face) For(named []consent.Purpose) ([]Wait, error) {
	if len(named) == 0 {
		if len(f.Waiting) > 0 {
			return f.Waiting, nil
		}
		return f.Judged, nil
	}
	var list []Wait
	for _, purpose := range named {
		both := slices.Concat(f.Waiting, f.Judged)
		i := slices.IndexFunc(both, func(w Wait) bool { return w.Purpose == purpose })
		if i < 0 {
			return nil, fmt.Errorf("the face was not judged for %s, but for: %s", purpose, Purposes(f.Judged))
		}
		list = append(list, both[i])
	}
	return list, nil
}

// Purposes names the purposes, with commas.
func Purposes(list []Wait) string {
	names := make([]string, len(list))
	for i, w := range list {
		names[i] = string(w.Purpose)
	}
	return strings.Join(names, ",")
}

// Showable says, as an error, where it would have no effect to have the face shown, as far as the
// runs tell.
func Showable(list []Wait) error {
	var errs []error
	for len(list) > 0 {
		why := list[0].closed
		same := func(w Wait) bool { return !w.open && w.closed == why }
		other := func(w Wait) bool { return !same(w) }
		if barred := slices.DeleteFunc(slices.Clone(list), other); len(barred) > 0 {
			errs = append(errs, fmt.Errorf("to show it for %s would have no effect: %s", Purposes(barred), why))
			list = slices.DeleteFunc(slices.Clone(list), same)
			continue
		}
		list = list[1:]
	}
	return errors.Join(errs...)
}

// closed says why a person's word would not show the face; see [pipeline.Order.Judge].
func closed(seen report.Face) string {
	switch {
	case obscuredAsAll(seen):
		return "every face was to be obscured, whoever it is (mode everyone)"
	case seen.Outcome == report.Obscure && surelyHidden(seen):
		return fmt.Sprintf("the face is surely %s, and is obscured by rule %s; where it is somebody else, say so (--not %[1]s, or --is ID) first", who(seen.Match), seen.Rule)
	case seen.Basis == "":
		return "what it was judged by is not kept; do the run again into another folder, and decide then"
	}
	return ""
}

// surelyHidden is for a face of somebody who may not be shown, or of one of two who both may not.
// Where a person had it obscured, a person can have it shown again.
func surelyHidden(f report.Face) bool {
	if f.Rule == pipeline.RulePerson || f.Match.Subject == "" {
		return false
	}
	return f.Match.Band == report.Confident || f.Match.Band == report.Unsure && f.Rule != pipeline.RuleNotCleared
}

func who(m report.Match) string {
	if m.Band != report.Confident && m.RunnerUp != "" {
		return m.Subject + " or " + m.RunnerUp
	}
	return m.Subject
}

func obscuredAsAll(f report.Face) bool { return f.Rule == pipeline.RuleEveryone }
