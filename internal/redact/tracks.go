package redact

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/consentry/consentry/internal/atomicfile"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/internal/pathless"
	"github.com/consentry/consentry/internal/track"
	"github.com/consentry/consentry/pipeline"
)

// A list of boxes says, a line of JSON for each frame of a film, where each track's face was. It is for
// whoever wants to know why something was covered or not; nothing reads it.

// boxes is one line of the list.
type boxes struct {
	Frame int        `json:"frame"` // from 0, within the part that was worked on
	At    float64    `json:"at"`    // its time stamp in the source's own time, seconds
	Boxes []trackBox `json:"boxes"`
}

// trackBox is where a track's face is on a frame.
type trackBox struct {
	Track int        `json:"track"`
	Box   [4]float64 `json:"box"`            // x, y, width, height in pixels of the upright frame
	Seen  bool       `json:"seen,omitempty"` // the detector saw it here; else it was interpolated, or carried there by motion
}

// writeBoxes writes the list of a film.
func writeBoxes(w io.Writer, seen pipeline.Watched) error {
	out := bufio.NewWriter(w)
	lines := json.NewEncoder(out)
	next := make([]int, len(seen.Tracks)) // of each track, its first position on this frame or later
	for n, at := range seen.Times {
		line := boxes{Frame: n, At: at.Seconds(), Boxes: []trackBox{}}
		for i := range seen.Tracks {
			path := seen.Tracks[i].Path
			for next[i] < len(path) && path[next[i]].Frame < n {
				next[i]++
			}
			if box, ok := boxOn(path, next[i], n); ok {
				line.Boxes = append(line.Boxes, trackBox{
					Track: seen.Tracks[i].ID, Box: [4]float64{box.X, box.Y, box.W, box.H},
					Seen: path[next[i]].Frame == n && path[next[i]].Seen,
				})
			}
		}
		if err := lines.Encode(line); err != nil {
			return err
		}
	}
	return out.Flush()
}

// boxOn is the place on frame n of a path whose first position on n or later is number i.
func boxOn(path []track.Position, i, n int) (face.Box, bool) {
	if i == len(path) || i == 0 && path[0].Frame > n {
		return face.Box{}, false
	}
	b := path[i]
	if b.Frame == n {
		return b.Box, true
	}
	a := path[i-1]
	share := float64(n-a.Frame) / float64(b.Frame-a.Frame)
	between := func(x, y float64) float64 { return x + share*(y-x) }
	return face.Box{
		X: between(a.Box.X, b.Box.X), Y: between(a.Box.Y, b.Box.Y), W: between(a.Box.W, b.Box.W), H: between(a.Box.H, b.Box.H),
	}, true
}

// listPath is where the list of a film lies until its derivative is in its place.
func (s *session) listPath(asset string) string {
	return filepath.Join(s.scratch, asset+tracksSuffix)
}

// removeLists removes the lists of films that are done.
func (s *session) removeLists() error {
	lists, err := filepath.Glob(s.listPath("*"))
	for _, list := range lists {
		err = errors.Join(err, pathless.Error(os.Remove(list)))
	}
	return err
}

// keepBoxes keeps the list of a film that is being worked on.
func (s *session) keepBoxes(asset string, seen pipeline.Watched) error {
	return atomicfile.Write(s.listPath(asset), 0o600, func(w io.Writer) error { return writeBoxes(w, seen) })
}

// placeBoxes puts the list beside the film's derivative. There is none where an earlier run made it.
func (s *session) placeBoxes(w *wanted) error {
	if !s.options.DebugTracks || !w.film {
		return nil
	}
	list, err := os.Open(s.listPath(w.digest))
	if errors.Is(err, fs.ErrNotExist) {
		s.options.Progress.Note(intake.Display(w.input.Rel) + ": there is no list of boxes, as an earlier run worked on the film")
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the list of boxes: %w", pathless.Error(err))
	}
	defer list.Close()
	err = s.output.write(w.name()+tracksSuffix, func(f io.Writer) error {
		_, err := io.Copy(f, list)
		return err
	})
	if err != nil {
		return fmt.Errorf("writing the list of boxes: %w", err)
	}
	return nil
}

// lacksBoxes says whether the film has to be worked on again for a list of its boxes.
func (s *session) lacksBoxes(w *wanted) bool {
	if !s.options.DebugTracks || !w.film {
		return false
	}
	_, err := os.Lstat(s.output.path(w.name() + tracksSuffix))
	return err != nil
}
