package redact

import (
	"bufio"
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/track"
	"github.com/consentry/consentry/pipeline"
)

func TestBoxesHaveNoGap(t *testing.T) {
	at := func(frame int, x float64, seen bool) track.Position {
		return track.Position{Frame: frame, Box: face.Box{X: x, Y: 1, W: 10, H: 10}, Seen: seen}
	}
	seen := pipeline.Watched{
		Times: []time.Duration{0, 40 * time.Millisecond, 80 * time.Millisecond, 120 * time.Millisecond, 160 * time.Millisecond},
		Tracks: []track.Track{
			{ID: 1, Path: []track.Position{at(0, 0, false), at(3, 30, true)}},
			{ID: 4, Path: []track.Position{at(3, 100, true)}},
		},
	}
	var b bytes.Buffer
	if err := writeBoxes(&b, seen); err != nil {
		t.Fatal(err)
	}
	var got [][]float64 // frame, then track and x
	lines := bufio.NewScanner(&b)
	for lines.Scan() {
		var line boxes
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		flat := []float64{float64(line.Frame)}
		for _, x := range line.Boxes {
			flat = append(flat, float64(x.Track), x.Box[0])
		}
		got = append(got, flat)
	}
	want := [][]float64{{0, 1, 0}, {1, 1, 10}, {2, 1, 20}, {3, 1, 30, 4, 100}, {4}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
