package gallery

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/face"
)

// One reference at a time makes the gallery that all of them together make, and leaves each step as it was.
func TestWithIsNew(t *testing.T) {
	for seed := range uint64(12) {
		r := seeded(seed)
		refs, probes := town(r, []int{3, 40, 700}[seed%3])
		half := len(refs) / 2
		grown := build(t, refs[:half], DefaultThresholds())
		before, digest := grown.Match(probes), grown.Digest()
		first := grown
		for i := half; i < len(refs); {
			n := min(1+r.IntN(40), len(refs)-i)
			next, err := grown.With(refs[i : i+n]...)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := grown.With(Reference{"0", "twice from one", someone(r)}); err != nil {
				t.Fatal(err)
			}
			grown, i = next, i+n
		}
		whole := build(t, refs, DefaultThresholds())
		if grown.Digest() != whole.Digest() || grown.References() != whole.References() {
			t.Error("not the same gallery")
		}
		if diff := cmp.Diff(whole.SubjectIDs(), grown.SubjectIDs()); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(whole.Match(probes), grown.Match(probes)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(before, first.Match(probes)); diff != "" || first.Digest() != digest {
			t.Errorf("the first gallery changed: %s", diff)
		}
	}
}

func TestWithRefuses(t *testing.T) {
	g := build(t, []Reference{{"1", "a", someone(seeded(1))}}, DefaultThresholds())
	if _, err := g.With(Reference{"2", "b", nil}); err == nil || g.References() != 1 {
		t.Error(err)
	}
}

// What was handed in may be changed afterwards.
func TestTemplatesAreCopied(t *testing.T) {
	r := seeded(1)
	p := someone(r)
	refs := []Reference{{"1", "a", near(r, p, 0)}}
	g := build(t, refs, DefaultThresholds())
	want := g.MatchPhotograph([]face.Templates{p})
	clear(refs[0].Templates[face.MobileFaceNet])
	clear(refs[0].Templates[face.DlibResNet])
	if diff := cmp.Diff(want, g.MatchPhotograph([]face.Templates{p})); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyIsAGalleryOfThem(t *testing.T) {
	scenes(t, func(t *testing.T, r *rand.Rand, refs []Reference, probes []face.Templates) {
		kept := map[string]bool{}
		var own []Reference
		for _, ref := range refs {
			if _, ok := kept[ref.Subject]; !ok {
				kept[ref.Subject] = r.IntN(2) == 0
			}
			if kept[ref.Subject] {
				own = append(own, ref)
			}
		}
		want := build(t, own, DefaultThresholds())
		got := build(t, refs, DefaultThresholds()).Only(func(id string) bool { return kept[id] })
		if diff := cmp.Diff(want.MatchPhotograph(probes), got.MatchPhotograph(probes)); diff != "" || want.Digest() != got.Digest() {
			t.Errorf("not the same gallery: %s", diff)
		}
	})
}

// The bytes are a quarter of the templates, apart from one number for each row.
func TestBytesAreAQuarter(t *testing.T) {
	r := seeded(1)
	var refs []Reference
	for i := range 64 {
		refs = append(refs, Reference{fmt.Sprint(i), "d", someone(r)})
	}
	b := build(t, refs, DefaultThresholds()).table.blocks[0]
	if got, want := len(b.bytes.Longs)+len(b.bytes.Shorts), 64*(dlibLength+mobileLength); got != want {
		t.Errorf("%d bytes for %d numbers", got, want)
	}
	if len(b.plain) > 0 {
		t.Errorf("%d ordinary rows are not compared by bytes", len(b.plain))
	}
}

func TestNearestAndBestOf(t *testing.T) {
	for seed := range uint64(12) {
		r := seeded(seed)
		refs, probes := town(r, 50)
		g := build(t, refs, DefaultThresholds())
		for _, p := range probes {
			except := refs[r.IntN(len(refs))].Subject
			best := map[string]float64{}
			for _, ref := range refs {
				if s, ok := Score(p.Templates, ref.Templates); ok {
					if old, known := best[ref.Subject]; !known || s > old {
						best[ref.Subject] = s
					}
				}
			}
			own, known := best[except]
			if s, ok := g.BestOf(p.Templates, except); s != own || ok != known {
				t.Errorf("best of one: %v, %v, want %v, %v", s, ok, own, known)
			}
			delete(best, except)
			subject, score, ok := g.Nearest(p.Templates, except)
			if ok != (len(best) > 0) || ok && score != slices.Max(slices.Collect(maps.Values(best))) || best[subject] != score {
				t.Errorf("nearest: %s with %v, %v", subject, score, ok)
			}
		}
	}
	g := build(t, nil, DefaultThresholds())
	if _, _, ok := g.Nearest(someone(seeded(1)), ""); ok {
		t.Error("nearest of nobody")
	}
	if _, ok := g.BestOf(someone(seeded(1)), "1"); ok {
		t.Error("best of nobody")
	}
}

func TestSpread(t *testing.T) {
	r := seeded(1)
	p := someone(r)
	refs := []Reference{{"1", "a", p}, {"1", "b", near(r, p, 0.2)}, {"1", "c", near(r, p, 1.5)}, {"2", "d", someone(r)}, {"1", "e", nil}}
	ab, _ := Score(refs[0].Templates, refs[1].Templates)
	ac, _ := Score(refs[0].Templates, refs[2].Templates)
	bc, _ := Score(refs[1].Templates, refs[2].Templates)
	lowest, mean, pairs := Spread(refs)
	if lowest != min(ab, ac, bc) || pairs != 3 || mean-(ab+ac+bc)/3 > 1e-12 || (ab+ac+bc)/3-mean > 1e-12 {
		t.Errorf("%v, %v of %d", lowest, mean, pairs)
	}
	for _, few := range [][]Reference{nil, refs[:1], refs[3:]} {
		if lowest, mean, pairs := Spread(few); lowest != 0 || mean != 0 || pairs != 0 {
			t.Errorf("%v, %v of %d", lowest, mean, pairs)
		}
	}
}

func TestAlikeIsWithinTheMargin(t *testing.T) {
	some := 0
	for seed := range uint64(6) {
		r := seeded(seed)
		refs, _ := town(r, 25)
		g := build(t, refs, DefaultThresholds())
		limit := DefaultThresholds().Confident - DefaultThresholds().Margin
		for _, id := range g.SubjectIDs() {
			want := map[string]bool{}
			for _, a := range refs {
				for _, b := range refs {
					if a.Subject != id || b.Subject == id {
						continue
					}
					if s, ok := Score(a.Templates, b.Templates); ok && s >= limit {
						want[b.Subject] = true
					}
				}
			}
			got := g.Alike(id)
			if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), append([]string(nil), got...)); diff != "" {
				t.Errorf("%s: %s", id, diff)
			}
			some += len(got)
			clear(got) // what was handed out is the caller's
			for _, other := range g.Alike(id) {
				if !slices.Contains(g.Alike(other), id) {
					t.Errorf("%s is like %q, but not the other way round", id, other)
				}
			}
		}
	}
	if some == 0 {
		t.Error("nobody is alike: the test shows nothing")
	}
	if got := build(t, nil, DefaultThresholds()).Alike("1"); got != nil {
		t.Error(got)
	}
}
