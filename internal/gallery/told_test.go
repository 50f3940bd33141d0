package gallery

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/face"
)

func told(p Probe, is string, not ...string) Probe {
	p.Is, p.Not = is, not
	return p
}

func TestWhatAPersonSaid(t *testing.T) {
	a := single(someone(seeded(1)))
	th := Thresholds{Confident: 5, Unsure: 2.5, Margin: 1, Exclusive: 3, Yield: 4}
	scored := func(score float64) Probe { return Probe{Templates: aimed(a, score)} }
	for name, c := range map[string]struct {
		probes []Probe
		want   [][2]string
	}{
		"is, though nothing like it": {[]Probe{told(scored(-2), "4021")}, [][2]string{{"confident", ReasonPerson}}},
		"is, and not described":      {[]Probe{told(Probe{}, "4021")}, [][2]string{{"confident", ReasonPerson}}},
		"is somebody not enrolled":   {[]Probe{told(scored(9), "1")}, [][2]string{{"confident", ReasonPerson}}},
		"is not":                     {[]Probe{told(scored(9), "", "4021")}, [][2]string{{"none", ""}}},
		"is not somebody else":       {[]Probe{told(scored(9), "", "1")}, [][2]string{{"confident", ""}}},
		"is and is not":              {[]Probe{told(scored(9), "4021", "1", "4021")}, [][2]string{{"unsure", ReasonContradiction}}},
		"two that were told the same": {
			[]Probe{told(scored(9), "4021"), told(scored(2), "4021")},
			[][2]string{{"confident", ReasonPerson}, {"confident", ReasonPerson}},
		},
		"told before a better one": {
			[]Probe{told(scored(3), "4021"), scored(9)},
			[][2]string{{"confident", ReasonPerson}, {"unsure", ReasonAnotherFace}},
		},
		"told before an equal one": {
			[]Probe{scored(9), told(scored(9), "4021")},
			[][2]string{{"unsure", ReasonAnotherFace}, {"confident", ReasonPerson}},
		},
		"an unsure one yields": {
			[]Probe{scored(3), told(scored(7), "4021")},
			[][2]string{{"none", ReasonTakenElsewhere}, {"confident", ReasonPerson}},
		},
		"an unsure one near it stays": {
			[]Probe{scored(3), told(scored(5), "4021")},
			[][2]string{{"unsure", ""}, {"confident", ReasonPerson}},
		},
		"nothing yields to a face without a score": {
			[]Probe{scored(3), scored(9), told(Probe{}, "4021")},
			[][2]string{{"unsure", ""}, {"unsure", ReasonAnotherFace}, {"confident", ReasonPerson}},
		},
		"told elsewhere does not clear a contradiction": {
			[]Probe{told(scored(3), "4021", "4021"), told(scored(9), "4021")},
			[][2]string{{"unsure", ReasonContradiction}, {"confident", ReasonPerson}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := build(t, []Reference{{"4021", "d", a}}, th)
			if diff := cmp.Diff(c.want, bands(g.Match(c.probes))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A told face without a score leads nobody, not even one that is most unlike the subject.
func TestNoScoreLeadsNobody(t *testing.T) {
	a := single(someone(seeded(1)))
	g := build(t, []Reference{{"4021", "d", a}}, Thresholds{Confident: 5, Unsure: -9, Exclusive: 3, Yield: 4})
	m := g.Match([]Probe{{Is: "4021"}, {Templates: aimed(a, -5)}})
	if m[1].Band != Unsure {
		t.Errorf("%+v", m[1])
	}
}

func TestToldFaceKeepsItsScore(t *testing.T) {
	r := seeded(2)
	a, b := someone(r), someone(r)
	g := build(t, []Reference{{"1", "a", a}, {"2", "b", b}}, DefaultThresholds())
	p := near(r, a, 1)
	score, _ := Score(p, b)
	got := g.Match([]Probe{{Templates: p, Is: "2"}, {Templates: p, Is: "3"}})
	want := []Match{
		{Subject: "2", Band: Confident, Score: score, Reason: ReasonPerson},
		{Subject: "3", Band: Confident, Reason: ReasonPerson},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Who is excluded is neither the best nor the runner-up, as if not enrolled at all.
func TestNotIsAGalleryWithoutThem(t *testing.T) {
	scenes(t, func(t *testing.T, r *rand.Rand, refs []Reference, probes []face.Templates) {
		out := refs[r.IntN(len(refs))].Subject
		g := build(t, refs, DefaultThresholds())
		var with []Probe
		for _, p := range probes {
			with = append(with, Probe{Templates: p, Not: []string{out, "nobody", out}})
		}
		without := g.Only(func(id string) bool { return id != out })
		if diff := cmp.Diff(without.MatchPhotograph(probes), g.Match(with)); diff != "" {
			t.Error(diff)
		}
	})
}

// Whatever was said: a told face is what was told, and no other face is confident of that subject.
func TestToldSubjectIsNoOtherFace(t *testing.T) {
	yielded := 0
	scenes(t, func(t *testing.T, r *rand.Rand, refs []Reference, probes []face.Templates) {
		id := refs[r.IntN(len(refs))].Subject
		at := r.IntN(len(probes))
		var all []Probe
		for i, p := range probes {
			all = append(all, Probe{Templates: p})
			if i == at {
				all[i].Is = id
			}
		}
		g := build(t, refs, Thresholds{Confident: 2, Unsure: 1})
		before := g.MatchPhotograph(probes)
		for i, m := range g.Match(all) {
			switch {
			case i == at && (m.Subject != id || m.Band != Confident || m.Reason != ReasonPerson):
				t.Errorf("told face: %+v", m)
			case i != at && m.Subject == id && m.Band == Confident:
				t.Errorf("another face: %+v", m)
			case i != at && m.Band != before[i].Band:
				yielded++
			}
		}
	})
	if yielded == 0 {
		t.Error("no face ever yields: the test shows nothing")
	}
}

func TestManyTold(t *testing.T) {
	var probes []Probe
	for i := range 300 {
		probes = append(probes, Probe{Is: fmt.Sprint(i)})
	}
	for i, m := range build(t, nil, DefaultThresholds()).Match(probes) {
		if m.Subject != fmt.Sprint(i) || m.Band != Confident {
			t.Errorf("%+v", m)
		}
	}
}
