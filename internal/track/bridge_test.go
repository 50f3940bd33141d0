package track

import (
	"slices"
	"testing"

	"github.com/consentry/consentry/internal/face"
)

// piece is a track that stands still from first to last, seen in the runs.
func piece(id, shot int, x float64, first, last int, runs ...[2]int) Track {
	b := face.Box{X: x, Y: 100, W: 50, H: 50}
	return Track{ID: id, Shot: shot, Runs: runs, Path: []Position{{Frame: first, Box: b}, {Frame: last, Box: b}}}
}

func TestBridges(t *testing.T) {
	a := piece(1, 0, 100, 0, 60, [2]int{0, 40})
	for _, test := range []struct {
		name string
		b    Track
		want bool
	}{
		{"soon after, in the same place", piece(2, 0, 110, 75, 200, [2]int{90, 200}), true},
		{"while the first is carried", piece(2, 0, 110, 50, 200, [2]int{55, 200}), true},
		{"too late", piece(2, 0, 110, 90, 200, [2]int{100, 200}), false},
		{"somewhere else", piece(2, 0, 300, 65, 200, [2]int{70, 200}), false},
		{"in another shot", piece(2, 1, 100, 65, 200, [2]int{70, 200}), false},
		{"seen while the first is seen", piece(2, 0, 110, 0, 200, [2]int{30, 200}), false},
	} {
		got := Bridges([]Track{a, test.b}, 25)
		if want := test.want; (len(got) == 1 && got[0] == [2]int{1, 2}) != want {
			t.Errorf("%s: %v", test.name, got)
		}
		if turned := Bridges([]Track{test.b, a}, 25); !slices.Equal(turned, got) {
			t.Errorf("%s: %v, the other way round %v", test.name, got, turned)
		}
	}
}

func TestOverlap(t *testing.T) {
	a := piece(1, 0, 100, 0, 100, [2]int{10, 20}, [2]int{50, 60})
	for _, test := range []struct {
		name string
		b    Track
		want bool
	}{
		{"seen at the same time", piece(2, 0, 300, 0, 100, [2]int{20, 30}), true},
		{"seen in turn", piece(2, 0, 300, 0, 100, [2]int{21, 49}, [2]int{61, 80}), false},
		{"one head found twice", piece(2, 0, 102, 0, 100, [2]int{10, 60}), false},
		{"never seen", piece(2, 0, 300, 0, 100), false},
	} {
		if got := Overlap(a, test.b); got != test.want || Overlap(test.b, a) != got {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}
