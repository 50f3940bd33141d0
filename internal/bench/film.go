package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/redact"
)

// filmRate is in frames a second.
const filmRate = 25

// shot is a photograph of the samples seen by a camera that moves slowly, as over a school play. The
// expressions are those of ffmpeg's zoompan; on counts the frames, and all begins and ends gently enough
// that no frame is blurred.
type shot struct {
	sample     string
	zoom, x, y string
}

// shots show five, four, three and four faces.
func shots() []shot {
	return []shot{
		{"sample5.jpg", "1+0.003*on", "(iw-iw/zoom)/2", "(ih-ih/zoom)*(0.2+0.004*on)"},
		{"sample6.jpg", "1.15", "(iw-iw/zoom)*(0.2+0.008*on)", "(ih-ih/zoom)*0.3"},
		{"sample3.jpg", "1.3-0.003*on", "(iw-iw/zoom)*0.5", "(ih-ih/zoom)*0.2"},
		{"sample4.jpg", "1.1", "(iw-iw/zoom)*(0.8-0.008*on)", "(ih-ih/zoom)*(0.1+0.002*on)"},
	}
}

// MakeFilm makes a film of 1920 × 1080 pixels with sound out of the sample photographs and returns its number of
// frames. It has a little noise, with which encoding it costs what encoding a film from a camera costs.
func MakeFilm(ctx context.Context, tools film.Tools, samples, path string, seconds int) (frames int, err error) {
	each := seconds * filmRate / len(shots())
	if each < 1 {
		return 0, fmt.Errorf("a film of %d seconds is too short", seconds)
	}
	cmd := exec.CommandContext(ctx, tools.FFmpeg, makingFilm(samples, path, each)...)
	if words, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("making a film: %w: %s", err, words)
	}
	return each * len(shots()), nil
}

// makingFilm are ffmpeg's arguments for a film with so many frames a shot.
func makingFilm(samples, path string, each int) []string {
	args := []string{"-v", "error", "-nostdin", "-y"}
	var graph, joined strings.Builder
	for i, s := range shots() {
		args = append(args, "-i", filepath.Join(samples, s.sample))
		// Twice the size, as zoompan moves by whole samples of what it is given.
		fmt.Fprintf(&graph, "[%d:v]scale=3840:-2,zoompan=z='%s':x='%s':y='%s':d=%d:s=1920x1080:fps=%d,noise=alls=3:allf=t[s%d];",
			i, s.zoom, s.x, s.y, each, filmRate, i)
		fmt.Fprintf(&joined, "[s%d]", i)
	}
	n := len(shots())
	fmt.Fprintf(&graph, "%sconcat=n=%d[film]", &joined, n)
	seconds := strconv.FormatFloat(float64(each*n)/filmRate, 'f', -1, 64)
	return append(args, "-f", "lavfi", "-i", "anoisesrc=c=pink:a=0.1:r=48000:d="+seconds,
		"-filter_complex", graph.String(), "-map", "[film]", "-map", strconv.Itoa(n)+":a",
		"-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-pix_fmt", "yuv420p", "-c:a", "aac", path)
}

// Cost is what a job cost.
type Cost struct {
	Took time.Duration
	CPU  time.Duration // of all processes that took part
}

// FilmStep is a part of the whole job.
type FilmStep struct {
	Name string
	Took time.Duration
}

// FilmCosts are what a film costs with consentry and with plain ffmpeg.
type FilmCosts struct {
	Frames int
	Plain  Cost // decoding and encoding alone
	Whole  Cost // the whole run, from reading the references to the report
	Steps  []FilmStep
	Own    int64 // largest resident set of this process, bytes
	Child  int64 // and of any of its children
}

// MeasureFilm runs the job on a film of so many frames, and has plain ffmpeg decode and encode it with the same settings
// before and after.
func MeasureFilm(ctx context.Context, tools film.Tools, o redact.Options, frames int) (FilmCosts, error) {
	if len(o.Paths) != 1 {
		return FilmCosts{}, fmt.Errorf("%d films instead of one", len(o.Paths))
	}
	c := FilmCosts{Frames: frames}
	before, err := plainly(ctx, tools, o)
	if err != nil {
		return c, err
	}
	if c.Whole, c.Steps, err = wholeFilm(ctx, o); err != nil {
		return c, err
	}
	after, err := plainly(ctx, tools, o)
	if err != nil {
		return c, err
	}
	c.Plain = Cost{Took: (before.Took + after.Took) / 2, CPU: (before.CPU + after.CPU) / 2}
	if c.Own, err = peak(syscall.RUSAGE_SELF); err != nil {
		return c, err
	}
	c.Child, err = PeakOfChildren()
	return c, err
}

// plainly decodes and encodes a film with ffmpeg alone.
func plainly(ctx context.Context, tools film.Tools, o redact.Options) (Cost, error) {
	return costOf(func() error {
		cmd := exec.CommandContext(ctx, tools.FFmpeg, encodingPlainly(o.Paths[0], o.Film.Encoding)...)
		if words, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("encoding with ffmpeg alone: %w: %s", err, words)
		}
		return nil
	})
}

