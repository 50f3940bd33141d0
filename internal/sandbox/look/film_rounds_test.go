package look_test

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/track"
	"github.com/consentry/consentry/pipeline"
)

// Where a face that nobody knew is seen in the finished film is told with it, from the first sighting to the last.
func TestScreenTellsWhereAFaceWasSeen(t *testing.T) {
	e, f := imagining(t), pipeline.Film{Path: squares(t, 33, "white", 20, 150)}
	w := watch(t, e, f)
	r := rendering(t, w)
	render(t, e, f, r)
	seen := screen(t, e, f, pipeline.Screening{Rendering: r, Known: w.Tracks[:1]})
	if len(seen.Faces) != 1 {
		t.Fatalf("%+v", seen)
	}
	p := seen.Faces[0].Path
	if len(p) < 7 || p[0].Frame != 0 || p[len(p)-1].Frame != 32 {
		t.Fatalf("seen at %+v", p)
	}
	for i, at := range p {
		x := float64(20 + 3*at.Frame)
		if i > 0 && (at.Frame <= p[i-1].Frame || at.Frame > p[i-1].Frame+5) || math.Abs(at.Box.X-x) > 3 || !at.Seen {
			t.Errorf("position %d: %+v, want it at %v", i, at, x)
		}
	}
}

// What stands still is not searched again, and is there all the same.
func TestAStandingFaceIsSeenToTheEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "film.mp4")
	ffmpeg(t, "-f", "lavfi", "-i", "color=gray:s=320x240:r=25", "-vf", "drawbox=100:100:40:40:white:fill,format=yuv420p", "-frames:v", "60", path)
	e, f := imagining(t), pipeline.Film{Path: path}
	w := watch(t, e, f)
	r := rendering(t, w)
	r.Shots = []int{0, 50}
	render(t, e, f, r)
	for _, s := range screen(t, e, f, pipeline.Screening{Rendering: r}).Faces {
		if n := len(s.Path); n == 0 || s.Path[0].Frame != 0 || s.Path[n-1].Frame != 49 {
			t.Errorf("seen at %+v, want it to the end of the shot", s.Path)
		}
	}
}

// A cover more leaves the segments what they are that it does not reach into.
func TestOnlySegmentsThatChangedAreMadeAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("renders 32 seconds of film twice")
	}
	e, f := imagining(t), pipeline.Film{Path: squares(t, 800, "white", 100)}
	w := watch(t, e, f)
	r := rendering(t, w, w.Tracks...)
	render(t, e, f, r)
	segment := func(n int) string { return filepath.Join(r.Folder, fmt.Sprintf("%06d.mp4", n)) }
	var before [4]int64
	for n := range before {
		before[n] = stamp(t, segment(n)).UnixNano()
	}
	const added = 99
	box := face.Box{X: 200, Y: 30, W: 30, H: 30}
	r.Covers = append(r.Covers, track.Cover{Track: added, Path: []track.Position{{Frame: 300, Box: box}, {Frame: 330, Box: box}}})
	var told []int
	made, err := e.Render(t.Context(), f, r, func(f pipeline.Frames) { told = append(told, f.Done) })
	if err != nil || made.Frames != 800 || made.Widest[added][2] < 20 || made.Widest[1][2] < side {
		t.Fatalf("%+v, %v", made, err)
	}
	for n := range before {
		if again := stamp(t, segment(n)).UnixNano() != before[n]; again != (n == 1) {
			t.Errorf("segment %d was made again: %t", n, again)
		}
	}
	if told[0] != 250 || told[len(told)-1] != 800 {
		t.Errorf("told of %d frames and %d", told[0], told[len(told)-1])
	}
	if seen := screen(t, e, f, pipeline.Screening{Rendering: r, Known: w.Tracks, Hidden: []int{1}}); seen.Fault != "" || len(seen.Faces) > 0 {
		t.Errorf("%+v", seen)
	}
}
