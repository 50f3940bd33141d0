// Package motion tells from one frame of a film to the next where what lay in a box has gone, whether
// a new shot has begun, and how fast the picture moves. It works on small grey copies and knows nothing of faces.
package motion

import (
	"errors"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/track"
)

var errStub = errors.New("not written yet")

// Watcher sees every frame once, in order, and tells shots apart.
type Watcher struct{}

// NewWatcher is for frames of width × height pixels.
func NewWatcher(width, height int) (*Watcher, error) { return nil, errStub }

// See takes the next frame's Y plane (width × height bytes) and makes its small copy.
func (w *Watcher) See(y []byte) (*Small, track.Motion, error) { return nil, track.Motion{}, errStub }

// Close frees memory that the garbage collector does not know of.
func (w *Watcher) Close() error { return nil }

// Small is the small grey copy of one frame. Close frees it.
type Small struct{}

// Close frees the copy.
func (s *Small) Close() error { return nil }

// Follower keeps the small copies of the last frames and follows boxes between neighbours. It implements track.Flow.
type Follower struct{}

var _ track.Flow = (*Follower)(nil)

// NewFollower keeps the last keep frames, at least 2.
func NewFollower(width, height, keep int) (*Follower, error) { return nil, errStub }

// Push takes the copy of frame number n over; the oldest one beyond keep is closed.
func (f *Follower) Push(n int, s *Small) {}

// Follow implements track.Flow.
func (f *Follower) Follow(from, to int, boxes []face.Box) ([]track.Moved, error) { return nil, errStub }

// Close frees all copies.
func (f *Follower) Close() error { return nil }
