package film

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"time"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/pathless"
)

// reel is the pictures of all segments on one time line, in ticks. Where a segment begins its own muxer has guessed
// decoding times, which overlap those of the segment before; so they are made anew, for all of the film at once.
type reel struct {
	scale    int
	segments []spool
	coding   []byte  // the sample description (stsd), the same in all
	pts, dts []int64 // of each sample in decoding order; dts begins with 0
	zero     int64   // what was taken off both, on the film's own clock
	first    int64   // when the first frame is shown, on that clock
	last     int64   // how long the last frame is shown

	shownLast int // the place, in decoding order, of the last frame
}

// spool is one segment's pictures, one behind the other in its file. The file is open only while it is read: a long
// film has hundreds.
type spool struct {
	path    string
	samples []sample
}

// newReel reads what is in the segments and lays them out.
func newReel(segments []Segment, info Info, part Part) (*reel, error) {
	r := &reel{scale: info.Scale}
	var times []time.Duration
	var ranks []int // of each sample, the place of its frame in times
	for _, s := range segments {
		samples, err := r.open(s)
		if err != nil {
			return nil, fmt.Errorf("reading a segment: %w", err)
		}
		ranks = append(ranks, order(samples, len(times))...)
		times = append(times, s.Times...)
	}
	if len(times) == 0 {
		return nil, ErrNoFrames
	}
	return r, r.layOut(times, ranks, info.lastShown(times, part))
}

// open reads one segment, which must have been made with the same settings as those before.
func (r *reel) open(s Segment) ([]sample, error) {
	f, err := os.Open(s.Path)
	if err != nil {
		return nil, pathless.Error(err)
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return nil, pathless.Error(err)
	}
	top, err := boxes(f, 0, stat.Size())
	if err != nil {
		return nil, err
	}
	stbl, err := find(f, top, "moov", "trak", "mdia", "minf", "stbl")
	if err != nil {
		return nil, err
	}
	samples, err := samplesOf(f, stbl, stat.Size())
	if err != nil {
		return nil, err
	}
	if len(samples) != len(s.Times) || len(samples) == 0 {
		return nil, fmt.Errorf("%d pictures for %d frames: %w", len(samples), len(s.Times), ErrDifferent)
	}
	r.segments = append(r.segments, spool{s.Path, samples})
	return samples, r.check(f, stbl, samples, stat.Size())
}

// check makes sure that the segment can follow those before: the same coding, a fresh start, nothing between pictures.
func (r *reel) check(f *os.File, stbl box, samples []sample, size int64) error {
	inside, err := stbl.inside(f)
	if err != nil {
		return err
	}
	coding, err := read(f, inside, "stsd")
	if err != nil {
		return err
	}
	if r.coding != nil && !bytes.Equal(coding, r.coding) {
		return fmt.Errorf("a segment was encoded with other settings: %w", ErrDifferent)
	}
	r.coding = coding
	if !samples[0].key {
		return damaged("a segment does not begin with a key frame")
	}
	at := samples[0].at
	for _, s := range samples {
		if s.at != at || at+int64(s.size) > size {
			return damaged("pictures of a segment do not lie one behind the other")
		}
		at += int64(s.size)
	}
	return nil
}

// order is the place that each sample, in decoding order, has in presentation order, counted from base.
func order(samples []sample, base int) []int {
	places := make([]int, len(samples))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(a, b int) int {
		return cmp.Compare(samples[a].dts+int64(samples[a].cts), samples[b].dts+int64(samples[b].cts))
	})
	ranks := make([]int, len(samples))
	for rank, i := range places {
		ranks[i] = base + rank
	}
	return ranks
}

// ticks rounds a time to the nearest tick. The source's ticks are longer than a microsecond, so they come out exactly.
func (r *reel) ticks(at time.Duration) int64 {
	us := int64(at / time.Microsecond)
	half := int64(500_000)
	if us < 0 {
		half = -half
	}
	return (us*int64(r.scale) + half) / 1_000_000
}

