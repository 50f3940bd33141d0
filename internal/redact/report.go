package redact

import (
	"context"
	"fmt"
	"image"
	"path/filepath"
	"slices"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/report"
	"github.com/consentry/consentry/pipeline"
)

// report writes report.json and the contact sheet, and counts.
func (s *session) report(ctx context.Context) (Summary, error) {
	out := report.Report{
		Version: report.Version, Started: s.started.UTC(), Finished: s.options.Now().UTC(),
		Policy: s.policy.Name, Mode: string(s.batch.orders[0].Mode), RegisterRevision: s.rules.register.Revision(),
		StateKept: s.options.KeepsState() && s.options.Again != nil,
	}
	summary := Summary{Report: filepath.Join(s.options.Out, report.HTMLName), Problems: []string{}}
	for _, w := range s.batch.items {
		out.Assets = append(out.Assets, w.asset())
		summary.add(w)
	}
	for _, p := range s.scan.Problems {
		out.Assets = append(out.Assets, s.unreadable(p)...)
		summary.addProblem(p, len(s.batch.orders))
	}
	if err := report.Write(s.options.Out, out, s.pictures(ctx)); err != nil {
		return summary, fmt.Errorf("%s: %w", s.options.Out, err)
	}
	return summary, s.forgetSuperseded(ctx)
}

func (s *Summary) add(w *wanted) {
	switch w.result.Outcome {
	case pipeline.Released:
		s.Released++
	case pipeline.Withheld:
		s.Withheld++
	default:
		s.Failed++
	}
	if w.found {
		s.Found++
	}
	if w.unreadable {
		s.Unreadable++
	}
	if w.result.Outcome == pipeline.Failed {
		s.Problems = append(s.Problems, intake.Display(w.input.Rel)+": "+w.result.Reason)
	}
}

// addProblem counts an input that did not even become one. An empty file is a file that could not
// be looked at, like a damaged one; all else could not be read.
func (s *Summary) addProblem(p intake.Problem, purposes int) {
	s.Problems = append(s.Problems, p.Error())
	s.Failed += purposes
	if p.Kind != intake.Empty {
		s.Unreadable++
	}
}

func (s *session) unreadable(p intake.Problem) []report.Asset {
	path := p.Rel
	if path == "" {
		path = filepath.Base(p.Path)
	}
	assets := make([]report.Asset, len(s.batch.orders))
	for i, o := range s.batch.orders {
		assets[i] = report.Asset{
			Path: path, Kind: kindOf(path), Purpose: string(o.Purpose), Outcome: report.Failed, Reason: p.Message,
		}
		assets[i].Faces, assets[i].Tracks = none(assets[i].Kind)
	}
	return assets
}

// none is what stands in the report where nothing was found.
func none(kind string) ([]report.Face, []report.Track) {
	if kind == report.KindVideo {
		return nil, []report.Track{}
	}
	return []report.Face{}, nil
}

func kindOf(path string) string {
	if media.KindOfName(path) == media.Video {
		return report.KindVideo
	}
	return report.KindImage
}

// asset is the report's entry.
func (w *wanted) asset() report.Asset {
	r := w.result
	a := report.Asset{
		Path: w.input.Rel, SHA256: w.digest, Kind: w.kind(), Purpose: string(r.Purpose),
		Outcome: string(r.Outcome), Reason: r.Reason, Key: w.key, Width: r.Width, Height: r.Height,
		Frames: r.Frames, Seconds: r.Seconds, Remuxed: r.Remuxed,
	}
	a.Faces, a.Tracks = none(a.Kind)
	if r.Outcome == pipeline.Released {
		a.Derivative, a.DerivativeSHA256 = w.name(), r.DerivativeSHA256
	}
	for _, f := range r.Faces {
		a.Faces = append(a.Faces, reportedFace(w.digest, f))
	}
	for _, t := range r.Tracks {
		a.Tracks = append(a.Tracks, reportedTrack(w.digest, t))
	}
	return a
}

// kind goes by the file's bytes, where these tell.
func (w *wanted) kind() string {
	switch {
	case w.film || w.result.Film:
		return report.KindVideo
	case w.format != "":
		return report.KindImage
	}
	return kindOf(w.input.Rel)
}