// encodingPlainly are ffmpeg's arguments. What it makes is thrown away, but made to the last byte.
func encodingPlainly(path string, e film.Encoding) []string {
	codec := "libx264"
	if e.Codec == "hevc" {
		codec = "libx265"
	}
	return []string{
		"-v", "error", "-nostdin", "-y", "-i", path, "-map", "0:v:0", "-map", "0:a?", "-c:v", codec, "-preset", e.Preset,
		"-crf", strconv.Itoa(e.CRF), "-pix_fmt", "yuv420p", "-c:a", "copy", "-f", "matroska", "/dev/null",
	}
}

func wholeFilm(ctx context.Context, o redact.Options) (Cost, []FilmStep, error) {
	watch := newFilmClock(time.Now)
	o.Progress = watch
	cost, err := costOf(func() error {
		s, err := redact.Run(ctx, o)
		if err == nil && s.Released != 1 {
			err = fmt.Errorf("the film was not released: %d withheld, %d failed", s.Withheld, s.Failed)
		}
		return err
	})
	return cost, watch.end(), err
}

// costOf times something, and what it and the children that it waits for compute.
func costOf(do func() error) (Cost, error) {
	before, err := computed()
	if err != nil {
		return Cost{}, err
	}
	begun := time.Now()
	if err := do(); err != nil {
		return Cost{}, err
	}
	took := time.Since(begun)
	after, err := computed()
	return Cost{Took: took, CPU: after - before}, err
}

// computed is the time that this process and its ended children have used processors for.
func computed() (total time.Duration, err error) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var usage syscall.Rusage
		if err := syscall.Getrusage(who, &usage); err != nil {
			return 0, fmt.Errorf("asking for the time computed: %w", err)
		}
		total += time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	return total, nil
}

// filmClock is a progress that notes how long each step took. What comes before the first and after the last
// is a step too.
type filmClock struct {
	mu    sync.Mutex
	now   func() time.Time
	since time.Time
	steps []FilmStep
}

func newFilmClock(now func() time.Time) *filmClock {
	return &filmClock{now: now, since: now(), steps: []FilmStep{{Name: "set up"}}}
}

// Enrolling implements redact.Progress.
func (*filmClock) Enrolling(int, int) {}

// Processing implements redact.Progress.
func (*filmClock) Processing(int, int) {}

// Note implements redact.Progress.
func (*filmClock) Note(string) {}

// Film implements redact.Progress.
func (c *filmClock) Film(p redact.FilmProgress) {
	switch {
	case p.Ended:
		c.turn("report")
	case p.Step != "":
		c.turn(p.Step)
	}
}

// turn ends the step at work and begins another, or goes on with it.
func (c *filmClock) turn(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := &c.steps[len(c.steps)-1]
	if last.Name == name {
		return
	}
	at := c.now()
	last.Took += at.Sub(c.since)
	c.since = at
	c.steps = append(c.steps, FilmStep{Name: name})
}

// end sums up the steps in the order in which they were first taken.
func (c *filmClock) end() []FilmStep {
	c.turn("")
	var out []FilmStep
	for _, s := range c.steps[:len(c.steps)-1] {
		i := slices.IndexFunc(out, func(o FilmStep) bool { return o.Name == s.Name })
		if i < 0 {
			out = append(out, s)
			continue
		}
		out[i].Took += s.Took
	}
	return out
}

// Print writes a table.
func (c FilmCosts) Print(w io.Writer) error {
	if c.Frames < 1 || c.Plain.Took <= 0 || c.Whole.Took <= 0 {
		return errors.New("nothing was measured")
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "%d frames\tframes a second\tms a frame\tof processor\t\n", c.Frames)
	line := func(name string, cost Cost) {
		fmt.Fprintf(t, "%s\t%.1f\t%.1f\t%.1f\t\n", name, float64(c.Frames)/cost.Took.Seconds(), c.each(cost.Took), c.each(cost.CPU))
	}
	line("ffmpeg alone, decode + encode", c.Plain)
	line("the whole job", c.Whole)
	fmt.Fprintf(t, "speed relative to ffmpeg alone\t%.2f\t\t%.2f\t\n",
		float64(c.Plain.Took)/float64(c.Whole.Took), float64(c.Plain.CPU)/float64(c.Whole.CPU))
	for _, s := range c.Steps {
		fmt.Fprintf(t, "%s\t\t%.1f\t\t\n", s.Name, c.each(s.Took))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nlargest resident set: %d MB of this process, %d MB of a child\n", c.Own>>20, c.Child>>20)
	return err
}

// each is a time for one frame, in milliseconds.
func (c FilmCosts) each(d time.Duration) float64 { return ms(d) / float64(c.Frames) }
