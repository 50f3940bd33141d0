package pipeline

import (
	"slices"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
)

// match compares the faces of one photograph with the gallery, all together: one subject cannot
// be two faces of it. What a person has said of a face goes before what it looks like.
func match(asset string, faces []face.Face, order Order) []gallery.Match {
	if order.Mode == Everyone {
		return nobody(len(faces))
	}
	probes := make([]gallery.Probe, len(faces))
	for i, f := range faces {
		probes[i] = gallery.Probe{Templates: f.Templates}
		if ruling := order.Rulings.on(asset, f.Box); ruling != nil {
			probes[i].Is, probes[i].Not = ruling.Is, ruling.Not
		}
	}
	return order.search(probes)
}

// search compares with the gallery faces that are seen at the same time.
func (o Order) search(probes []gallery.Probe) []gallery.Match {
	matches := o.Gallery.Match(probes)
	if o.Mode == Objectors && o.unknownFace().Outcome == consent.Show {
		o.leaveOutShown(probes, matches)
	}
	return matches
}

// leaveOutShown searches again, without the subjects who may be shown, for faces that are perhaps one
// of them, where a face that matches nobody is shown as well: whether it is 4022, who may be shown,
// or a stranger makes no difference then, and no person need be asked. Who may not be shown is still
// searched for; one who is found with confidence only because a better match was left out is not
// believed.
func (o Order) leaveOutShown(probes []gallery.Probe, matches []gallery.Match) {
	var again []int
	for i, m := range matches {
		if m.Band == gallery.Unsure && probes[i].Is == "" && o.harmless(m.Subject) {
			again = append(again, i)
		}
	}
	if len(again) == 0 {
		return
	}
	shown := o.shown()
	for _, i := range again {
		probes[i].Not = append(slices.Clone(probes[i].Not), shown...)
	}
	second := o.Gallery.Match(probes)
	for _, i := range again {
		if second[i].Band != gallery.Confident {
			matches[i] = second[i]
		}
	}
}

// harmless says whether the subject may be shown and so may all who look like it.
func (o Order) harmless(subject string) bool {
	if o.decisionOn(subject).Outcome != consent.Show {
		return false
	}
	return !slices.ContainsFunc(o.lookalikes(subject), func(other string) bool {
		return o.decisionOn(other).Outcome != consent.Show
	})
}

// shown lists the enrolled subjects who may be shown, and who look like nobody who may not be.
func (o Order) shown() []string {
	return slices.DeleteFunc(o.Gallery.SubjectIDs(), func(id string) bool { return !o.harmless(id) })
}

func nobody(n int) []gallery.Match {
	matches := make([]gallery.Match, n)
	for i := range matches {
		matches[i] = gallery.Match{Band: gallery.None, Reason: "not compared with anybody"}
	}
	return matches
}
