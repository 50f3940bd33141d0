package evaluation

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// PrintFilms writes what was measured on made films: by film, by size of the faces, and every run of bare frames.
func PrintFilms(w io.Writer, results []*FilmResult) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "film\tframes\tface-frames\tcovered\tinside\tbetween\tbefore\tafter\tnever\tglimpses covered\ttracks\tof nobody\tcover ÷ box\tcuts\tmade up\t")
	all := FilmResult{BySize: make([]Coverage, len(FilmSizes()))}
	frames := 0
	for _, r := range results {
		fmt.Fprintf(t, "%s\t%d\t%s\t%d/%d\t%d\t%d\t%.2f\t%d/%d\t%d\t\n", r.Film.Name, r.Film.Frames(), r.All.cells(),
			r.GlimpsesCovered, r.Glimpses, r.Tracks, r.OfNobody, r.Excess, r.CutsFound, r.Cuts, r.CutsMadeUp)
		all.join(r)
		frames += r.Film.Frames()
	}
	fmt.Fprintf(t, "all\t%d\t%s\t%d/%d\t%d\t%d\t\t%d/%d\t%d\t\n", frames, all.All.cells(),
		all.GlimpsesCovered, all.Glimpses, all.Tracks, all.OfNobody, all.CutsFound, all.Cuts, all.CutsMadeUp)
	for i, band := range FilmSizes() {
		fmt.Fprintf(t, "%v\t\t%s\t\t\t\t\t\t\t\n", band, all.BySize[i].cells())
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("printing the evaluation: %w", err)
	}
	if len(all.Runs) == 0 {
		fmt.Fprintln(w, "\nno face is bare on any frame")
		return nil
	}
	fmt.Fprintln(w, "\nbare:")
	for _, run := range all.Runs {
		fmt.Fprintln(w, run)
	}
	return nil
}

// cells are the columns of a coverage: gaps as frames, the longest run in brackets.
func (c Coverage) cells() string {
	text := fmt.Sprintf("%d\t%.2f %%", c.FaceFrames, 100*c.Share())
	for _, g := range []Gap{c.Inside, c.Between, c.Before, c.After, c.Never} {
		text += "\t" + g.String()
	}
	return text
}

func (g Gap) String() string {
	if g.Frames == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%d)", g.Frames, g.Longest)
}

// join adds another film's counts, for the last line.
func (r *FilmResult) join(o *FilmResult) {
	r.All.join(o.All)
	for i := range r.BySize {
		r.BySize[i].join(o.BySize[i])
	}
	r.Glimpses += o.Glimpses
	r.GlimpsesCovered += o.GlimpsesCovered
	r.Tracks += o.Tracks
	r.OfNobody += o.OfNobody
	r.Cuts += o.Cuts
	r.CutsFound += o.CutsFound
	r.CutsMadeUp += o.CutsMadeUp
	r.Runs = append(r.Runs, o.Runs...)
}

// PrintIntervals writes one line for each interval at which whole frames were searched.
func PrintIntervals(w io.Writer, every []int, results [][]*FilmResult) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "every\tface-frames\tcovered\tinside\tbetween\tbefore\tafter\tnever\tglimpses covered\t")
	for i, n := range every {
		all := FilmResult{BySize: make([]Coverage, len(FilmSizes()))}
		for _, r := range results[i] {
			all.join(r)
		}
		fmt.Fprintf(t, "%d\t%s\t%d/%d\t\n", n, all.All.cells(), all.GlimpsesCovered, all.Glimpses)
	}
	return t.Flush()
}
