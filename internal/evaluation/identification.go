package evaluation

import (
	"fmt"
	"io"
	"math"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
)

// DescriptionResult is what EvaluateDescription measured.
type DescriptionResult struct {
	Faces      int             `json:"faces"`
	Described  map[string]Rate `json:"described"`        // faces by describer
	Enrolled   []VoiceResult   `json:"enrolled"`         // first photograph of each person with several, the rest searched
	AllPairs   []VoiceResult   `json:"all_pairs"`        // every face with every other whose kinship is known
	References []VoiceResult   `json:"references"`       // all but one photograph enrolled: best of them, mean of them
	Genuine    Bands           `json:"genuine_bands"`    // searched faces of enrolled persons; a wrong person's confident match is in Wrong
	Strangers  Bands           `json:"stranger_bands"`   // searched faces of everybody else
	Wrong      int             `json:"wrong"`            // enrolled persons confidently taken for another one
	FNMR       float64         `json:"fnmr_at_fmr_1e-3"` // fused, Enrolled, with failures counted as missed
}

// EvaluateDescription measures how well the describers and their fusion tell the labelled faces
// apart, and what the thresholds make of it.
func EvaluateDescription(faces []LabelledFace, t gallery.Thresholds) (DescriptionResult, error) {
	if len(faces) == 0 {
		return DescriptionResult{}, ErrNoPhotographs
	}
	r := DescriptionResult{Faces: len(faces), Described: map[string]Rate{}}
	for _, d := range []face.Describer{face.DlibResNet, face.MobileFaceNet} {
		n := 0
		for _, f := range faces {
			if _, ok := f.Templates[d]; ok {
				n++
			}
		}
		r.Described[string(d)] = NewRate(n, len(faces))
	}
	photos := photographsOf(faces)
	enrolled, searched := split(faces, photos)
	for _, v := range voices() {
		r.Enrolled = append(r.Enrolled, compareSets(v, enrolled, searched, photos))
		r.AllPairs = append(r.AllPairs, compareAll(v, faces, photos))
	}
	r.References = compareReferences(faces, photos)
	last := r.Enrolled[len(r.Enrolled)-1].Points
	r.FNMR = last[len(last)-1].WithFTE.Value
	return r, r.identify(enrolled, searched, t)
}

func photographsOf(faces []LabelledFace) map[string]int {
	n := map[string]int{}
	for _, f := range faces {
		n[f.Subject]++
	}
	return n
}

// split enrols the first face of each person with several.
func split(faces []LabelledFace, photos map[string]int) (enrolled, searched []LabelledFace) {
	seen := map[string]bool{}
	for _, f := range faces {
		if photos[f.Subject] > 1 && !seen[f.Subject] {
			seen[f.Subject] = true
			enrolled = append(enrolled, f)
		} else {
			searched = append(searched, f)
		}
	}
	return enrolled, searched
}

func compareSets(v voice, as, bs []LabelledFace, photos map[string]int) VoiceResult {
	var p pairs
	for _, a := range as {
		for _, b := range bs {
			p.compare(v, a, b, photos)
		}
	}
	return p.result(v.name)
}

func compareAll(v voice, faces []LabelledFace, photos map[string]int) VoiceResult {
	var p pairs
	for i, a := range faces {
		for _, b := range faces[:i] {
			p.compare(v, a, b, photos)
		}
	}
	return p.result(v.name)
}

func (p *pairs) compare(v voice, a, b LabelledFace, photos map[string]int) {
	if known(a, b, photos) {
		score, ok := v.score(a.Templates, b.Templates)
		p.add(a.Subject == b.Subject, score, ok)
	}
}

// compareReferences enrols all photographs of each person but, for the person's own faces, the one
// that is searched, and takes the best or the mean of the references' fused scores.
func compareReferences(faces []LabelledFace, photos map[string]int) []VoiceResult {
	var best, mean pairs
	fused := voices()[len(voices())-1]
	for i, probe := range faces {
		for _, subject := range several(faces, photos) {
			top, sum, n := math.Inf(-1), 0.0, 0
			for j, ref := range faces {
				if ref.Subject != subject || i == j || !known(probe, ref, photos) {
					continue
				}
				if s, ok := fused.score(probe.Templates, ref.Templates); ok {
					top, sum, n = max(top, s), sum+s, n+1
				}
			}
			if n > 0 {
				best.add(probe.Subject == subject, top, true)
				mean.add(probe.Subject == subject, sum/float64(n), true)
			}
		}
	}
	return []VoiceResult{best.result("fused, best reference"), mean.result("fused, mean of references")}
}

// several are the people with several photographs, in order of appearance.
func several(faces []LabelledFace, photos map[string]int) []string {
	var subjects []string
	seen := map[string]bool{}
	for _, f := range faces {
		if photos[f.Subject] > 1 && !seen[f.Subject] {
			seen[f.Subject] = true
			subjects = append(subjects, f.Subject)
		}
	}
	return subjects
}

// identify searches every photograph in the gallery of the enrolled, as a run does.
func (r *DescriptionResult) identify(enrolled, searched []LabelledFace, t gallery.Thresholds) error {
	var refs []gallery.Reference
	in := map[string]bool{}
	for _, e := range enrolled {
		if len(e.Templates) == 0 {
			continue // failure to enrol
		}
		refs = append(refs, gallery.Reference{Subject: e.Subject, Digest: e.Photograph, Templates: e.Templates})
		in[e.Subject] = true
	}
	g, err := gallery.New(refs, t)
	if err != nil {
		return fmt.Errorf("enrolling the labelled faces: %w", err)
	}
	for start := 0; start < len(searched); {
		end := start
		var probes []face.Templates
		for ; end < len(searched) && searched[end].Photograph == searched[start].Photograph; end++ {
			probes = append(probes, searched[end].Templates)
		}
		for i, m := range g.MatchPhotograph(probes) {
			r.tally(searched[start+i], m, in)
		}
		start = end
	}
	return nil
}

func (r *DescriptionResult) tally(f LabelledFace, m gallery.Match, enrolled map[string]bool) {
	switch {
	case !enrolled[f.Subject]:
		r.Strangers.count(m.Band)
	case m.Band == gallery.Confident && m.Subject != f.Subject:
		r.Wrong++
	default:
		r.Genuine.count(m.Band)
	}
}

// Print writes the tables.
func (r DescriptionResult) Print(w io.Writer) error {
	fmt.Fprintf(w, "%d faces; described by %s: %v, by %s: %v\n", r.Faces,
		face.DlibResNet, r.Described[string(face.DlibResNet)], face.MobileFaceNet, r.Described[string(face.MobileFaceNet)])
	for _, t := range []struct {
		title   string
		results []VoiceResult
	}{{"one enrolled, rest searched", r.Enrolled}, {"all pairs", r.AllPairs}, {"several references", r.References}} {
		if err := printVoices(w, t.title, t.results); err != nil {
			return fmt.Errorf("printing the evaluation: %w", err)
		}
	}
	_, err := fmt.Fprintf(w, "enrolled persons: %d confident, %d unsure, %d none, %d taken for another; strangers: %d confident, %d unsure, %d none\n",
		r.Genuine.Confident, r.Genuine.Unsure, r.Genuine.None, r.Wrong, r.Strangers.Confident, r.Strangers.Unsure, r.Strangers.None)
	return err
}
