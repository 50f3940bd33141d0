package track

import (
	"errors"

	"github.com/consentry/consentry/internal/face"
)

var errStub = errors.New("not written yet")

// Builder makes tracks of a film's frames, which it is told one after the other. Its memory grows with the number and
// length of tracks only, and slowly.
type Builder struct{}

// Want is a face worth describing on the current frame.
type Want struct {
	Track int
	Face  face.Face
}

// New begins a film. Flow must keep the frames of at least [Options.Keep].
func New(o Options, flow Flow) *Builder { return &Builder{} }

// Keep is how many of the last frames a Flow has to keep for this builder.
func (o Options) Keep() int { return 0 }

// Search says whether the whole of a frame is to be searched, given the number of frames since the last such search, its
// motion, and whether it is the first or the last frame of a shot. It does not depend on what was found, so that searches
// can run ahead of the builder.
func (o Options) Search(since int, m Motion, first, last bool) bool { return true }

// Next goes on to the next frame, n = 0, 1, 2 …; the Flow has it already. Live tracks are carried to it.
func (b *Builder) Next(n int, m Motion) error { return errStub }

// Found adds what a search of the whole current frame found. New tracks are carried backwards through the frames kept.
func (b *Builder) Found(faces []face.Face) error { return errStub }

// Lost lists the places on the current frame where a live track is expected and was not found: there a second, more patient
// look is worth its time. Call it after Found.
func (b *Builder) Lost() []Expected { return nil }

// Expected is where a track should be.
type Expected struct {
	Track int
	Box   face.Box
}

// Again tells that the second look found the track's face here after all.
func (b *Builder) Again(id int, f face.Face) error { return errStub }

// Wants lists the faces of the current frame that are worth describing: few for each track, its best moments, spread over time.
func (b *Builder) Wants() []Want { return nil }

// Described adds a described face; without templates it counts as a failed attempt.
func (b *Builder) Described(id int, f face.Face) {}

// Finish ends the film and returns all tracks that were more than a moment's false detection, in order of their first frame.
func (b *Builder) Finish() []Track { return nil }

// Cover is the part of a film that has to be obscured on account of one track.
type Cover struct {
	Track int        `json:"track"`
	Path  []Position `json:"path"`
}

// At is the region of the cover on a frame; ok is false where it has none. Successive calls with rising frames are fast.
func (c *Cover) At(frame int) (r face.Region, ok bool) { return face.Region{}, false }
