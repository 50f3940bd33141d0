package evaluation

import (
	"bytes"
	"image"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/evaluation/footage"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/track"
	"github.com/consentry/consentry/pipeline"
)

// twoShots are 40 frames: a card with one face stands at the left for 20, and two such cards at the left and right for 20.
func twoShots() *footage.Film {
	blank := footage.NewPicture(image.NewRGBA(image.Rect(0, 0, 100, 100)))
	card := func(person string, x float64) footage.Layer {
		return footage.Layer{
			Picture: blank, Marks: []footage.Mark{{Person: person, Box: face.Box{X: 20, Y: 20, W: 50, H: 60}}},
			Path: func(float64) footage.Pose { return footage.Pose{X: x, Y: 100, Scale: 1} },
		}
	}
	return &footage.Film{
		Name: "two shots", Width: 400, Height: 200, Rate: 25,
		Shots: []footage.Shot{{Frames: 20, Layers: []footage.Layer{card("a", 100)}}, {Frames: 20, Layers: []footage.Layer{card("a", 100), card("b", 300)}}},
	}
}

// on is a track that lies exactly on the card at x, but on the frames that are left out it lies elsewhere.
func on(id, shot int, x float64, first, last int, leftOut ...int) track.Track {
	t := track.Track{ID: id, Shot: shot}
	for n := first; n <= last; n++ {
		p := track.Position{Frame: n, Box: face.Box{X: x - 30, Y: 70, W: 50, H: 60}}
		for _, l := range leftOut {
			if n == l {
				p.Box.X += 90
			}
		}
		t.Path = append(t.Path, p)
	}
	return t
}

func watched(shots []int, tracks ...track.Track) pipeline.Watched {
	return pipeline.Watched{Times: make([]time.Duration, 40), Shots: shots, Tracks: tracks}
}

func TestBareRunsAreToldApart(t *testing.T) {
	for name, c := range map[string]struct {
		tracks []track.Track
		want   Coverage
	}{
		"all covered":      {[]track.Track{on(1, 0, 100, 0, 19), on(2, 1, 100, 20, 39), on(3, 1, 300, 20, 39)}, Coverage{Covered: 60}},
		"inside a track":   {[]track.Track{on(1, 0, 100, 0, 19, 7, 8, 12), on(2, 1, 100, 20, 39), on(3, 1, 300, 20, 39)}, Coverage{Covered: 57, Inside: Gap{3, 2}}},
		"between two":      {[]track.Track{on(1, 0, 100, 0, 9), on(4, 0, 100, 15, 19), on(2, 1, 100, 20, 39), on(3, 1, 300, 20, 39)}, Coverage{Covered: 55, Between: Gap{5, 5}}},
		"before and after": {[]track.Track{on(1, 0, 100, 3, 18), on(2, 1, 100, 20, 39), on(3, 1, 300, 20, 37)}, Coverage{Covered: 54, Before: Gap{3, 3}, After: Gap{3, 2}}},
		"never":            {[]track.Track{on(1, 0, 100, 0, 19), on(2, 1, 100, 20, 39)}, Coverage{Covered: 40, Never: Gap{20, 20}}},
		"nobody watched":   {nil, Coverage{Never: Gap{60, 20}}},
	} {
		r, err := EvaluateFilm(twoShots(), watched([]int{0, 20}, c.tracks...))
		if err != nil {
			t.Fatal(err)
		}
		c.want.FaceFrames = 60
		if diff := cmp.Diff(c.want, r.All); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(c.want, r.BySize[1]); diff != "" { // the square root of 50 × 60
			t.Errorf("%s, by size: %s", name, diff)
		}
	}
}