func reportedFace(asset string, f pipeline.FaceResult) report.Face {
	return report.Face{
		ID:            pipeline.FaceID(asset, f.Box),
		Box:           [4]float64{f.Box.X, f.Box.Y, f.Box.W, f.Box.H},
		DetectorScore: f.Score,
		Match:         reportedMatch(f.Match),
		Outcome:       string(f.Outcome), Rule: f.Rule, Reason: f.Reason, Basis: f.Basis, Region: fromRectangle(f.Region),
	}
}

func reportedTrack(asset string, t pipeline.TrackResult) report.Track {
	return report.Track{
		ID: t.ID, FirstFrame: t.FirstFrame, LastFrame: t.LastFrame, Match: reportedMatch(t.Match),
		Outcome: string(t.Outcome), Rule: t.Rule,
		Face: pipeline.TrackID(asset, t.At, t.Box), From: t.From, To: t.To, Frame: t.Frame, At: t.At.Seconds(),
		Box: [4]float64{t.Box.X, t.Box.Y, t.Box.W, t.Box.H}, DetectorScore: t.Score, Seen: t.Seen,
		Reason: t.Reason, Basis: t.Basis, Region: t.Region,
	}
}

func reportedMatch(m gallery.Match) report.Match {
	return report.Match{
		Subject: m.Subject, Band: string(m.Band), Score: m.Score, RunnerUp: m.RunnerUp, Reason: m.Reason,
	}
}

func fromRectangle(r *image.Rectangle) *[4]float64 {
	if r == nil {
		return nil
	}
	return &[4]float64{float64(r.Min.X), float64(r.Min.Y), float64(r.Dx()), float64(r.Dy())}
}

// remembered are the results that an earlier run withheld, by key. Trusting them is safe, as they
// release nothing; what cannot be read is simply done again.
func (s *session) remembered() map[string]report.Asset {
	known := map[string]report.Asset{}
	earlier, err := report.Load(s.options.Out)
	if err != nil {
		s.options.Log.Info("no earlier report to go by", "error", err)
		return known
	}
	for _, a := range earlier.Assets {
		waits := slices.ContainsFunc(a.Faces, func(f report.Face) bool { return f.Outcome == report.Review }) ||
			slices.ContainsFunc(a.Tracks, func(t report.Track) bool { return t.Outcome == report.Review })
		if a.Outcome == report.Withheld && a.Key != "" && waits {
			known[a.Key] = a
		}
	}
	return known
}

// resultFromReport reads a withheld result back.
func resultFromReport(a report.Asset, order pipeline.Order) pipeline.Result {
	r := pipeline.Result{
		Purpose: order.Purpose, Key: a.Key, Outcome: pipeline.Withheld, Reason: a.Reason, Width: a.Width, Height: a.Height,
		Film: a.Kind == report.KindVideo, Frames: a.Frames, Seconds: a.Seconds,
	}
	for _, f := range a.Faces {
		box := face.Box{X: f.Box[0], Y: f.Box[1], W: f.Box[2], H: f.Box[3]}
		r.Faces = append(r.Faces, order.Judge(a.SHA256, box, f.DetectorScore, matchFromReport(f.Match)))
	}
	for _, t := range a.Tracks {
		r.Tracks = append(r.Tracks, trackFromReport(t))
	}
	return r
}

// trackFromReport takes the verdict as it stands: it depends on all that the film's key does.
func trackFromReport(t report.Track) pipeline.TrackResult {
	return pipeline.TrackResult{
		ID: t.ID, FirstFrame: t.FirstFrame, LastFrame: t.LastFrame, From: t.From, To: t.To,
		Frame: t.Frame, At: seconds(t.At), Box: face.Box{X: t.Box[0], Y: t.Box[1], W: t.Box[2], H: t.Box[3]},
		Score: t.DetectorScore, Seen: t.Seen, Match: matchFromReport(t.Match),
		Outcome: consent.Outcome(t.Outcome), Rule: t.Rule, Reason: t.Reason, Basis: t.Basis,
	}
}

func matchFromReport(m report.Match) gallery.Match {
	return gallery.Match{
		Subject: m.Subject, Band: gallery.Band(m.Band), Score: m.Score, RunnerUp: m.RunnerUp, Reason: m.Reason,
	}
}
