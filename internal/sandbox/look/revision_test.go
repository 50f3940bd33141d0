package look_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/models/vision"
	"github.com/consentry/consentry/pipeline"
)

// A derivative that an older version made is found again under its key, so the key must change
// when the same photograph would be treated otherwise. If this test fails you have changed how faces
// are found, told apart or covered: raise pipeline.Revision, and write down here what is new.
func TestRevisionIsRaised(t *testing.T) {
	l := make(face.Landmarks, 68)
	for i := 42; i < 48; i++ {
		l[i] = face.Point{X: 10, Y: 10}
	}
	region := face.HeadRegion(face.Face{Box: face.Box{X: 100, Y: 100, W: 80, H: 100}, Landmarks: l})
	got := fmt.Sprintf("%d %.1f %.1f %.1f %.1f %.2f %+v %+v", pipeline.Revision,
		region.Centre.X, region.Centre.Y, region.RX, region.RY, region.Angle/math.Pi,
		vision.DefaultOptions(), gallery.DefaultThresholds())
	const want = "2 143.5 146.5 63.6 79.6 0.25 " +
		"{SmallestFace:20 Least:10 SeenAt:15 Budget:1048576 Enlarge:2 Coarsest:320 Tile:1088 Candidate:0.15 Crowd:8 Threshold:0.39} " +
		"{Confident:5 Single:0.5 Unsure:3.5 Margin:1 Exclusive:3 Yield:4}"
	if got != want {
		t.Errorf("revision %d no longer describes the program:\ngot  %s\nwant %s", pipeline.Revision, got, want)
	}
}
