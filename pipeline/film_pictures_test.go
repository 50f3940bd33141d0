package pipeline_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/track"
	"github.com/consentry/consentry/pipeline"
)

// covered says whether some region hides the point.
func covered(s pipeline.Still, p face.Point) bool {
	return slices.ContainsFunc(s.Covers, func(r face.Region) bool { return r.Contains(p) })
}

func within(b face.Box, p face.Point) bool {
	return p.X >= b.X && p.X <= b.X+b.W && p.Y >= b.Y && p.Y <= b.Y+b.H
}

// Of what waits for a person, only the face that waits is bare, and only in its own pictures.
func TestPicturesOfAWithheldFilm(t *testing.T) {
	tracks := []track.Track{facing(0, 59, nearly(1), nearly(1)), facing(0, 59, person(1)), facing(0, 59, person(2)), facing(0, 59, nearly(3))}
	tracks[1].Views[0].Face.Box.X += 1
	for i := range tracks {
		tracks[i].Path[0].Box.X += float64(3 * i) // not quite one behind the other
	}
	r := &reel{watched: footageOf(tracks...), picture: []byte("jpeg")}
	result := shootOne(t, r, newOrder(t, func(o *pipeline.Order) { o.UnknownFace = consent.Obscure }))
	if result.Outcome != pipeline.Withheld || string(result.Thumbnail) != "jpeg" || slices.Contains(r.calls, "render") {
		t.Fatalf("%s: %s, calls %v", result.Outcome, result.Reason, r.calls)
	}
	if want := "2 faces need a person's decision: 0:00.2–0:02.5, 0:00.2–0:02.5"; result.Reason != want {
		t.Errorf("%q, want %q", result.Reason, want)
	}
	for i, v := range result.Tracks {
		waits := v.Outcome == consent.Review
		if len(v.Pictures) == 0 {
			t.Errorf("track %d has no pictures", i+1)
		}
		for _, p := range v.Pictures {
			if p.Bare != waits || p.At < v.From || p.At > v.To {
				t.Errorf("track %d: bare %t at %v, waits %t", i+1, p.Bare, p.At, waits)
			}
		}
	}
	for _, still := range r.stills {
		checkStill(t, r, still)
	}
}

func TestWaitingIsSaidInPlainWords(t *testing.T) {
	var tracks []track.Track
	for n := range 11 {
		tracks = append(tracks, facingAt(face.Box{X: float64(50 * n), Y: 100, W: 48, H: 48}, n, 50))
	}
	r := &reel{watched: footageOf(tracks...)}
	for i := range r.watched.Times {
		r.watched.Times[i] = time.Hour + 61*time.Second + time.Duration(i)*time.Minute
	}
	got := shootOne(t, r, newOrder(t, nil)).Reason
	if !strings.HasPrefix(got, "11 faces need a person's decision: 1:01:01–1:51:01, ") || !strings.HasSuffix(got, "1:08:01–1:51:01 and 3 more") {
		t.Error(got)
	}
}

// checkStill says whether at most one face that can be seen in a picture of the original is bare, and that one waits.
func checkStill(t *testing.T, r *reel, still pipeline.Still) {
	t.Helper()
	frame := slices.Index(r.watched.Times, still.At)
	if frame < 0 || r.stillsOf == r.render.Out {
		t.Fatalf("a picture at %v of %s", still.At, r.stillsOf)
	}
	bare := 0
	for i := range r.watched.Tracks {
		cover := track.CoverOf(r.watched.Tracks[i])
		region, ok := cover.At(frame)
		if !ok || !within(still.Box, region.Centre) || covered(still, region.Centre) {
			continue
		}
		if bare++; i == 1 || i == 2 {
			t.Errorf("track %d is bare, which does not wait", i+1)
		}
	}
	if whole := still.Box.W == 640; bare > 1 || whole && bare > 0 {
		t.Errorf("%d bare faces in a picture of %v", bare, still.Box)
	}
	if b := still.Box; b.X < 0 || b.Y < 0 || b.X+b.W > 640 || b.Y+b.H > 360 || b.W <= 0 || b.H <= 0 {
		t.Errorf("a picture of %v", b)
	}
}

