package pipeline

import (
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
)

// match compares the faces of one photograph with the gallery, all together: one subject cannot
// be two faces of it.
func match(faces []face.Face, order Order) []gallery.Match {
	if order.Mode == Everyone {
		return nobody(len(faces))
	}
	probes := make([]face.Templates, len(faces))
	for i, f := range faces {
		probes[i] = f.Templates
	}
	return order.Gallery.MatchPhotograph(probes)
}

func nobody(n int) []gallery.Match {
	matches := make([]gallery.Match, n)
	for i := range matches {
		matches[i] = gallery.Match{Band: gallery.None, Reason: "not compared with anybody"}
	}
	return matches
}
