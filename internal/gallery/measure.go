package gallery

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery/dot8"
)

// Crowd says how much alike the people of a made-up gallery are. Its figures are those of templates
// that the describers gave.
type Crowd struct {
	Name         string
	mobile, dlib spreadOut
}

// spreadOut makes vectors of which a part is common to all and the rest lies in so many directions.
// The pairwise figures that are to come out fix both: with the common part's squared length c the
// mean cosine is c, and in d directions its standard deviation (1−c)/√d.
type spreadOut struct {
	long       float64 // of the whole vector
	common     float64 // share of the squared length that all have in common
	directions int
}

// General is adults of many origins: cosines of 0.024 ± 0.10 with MobileFaceNet, distances of 0.80 ± 0.09 with dlib.
func General() Crowd {
	return Crowd{Name: "people of many origins", mobile: spreadOut{1, 0.024, 96}, dlib: spreadOut{1.42, 0.84, 39}}
}

// Alike is young women of one origin: cosines of 0.177 ± 0.12, distances of 0.56 ± 0.07. Strangers'
// scores are 1.6 on average.
func Alike() Crowd {
	return Crowd{Name: "people of one origin", mobile: spreadOut{1, 0.177, 45}, dlib: spreadOut{1.42, 0.92, 36}}
}

// MatchCost is what a photograph's faces cost in a large gallery, on one core.
type MatchCost struct {
	Crowd                       string
	Kernel                      string
	Subjects, References, Faces int
	Building                    time.Duration // New and Digest
	Matching                    time.Duration // the fastest of the rounds
	Plain                       time.Duration // comparing all templates, reckoned from a sample of the faces
	Memory                      uint64        // bytes of the gallery, the templates included
}

// String is one line for a table.
func (c MatchCost) String() string {
	return fmt.Sprintf("%d faces in %d subjects × %d references (%s, %s): %.1f ms, %.0f × faster than plain; made in %.2f s, %d MB",
		c.Faces, c.Subjects, c.References/max(1, c.Subjects), c.Crowd, c.Kernel, float64(c.Matching.Microseconds())/1000,
		float64(c.Plain)/float64(c.Matching), c.Building.Seconds(), c.Memory>>20)
}

// MeasureMatch makes up a gallery and faces, a half of them of people who are enrolled, and matches
// them in so many rounds. The seed is fixed: the gallery is the same every time.
func MeasureMatch(c Crowd, subjects, references, faces, rounds int) (MatchCost, error) {
	r := rand.New(rand.NewPCG(4021, 1))
	refs := c.references(r, subjects, references)
	cost := MatchCost{Crowd: c.Name, Kernel: dot8.Best().String(), Subjects: subjects, References: len(refs), Faces: faces}
	before := inUse()
	start := time.Now()
	g, err := New(refs, DefaultThresholds())
	if err != nil {
		return MatchCost{}, fmt.Errorf("making the gallery: %w", err)
	}
	g.Digest()
	cost.Building = time.Since(start)
	cost.Memory = inUse() - before
	probes := c.faces(r, refs, faces)
	for i := range rounds {
		start = time.Now()
		g.Match(probes)
		if spent := time.Since(start); i == 0 || spent < cost.Matching {
			cost.Matching = spent
		}
	}
	cost.Plain = g.plainCost(probes)
	return cost, nil
}

// plainCost is that of comparing by the templates alone, from one face in twenty.
func (g *Gallery) plainCost(probes []Probe) time.Duration {
	sample := (len(probes) + 19) / 20
	start := time.Now()
	for _, p := range probes[:sample] {
		g.table.runPlain(g.newSearch(p.Templates, nil))
	}
	return time.Since(start) * time.Duration(len(probes)) / time.Duration(max(1, sample))
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// references are photographs of made-up people: two of one person score 7 on average.
func (c Crowd) references(r *rand.Rand, subjects, each int) []Reference {
	m, d := c.mobile.maker(r, mobileLength), c.dlib.maker(r, dlibLength)
	refs := make([]Reference, 0, subjects*each)
	for i := range subjects {
		mobile, dlib := m.person(), d.person()
		for k := range each {
			refs = append(refs, Reference{
				Subject: fmt.Sprint(100000 + i), Digest: fmt.Sprint(i, k),
				Templates: face.Templates{face.MobileFaceNet: m.photograph(mobile), face.DlibResNet: d.photograph(dlib)},
			})
		}
	}
	return refs
}

// faces are strangers and, every second one, another look at a reference.
func (c Crowd) faces(r *rand.Rand, refs []Reference, n int) []Probe {
	m, d := c.mobile.maker(r, mobileLength), c.dlib.maker(r, dlibLength)
	probes := make([]Probe, n)
	for i := range probes {
		t := refs[r.IntN(len(refs))].Templates
		if i%2 == 0 {
			t = face.Templates{face.MobileFaceNet: m.person(), face.DlibResNet: d.person()}
		}
		probes[i].Templates = face.Templates{
			face.MobileFaceNet: m.photograph(t[face.MobileFaceNet]), face.DlibResNet: d.photograph(t[face.DlibResNet]),
		}
	}
	return probes
}

// maker makes people's vectors. The directions are mixed by signs and a Walsh-Hadamard transform,
// so that the components are as even as those of real templates.
type maker struct {
	spreadOut
	r     *rand.Rand
	n     int
	signs []float64
}

func (s spreadOut) maker(r *rand.Rand, n int) maker {
	fixed := rand.New(rand.NewPCG(uint64(n), 3)) // the same origin and directions for all makers
	m := maker{spreadOut: s, r: r, n: n, signs: make([]float64, n)}
	for i := range m.signs {
		m.signs[i] = float64(2*fixed.IntN(2) - 1)
	}
	return m
}

func (m maker) person() []float32 {
	v := make([]float64, m.n)
	v[m.directions] = math.Sqrt(m.common)
	for i := range m.directions {
		v[i] = m.r.NormFloat64() * math.Sqrt((1-m.common)/float64(m.directions))
	}
	return m.mixed(v)
}

// photograph adds what differs between two photographs of one person: a fifth of what differs between people.
func (m maker) photograph(person []float32) []float32 {
	v := make([]float64, m.n)
	for i := range m.directions {
		v[i] = m.r.NormFloat64() * math.Sqrt((1-m.common)/5/float64(m.directions))
	}
	noise := m.mixed(v)
	var long float64
	for i, x := range person {
		noise[i] = x + noise[i]*float32(math.Sqrt((1-m.common)/5))
		long += float64(noise[i]) * float64(noise[i])
	}
	for i := range noise {
		noise[i] *= float32(m.long / math.Sqrt(long))
	}
	return noise
}

// mixed turns v into the space of the templates and gives it their length.
func (m maker) mixed(v []float64) []float32 {
	for i, s := range m.signs {
		v[i] *= s
	}
	for half := 1; half < m.n; half *= 2 {
		for i := range v {
			if i&half == 0 {
				v[i], v[i|half] = v[i]+v[i|half], v[i]-v[i|half]
			}
		}
	}
	var long float64
	for i := range v {
		v[i] *= m.signs[(i*5+bits.OnesCount(uint(i)))%m.n]
		long += v[i] * v[i]
	}
	out := make([]float32, m.n)
	for i, x := range v {
		out[i] = float32(x * m.long / math.Sqrt(long))
	}
	return out
}
