package pipeline_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/track"
	"github.com/consentry/consentry/pipeline"
)

// reel is a Cinema whose answers, and whose failures, a test writes down. Real films run in the tests of the package that
// implements it; failures of every single step cannot be had from there.
type reel struct {
	fail     string // the call that fails
	err      error  // with this
	watched  pipeline.Watched
	rendered *pipeline.Rendered // as it ought to be, where nil
	screened pipeline.Screened
	look     func(pipeline.Screening) pipeline.Screened // instead of screened
	file     []byte                                     // the finished film
	picture  []byte                                     // each still
	missing  int                                        // pictures of the finished film
	told     []pipeline.Frames
	busy     func(ctx context.Context, call string, told func(pipeline.Frames)) error // in each call that takes long

	calls    []string
	film     pipeline.Film
	options  pipeline.WatchOptions
	render   pipeline.Rendering
	screen   pipeline.Screening
	stills   []pipeline.Still
	pictured []pipeline.Still // those of the finished film
	stillsOf string
}

func (r *reel) call(ctx context.Context, name string, told func(pipeline.Frames)) error {
	r.calls = append(r.calls, name)
	if r.busy != nil {
		if err := r.busy(ctx, name, told); err != nil {
			return err
		}
	}
	for _, f := range r.told {
		told(f)
	}
	if r.fail == name {
		return r.err
	}
	return nil
}

func (r *reel) Watch(ctx context.Context, f pipeline.Film, o pipeline.WatchOptions, told func(pipeline.Frames)) (pipeline.Watched, error) {
	r.film, r.options = f, o
	return r.watched, r.call(ctx, "watch", told)
}

func (r *reel) Render(ctx context.Context, _ pipeline.Film, q pipeline.Rendering, told func(pipeline.Frames)) (pipeline.Rendered, error) {
	r.render = q
	if err := r.call(ctx, "render", told); err != nil {
		return pipeline.Rendered{}, err
	}
	if err := os.WriteFile(q.Out, r.file, 0o600); err != nil {
		return pipeline.Rendered{}, err
	}
	if r.rendered != nil {
		return *r.rendered, nil
	}
	made := pipeline.Rendered{Frames: len(q.Times), Remuxed: len(q.Covers) == 0, Widest: map[int][4]float64{}}
	for _, c := range q.Covers {
		made.Widest[c.Track] = [4]float64{1, 2, 60, 70}
	}
	return made, nil
}

func (r *reel) Screen(ctx context.Context, _ pipeline.Film, s pipeline.Screening, told func(pipeline.Frames)) (pipeline.Screened, error) {
	r.screen = s
	if r.look != nil {
		r.screened = r.look(s)
	}
	r.pictured = append(r.pictured, s.Pictures...)
	seen := r.screened
	for range len(s.Pictures) - r.missing {
		seen.Pictures = append(seen.Pictures, r.picture)
	}
	return seen, r.call(ctx, "screen", told)
}

func (r *reel) Stills(ctx context.Context, path string, wanted []pipeline.Still) ([][]byte, error) {
	r.stills, r.stillsOf = append(r.stills, wanted...), path
	pictures := make([][]byte, len(wanted))
	for i := range pictures {
		pictures[i] = r.picture
	}
	return pictures, r.call(ctx, "stills", func(pipeline.Frames) {})
}

// cleanFilm is a finished film as the real line makes it, of half a second of nothing.
func cleanFilm(t *testing.T) []byte {
	t.Helper()
	data, err := cleanOnce()
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(data)
}

var cleanOnce = sync.OnceValues(makeCleanFilm)

func makeCleanFilm() (data []byte, err error) {
	ctx := context.Background()
	tools, err := film.FindTools()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "film")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	source, out := filepath.Join(dir, "source.mp4"), filepath.Join(dir, "out.mp4")
	generate := exec.CommandContext(ctx, tools.FFmpeg, "-v", "error", "-nostdin", "-f", "lavfi", "-i", "color=gray:size=64x48:rate=10:duration=0.5",
		"-pix_fmt", "yuv420p", source)
	if err := generate.Run(); err != nil {
		return nil, err
	}
	info, err := tools.Probe(ctx, source, film.DefaultLimits())
	if err != nil {
		return nil, err
	}
	segment, err := copySegment(ctx, tools, source, filepath.Join(dir, "segment"), info)
	if err != nil {
		return nil, err
	}
	err = tools.Join(ctx, out, []film.Segment{segment}, source, info, film.Part{}, film.DefaultEncoding(), film.DefaultLimits())
	if err != nil {
		return nil, err
	}
	return os.ReadFile(out)
}

