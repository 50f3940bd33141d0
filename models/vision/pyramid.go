package vision

import (
	"image"
	"math"
)

const (
	// stride is the multiple that widths and heights of the network's input are rounded up to,
	// pixels. The cut network takes any size (its grids are rounded up); 16 keeps rows aligned.
	stride = 16
	// mirrored is the margin around each level in which the picture is mirrored, pixels of the level.
	mirrored = 32
	// overlap is how much of a level two neighbouring tiles share, pixels of the level. The next
	// coarser level sees each face at half the size and is sure of it from 16 pixels on, so this
	// one answers for faces of less than 32; three times that gives each of them its surroundings too.
	overlap = 96
	// slack is how far beyond its own core a tile may still claim a face, pixels of the level. Two
	// tiles place one face a pixel or two apart, and without slack each could leave it to the other.
	slack = 8
)

// level is one scale of the pyramid.
type level struct {
	scale float64     // of the level against the picture
	size  image.Point // pixels of the level
}

// planLevels says at which scales a picture of this size is looked at: finest first, each half of
// the one before, down to the first whose longer side is at most coarsest pixels.
func planLevels(size image.Point, o Options) []level {
	var levels []level
	for s := finestScale(size, o); ; s /= 2 {
		l := level{scale: s, size: image.Pt(scaled(size.X, s), scaled(size.Y, s))}
		levels = append(levels, l)
		if max(l.size.X, l.size.Y) <= o.Coarsest {
			return levels
		}
	}
}

// finestScale spends the pixel budget on small pictures, but never goes below what the smallest
// wanted face needs nor above the largest useful enlargement.
func finestScale(size image.Point, o Options) float64 {
	budget := math.Sqrt(float64(o.Budget) / (float64(size.X) * float64(size.Y)))
	least := o.SeenAt / o.SmallestFace
	return math.Min(math.Max(budget, least), o.Enlarge)
}

func scaled(n int, s float64) int { return max(1, int(math.Round(float64(n)*s))) }

// tile is a part of a level that goes through the network at once.
type tile struct {
	area image.Rectangle // what the network sees, inside the level
	core image.Rectangle // what the tile answers for; the cores of a level cover it without overlap
}

// owns says whether a face at this place of the level is the tile's to report.
func (t tile) owns(x, y float64) bool {
	return x >= float64(t.core.Min.X-slack) && x < float64(t.core.Max.X+slack) &&
		y >= float64(t.core.Min.Y-slack) && y < float64(t.core.Max.Y+slack)
}

// planTiles cuts a level into tiles of at most side × side pixels that overlap by overlap. All
// tiles of a level have the same size, so that the network is shaped once.
func planTiles(size image.Point, side int) []tile {
	var tiles []tile
	for _, y := range planSpans(size.Y, side) {
		for _, x := range planSpans(size.X, side) {
			tiles = append(tiles, tile{
				area: image.Rect(x.from, y.from, x.to, y.to),
				core: image.Rect(x.coreFrom, y.coreFrom, x.coreTo, y.coreTo),
			})
		}
	}
	return tiles
}

// span is one axis of a tile.
type span struct{ from, to, coreFrom, coreTo int }

// planSpans cuts n pixels into equal spans of at most side; those at the picture's edges own up
// to the edge, the others up to the middle of what they share.
func planSpans(n, side int) []span {
	if n <= side {
		return []span{{0, n, 0, n}}
	}
	count := 1 + ceilDiv(n-side, side-overlap)
	length := min(side, roundUp(ceilDiv(n+(count-1)*overlap, count), stride))
	spans := make([]span, count)
	for i := range spans {
		from := (n - length) * i / (count - 1)
		spans[i] = span{from: from, to: from + length, coreTo: n}
		if i > 0 {
			spans[i].coreFrom = (from + spans[i-1].to) / 2
			spans[i-1].coreTo = spans[i].coreFrom
		}
	}
	return spans
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

func roundUp(n, to int) int { return ceilDiv(n, to) * to }
