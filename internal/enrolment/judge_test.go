package enrolment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
)

// templatesOf are those of a photograph of the people given, each as strongly as its weight says;
// the rest is the photograph's own. Two photographs of one person (0.86 each) score 7.7, of
// different people 0.7.
func templatesOf(photograph int, people map[int]float64) face.Templates {
	mobile, rest := make([]float32, 512), 1.0
	for p, w := range people {
		mobile[p] = float32(w)
		rest -= w * w
	}
	mobile[100+photograph] = float32(math.Sqrt(max(0, rest)))
	dlib := make([]float32, 128)
	dlib[0] = 1
	return face.Templates{face.MobileFaceNet: mobile, face.DlibResNet: dlib}
}

// shot is a photograph of a person under somebody's number.
type shot struct {
	subject    string
	person     int
	photograph int
}

func (s shot) reference() gallery.Reference {
	return gallery.Reference{
		Subject: s.subject, Digest: fmt.Sprintf("%064x", s.photograph),
		Templates: templatesOf(s.photograph, map[int]float64{s.person: 0.86}),
	}
}

func newGallery(t testing.TB, shots ...shot) *gallery.Gallery {
	t.Helper()
	var refs []gallery.Reference
	for _, s := range shots {
		refs = append(refs, s.reference())
	}
	g, err := gallery.New(refs, gallery.DefaultThresholds())
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// verdicts judges newcomers together. It gives the rival, "unlike" or "" for who joins.
func verdicts(g *gallery.Gallery, refs []gallery.Reference, lookalikes func(string) []string) map[string]string {
	j := newJudge(g, lookalikes)
	for _, r := range refs {
		j.add(r)
	}
	j.judge()
	out := map[string]string{}
	for _, n := range j.newcomers {
		name := n.subject() + " " + strings.TrimLeft(n.reference.Digest, "0")
		switch {
		case n.verdict == nil:
			out[name] = n.note
		case n.verdict.Rival == "":
			out[name] = "unlike"
		default:
			out[name] = n.verdict.Rival
		}
	}
	return out
}

func nobody(string) []string { return nil }

func TestNewReferences(t *testing.T) {
	const ann, bea, cat = 1, 2, 3
	for name, test := range map[string]struct {
		enrolled, given []shot
		want            map[string]string
	}{
		"the first": {nil, []shot{{"1", ann, 1}}, map[string]string{"1 1": ""}},
		"two of each": {
			nil,
			[]shot{{"1", ann, 1}, {"1", ann, 2}, {"2", bea, 3}, {"2", bea, 4}},
			map[string]string{"1 1": "", "1 2": "", "2 3": "", "2 4": ""},
		},
		"one more": {[]shot{{"1", ann, 1}, {"2", bea, 2}}, []shot{{"1", ann, 3}}, map[string]string{"1 3": ""}},
		"unlike those enrolled": {
			[]shot{{"1", ann, 1}},
			[]shot{{"1", cat, 2}},
			map[string]string{"1 2": "unlike"},
		},
		"somebody else's, who is enrolled": {
			[]shot{{"1", ann, 1}, {"2", bea, 2}},
			[]shot{{"1", bea, 3}},
			map[string]string{"1 3": "2"},
		},
		"the first, and somebody else's": {
			[]shot{{"2", bea, 2}},
			[]shot{{"1", bea, 3}},
			map[string]string{"1 3": "2"},
		},
		// Which is right cannot be known.
		"two that disagree": {nil, []shot{{"1", ann, 1}, {"1", cat, 2}}, map[string]string{"1 1": "unlike", "1 2": "unlike"}},
		"two against two": {
			nil,
			[]shot{{"1", ann, 1}, {"1", ann, 2}, {"1", cat, 3}, {"1", cat, 4}},
			map[string]string{"1 1": "unlike", "1 2": "unlike", "1 3": "unlike", "1 4": "unlike"},
		},
		"one person under two numbers": {
			nil,
			[]shot{{"1", ann, 1}, {"2", ann, 2}},
			map[string]string{"1 1": "2", "2 2": "1"},
		},
		"swapped": {
			nil,
			[]shot{{"1", ann, 1}, {"1", bea, 2}, {"2", bea, 3}, {"2", ann, 4}},
			map[string]string{"1 1": "2", "1 2": "2", "2 3": "1", "2 4": "1"},
		},
		"swapped, with both enrolled": {
			[]shot{{"1", ann, 1}, {"2", bea, 2}},
			[]shot{{"1", bea, 3}, {"2", ann, 4}},
			map[string]string{"1 3": "2", "2 4": "1"},
		},
		// Here something speaks for one side.
		"two against one": {
			nil,
			[]shot{{"1", ann, 1}, {"1", ann, 2}, {"1", cat, 3}},
			map[string]string{"1 1": "", "1 2": "", "1 3": "unlike"},
		},
		"one of a pair is another's": {
			nil,
			[]shot{{"1", ann, 1}, {"1", ann, 2}, {"2", bea, 3}, {"2", ann, 4}},
			map[string]string{"1 1": "", "1 2": "", "2 3": "", "2 4": "1"},
		},
		"three against one under another number": {
			nil,
			[]shot{{"1", ann, 1}, {"1", ann, 2}, {"1", ann, 3}, {"2", ann, 4}},
			map[string]string{"1 1": "", "1 2": "", "1 3": "", "2 4": "1"},
		},
		// That the two agree with each other is no excuse.
		"two of another's together": {
			[]shot{{"1", ann, 1}, {"2", bea, 2}},
			[]shot{{"1", bea, 3}, {"1", bea, 4}},
			map[string]string{"1 3": "2", "1 4": "2"},
		},
		"two of another's together, as the first": {
			[]shot{{"2", bea, 2}},
			[]shot{{"1", bea, 3}, {"1", bea, 4}},
			map[string]string{"1 3": "2", "1 4": "2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var refs []gallery.Reference
			for _, s := range test.given {
				refs = append(refs, s.reference())
			}
			if diff := cmp.Diff(test.want, verdicts(newGallery(t, test.enrolled...), refs, nobody)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// between is a photograph under the number of person 1 that looks like two people, the weights being
// those of templatesOf.
func between(photograph int, own, other float64) gallery.Reference {
	return gallery.Reference{
		Subject: "1", Digest: fmt.Sprintf("%064x", photograph),
		Templates: templatesOf(photograph, map[int]float64{1: own, 2: other}),
	}
}

func TestHowMuchNearerAnotherMayBe(t *testing.T) {
	g := newGallery(t, shot{"1", 1, 1}, shot{"2", 2, 2})
	const chance = "looks as much like 2 as like the other references of 1: look at whom it shows; a photograph more like the others would be better"
	for name, test := range map[string]struct {
		reference gallery.Reference
		want      string
	}{
		"nearer to its own":       {between(3, 0.5, 0.45), ""},
		"a little, by chance":     {between(3, 0.45, 0.5), chance},
		"by the margin":           {between(3, 0.36, 0.5), "2"},
		"and a confident match":   {between(3, 0.6, 0.65), "2"},
		"neither is alike enough": {between(3, 0.2, 0.3), "unlike"},
	} {
		if got := verdicts(g, []gallery.Reference{test.reference}, nobody)["1 3"]; got != test.want {
			own, _ := g.BestOf(test.reference.Templates, "1")
			other, _ := g.BestOf(test.reference.Templates, "2")
			t.Errorf("%s (%.2f and %.2f): %q, want %q", name, own, other, got, test.want)
		}
	}
}

func TestLookalikesMayBeAlike(t *testing.T) {
	const ann, bea = 1, 2
	twins := func(id string) []string { return map[string][]string{"1": {"2"}, "2": {"1"}}[id] }
	g := newGallery(t, shot{"1", ann, 1}, shot{"2", ann, 2}, shot{"3", bea, 3})
	want := map[string]string{
		"1 4": "cannot be told from 2, a declared lookalike of 1: look at whom it shows",
		"2 5": "3", // a lookalike does not hide somebody else
	}
	photographs := []gallery.Reference{
		{Subject: "1", Digest: fmt.Sprintf("%064x", 4), Templates: templatesOf(4, map[int]float64{ann: 0.7, 50: 0.6})},
		shot{"2", bea, 5}.reference(),
	}
	photographs[0].Templates[face.MobileFaceNet][100+2] = 0.3 // more like 2's photograph than like 1's
	normalise(photographs[0].Templates[face.MobileFaceNet])
	if diff := cmp.Diff(want, verdicts(g, photographs, twins)); diff != "" {
		t.Error(diff)
	}
	same := []gallery.Reference{shot{"1", ann, 6}.reference(), shot{"2", ann, 6}.reference()}
	if diff := cmp.Diff(map[string]string{"1 6": "2", "2 6": "1"}, verdicts(newGallery(t), same, twins)); diff != "" {
		t.Errorf("one file for two subjects: %s", diff)
	}
}

func normalise(v []float32) {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
}

// mixture is any number of photographs of few people under few numbers, some of them between two
// people.
func mixture(random *rand.Rand, from, n int) []gallery.Reference {
	var refs []gallery.Reference
	for i := range n {
		people := map[int]float64{1 + random.IntN(3): 0.3 + 0.6*random.Float64()}
		people[1+random.IntN(3)] = 0.3 * random.Float64()
		refs = append(refs, gallery.Reference{
			Subject: fmt.Sprint(1 + random.IntN(3)), Digest: fmt.Sprintf("%064x", from+i), Templates: templatesOf(from+i, people),
		})
	}
	return refs
}

func TestOrderDecidesNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	admitted := 0
	for range 300 {
		g, err := gallery.New(mixture(random, 1, random.IntN(5)), gallery.DefaultThresholds())
		if err != nil {
			t.Fatal(err)
		}
		refs := mixture(random, 20, 1+random.IntN(8))
		want := verdicts(g, refs, nobody)
		random.Shuffle(len(refs), func(i, j int) { refs[i], refs[j] = refs[j], refs[i] })
		if diff := cmp.Diff(want, verdicts(g, refs, nobody)); diff != "" {
			t.Fatalf("in another order: %s", diff)
		}
		for _, v := range want {
			if v == "" {
				admitted++
			}
		}
	}
	if admitted < 100 {
		t.Errorf("only %d joined: this proves little", admitted)
	}
}

// What joins together would also join one by one, after the others.
func TestTogetherIsNoExcuse(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		g, err := gallery.New(mixture(random, 1, random.IntN(5)), gallery.DefaultThresholds())
		if err != nil {
			t.Fatal(err)
		}
		refs := mixture(random, 20, 1+random.IntN(8))
		said := verdicts(g, refs, nobody)
		in := slices.DeleteFunc(slices.Clone(refs), func(r gallery.Reference) bool {
			v := said[r.Subject+" "+strings.TrimLeft(r.Digest, "0")]
			return v != "" && !strings.HasPrefix(v, "looks as much like")
		})
		for i, r := range in {
			rest, err := g.With(slices.Delete(slices.Clone(in), i, i+1)...)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Admit(Candidate{Digest: r.Digest, Templates: r.Templates}, r.Subject, rest, nil); err != nil {
				t.Fatalf("of %v, %s alone: %v", said, r.Digest, err)
			}
		}
	}
}
