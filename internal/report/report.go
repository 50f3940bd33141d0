// Package report writes what a run did: report.json for machines and for the next run, report.html
// for the person who has to publish the pictures or to decide about them.
//
// It promises:
//
//   - report.json has exactly the fields of the command line's contract, plus "key" on an asset,
//     "id", "reason" and "basis" on a face, and for films "frames", "seconds" and "remuxed" on an
//     asset and on a track what its fields below "Rule" say.
//   - report.html is one file that loads nothing, runs nothing and says so to the browser by a
//     content security policy. Every text in it is escaped, file names above all.
//   - The only pixels in it are those that the caller hands over: a thumbnail of the derivative, or
//     for what is withheld a picture in which every face is hidden. Without one it draws boxes.
//   - A face stands bare in it only where a person has to decide about a track of a film, behind a
//     closed fold that says so; then the sheet says at its head that it is not to be passed on, and
//     the file can be read by its owner only.
//   - Both files appear complete under their names or not at all.
//   - A report that contradicts itself (released with a face that waits for a person, withheld
//     with a derivative) is neither written nor read.
//
// People are known by admission number only. Paths are those of the user's own files.
package report

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"time"
)

// Version is the version of report.json that this package writes and reads.
const Version = 1

// Names of the two files in the output folder.
const (
	JSONName = "report.json"
	HTMLName = "report.html"
)

// Report is report.json.
type Report struct {
	Version          int       `json:"version"`
	Started          time.Time `json:"started"`
	Finished         time.Time `json:"finished"`
	Policy           string    `json:"policy"` // preset, or the file's own name for itself
	Mode             string    `json:"mode"`   // objectors, cleared or everyone
	RegisterRevision uint64    `json:"register_revision"`
	Assets           []Asset   `json:"assets"` // in the order of the input

	// StateKept says whether the run outlasts itself, so that a person can decide about its faces. The
	// contact sheet tells how; report.json does not hold it.
	StateKept bool `json:"-"`
}

// Asset is what became of one original for one purpose.
type Asset struct {
	Path             string  `json:"path"` // relative to the input, with forward slashes
	SHA256           string  `json:"sha256"`
	Kind             string  `json:"kind"` // KindImage or KindVideo
	Purpose          string  `json:"purpose"`
	Outcome          string  `json:"outcome"`              // Released, Withheld or Failed
	Reason           string  `json:"reason"`               // plain words; empty where there is nothing to say
	Key              string  `json:"key,omitempty"`        // of the job: what the result depends on
	Derivative       string  `json:"derivative,omitempty"` // relative to the output folder; set exactly where released
	DerivativeSHA256 string  `json:"derivative_sha256,omitempty"`
	Width            int     `json:"width"` // pixels of the upright image; 0 where it could not be read
	Height           int     `json:"height"`
	Frames           int     `json:"frames,omitempty"`  // of a video, or of the part of it that was worked on
	Seconds          float64 `json:"seconds,omitempty"` // of a video, from the first frame's time to the last's
	Remuxed          bool    `json:"remuxed,omitempty"` // of a video: nothing was to be obscured, and its pictures were not encoded again
	Faces            []Face  `json:"faces,omitzero"`    // images: every face that was found; empty, not nil, without any
	Tracks           []Track `json:"tracks,omitzero"`   // videos: every track, in the order of first frames; empty, not nil, without any
}

// Face is one face of an image.
type Face struct {
	ID            string      `json:"id,omitempty"` // by which a person decides about the face
	Box           [4]float64  `json:"box"`          // x, y, width, height in pixels of the upright image
	DetectorScore float64     `json:"detector_score"`
	Match         Match       `json:"match"`
	Outcome       string      `json:"outcome"` // Show, Obscure or Review
	Rule          string      `json:"rule"`
	Reason        string      `json:"reason,omitempty"` // the rule in plain words
	Basis         string      `json:"basis,omitempty"`  // what a person who decides goes by
	Region        *[4]float64 `json:"region,omitempty"` // what was altered on its account, as Box
}

