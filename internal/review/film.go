package review

import (
	"fmt"
	"math"
	"time"

	"github.com/consentry/consentry/internal/report"
)

// Moment is when the face of a track is seen in a film. Times are seconds in the source's own time.
type Moment struct {
	From  float64 `json:"from"`  // of the track's first frame
	To    float64 `json:"to"`    // of its last
	Frame int     `json:"frame"` // on which the box lies
	At    float64 `json:"at"`    // time of that frame
}

// Time is the time stamp of the frame on which the box lies. Frames are told apart to the microsecond.
func (m *Moment) Time() time.Duration {
	return time.Duration(math.Round(m.At*1e6)) * time.Microsecond
}

// String is such as "0:12–0:40", and with tenths of seconds where that says nothing.
func (m *Moment) String() string {
	from, to := clock(m.From), clock(m.To)
	if from == to {
		from, to = clockTenths(m.From), clockTenths(m.To)
	}
	return from + "–" + to
}

func clock(seconds float64) string {
	s := int(max(0, seconds))
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

func clockTenths(seconds float64) string {
	return fmt.Sprintf("%s.%d", clock(seconds), int(max(0, seconds)*10)%10)
}

// sighting is a face of a photograph, or a track of a film, as a run saw it.
type sighting struct {
	report.Face
	film *Moment // nil for a photograph
}

// sightings are the faces and the tracks of the asset.
func (a Asset) sightings() []sighting {
	list := make([]sighting, 0, len(a.Faces)+len(a.Tracks))
	for _, f := range a.Faces {
		list = append(list, sighting{Face: f})
	}
	for _, t := range a.Tracks {
		list = append(list, sighting{
			Face: report.Face{
				ID: t.Face, Box: t.Box, DetectorScore: t.DetectorScore, Match: t.Match,
				Outcome: t.Outcome, Rule: t.Rule, Reason: t.Reason, Basis: t.Basis,
			},
			film: &Moment{From: t.From, To: t.To, Frame: t.Frame, At: t.At},
		})
	}
	return list
}
