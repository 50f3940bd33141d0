package track

import (
	"testing"

	"github.com/consentry/consentry/internal/face"
)

// still is a flow in which nothing moves.
type still struct{}

func (still) Follow(_, _ int, boxes []face.Box) ([]Moved, error) {
	moved := make([]Moved, len(boxes))
	for i, b := range boxes {
		moved[i] = Moved{Box: b, Sure: 1}
	}
	return moved, nil
}

func TestOneFaceStandsStill(t *testing.T) {
	o := Options{Rate: 25, Every: 3, Width: 640, Height: 360}
	b := New(o, still{})
	f := face.Face{Box: face.Box{X: 100, Y: 100, W: 50, H: 50}, Score: 0.95}
	for n := range 100 {
		if err := b.Next(n, Motion{Cut: n == 0}); err != nil {
			t.Fatal(err)
		}
		if n%3 == 0 && n >= 40 && n < 70 {
			if err := b.Found([]face.Face{f}); err != nil {
				t.Fatal(err)
			}
		} else if n%3 == 0 {
			if err := b.Found(nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	tracks := b.Finish()
	if len(tracks) != 1 {
		t.Fatalf("%d tracks, want one", len(tracks))
	}
	got := tracks[0]
	if got.First() != 42-30 || got.Last() != 69+30 || got.Seen != 10 {
		t.Errorf("from %d to %d, seen %d times; want 1.2 s on either side of 42 to 69, and 10", got.First(), got.Last(), got.Seen)
	}
	if len(got.Path) > 20 {
		t.Errorf("%d positions for a face that stands still", len(got.Path))
	}
}
