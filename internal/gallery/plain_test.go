package gallery

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery/dot8"
)

// plainMatch is the search as its promise reads: each probe against each reference, subject by
// subject in the order of admission numbers.
func plainMatch(refs []Reference, th Thresholds, probes []Probe) []Match {
	sorted := slices.Clone(refs)
	slices.SortStableFunc(sorted, func(a, b Reference) int { return strings.Compare(a.Subject, b.Subject) })
	candidates := make([]candidate, len(probes))
	for i, p := range probes {
		candidates[i] = plainCandidate(sorted, p)
	}
	return th.assign(candidates)
}

func plainCandidate(sorted []Reference, p Probe) candidate {
	c := candidate{probe: newProbe(p.Templates), told: p.Is, contradicted: slices.Contains(p.Not, p.Is)}
	if p.Is == "" && !c.probe.described() {
		return c
	}
	for len(sorted) > 0 {
		id := sorted[0].Subject
		n := slices.IndexFunc(sorted, func(r Reference) bool { return r.Subject != id })
		if n < 0 {
			n = len(sorted)
		}
		rows := sorted[:n]
		sorted = sorted[n:]
		if p.Is != "" && id != p.Is || p.Is == "" && slices.Contains(p.Not, id) {
			continue
		}
		var best contender
		for _, r := range rows {
			q := newProbe(r.Templates)
			if score, ok := c.probe.score(q); ok && (!best.found || score > best.score) {
				best = contender{subject: id, score: score, single: c.probe.single(q), found: true}
			}
		}
		switch {
		case !best.found:
			c.incomparable = c.told == ""
		case !c.best.found || best.score > c.best.score:
			c.best, c.second = best, c.best
		case !c.second.found || best.score > c.second.score:
			c.second = best
		}
	}
	return c
}

// town is a gallery and photographs made to be hard for a search that leaves rows out: equal
// templates under several numbers, declined describers, templates that bytes cannot show, subjects
// that a person excluded, and crowds in which everybody looks alike.
func town(r *rand.Rand, subjects int) ([]Reference, []Probe) {
	origin, alike := someone(r), []float64{0, 0.5, 3}[r.IntN(3)]
	stranger := func() face.Templates {
		t := someone(r)
		if alike > 0 {
			t = near(r, origin, 1/alike)
		}
		return t
	}
	var refs []Reference
	var probes []Probe
	for i := range subjects {
		person := stranger()
		if len(refs) > 0 && r.IntN(5) == 0 { // the very same under another number
			person = refs[r.IntN(len(refs))].Templates
			refs = append(refs, Reference{fmt.Sprint(r.IntN(2*subjects) + 1), fmt.Sprint(i), person})
		}
		for k := range 1 + r.IntN(3) {
			refs = append(refs, Reference{fmt.Sprint(r.IntN(2*subjects) + 1), fmt.Sprint(i, k), quirk(r, near(r, person, 0.5*r.Float64()))})
		}
		if r.IntN(1+subjects/20) == 0 {
			probes = append(probes, Probe{Templates: spoil(r, near(r, person, r.Float64()))})
			probes = append(probes, Probe{Templates: refs[r.IntN(len(refs))].Templates})
		}
	}
	for i := range probes {
		for range r.IntN(4) {
			probes[i].Not = append(probes[i].Not, fmt.Sprint(r.IntN(2*subjects)+1))
		}
		if r.IntN(8) == 0 {
			probes[i].Is = fmt.Sprint(r.IntN(2*subjects) + 1)
		}
	}
	return refs, append(probes, Probe{Templates: spoil(r, stranger())}, Probe{})
}

// quirk makes some templates what a describer gives seldom, but may give.
func quirk(r *rand.Rand, t face.Templates) face.Templates {
	switch r.IntN(12) {
	case 0, 1:
		if len(t) == 2 {
			return without(t, []face.Describer{face.DlibResNet, face.MobileFaceNet}[r.IntN(2)])
		}
	case 2: // one component holds nearly all: bytes cut it off
		for d, long := range map[face.Describer]float64{face.DlibResNet: 1.4, face.MobileFaceNet: 1} {
			if v := t[d]; v != nil {
				v[7] += 3
				scaled(v, long)
			}
		}
	case 3: // the shortest and longest that there may be
		if v := t[face.DlibResNet]; v != nil {
			scaled(v, 0.51+3.4*float64(r.IntN(2)))
		}
		if v := t[face.MobileFaceNet]; v != nil {
			scaled(v, 0.992+0.016*float64(r.IntN(2)))
		}
	}
	return t
}

// spoil also makes templates that count as declined.
func spoil(r *rand.Rand, t face.Templates) face.Templates {
	t = quirk(r, t)
	d := []face.Describer{face.DlibResNet, face.MobileFaceNet}[r.IntN(2)]
	switch v := t[d]; {
	case v == nil:
	case r.IntN(8) == 0:
		v[r.IntN(len(v))] = float32(math.NaN())
	case r.IntN(8) == 0:
		v[r.IntN(len(v))] = float32(math.Inf(1))
	}
	return t
}

func TestSearchIsThePlainSearch(t *testing.T) {
	open := Thresholds{Confident: 1e6, Unsure: -1e6} // names the best two of every face
	bands := map[Band]int{}
	for seed := range uint64(60) {
		r := seeded(seed)
		refs, probes := town(r, []int{0, 1, 2, 7, 60, 300}[seed%6])
		for _, th := range []Thresholds{open, DefaultThresholds()} {
			want := plainMatch(refs, th, probes)
			got := build(t, refs, th).Match(probes)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("seed %d: %s", seed, diff)
			}
			for _, m := range got {
				bands[m.Band]++
			}
		}
	}
	if bands[Confident] == 0 || bands[Unsure] == 0 || bands[None] == 0 {
		t.Errorf("%v: the test shows nothing", bands)
	}
}

