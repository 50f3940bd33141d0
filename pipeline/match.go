package pipeline

import (
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
		if ruling, ok := order.Rulings.on(asset, f.Box); ok {
			probes[i].Is, probes[i].Not = ruling.Is, ruling.Not
		}
	}
	return order.Gallery.Match(probes)
}

func nobody(n int) []gallery.Match {
	matches := make([]gallery.Match, n)
	for i := range matches {
		matches[i] = gallery.Match{Band: gallery.None, Reason: "not compared with anybody"}
	}
	return matches
}
