package vision

import (
	"image"
	"math"
	"testing"
)

func TestPlanLevelsHalvesDownToCoarsest(t *testing.T) {
	t.Parallel()
	o := DefaultOptions()
	for _, size := range []image.Point{{1, 1}, {100, 80}, {640, 480}, {1920, 1280}, {6000, 4000}, {4000, 6000}, {20000, 300}} {
		levels := planLevels(size, o)
		for i, l := range levels[1:] {
			if l.scale != levels[i].scale/2 {
				t.Errorf("%v: level %d has scale %v after %v", size, i+1, l.scale, levels[i].scale)
			}
		}
		last := levels[len(levels)-1].size
		if max(last.X, last.Y) > o.Coarsest || min(last.X, last.Y) < 1 {
			t.Errorf("%v: the last level has %v pixels", size, last)
		}
	}
}

// The smallest wanted face must be as large on the finest level as the network needs, whatever
// the picture's size; small pictures are enlarged, within the budget and the limit.
func TestFinestScaleSeesTheSmallestFace(t *testing.T) {
	t.Parallel()
	o := DefaultOptions()
	for _, size := range []image.Point{{8, 8}, {640, 480}, {1024, 683}, {1920, 1280}, {6000, 4000}, {12000, 9000}} {
		s := finestScale(size, o)
		if s*o.SmallestFace < o.SeenAt-1e-9 || s > o.Enlarge {
			t.Errorf("%v: scale %v", size, s)
		}
	}
	if s := finestScale(image.Pt(1024, 683), o); math.Abs(s*s*1024*683-float64(o.Budget)) > 1 {
		t.Errorf("a small picture's scale %v does not spend the budget", s)
	}
}

// Every pixel belongs to the core of exactly one tile; each tile fits the network; and around
// each place there is a tile that owns it and sees half an overlap around it.
func TestPlanTilesCoverWithoutGaps(t *testing.T) {
	t.Parallel()
	for _, size := range []image.Point{{1, 1}, {300, 200}, {1280, 1280}, {1281, 900}, {1400, 1300}, {3900, 2600}, {2561, 64}} {
		tiles := planTiles(size, 1280)
		whole := image.Rectangle{Max: size}
		area := 0
		for i, tl := range tiles {
			area += tl.core.Dx() * tl.core.Dy()
			if !tl.area.In(whole) || !tl.core.In(tl.area) || tl.area.Dx() > 1280 || tl.area.Dy() > 1280 {
				t.Fatalf("%v: tile %+v", size, tl)
			}
			if tl.area.Size() != tiles[0].area.Size() {
				t.Errorf("%v: tiles of two sizes", size)
			}
			for _, other := range tiles[:i] {
				if tl.core.Overlaps(other.core) {
					t.Errorf("%v: two cores overlap", size)
				}
			}
			around := tl.core.Inset(-overlap / 2).Intersect(whole)
			if !around.In(tl.area) {
				t.Errorf("%v: core %v has less than half an overlap around it in %v", size, tl.core, tl.area)
			}
		}
		if area != size.X*size.Y {
			t.Errorf("%v: cores cover %d pixels", size, area)
		}
	}
}

func FuzzPlanSpans(f *testing.F) {
	f.Add(1, 320)
	f.Add(1281, 1280)
	f.Add(26000, 640)
	f.Fuzz(func(t *testing.T, n, side int) {
		if n < 1 || n > 1<<20 || side < 2*overlap || side > 4096 || side%stride != 0 {
			t.Skip("no plan is promised for these")
		}
		at := 0
		for _, s := range planSpans(n, side) {
			if s.coreFrom != at || s.coreTo <= s.coreFrom || s.from < 0 || s.to > n || s.to-s.from > side {
				t.Fatalf("spans of %d by %d: %+v after %d", n, side, s, at)
			}
			at = s.coreTo
		}
		if at != n {
			t.Fatalf("spans of %d by %d end at %d", n, side, at)
		}
	})
}