// layOut gives each sample its times. A picture is decoded when the one depth places earlier is shown, where depth is the
// most that any picture is decoded too early: so decoding times rise, and none lies behind its presentation. The first
// depth pictures are decoded as much earlier as the film needs to show as many.
func (r *reel) layOut(times []time.Duration, ranks []int, last time.Duration) error {
	shown := make([]int64, len(times))
	for i, t := range times {
		shown[i] = r.ticks(t)
		if i > 0 && shown[i] <= shown[i-1] {
			return fmt.Errorf("time stamps do not rise: %w", ErrDifferent)
		}
	}
	depth := 0
	for i, rank := range ranks {
		depth = max(depth, i-rank)
	}
	r.first, r.zero = shown[0], 2*shown[0]-shown[depth]
	r.last = max(1, r.ticks(last))
	r.pts, r.dts = make([]int64, len(times)), make([]int64, len(times))
	for i, rank := range ranks {
		r.pts[i] = shown[rank] - r.zero
		if rank == len(times)-1 {
			r.shownLast = i
		}
		if i < depth {
			r.dts[i] = shown[i] - shown[0]
		} else {
			r.dts[i] = shown[i-depth] - r.zero
		}
	}
	return r.fits()
}

// fits makes sure that MP4 can hold the times: 31 bits for how much later than decoded a picture is shown, 32 for how
// much later the next one is decoded, which is 35 minutes at the finest ticks.
func (r *reel) fits() error {
	for i := range r.pts {
		if r.pts[i]-r.dts[i] > math.MaxInt32 || i > 0 && r.dts[i]-r.dts[i-1] > math.MaxUint32 {
			return fmt.Errorf("too long a time between two frames: %w", media.ErrUnsupported)
		}
	}
	return nil
}

// time is how long so many ticks are, to the microsecond.
func (r *reel) time(ticks int64) time.Duration {
	return time.Duration(ticks*1_000_000/int64(r.scale)) * time.Microsecond
}

// lastShown is how long the last frame is shown: as long as the source shows it where it says so, and otherwise as
// long as frames are shown on the average.
func (i Info) lastShown(times []time.Duration, part Part) time.Duration {
	usual := time.Duration(float64(time.Second) / i.Rate)
	rest := i.Ends - times[len(times)-1]
	if part.To > 0 || rest <= 0 || rest > max(10*usual, 10*time.Second) {
		return usual
	}
	return rest
}

// writeTo streams the reel as a fragmented MP4, one fragment a segment (ISO/IEC 14496-12 §8.8), which ffmpeg reads
// from a pipe with the very times that it says.
func (r *reel) writeTo(w io.Writer, info Info) error {
	if _, err := w.Write(r.header(info)); err != nil {
		return err
	}
	buffer := make([]byte, pipeBytes)
	next := 0
	for n, s := range r.segments {
		if _, err := w.Write(r.fragment(n, next, s.samples)); err != nil {
			return err
		}
		if err := s.writeTo(w, buffer); err != nil {
			return err
		}
		next += len(s.samples)
	}
	return nil
}

// writeTo copies the pictures.
func (s spool) writeTo(w io.Writer, buffer []byte) error {
	f, err := os.Open(s.path)
	if err != nil {
		return fmt.Errorf("opening a segment: %w", pathless.Error(err))
	}
	defer f.Close()
	body := io.NewSectionReader(f, s.samples[0].at, s.bytes())
	// Without other methods of either, as they would copy in smaller pieces.
	n, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{body}, buffer)
	if err != nil {
		return fmt.Errorf("copying a segment: %w", err)
	}
	if n != s.bytes() {
		return damaged("a segment ends early")
	}
	return nil
}

// bytes is the size of all pictures.
func (s spool) bytes() int64 {
	n := int64(0)
	for _, sample := range s.samples {
		n += int64(sample.size)
	}
	return n
}
