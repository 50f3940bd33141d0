// Package track joins the faces found in single frames of a film into tracks: one face followed through one shot.
//
// It promises that a track has no gap: between two sightings its position is known on every frame, and before the first
// and after the last it is carried on by motion for at least half a second or until the shot ends, and grown with
// uncertainty. It is pure: no pictures, no I/O; what moved where it is told by a [Flow].
package track

import (
	"sort"

	"github.com/consentry/consentry/internal/face"
)

// Motion is what is known of a frame before anybody looks for faces in it.
type Motion struct {
	Cut   bool    `json:"cut"`   // the first frame of a new shot
	Speed float64 `json:"speed"` // how far the fastest large part of the picture moved since the frame before, as a share of the picture's width
	// Pan is how the picture as a whole moved since the frame before, as shares of its width; 0 where that is not known.
	Pan face.Point `json:"pan"`
}

// Moved is where what lay in a box lies on the neighbouring frame.
type Moved struct {
	Box  face.Box
	Sure float64 // 0 to 1: the share of what was followed that agrees and comes back to where it began
}

// Flow follows boxes from one frame to a neighbouring one, forwards or backwards.
type Flow interface {
	// Follow gives for each box on frame from where it lies on frame to; |from − to| = 1, and both frames are kept.
	// What cannot be followed stays where it was, with Sure 0.
	Follow(from, to int, boxes []face.Box) ([]Moved, error)
}

// Options say how tracks are made.
type Options struct {
	Rate          float64 // frames a second, > 0
	Every         int     // a whole frame is searched at least every so many frames, 1 to 12; 3 by default
	Width, Height int     // of a frame, pixels
}

// Position is where a track's face is on one frame. Frames between two positions of a track are interpolated.
//
// A path is kept thin: what lies on the line between its neighbours is left out, whether the detector saw it there or not.
type Position struct {
	Frame int      `json:"f"`
	Box   face.Box `json:"b"`
	Roll  float64  `json:"r,omitempty"` // of the head, radians; as face.Landmarks.Roll
	Grow  float64  `json:"g,omitempty"` // by how much the region is enlarged for uncertainty, as a share of its size; small where the face was seen
	Seen  bool     `json:"s,omitempty"` // the detector saw it here; false: carried there by motion
}

// View is a moment at which the face was described.
type View struct {
	Frame int       `json:"frame"`
	Face  face.Face `json:"face"` // with landmarks, quality and templates
}

// Track is one face through one shot.
type Track struct {
	ID    int        `json:"id"`    // from 1, in order of first frame
	Shot  int        `json:"shot"`  // from 0
	Path  []Position `json:"path"`  // rising frames, at least one; the first and last bound the track
	Views []View     `json:"views"` // best first; may be empty: never described
	Best  View       `json:"best"`  // the sighting that shows the face best, described or not
	Score float64    `json:"score"` // the detector's best, 0 to 1
	Seen  int        `json:"seen"`  // number of frames on which the detector saw it
	Runs  [][2]int   `json:"runs"`  // first and last frame of each stretch in which every search saw it; rising
}

// On is the position on a frame, interpolated; ok is false before the first and after the last.
func (t *Track) On(frame int) (p Position, ok bool) {
	if len(t.Path) == 0 || frame < t.First() || frame > t.Last() {
		return Position{}, false
	}
	i := sort.Search(len(t.Path), func(k int) bool { return t.Path[k].Frame > frame }) - 1
	return on(t.Path, i, frame), true
}

// First and Last frame on which the track has a position.
func (t *Track) First() int { return t.Path[0].Frame }

// Last frame on which the track has a position.
func (t *Track) Last() int { return t.Path[len(t.Path)-1].Frame }
