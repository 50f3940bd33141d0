package evaluation

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"

	"github.com/consentry/consentry/internal/gallery"
)

// Rate is a share of cases with its 95 % confidence interval (Wilson 1927).
type Rate struct {
	Cases int     `json:"cases"`
	Of    int     `json:"of"`
	Value float64 `json:"value"` // Cases ÷ Of, 0 where there is nothing to divide by
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// NewRate works out the share and its interval. Nothing observed is anything from 0 to 1.
func NewRate(cases, of int) Rate {
	if of == 0 {
		return Rate{High: 1}
	}
	const z = 1.959964 // 97.5 % quantile of the normal distribution
	n, p := float64(of), float64(cases)/float64(of)
	middle := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return Rate{cases, of, p, max(0, middle-half), min(1, middle+half)}
}

func (r Rate) String() string {
	return fmt.Sprintf("%d/%d = %.3f (%.3f–%.3f)", r.Cases, r.Of, r.Value, r.Low, r.High)
}

// OperatingPoint is what is missed where strangers pass at a given rate.
type OperatingPoint struct {
	FMR       float64 `json:"fmr"`                // wanted; the real one is the largest possible share not above it
	Threshold float64 `json:"threshold"`          // scores above it match
	FNMR      Rate    `json:"fnmr"`               // among genuine pairs that could be compared
	WithFTE   Rate    `json:"fnmr_with_failures"` // pairs that could not be compared count as missed
}

// VoiceResult is how well one describer, or both together, tells people apart.
type VoiceResult struct {
	Voice     string           `json:"voice"`
	Genuine   int              `json:"genuine"`       // pairs of one person that could be compared
	Impostors int              `json:"impostors"`     // pairs of two people that could be compared
	Missing   Rate             `json:"not_described"` // pairs that could not, of all
	Points    []OperatingPoint `json:"points"`
}

// pairs are the scores of one voice.
type pairs struct {
	genuine, impostor               []float64
	genuineMissing, impostorMissing int
}

func (p *pairs) add(same bool, score float64, ok bool) {
	switch {
	case same && ok:
		p.genuine = append(p.genuine, score)
	case same:
		p.genuineMissing++
	case ok:
		p.impostor = append(p.impostor, score)
	default:
		p.impostorMissing++
	}
}

func (p *pairs) result(voice string) VoiceResult {
	missing := p.genuineMissing + p.impostorMissing
	r := VoiceResult{
		Voice: voice, Genuine: len(p.genuine), Impostors: len(p.impostor),
		Missing: NewRate(missing, missing+len(p.genuine)+len(p.impostor)),
	}
	for _, fmr := range []float64{1e-2, 1e-3} {
		t := thresholdAt(p.impostor, fmr)
		missed := 0
		for _, s := range p.genuine {
			if s <= t {
				missed++
			}
		}
		r.Points = append(r.Points, OperatingPoint{
			FMR: fmr, Threshold: t, FNMR: NewRate(missed, len(p.genuine)),
			WithFTE: NewRate(missed+p.genuineMissing, len(p.genuine)+p.genuineMissing),
		})
	}
	return r
}

// thresholdAt is the lowest threshold that no more than this share of the strangers' scores exceed;
// −∞ without strangers.
func thresholdAt(impostor []float64, fmr float64) float64 {
	if len(impostor) == 0 {
		return math.Inf(-1)
	}
	sorted := slices.Sorted(slices.Values(impostor))
	return sorted[len(sorted)-1-int(fmr*float64(len(sorted)))]
}

// Bands counts faces by the band that the gallery gave them.
type Bands struct {
	Confident int `json:"confident"`
	Unsure    int `json:"unsure"`
	None      int `json:"none"`
}

func (b *Bands) count(band gallery.Band) {
	switch band {
	case gallery.Confident:
		b.Confident++
	case gallery.Unsure:
		b.Unsure++
	default:
		b.None++
	}
}

// printVoices writes one table of voices.
func printVoices(w io.Writer, title string, results []VoiceResult) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s\tgenuine\timpostors\tnot comparable\tFMR\tFNMR (95 %%)\tFNMR, failures missed\tthreshold\n", title)
	for _, r := range results {
		for _, p := range r.Points {
			fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%.0e\t%v\t%v\t%.2f\n",
				r.Voice, r.Genuine, r.Impostors, r.Missing.Cases, p.FMR, p.FNMR, p.WithFTE, p.Threshold)
		}
	}
	return t.Flush()
}