// Track is one face followed through a shot of a video. Times are seconds in the source's own time.
type Track struct {
	ID         int    `json:"id"`          // from 1
	FirstFrame int    `json:"first_frame"` // counted from 0, within the part that was worked on
	LastFrame  int    `json:"last_frame"`
	Match      Match  `json:"match"`
	Outcome    string `json:"outcome"`
	Rule       string `json:"rule"`

	Face          string      `json:"face,omitempty"` // by which a person decides about it, as ID of a face
	From          float64     `json:"from"`           // time of the first frame
	To            float64     `json:"to"`             // time of the last
	Frame         int         `json:"frame"`          // on which the face is seen best
	At            float64     `json:"at"`             // time of that frame
	Box           [4]float64  `json:"box"`            // there: x, y, width, height in pixels of the upright frame
	DetectorScore float64     `json:"detector_score"`
	Seen          int         `json:"seen,omitempty"`   // number of frames on which the detector saw it
	Reason        string      `json:"reason,omitempty"` // the rule in plain words
	Basis         string      `json:"basis,omitempty"`  // what a person who decides goes by
	Region        *[4]float64 `json:"region,omitempty"` // the largest rectangle that was altered on one frame on its account
}

// Match is who a face was taken for.
type Match struct {
	Subject  string  `json:"subject"` // admission number; empty where nobody matched
	Band     string  `json:"band"`    // Confident, Unsure or None
	Score    float64 `json:"score"`
	RunnerUp string  `json:"runner_up"`        // admission number or empty
	Reason   string  `json:"reason,omitempty"` // why there is no better match, such as "not described"
}

// The closed vocabularies of report.json.
const (
	KindImage = "image"
	KindVideo = "video"

	Released = "released"
	Withheld = "withheld"
	Failed   = "failed"

	Show    = "show"
	Obscure = "obscure"
	Review  = "review"

	Confident = "confident"
	Unsure    = "unsure"
	None      = "none"
)

// ErrInvalid is a report that contradicts itself or uses words that nobody knows.
var ErrInvalid = errors.New("not a valid report")

func (r *Report) validate() error {
	if r.Version != Version {
		return fmt.Errorf("%w: version %d, want %d", ErrInvalid, r.Version, Version)
	}
	for i := range r.Assets {
		if err := r.Assets[i].validate(); err != nil {
			return fmt.Errorf("%w: asset %d: %w", ErrInvalid, i+1, err)
		}
	}
	return nil
}

func (a *Asset) validate() error {
	switch {
	case a.Path == "":
		return errors.New("no path")
	case a.Kind != KindImage && a.Kind != KindVideo:
		return errors.New("neither image nor video")
	case a.Outcome != Released && a.Outcome != Withheld && a.Outcome != Failed:
		return errors.New("an outcome that nobody knows")
	case (a.Outcome == Released) != (a.Derivative != ""):
		return errors.New("a derivative belongs to what is released, and to nothing else")
	case (a.Outcome == Released) != (a.DerivativeSHA256 != ""):
		return errors.New("a derivative's digest belongs to what is released, and to nothing else")
	case a.Derivative != "" && !filepath.IsLocal(filepath.FromSlash(a.Derivative)):
		return errors.New("a derivative outside of the output folder")
	case a.Width < 0 || a.Height < 0 || a.Frames < 0 || !(a.Seconds >= 0) || math.IsInf(a.Seconds, 0):
		return errors.New("a negative size")
	case a.Kind == KindVideo && len(a.Faces) > 0 || a.Kind == KindImage && len(a.Tracks) > 0:
		return errors.New("faces belong to images, and tracks to videos")
	}
	for i, f := range a.Faces {
		if err := a.validateFace(f.Outcome, f.Match); err != nil {
			return fmt.Errorf("face %d: %w", i+1, err)
		}
		if !finite(f.Box) || f.Region != nil && !finite(*f.Region) {
			return fmt.Errorf("face %d: a box that is not finite", i+1)
		}
	}
	for i, t := range a.Tracks {
		if err := a.validateFace(t.Outcome, t.Match); err != nil {
			return fmt.Errorf("track %d: %w", i+1, err)
		}
		if !finite([4]float64{t.From, t.To, t.At}) || !finite(t.Box) || t.Region != nil && !finite(*t.Region) {
			return fmt.Errorf("track %d: a time or a box that is not finite", i+1)
		}
		if t.LastFrame < t.FirstFrame || t.To < t.From {
			return fmt.Errorf("track %d: it ends before it begins", i+1)
		}
	}
	return nil
}

func (a *Asset) validateFace(outcome string, m Match) error {
	switch {
	case outcome != Show && outcome != Obscure && outcome != Review:
		return errors.New("an outcome that nobody knows")
	case outcome == Review && a.Outcome == Released:
		return errors.New("it waits for a person, and the asset is released")
	case m.Band != Confident && m.Band != Unsure && m.Band != None:
		return errors.New("a band that nobody knows")
	}
	return nil
}

func finite(box [4]float64) bool {
	for _, v := range box {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}
