package look_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"
	"time"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/pipeline"
)

// Pictures that are taken on the way are those that would be cut out of the finished film afterwards.
func TestPicturesOnTheWay(t *testing.T) {
	e := imagining(t)
	f := pipeline.Film{Path: squares(t, 60, "white", 20, 150), Part: film.Part{From: 400 * time.Millisecond, To: 1600 * time.Millisecond}}
	w := watch(t, e, f)
	hidden := w.Tracks[0]
	r := rendering(t, w, hidden)
	render(t, e, f, r)
	at := func(frame int) time.Duration { return w.Times[frame] - w.Times[0] }
	box := func(frame int, top float64) face.Box {
		return face.Box{X: float64(20 + 3*(frame+10)), Y: top, W: side, H: side}
	}
	wanted := []pipeline.Still{
		{At: at(17), Box: box(17, 150), Side: 32},
		{At: at(3), Box: box(3, 20), Side: 40},
		{At: at(29), Side: 160},
		{At: at(17) + 13*time.Millisecond, Box: box(17, 20), Side: 40}, // between two frames: the nearer one
		{At: time.Hour, Side: 16},
	}
	s := pipeline.Screening{Rendering: r, Known: w.Tracks, Hidden: []int{hidden.ID}, Pictures: wanted}
	seen := screen(t, e, f, s)
	if seen.Fault != "" || len(seen.Pictures) != len(wanted) {
		t.Fatalf("%q, %d pictures", seen.Fault, len(seen.Pictures))
	}
	after, err := e.Stills(t.Context(), r.Out, wanted)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		size  image.Point
		white bool
	}{{image.Pt(32, 32), true}, {image.Pt(40, 40), false}, {image.Pt(160, 120), false}, {image.Pt(40, 40), false}, {image.Pt(16, 12), false}} {
		img, err := jpeg.Decode(bytes.NewReader(seen.Pictures[i]))
		if err != nil {
			t.Fatal(err)
		}
		grey, _, _, _ := img.At(img.Bounds().Dx()/2, img.Bounds().Dy()/2).RGBA()
		if img.Bounds().Size() != want.size || (grey>>8 > 220) != want.white || !bytes.Equal(seen.Pictures[i], after[i]) {
			t.Errorf("picture %d: %v, grey %d in the middle", i, img.Bounds().Size(), grey>>8)
		}
		if err := media.VerifyScrubbed(seen.Pictures[i]); err != nil {
			t.Errorf("picture %d: %v", i, err)
		}
	}
	again(t, r.Out, file(t, r.Out), "-vf", "hflip", "-c:a", "copy")
	if seen = screen(t, e, f, s); seen.Fault == "" || seen.Pictures != nil {
		t.Errorf("pictures of a film with a fault: %q, %d", seen.Fault, len(seen.Pictures))
	}
}