func copySegment(ctx context.Context, tools film.Tools, source, path string, info film.Info) (film.Segment, error) {
	decoder, err := tools.Open(ctx, source, info, film.Part{}, film.DefaultLimits())
	if err != nil {
		return film.Segment{}, err
	}
	defer decoder.Close()
	encoder, err := tools.Create(ctx, path, info, film.DefaultEncoding(), film.DefaultLimits())
	if err != nil {
		return film.Segment{}, err
	}
	defer encoder.Abort()
	for f := new(film.Frame); ; {
		err := decoder.Next(f)
		if errors.Is(err, io.EOF) {
			return encoder.Close()
		}
		if err == nil {
			err = encoder.Write(f)
		}
		if err != nil {
			return film.Segment{}, err
		}
	}
}

// A film of the tests: 100 frames of 640 × 360 at 25 a second, beginning at 0.2 s, two shots.
const (
	filmFrames = 100
	cutAt      = 60
)

func footageOf(tracks ...track.Track) pipeline.Watched {
	w := pipeline.Watched{
		Info:   film.Info{Container: "mp4", Codec: "h264", Width: 640, Height: 360, Rate: 25, Frames: filmFrames},
		Shots:  []int{0, cutAt},
		Tracks: tracks,
	}
	for i := range filmFrames {
		w.Times = append(w.Times, 200*time.Millisecond+time.Duration(i)*40*time.Millisecond)
	}
	slices.SortStableFunc(w.Tracks, func(a, b track.Track) int { return a.First() - b.First() })
	for i := range w.Tracks {
		w.Tracks[i].ID = i + 1
	}
	return w
}

// facing is a track seen on every frame from first to last, with these views. The head stays at the place of the first
// view's person, see [person], where faces are 48 pixels large.
func facing(first, last int, views ...face.Face) track.Track {
	place := face.Box{X: 300, Y: 200, W: 48, H: 48}
	if len(views) > 0 {
		place = placed(views[0]).Box
	}
	return facingAt(place, first, last, views...)
}

func facingAt(place face.Box, first, last int, views ...face.Face) track.Track {
	t := track.Track{
		Path:  []track.Position{{Frame: first, Box: place, Seen: true}, {Frame: last, Box: place, Seen: true}},
		Best:  track.View{Frame: (first + last) / 2, Face: face.Face{Box: place, Score: 0.95}},
		Score: 0.95, Seen: last - first + 1, Runs: [][2]int{{first, last}},
	}
	if first == last {
		t.Path = t.Path[:1]
	}
	if first >= cutAt {
		t.Shot = 1
	}
	for i, v := range views {
		v.Box = place
		t.Views = append(t.Views, track.View{Frame: first + i*(last-first)/max(1, len(views)), Face: v})
	}
	return t
}

// placed is a face where a film's track of it is.
func placed(f face.Face) face.Face {
	f.Box = face.Box{X: 6 * f.Box.X, Y: 100, W: 48, H: 48}
	return f
}

// filmLine is a line whose films are this reel.
func filmLine(r *reel) *pipeline.Line {
	return &pipeline.Line{
		Cinema: r, Key: key(), Step: func(string) {},
		Now: func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) },
	}
}

// scratchAsset is the asset of the tests, with a scratch folder.
func scratchAsset(t *testing.T) pipeline.Asset {
	t.Helper()
	folder := t.TempDir()
	path := filepath.Join(folder, "original")
	if err := os.WriteFile(path, []byte("a film"), 0o600); err != nil {
		t.Fatal(err)
	}
	return pipeline.Asset{Digest: assetDigest, Path: path, Folder: folder}
}

func shoot(t *testing.T, r *reel, orders ...pipeline.Order) ([]pipeline.Result, error) {
	t.Helper()
	return filmLine(r).Film(t.Context(), scratchAsset(t), orders)
}

func shootOne(t *testing.T, r *reel, o pipeline.Order) pipeline.Result {
	t.Helper()
	results, err := shoot(t, r, o)
	if err != nil {
		t.Fatal(err)
	}
	return results[0]
}

// judged is what becomes of each track, in the order of the arguments, whatever is made of the film then.
func judged(t *testing.T, change func(*pipeline.Order), tracks ...track.Track) []pipeline.TrackResult {
	t.Helper()
	r := &reel{watched: footageOf(tracks...), fail: "render", err: errStop, picture: []byte("jpeg")}
	line := filmLine(r)
	asset := scratchAsset(t)
	results, err := line.Film(t.Context(), asset, []pipeline.Order{newOrder(t, change)})
	if err == nil {
		return results[0].Tracks // withheld, with pictures
	}
	if !errors.Is(err, errStop) {
		t.Fatal(err)
	}
	return plannedVerdicts(t, asset)
}

var errStop = errors.New("the test has seen enough")

// plannedVerdicts reads what was decided out of the scratch folder.
func plannedVerdicts(t *testing.T, asset pipeline.Asset) []pipeline.TrackResult {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(asset.Folder, "plan"))
	if err != nil {
		t.Fatal(err)
	}
	return verdictsIn(t, data[ed25519.SignatureSize:])
}
