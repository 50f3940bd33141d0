package vision

import (
	"cmp"
	"math"
	"slices"

	"github.com/consentry/consentry/internal/face"
)

const (
	// sameFace is the intersection over union from which on two boxes are one face. Two people
	// cheek to cheek stay below it: the detector's boxes end at the cheeks.
	sameFace = 0.35
	// insideFace is the share of a small box inside a large one from which on it is a part of it.
	insideFace = 0.75
	// partOfFace is the largest side that a part can have, against the side of the whole. An eye
	// with its brow, a nose or a mouth with chin is at most two thirds of a face.
	partOfFace = 0.7
	// shadowOfFace is the share of the smaller of two boxes that both cover from which on the worse
	// one is a double of the better: hair, a throat or an ear taken for a face next to it.
	shadowOfFace = 0.4
	// beyondDoubt is the final score from which on a face may silence its doubles.
	beyondDoubt = 0.95
	// doubtful is the final score below which a face can be taken for a double: people half behind
	// others in a crowd score above.
	doubtful = 0.9
)

// byScore sorts the best first; equal ones by place, so that the order never depends on chance.
func byScore(a, b face.Face) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Box.X, b.Box.X), cmp.Compare(a.Box.Y, b.Box.Y),
		cmp.Compare(a.Box.W, b.Box.W), cmp.Compare(a.Box.H, b.Box.H))
}

// byPlace sorts left to right, then top to bottom.
func byPlace(a, b face.Face) int {
	return cmp.Or(cmp.Compare(a.Box.X, b.Box.X), cmp.Compare(a.Box.Y, b.Box.Y), byScore(a, b))
}

// candidate is a box that may be a face, with how often the detector said so: anchors, tiles and
// scales each count. A face of 20 pixels is named ten times and more, a hand once or twice.
type candidate struct {
	face.Face
	hits int
}

// mergeDuplicates keeps the best of all boxes that are one face, best first, and counts the
// others as its hits. The input's order does not matter.
func mergeDuplicates(found []face.Face) []candidate {
	var kept []candidate
	near := newNeighbours()
	for _, f := range slices.SortedFunc(slices.Values(found), byScore) {
		same := func(i int) bool { return kept[i].Box.IoU(f.Box) >= sameFace }
		if i, ok := near.first(f.Box, same); ok {
			kept[i].hits++
			continue
		}
		near.add(f.Box, len(kept))
		kept = append(kept, candidate{Face: f, hits: 1})
	}
	return kept
}

// dropParts drops what is only a part of a better face: an eye and its brow or a mouth and chin seen
// at a finer scale, a fringe or a throat. A face inside or across a worse one stays.
func dropParts(found []face.Face) []face.Face {
	return slices.DeleteFunc(slices.Clone(found), func(f face.Face) bool {
		return slices.ContainsFunc(found, func(whole face.Face) bool {
			return isPart(f.Box, whole.Box) && f.Score <= whole.Score || isShadow(f, whole)
		})
	})
}

// isPart says whether the small box lies in the large one as a part of a face would.
func isPart(small, large face.Box) bool {
	return small.Size() <= partOfFace*large.Size() && small.Intersection(large) >= insideFace*small.Area()
}

// isShadow says whether a face is the shifted double of one that is beyond doubt.
func isShadow(f, sure face.Face) bool {
	both := f.Box.Intersection(sure.Box)
	return sure.Score >= beyondDoubt && f.Score < doubtful &&
		both >= shadowOfFace*math.Min(f.Box.Area(), sure.Box.Area())
}
