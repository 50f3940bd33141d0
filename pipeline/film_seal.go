package pipeline

import (
	"github.com/consentry/consentry/internal/clearance"
	"github.com/consentry/consentry/internal/consent"
)

// sealFilm signs the statement that this film may be published for the order's purpose.
func (l *Line) sealFilm(result *Result, file finished, t take) error {
	l.Step("seal")
	result.DerivativeSHA256 = file.digest
	c := l.statement(result, t.asset, t.order)
	c.Derivative = clearance.File{
		SHA256: file.digest, Bytes: file.size, Format: filmFormat, Width: result.Width, Height: result.Height,
		Frames: result.Frames, Seconds: result.Seconds,
	}
	c.Tracks = clearedTracks(result.Tracks)
	return l.sign(result, c)
}

func clearedTracks(verdicts []TrackResult) []clearance.Track {
	var tracks []clearance.Track
	for _, v := range verdicts {
		t := clearance.Track{
			Face: clearance.Face{
				Number: v.ID, Box: [4]float64{v.Box.X, v.Box.Y, v.Box.W, v.Box.H}, DetectorScore: v.Score,
				Match: clearedMatch(v.Match), Outcome: string(v.Outcome), Rule: v.Rule,
			},
			Frame: v.Frame, At: v.At.Seconds(), FirstFrame: v.FirstFrame, LastFrame: v.LastFrame, From: v.From, To: v.To,
		}
		if v.Outcome != consent.Show {
			t.Region = v.Region
		}
		tracks = append(tracks, t)
	}
	return tracks
}