// More rows than a block holds, more faces than a pass takes.
func TestLargeSearchIsThePlainSearch(t *testing.T) {
	r := seeded(99)
	refs, probes := town(r, 1800)
	for len(probes) < questsAtOnce+9 {
		probes = append(probes, Probe{Templates: near(r, refs[r.IntN(len(refs))].Templates, r.Float64())})
	}
	open := Thresholds{Confident: 1e6, Unsure: -1e6}
	if diff := cmp.Diff(plainMatch(refs, open, probes), build(t, refs, open).Match(probes)); diff != "" {
		t.Error(diff)
	}
}

// A bound that is broken by a hair in one pair of many would not show in a search.
func TestBytesNeverUnderstate(t *testing.T) {
	for seed := range uint64(5) {
		r := seeded(seed)
		refs, probes := town(r, 100)
		checkBounds(t, refs, probes)
		refs, probes = worst(r)
		checkBounds(t, refs, probes)
		refs, probes = worstDlib(r)
		checkBounds(t, refs, probes)
	}
}

// worst are rows and probes for which rounding errs as much as it can: each probe lies along the
// rounding error of a row, or each row along that of a probe.
func worst(r *rand.Rand) ([]Reference, []Probe) {
	var refs []Reference
	var probes []Probe
	for i := range 40 {
		row := someone(r)
		probes = append(probes, Probe{Templates: face.Templates{
			face.MobileFaceNet: scaled(roundingError(row[face.MobileFaceNet], mobileStep), 1),
			face.DlibResNet:    scaled(roundingError(row[face.DlibResNet], dlibStep), 1.4),
		}})
		probe := someone(r)
		probe[face.MobileFaceNet][i] += 2 // a large component makes large steps
		probe[face.DlibResNet][i] += 2
		scaled(probe[face.MobileFaceNet], 1)
		scaled(probe[face.DlibResNet], 1.4)
		along := face.Templates{
			face.MobileFaceNet: scaled(roundingError(probe[face.MobileFaceNet], largest(probe[face.MobileFaceNet])/127), 1),
			face.DlibResNet:    scaled(roundingError(probe[face.DlibResNet], largest(probe[face.DlibResNet])/127), 1.4),
		}
		probes = append(probes, Probe{Templates: probe})
		refs = append(refs, Reference{fmt.Sprint(i), "row", row}, Reference{fmt.Sprint(i), "along", along})
	}
	return refs, probes
}

// worstDlib is the same for dlib alone: nothing of MobileFaceNet's is rounded.
func worstDlib(r *rand.Rand) ([]Reference, []Probe) {
	refs, probes := worst(r)
	for i := range refs {
		even := evenly(r)
		refs[i].Templates[face.MobileFaceNet], probes[i].Templates[face.MobileFaceNet] = even, even
	}
	return refs, probes
}

// evenly is a template whose components are a whole number of steps.
func evenly(r *rand.Rand) []float32 {
	v := make([]float32, mobileLength)
	for i := range v {
		v[i] = float32(32 * mobileStep * float64(2*r.IntN(2)-1))
	}
	return v
}

func roundingError(v []float32, step float64) []float32 {
	q := make([]int8, len(v))
	rounded(v, step, q)
	e := make([]float32, len(v))
	for i, x := range v {
		e[i] = x - float32(step*float64(q[i]))
	}
	return e
}

func largest(v []float32) float64 {
	return math.Max(float64(slices.Max(v)), -float64(slices.Min(v)))
}

func checkBounds(t *testing.T, refs []Reference, probes []Probe) {
	t.Helper()
	g := build(t, refs, DefaultThresholds())
	var quests []quest
	for _, p := range probes {
		if q := g.newSearch(p.Templates, nil); q.probe.mobile != nil {
			quests = append(quests, q)
		}
	}
	checkPass(t, newPass(&g.table, quests))
}

func checkPass(t *testing.T, p *pass) {
	t.Helper()
	for _, b := range p.t.blocks {
		for i := range p.probes {
			p.bytes.Limits[i] = p.probes[i].limit(b, math.Inf(-1))
		}
		for _, h := range dot8.Scan(p.kernel, b.bytes, p.bytes, nil) {
			if int(h.Row) >= len(b.rows) || b.rows[h.Row].plain {
				continue
			}
			r, c := &b.rows[h.Row], &p.probes[h.Probe]
			score, _ := c.score(r.probe)
			if most := c.most(r, h); most < score {
				t.Fatalf("at most %v by the bytes, %v by the templates", most, score)
			}
			p.bytes.Limits[h.Probe] = c.limit(b, score)
			group := int(h.Row) / dot8.Rows
			if !found(dot8.Scan(p.kernel, b.bytes.Part(group, group+1), p.bytes, nil), h) {
				t.Fatalf("a row of score %v would be left out", score)
			}
		}
	}
}

func found(hits []dot8.Hit, want dot8.Hit) bool {
	want.Row %= dot8.Rows
	return slices.Contains(hits, want)
}

func BenchmarkLargeGallery(b *testing.B) {
	for _, crowd := range []Crowd{General(), Alike()} {
		b.Run(crowd.Name, func(b *testing.B) {
			for b.Loop() {
				cost, err := MeasureMatch(crowd, 50000, 2, 100, 5)
				if err != nil {
					b.Fatal(err)
				}
				b.Log(cost)
				b.ReportMetric(float64(cost.Matching.Microseconds())/1000, "ms/photograph")
				b.ReportMetric(float64(cost.Plain)/float64(cost.Matching), "×plain")
			}
		})
	}
}
