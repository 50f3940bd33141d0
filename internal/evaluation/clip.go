package evaluation

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/track"
	"github.com/consentry/consentry/pipeline"
)

// ClipResult is how a real film was covered, held against a detector that looked at every frame.
type ClipResult struct {
	Frames, Tracks int
	Bands          []Band  // of all that the yardstick is sure of, by size; Found: covered
	Mostly         int     // of all of them, at least four fifths covered: its boxes jump by as much from frame to frame
	Steady         Band    // of those that it sees on the frames before and after too
	Loose          []Loose // detections that are not covered
}

// mostlyCovered is the share of a box from which on it counts as mostly covered.
const mostlyCovered = 0.8

// Loose is a detection that is not covered.
type Loose struct {
	Frame  int
	Face   face.Face
	Share  float64 // of the box that is covered
	Steady bool    // seen on the frames before and after too
}

// EvaluateClip runs the yardstick over every frame of the film at path and says which of the faces that it is sure of are covered
// by the film's tracks.
func EvaluateClip(ctx context.Context, ffmpeg, path string, w pipeline.Watched, yardstick Detector) (*ClipResult, error) {
	r := &ClipResult{Frames: len(w.Times), Tracks: len(w.Tracks), Bands: FilmSizes()}
	var seen [][]face.Face
	err := eachFrame(ctx, ffmpeg, path, w.Info.Width, w.Info.Height, func(frame gocv.Mat) error {
		found, err := yardstick.Detect(frame)
		if err != nil {
			return fmt.Errorf("run the yardstick: %w", err)
		}
		seen = append(seen, slices.DeleteFunc(found, func(f face.Face) bool { return f.Score < surelyFace || f.Box.Size() < countFrom }))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("evaluate a clip: %w", err)
	}
	if len(seen) != len(w.Times) {
		return nil, fmt.Errorf("evaluate a clip: %d frames were watched of %d", len(w.Times), len(seen))
	}
	r.compare(seen, coversOf(w.Tracks, everyTrack))
	return r, nil
}

func (r *ClipResult) compare(found [][]face.Face, covers []track.Cover) {
	for n, faces := range found {
		regions := regionsAt(covers, n)
		for _, f := range faces {
			steady := false
			if n > 0 && n+1 < len(found) {
				f.Box, steady = settledBox(f.Box, found[n-1], found[n+1])
			}
			r.count(n, f, shareOf(f.Box, regions), steady)
		}
	}
}

func (r *ClipResult) count(frame int, f face.Face, share float64, steady bool) {
	hit := 0
	if share >= coveredFrom {
		hit = 1
	} else {
		r.Loose = append(r.Loose, Loose{Frame: frame, Face: f, Share: share, Steady: steady})
	}
	if share >= mostlyCovered {
		r.Mostly++
	}
	band := &r.Bands[max(0, sizeBand(f.Box.Size()))]
	band.Faces++
	band.Found += hit
	if steady {
		r.Steady.Faces++
		r.Steady.Found += hit
	}
}

// settledBox is the median of the box and of those of the same face on the frames before and after, where it is seen on both.
func settledBox(b face.Box, before, after []face.Face) (face.Box, bool) {
	boxes := []face.Box{b}
	for _, faces := range [][]face.Face{before, after} {
		i := slices.IndexFunc(faces, func(o face.Face) bool { return o.Box.IoU(b) >= sameFace })
		if i < 0 {
			return b, false
		}
		boxes = append(boxes, faces[i].Box)
	}
	return medianBox(boxes), true
}

// shareOf is the share of a box that lies in the regions, on a grid.
func shareOf(b face.Box, regions map[int]face.Region) float64 {
	const side = 20
	n := 0
	for i := range side * side {
		p := face.Point{X: b.X + b.W*(float64(i%side)+0.5)/side, Y: b.Y + b.H*(float64(i/side)+0.5)/side}
		for _, r := range regions {
			if r.Contains(p) {
				n++
				break
			}
		}
	}
	return float64(n) / (side * side)
}

// eachFrame decodes a film to BGR.
func eachFrame(ctx context.Context, ffmpeg, path string, width, height int, look func(gocv.Mat) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, ffmpeg, "-v", "error", "-nostdin", "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough",
		"-vf", "scale="+strconv.Itoa(width)+":"+strconv.Itoa(height), "-f", "rawvideo", "-pix_fmt", "bgr24", "pipe:1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	buffer := make([]byte, width*height*3)
	for {
		if _, err := io.ReadFull(out, buffer); err == io.EOF {
			return cmd.Wait()
		} else if err != nil {
			return fmt.Errorf("reading a frame: %w", err)
		}
		frame, err := gocv.NewMatFromBytes(height, width, gocv.MatTypeCV8UC3, buffer)
		if err != nil {
			return fmt.Errorf("taking a frame: %w", err)
		}
		err = look(frame)
		frame.Close() //nolint:errcheck,gosec // frees memory only
		if err != nil {
			return err
		}
	}
}

// Print writes the shares and what is left bare.
func (r *ClipResult) Print(w io.Writer) error {
	fmt.Fprintf(w, "%d frames, %d tracks; detections on every frame with a score of %.1f and more:\n", r.Frames, r.Tracks, surelyFace)
	all := Band{}
	for _, b := range r.Bands {
		fmt.Fprintf(w, "%-18v %5d, covered %5d = %.2f %%\n", b, b.Faces, b.Found, 100*b.Recall())
		all.Faces += b.Faces
		all.Found += b.Found
	}
	fmt.Fprintf(w, "%-18s %5d, covered %5d = %.2f %%, mostly %d = %.2f %%\n", "all", all.Faces, all.Found, 100*all.Recall(),
		r.Mostly, 100*float64(r.Mostly)/float64(max(1, all.Faces)))
	fmt.Fprintf(w, "%-18s %5d, covered %5d = %.2f %%\n", "seen three times", r.Steady.Faces, r.Steady.Found, 100*r.Steady.Recall())
	for _, l := range r.Loose {
		fmt.Fprintf(w, "frame %3d  %4.0f,%4.0f  %3.0f px  score %.2f  %3.0f %% covered  steady %t\n",
			l.Frame, l.Face.Box.X, l.Face.Box.Y, l.Face.Box.Size(), l.Face.Score, 100*l.Share, l.Steady)
	}
	return nil
}
