package pipeline

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/track"
)

// filmFormat is the format in which films leave.
const filmFormat = "mp4"

// finished is a finished film in the scratch folder.
type finished struct {
	path   string
	digest string // SHA-256, lower-case hex
	size   int64
}

// folder is the part of the scratch folder that is this order's.
func (t *take) folder() string {
	return filepath.Join(t.asset.Folder, "order-"+t.order.FilmKey(t.asset.Digest)[:16])
}

// rendering is what is to be made: whatever is not to be shown is obscured, an outcome that nobody knows too.
func (t *take) rendering(verdicts []TrackResult) Rendering {
	covers := []track.Cover{}
	for i, v := range verdicts {
		if v.Outcome != consent.Show {
			covers = append(covers, track.CoverOf(t.seen.Tracks[i]))
		}
	}
	return Rendering{
		Info: t.seen.Info, Times: t.seen.Times, Shots: t.seen.Shots,
		Covers: covers, Style: t.order.Style, Encoding: t.order.Film.Encoding,
		Folder: t.folder(), Out: filepath.Join(t.folder(), "film."+filmFormat),
	}
}

// render makes the finished film and notes in the result what changed on account of which track.
func (l *Line) render(ctx context.Context, result *Result, t take) (finished, error) {
	l.Step("render")
	r := t.rendering(result.Tracks)
	if err := os.MkdirAll(r.Folder, 0o700); err != nil {
		return finished{}, fmt.Errorf("making a folder for the film: %w", scratchError(err))
	}
	made, err := l.Cinema.Render(ctx, t.film(), r, l.pass(t.pass, t.passes))
	if err != nil {
		return finished{}, fmt.Errorf("rendering the film: %w", err)
	}
	if made.Frames != len(r.Times) || made.Remuxed && len(r.Covers) > 0 {
		return finished{}, fmt.Errorf("rendering the film: %w: %d frames of %d, passed on: %t, with %d tracks to obscure",
			errNonsense, made.Frames, len(r.Times), made.Remuxed, len(r.Covers))
	}
	result.Remuxed = made.Remuxed
	for i := range result.Tracks {
		v := &result.Tracks[i]
		if v.Outcome == consent.Show {
			continue
		}
		widest, ok := made.Widest[v.ID]
		if !ok || !finite(widest[:]...) || !(widest[2]*widest[3] > 0) && reachesIn(track.CoverOf(t.seen.Tracks[i]), t.seen.Info) {
			return finished{}, fmt.Errorf("rendering the film: %w: nothing changed on account of track %d", errNonsense, v.ID)
		}
		v.Region = &widest
	}
	return l.finishedAt(r.Out)
}

// reachesIn says whether something of the picture lies below a cover on some frame, by more than a pixel: a head carried out of the picture
// may have nothing there.
func reachesIn(cover track.Cover, info film.Info) bool {
	width, height := float64(info.Width), float64(info.Height)
	for _, p := range cover.Path {
		r, ok := cover.At(p.Frame)
		inside := face.Point{X: min(max(1, r.Centre.X), width-1), Y: min(max(1, r.Centre.Y), height-1)}
		if ok && min(r.RX, r.RY) >= 1 && r.Contains(inside) {
			return true
		}
	}
	return false
}

// finishedAt takes the digest of a finished film. What is sealed later is what lies there now.
func (l *Line) finishedAt(path string) (finished, error) {
	f, err := os.Open(path)
	if err != nil {
		return finished{}, fmt.Errorf("opening the finished film: %w", scratchError(err))
	}
	defer f.Close()
	sum := newBeating(func() { l.Step("render") })
	size, err := io.Copy(sum, f)
	if err != nil {
		return finished{}, fmt.Errorf("reading the finished film: %w", scratchError(err))
	}
	return finished{path: path, digest: sum.hex(), size: size}, nil
}

// scrubFilm proves, from the finished file, that it holds one video stream and the sound and nothing else.
func (l *Line) scrubFilm(file finished) error {
	l.Step("scrub")
	f, err := os.Open(file.path)
	if err != nil {
		return fmt.Errorf("opening the finished film: %w", scratchError(err))
	}
	defer f.Close()
	if err := film.CheckScrubbed(f, file.size); err != nil {
		return fmt.Errorf("the derivative is not clean: %w", err)
	}
	return nil
}