func TestFilmFiguresBesideCoverage(t *testing.T) {
	stray := on(9, 0, 200, 2, 6)
	r, err := EvaluateFilm(twoShots(), watched([]int{0, 11}, on(1, 0, 100, 0, 19), stray))
	if err != nil {
		t.Fatal(err)
	}
	if r.Tracks != 2 || r.OfNobody != 1 || r.Cuts != 1 || r.CutsFound != 0 || r.CutsMadeUp != 1 {
		t.Errorf("%+v", r)
	}
	if r.Excess < 1.7 || r.Excess > 2.6 { // 1.4² of the box, less the corners, and what a film's boxes are enlarged by
		t.Errorf("covers are %.2f of the box", r.Excess)
	}
	var out bytes.Buffer
	if err := PrintFilms(&out, []*FilmResult{r}); err != nil || !strings.Contains(out.String(), "never") || !strings.Contains(out.String(), "two shots") {
		t.Errorf("%v: %s", err, out.String())
	}
	if err := PrintIntervals(&out, []int{3}, [][]*FilmResult{{r}}); err != nil {
		t.Error(err)
	}
	if _, err := EvaluateFilm(twoShots(), pipeline.Watched{}); err == nil {
		t.Error("a film of which nothing was watched")
	}
}

func TestDecisionsAreHeldAgainstPersons(t *testing.T) {
	f := twoShots()
	w := watched([]int{0, 20}, on(1, 0, 100, 0, 15), on(2, 1, 100, 20, 39), on(3, 1, 300, 20, 39))
	result := func(outcomes ...consent.Outcome) pipeline.Result {
		r := pipeline.Result{Outcome: pipeline.Withheld}
		for i, o := range outcomes {
			r.Tracks = append(r.Tracks, pipeline.TrackResult{ID: i + 1, Outcome: o})
		}
		return r
	}
	a, b := map[string]bool{"a": true}, map[string]bool{"b": true}
	for name, c := range map[string]struct {
		r        pipeline.Result
		subjects map[string]bool
		want     Decisions
	}{
		"right":   {result(consent.Obscure, consent.Obscure, consent.Show), a, Decisions{Subjects: Coverage{FaceFrames: 40, Covered: 36, After: Gap{4, 4}}, Others: 20, Hidden: 2}},
		"unsure":  {result(consent.Obscure, consent.Review, consent.Show), a, Decisions{Subjects: Coverage{FaceFrames: 40, Covered: 16, After: Gap{4, 4}, Never: Gap{20, 20}}, Waiting: 20, Others: 20, Hidden: 1, Unsure: 1}},
		"another": {result(consent.Show, consent.Obscure, consent.Show), b, Decisions{Subjects: Coverage{FaceFrames: 20, Never: Gap{20, 20}}, Others: 40, Obscured: 20, Hidden: 1}},
		"asked":   {result(consent.Show, consent.Review, consent.Obscure), b, Decisions{Subjects: Coverage{FaceFrames: 20, Covered: 20}, Others: 40, OtherWaits: 20, Hidden: 1, Unsure: 1}},
	} {
		got := EvaluateDecisions(f, w, c.r, c.subjects)
		missed := 0
		for _, m := range got.Missed {
			missed += m.Bare
		}
		if want := c.want.Subjects.FaceFrames - c.want.Subjects.Covered - c.want.Waiting; missed != want {
			t.Errorf("%s: %d bare, want %d", name, missed, want)
		}
		c.want.Film, c.want.Tracks, c.want.Outcome, got.Missed = "two shots", 3, pipeline.Withheld, nil
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	var out bytes.Buffer
	if err := PrintDecisions(&out, []Decisions{EvaluateDecisions(f, w, result(consent.Obscure, consent.Obscure, consent.Show), a)}); err != nil || !strings.Contains(out.String(), "0/1 released") {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestClipIsHeldAgainstDetections(t *testing.T) {
	r := &ClipResult{Bands: FilmSizes()}
	at := func(x float64) face.Face {
		return face.Face{Score: 1, Box: face.Box{X: x - 30, Y: 70, W: 50, H: 60}}
	}
	r.compare([][]face.Face{{at(100)}, {at(100)}, {at(100), at(300)}}, coversOf([]track.Track{on(1, 0, 100, 0, 2)}, everyTrack))
	want := []Band{{From: 20, To: 40}, {From: 40, To: 80, Faces: 4, Found: 3}, {From: 80}}
	if diff := cmp.Diff(want, r.Bands); diff != "" {
		t.Error(diff)
	}
	if len(r.Loose) != 1 || r.Loose[0].Frame != 2 || r.Steady.Faces != 1 || r.Steady.Found != 1 || r.Mostly != 3 {
		t.Errorf("%+v", r)
	}
}
