package look_test

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/track"
	"github.com/consentry/consentry/pipeline"
)

// moved makes a film of a sample over which the camera moves.
func moved(t *testing.T, dir, sample string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "film.mp4")
	ffmpeg(t, "-loop", "1", "-r", "25", "-i", filepath.Join(dir, sample), "-f", "lavfi", "-i", "sine=frequency=300",
		"-vf", "scale=1152:-2,crop=1024:576:x='4*n':y='2*n',format=yuv420p", "-frames:v", "30", "-t", "1.2",
		"-c:v", "libx264", "-preset", "ultrafast", "-crf", "16", "-c:a", "aac", path)
	return path
}

// From a film with real faces to a finished one in which one of them is gone and the others are what they were.
func TestRealFacesFromEndToEnd(t *testing.T) {
	e, dir := seeing(t)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	f := pipeline.Film{Path: moved(t, dir, "sample3.jpg")}
	w, err := e.Watch(t.Context(), f, pipeline.WatchOptions{Describe: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var sure []track.Track
	for _, tr := range w.Tracks {
		if tr.Score > 0.9 && tr.First() == 0 && tr.Last() == len(w.Times)-1 && len(tr.Views) > 0 {
			sure = append(sure, tr)
		}
	}
	if len(w.Times) != 30 || len(w.Shots) != 1 || len(sure) < 3 {
		t.Fatalf("%d frames, shots %v, %d of %d tracks are sure: want the three women's", len(w.Times), w.Shots, len(sure), len(w.Tracks))
	}
	for _, tr := range sure {
		for _, v := range tr.Views {
			if score, ok := gallery.Score(tr.Views[0].Face.Templates, v.Face.Templates); !ok || score < gallery.DefaultThresholds().Confident {
				t.Errorf("track %d does not look like itself on frame %d: %.2f", tr.ID, v.Frame, score)
			}
		}
	}
	hidden := sure[0]
	r := rendering(t, w, hidden)
	r.Encoding = film.DefaultEncoding()
	render(t, e, f, r)
	bare := screen(t, e, f, pipeline.Screening{Rendering: r, Known: w.Tracks[:0], Describe: true})
	if bare.Fault != "" {
		t.Fatal(bare.Fault)
	}
	for _, s := range bare.Faces {
		if score, ok := gallery.Score(hidden.Views[0].Face.Templates, s.Face.Templates); ok && score >= gallery.DefaultThresholds().Unsure {
			t.Errorf("a face on frame %d still looks like the one that is obscured: %.2f", s.Frame, score)
		}
	}
	for _, tr := range sure[1:] {
		if !seenAgain(tr, bare.Faces) {
			t.Errorf("track %d, which is shown, is not recognised in the finished film", tr.ID)
		}
	}
	seen := screen(t, e, f, pipeline.Screening{Rendering: r, Known: w.Tracks, Hidden: []int{hidden.ID}, Describe: true})
	for _, s := range seen.Faces {
		if s.Shown == 0 && (s.Hidden != 0 || s.Face.Score >= 0.9) {
			t.Errorf("a face that was not known: frame %d, %v, score %.2f, track %d", s.Frame, s.Face.Box, s.Face.Score, s.Hidden)
		}
	}
}

func seenAgain(tr track.Track, faces []pipeline.Seen) bool {
	for _, s := range faces {
		if score, ok := gallery.Score(tr.Views[0].Face.Templates, s.Face.Templates); ok && score >= gallery.DefaultThresholds().Confident {
			return true
		}
	}
	return false
}

// A face that was left bare on purpose must be told.
func TestScreenSeesWhatWasLeftBare(t *testing.T) {
	e, dir := seeing(t)
	f := pipeline.Film{Path: moved(t, dir, "sample3.jpg")}
	w, err := e.Watch(t.Context(), f, pipeline.WatchOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := rendering(t, w)
	render(t, e, f, r)
	told := map[int]bool{}
	var hidden []int
	for _, tr := range w.Tracks {
		if len(tr.Views) > 0 {
			t.Errorf("track %d was described, which nobody asked for", tr.ID)
		}
		hidden = append(hidden, tr.ID)
	}
	for _, s := range screen(t, e, f, pipeline.Screening{Rendering: r, Known: w.Tracks, Hidden: hidden}).Faces {
		told[s.Hidden] = true
		if len(s.Face.Templates) > 0 {
			t.Error("a face was described, which nobody asked for")
		}
	}
	for _, tr := range w.Tracks {
		if tr.Score > 0.95 && tr.Seen > 5 && tr.Best.Face.Box.Size() > 40 && !told[tr.ID] {
			t.Errorf("track %d was left bare, and nobody was told", tr.ID)
		}
	}
}