// A picture of a released film is cut out of the derivative, which hides what it has to.
func TestPicturesOfAReleasedFilm(t *testing.T) {
	r := &reel{watched: footageOf(cast()...), file: cleanFilm(t), picture: []byte("jpeg")}
	result := shootOne(t, r, newOrder(t, nil))
	if len(r.stills) > 0 || string(result.Thumbnail) != "jpeg" {
		t.Errorf("%d pictures of %q", len(r.stills), r.stillsOf)
	}
	for i, v := range result.Tracks {
		if len(v.Pictures) != 4 || slices.ContainsFunc(v.Pictures, func(p pipeline.Picture) bool { return p.Bare }) {
			t.Errorf("track %d: %+v", i+1, v.Pictures)
		}
		if !slices.IsSortedFunc(v.Pictures, func(a, b pipeline.Picture) int { return int(1000 * (a.At - b.At)) }) {
			t.Errorf("track %d: pictures are not in the order of time", i+1)
		}
	}
	for _, still := range r.pictured {
		if !slices.Contains(r.watched.Times, still.At) || still.Covers != nil {
			t.Errorf("a picture at %v with %d covers", still.At, len(still.Covers))
		}
	}
}

// crowd is a film of many faces.
func crowd(n int, f face.Face) []track.Track {
	var tracks []track.Track
	for i := range n {
		box := face.Box{X: float64(40 * (i % 14)), Y: float64(40 * (i / 14 % 7)), W: 30, H: 30}
		tracks = append(tracks, facingAt(box, i%30, i%30+20, f))
	}
	return tracks
}

// However many tracks a film has, its result can be stored.
func TestPicturesAreLeftOutWhereThereAreTooMany(t *testing.T) {
	big := make([]byte, 20_000)
	rand.NewChaCha8([32]byte{1}).Read(big)
	tracks := append(crowd(120, person(9)), facingAt(face.Box{X: 500, Y: 250, W: 50, H: 50}, 0, 50, nearly(1)))
	r := &reel{watched: footageOf(tracks...), picture: big}
	line := filmLine(r)
	results, err := line.Film(t.Context(), scratchAsset(t), []pipeline.Order{newOrder(t, nil)})
	if err != nil {
		t.Fatal(err)
	}
	if data, err := pipeline.Pack(results); err != nil || len(data)*4/3 > pipeline.DefaultResultBytes+1000 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	some, waiting := 0, 0
	for _, v := range results[0].Tracks {
		if some += len(v.Pictures); v.Outcome == consent.Review {
			waiting += len(v.Pictures)
		}
	}
	if waiting == 0 || some == waiting || len(results[0].Thumbnail) == 0 {
		t.Errorf("%d pictures are left, %d of them of what waits", some, waiting)
	}
	if len(r.stills) > 161 {
		t.Errorf("%d pictures were cut", len(r.stills))
	}
	line.ResultBytes = 1
	results, err = line.Film(t.Context(), scratchAsset(t), []pipeline.Order{newOrder(t, nil)})
	if err != nil || results[0].Thumbnail != nil || results[0].Tracks[120].Pictures != nil {
		t.Errorf("pictures are kept though there is no room at all: %v", err)
	}
}

// A picture less than was asked for is an error; one that is empty is left out.
func TestPicturesThatAreMissing(t *testing.T) {
	r := &reel{watched: footageOf(cast()...), file: cleanFilm(t)}
	result := shootOne(t, r, newOrder(t, nil))
	if result.Outcome != pipeline.Released || result.Thumbnail != nil || result.Tracks[0].Pictures != nil {
		t.Errorf("%+v", result)
	}
	r = &reel{watched: footageOf(cast()...), file: cleanFilm(t), missing: 1}
	if results, err := shoot(t, r, newOrder(t, nil)); err == nil {
		t.Errorf("released with a picture less than was asked for: %+v", results)
	}
}
