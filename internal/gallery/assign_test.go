package gallery

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/face"
)

// aimed makes a probe whose MobileFaceNet score against the reference is exactly what is asked for:
// at the right angle to it.
func aimed(ref face.Templates, score float64) face.Templates {
	v := ref[face.MobileFaceNet]
	cosine := 1 - (mobileMean - score*mobileSD)
	side := make([]float32, mobileLength)
	side[0], side[1] = -v[1], v[0]
	scaled(side, math.Sqrt(1-cosine*cosine))
	for i := range side {
		side[i] += float32(cosine) * v[i]
	}
	return face.Templates{face.MobileFaceNet: side}
}

func single(ref face.Templates) face.Templates { return without(ref, face.DlibResNet) }

// bands are what a photograph's faces get, with reasons.
func bands(ms []Match) [][2]string {
	var out [][2]string
	for _, m := range ms {
		out = append(out, [2]string{string(m.Band), m.Reason})
	}
	return out
}

func TestBandsInOnePhotograph(t *testing.T) {
	a := single(someone(seeded(1)))
	th := Thresholds{Confident: 5, Unsure: 2.5, Margin: 1, Exclusive: 3, Yield: 4}
	for name, c := range map[string]struct {
		scores []float64
		want   [][2]string
	}{
		"one of each":        {[]float64{5.5}, [][2]string{{"confident", ""}}},
		"unsure":             {[]float64{4.9}, [][2]string{{"unsure", ""}}},
		"none":               {[]float64{2.4}, [][2]string{{"none", ""}}},
		"a mirror":           {[]float64{5.5, 9}, [][2]string{{"unsure", ReasonAnotherFace}, {"confident", ""}}},
		"two that are equal": {[]float64{6, 6}, [][2]string{{"unsure", ReasonAnotherFace}, {"unsure", ReasonAnotherFace}}},
		"a clear winner":     {[]float64{3, 9}, [][2]string{{"none", ReasonTakenElsewhere}, {"confident", ""}}},
		"not so clear":       {[]float64{4, 6}, [][2]string{{"unsure", ""}, {"confident", ""}}},
		"a poster":           {[]float64{4.1, 9}, [][2]string{{"unsure", ""}, {"confident", ""}}},
		"nobody wins":        {[]float64{3, 4.9}, [][2]string{{"unsure", ""}, {"unsure", ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			g := build(t, []Reference{{"4021", "d", a}}, th)
			var probes []face.Templates
			for _, s := range c.scores {
				probes = append(probes, aimed(a, s))
			}
			if diff := cmp.Diff(c.want, bands(g.MatchPhotograph(probes))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSingleVoiceIsHeldToMore(t *testing.T) {
	a := single(someone(seeded(1)))
	g := build(t, []Reference{{"4021", "d", a}}, Thresholds{Confident: 5, Single: 1, Unsure: 2.5})
	want := [][2]string{{"unsure", ReasonSingle}}
	if diff := cmp.Diff(want, bands(g.MatchPhotograph([]face.Templates{aimed(a, 5.5)}))); diff != "" {
		t.Error(diff)
	}
}

func TestCloseRunnerUpIsUnsure(t *testing.T) {
	r := seeded(5)
	a := someone(r)
	g := build(t, []Reference{{"1", "a", a}, {"2", "b", near(r, a, 0.1)}}, DefaultThresholds())
	m := g.MatchPhotograph([]face.Templates{a})[0]
	if m.Band != Unsure || m.Reason != ReasonCloseRunnerUp || m.Subject != "1" || m.RunnerUp != "2" {
		t.Errorf("%+v", m)
	}
}

// The subject that comes second in the gallery's order may be the first in likeness.
func TestOvertakenSubjectIsTheRunnerUp(t *testing.T) {
	r := seeded(5)
	a := someone(r)
	g := build(t, []Reference{{"1", "b", near(r, a, 0.1)}, {"2", "a", a}}, DefaultThresholds())
	m := g.MatchPhotograph([]face.Templates{a})[0]
	if m.Band != Unsure || m.Reason != ReasonCloseRunnerUp || m.Subject != "2" || m.RunnerUp != "1" {
		t.Errorf("%+v", m)
	}
}

// A face whose best subject is clearly somebody else in the photograph may still be its next one.
func TestNextInLineKeepsAFaceUnsure(t *testing.T) {
	axis := func(i int) []float32 {
		v := make([]float32, mobileLength)
		v[i] = 1
		return v
	}
	a, b := face.Templates{face.MobileFaceNet: axis(0)}, face.Templates{face.MobileFaceNet: axis(1)}
	between := axis(2)
	between[0], between[1] = 0.36, 0.33
	between[2] = float32(math.Sqrt(1 - 0.36*0.36 - 0.33*0.33))
	th := Thresholds{Confident: 5, Unsure: 2.5, Margin: 1, Exclusive: 3, Yield: 4}
	g := build(t, []Reference{{"1", "a", a}, {"2", "b", b}}, th)
	ms := g.MatchPhotograph([]face.Templates{a, {face.MobileFaceNet: between}})
	if ms[0].Band != Confident || ms[1].Band != Unsure || ms[1].RunnerUp != "2" {
		t.Errorf("%+v", ms)
	}
}

func TestNotDescribed(t *testing.T) {
	g := build(t, []Reference{{"1", "a", someone(seeded(1))}}, DefaultThresholds())
	for name, p := range map[string]face.Templates{
		"nil": nil, "empty": {}, "short": {face.DlibResNet: {1, 2}}, "zero": {face.MobileFaceNet: make([]float32, 512)},
	} {
		want := []Match{{Band: None, Reason: ReasonNotDescribed}}
		if diff := cmp.Diff(want, g.MatchPhotograph([]face.Templates{p})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestWhatCannotBeComparedIsUnsure(t *testing.T) {
	r := seeded(6)
	a, b := someone(r), someone(r)
	g := build(t, []Reference{{"1", "a", a}, {"2", "b", single(b)}}, DefaultThresholds())
	m := g.MatchPhotograph([]face.Templates{without(someone(r), face.MobileFaceNet)})[0]
	if m.Band != Unsure || m.Reason != ReasonIncomparable {
		t.Errorf("%+v", m)
	}
}

func TestEmptyGallery(t *testing.T) {
	g := build(t, nil, DefaultThresholds())
	ms := g.MatchPhotograph([]face.Templates{someone(seeded(1))})
	if diff := cmp.Diff([]Match{{Band: None}}, ms); diff != "" {
		t.Error(diff)
	}
	if len(g.MatchPhotograph(nil)) != 0 {
		t.Error("answers without probes")
	}
}

func TestNoneNamesNobody(t *testing.T) {
	r := seeded(7)
	g := build(t, []Reference{{"1", "a", someone(r)}, {"2", "b", someone(r)}}, DefaultThresholds())
	m := g.MatchPhotograph([]face.Templates{someone(r)})[0]
	if m.Band != None || m.Subject != "" || m.RunnerUp != "" {
		t.Errorf("%+v", m)
	}
}

// FuzzTemplates feeds bytes as numbers: whatever they are, nothing panics, no score is NaN and a
// confident match is one with finite numbers of the right count.
func FuzzTemplates(f *testing.F) {
	known := someone(seeded(9))
	for _, v := range known {
		f.Add(raw(v), len(v) == dlibLength)
	}
	f.Add([]byte{}, true)
	f.Add(raw([]float32{float32(math.NaN()), float32(math.Inf(-1))}), false)
	f.Fuzz(func(t *testing.T, b []byte, dlib bool) {
		d := face.MobileFaceNet
		if dlib {
			d = face.DlibResNet
		}
		p := face.Templates{d: floats(b)}
		g := build(t, []Reference{{"1", "a", known}}, DefaultThresholds())
		m := g.MatchPhotograph([]face.Templates{p})[0]
		if math.IsNaN(m.Score) || math.IsInf(m.Score, 0) {
			t.Errorf("score %v", m.Score)
		}
		if !usable(d, p[d]) && m.Band != None {
			t.Errorf("unusable numbers are %s", m.Band)
		}
		if _, err := New([]Reference{{"1", "a", p}}, DefaultThresholds()); (err == nil) != usable(d, p[d]) {
			t.Errorf("enrolled: %v", err)
		}
	})
}

func raw(v []float32) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

func floats(b []byte) []float32 {
	var v []float32
	for ; len(b) >= 4; b = b[4:] {
		v = append(v, math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return v
}

func BenchmarkMatch(b *testing.B) {
	r := seeded(10)
	var refs []Reference
	for i := range 1000 {
		refs = append(refs, Reference{string(rune('a' + i)), "d", someone(r)})
	}
	g, err := New(refs, DefaultThresholds())
	if err != nil {
		b.Fatal(err)
	}
	probes := make([]face.Templates, 30)
	for i := range probes {
		probes[i] = someone(r)
	}
	for b.Loop() {
		g.MatchPhotograph(probes)
	}
}
