package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/track"
)

// How many pictures there are of a film, and how large. A small one is about 4 kB.
const (
	mostPictures  = 160 // of one order
	mostOfATrack  = 4
	stripSide     = 128 // pixels
	bareSide      = 192
	thumbnailSide = 640 // as of photographs
	atOnce        = 32  // pictures cut between two heartbeats
	around        = 1.5 // what a picture of a face shows, in widths and heights of the head
)

// DefaultResultBytes leaves room for what the bus adds: it keeps states of up to 768 KiB.
const DefaultResultBytes = 640 << 10

// shot is a picture that is wanted: of a track, or of the whole frame.
type shot struct {
	track int           // its place in the list, −1 for the thumbnail
	at    time.Duration // in the source's own time
	bare  bool
	still Still
}

// strips are the pictures of each track, as cut from the original, with every face obscured but the bare one. Tracks that
// wait for a person come first, and some pictures of each go before many of some.
func (t *take) strips(verdicts []TrackResult) []shot {
	covers := make([]track.Cover, len(t.seen.Tracks))
	order := make([]int, len(verdicts))
	for i := range verdicts {
		covers[i], order[i] = track.CoverOf(t.seen.Tracks[i]), i
	}
	slices.SortStableFunc(order, func(a, b int) int { return boolean(verdicts[b].waits()) - boolean(verdicts[a].waits()) })
	each := min(mostOfATrack, max(1, mostPictures/max(1, len(order))))
	shots := []shot{t.whole(covers)}
	for _, i := range order {
		moments := spread(t.seen.Tracks[i].Runs, each)
		if verdicts[i].waits() || len(moments) == 0 {
			moments = bestMoments(&t.seen.Tracks[i], each)
		}
		for _, frame := range moments {
			if len(shots) > mostPictures {
				return shots
			}
			shots = append(shots, t.shotOf(i, frame, verdicts[i].waits(), covers))
		}
	}
	return shots
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

// whole is the picture of the frame in the middle.
func (t *take) whole(covers []track.Cover) shot {
	frame := len(t.seen.Times) / 2
	all := face.Box{W: float64(t.seen.Info.Width), H: float64(t.seen.Info.Height)}
	return shot{track: -1, at: t.seen.Times[frame], still: Still{At: t.seen.Times[frame], Box: all, Side: thumbnailSide, Covers: regionsOn(covers, frame, -1)}}
}

func (t *take) shotOf(i, frame int, bare bool, covers []track.Cover) shot {
	s := shot{track: i, at: t.seen.Times[frame], bare: bare, still: Still{At: t.seen.Times[frame], Side: stripSide}}
	region, _ := covers[i].At(frame)
	s.still.Box = t.framed(region.Bounds())
	but := -1
	if bare {
		but, s.still.Side = i, bareSide
	}
	s.still.Covers = regionsOn(covers, frame, but)
	return s
}

// regionsOn are those that the covers have on a frame, but for one of them.
func regionsOn(covers []track.Cover, frame, but int) []face.Region {
	var regions []face.Region
	for i := range covers {
		if r, ok := covers[i].At(frame); ok && i != but {
			regions = append(regions, r)
		}
	}
	return regions
}

// framed is a square around the head, within the frame. It is never empty: an empty box is the whole frame.
func (t *take) framed(head face.Box) face.Box {
	width, height := float64(t.seen.Info.Width), float64(t.seen.Info.Height)
	side := min(around*max(head.W, head.H), width, height)
	c := head.Centre()
	return face.Box{X: min(max(0, c.X-side/2), width-side), Y: min(max(0, c.Y-side/2), height-side), W: side, H: side}
}

// start is the time stamp that the finished film's first frame has lost: a part's times are counted from there.
func (t *take) start() time.Duration {
	if t.order.Film.Part.Whole() {
		return 0
	}
	return t.seen.Times[0]
}

// spread picks n of the frames on which a track was seen, evenly.
func spread(runs [][2]int, n int) []int {
	total := 0
	for _, run := range runs {
		total += run[1] - run[0] + 1
	}
	var frames []int
	for k := range min(n, total) {
		at := (2*k + 1) * total / (2 * min(n, total))
		for _, run := range runs {
			if length := run[1] - run[0] + 1; at >= length {
				at -= length
				continue
			}
			frames = append(frames, run[0]+at)
			break
		}
	}
	return frames
}

// bestMoments are those that show the track's face best, in the order of time.
func bestMoments(t *track.Track, n int) []int {
	frames := []int{t.Best.Frame}
	for _, v := range t.Views {
		if len(frames) < n && !slices.Contains(frames, v.Frame) {
			frames = append(frames, v.Frame)
		}
	}
	slices.Sort(frames)
	return frames
}

// finishedStrips are the pictures of each track, as cut from the finished film.
func (t *take) finishedStrips(verdicts []TrackResult) []shot {
	shots := t.strips(verdicts)
	for i := range shots {
		shots[i].still.At -= t.start()
		shots[i].still.Covers = nil
	}
	return shots
}

// photographs cuts the pictures out of the film at path and hands them to the tracks whose they are. They are cut in the order of
// their times, so that few of them have to be sought.
func (l *Line) photographs(ctx context.Context, result *Result, path string, shots []shot) error {
	slices.SortStableFunc(shots, func(a, b shot) int { return cmp.Compare(a.at, b.at) })
	for chunk := range slices.Chunk(shots, atOnce) {
		stills := make([]Still, len(chunk))
		for i, s := range chunk {
			stills[i] = s.still
		}
		pictures, err := l.Cinema.Stills(ctx, path, stills)
		if err != nil {
			return err
		}
		if err := result.takeAll(chunk, pictures); err != nil {
			return err
		}
		l.Step("pictures")
	}
	return nil
}

// takeAll hands pictures to the tracks whose they are.
func (r *Result) takeAll(shots []shot, pictures [][]byte) error {
	if len(pictures) != len(shots) {
		return fmt.Errorf("%w: %d pictures of %d", errNonsense, len(pictures), len(shots))
	}
	for i, s := range shots {
		r.take(s, pictures[i])
	}
	return nil
}

func (r *Result) take(s shot, picture []byte) {
	switch {
	case len(picture) == 0:
	case s.track < 0:
		r.Thumbnail = picture
	default:
		v := &r.Tracks[s.track]
		v.Pictures = append(v.Pictures, Picture{At: s.at.Seconds(), Bare: s.bare, JPEG: picture})
	}
}

// fitting leaves out pictures until the results, packed, take up no more than the limit: first those of the last tracks that do
// not wait for a person.
func fitting(results []Result, limit int) []Result {
	limit = cmp.Or(limit, DefaultResultBytes)
	size := wordsOf(results)
	for _, r := range results {
		size += asJSON(r.Thumbnail)
		for _, v := range r.Tracks {
			for _, p := range v.Pictures {
				size += asJSON(p.JPEG)
			}
		}
	}
	for _, waiting := range []bool{false, true} {
		for i := range results {
			tracks := results[i].Tracks
			for k := len(tracks) - 1; k >= 0 && size > limit; k-- {
				if tracks[k].waits() == waiting {
					size -= tracks[k].drop()
				}
			}
		}
	}
	for i := range results {
		if size > limit {
			size -= asJSON(results[i].Thumbnail)
			results[i].Thumbnail = nil
		}
	}
	return results
}

// wordsOf is how many bytes the results take up, packed and as JSON, without their pictures.
func wordsOf(results []Result) int {
	words := slices.Clone(results)
	for i, r := range results {
		words[i].Thumbnail, words[i].Tracks = nil, slices.Clone(r.Tracks)
		for k := range words[i].Tracks {
			words[i].Tracks[k].Pictures = nil
		}
	}
	data, err := Pack(words)
	if err != nil {
		return 0 // it says so again where it is stored, and is withheld there
	}
	return asJSON(data)
}

// drop leaves out the track's pictures and says how many bytes that saves.
func (v *TrackResult) drop() int {
	saved := 0
	for _, p := range v.Pictures {
		saved += asJSON(p.JPEG)
	}
	v.Pictures = nil
	return saved
}

// asJSON is how many bytes of a packed result take up in JSON: it is written in base64, and a picture in it, written in base64 too, is
// compressed to its own size and a hundredth.
func asJSON(data []byte) int { return (len(data) + len(data)/64 + 2) / 3 * 4 }
