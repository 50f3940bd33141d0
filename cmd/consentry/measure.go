package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/consentry/consentry/internal/bench"
	"github.com/consentry/consentry/internal/demo"
	"github.com/consentry/consentry/internal/evaluation"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/redact"
	"github.com/consentry/consentry/internal/sandbox"
)

// measureCommand is what make bench runs. It is no part of the product.
type measureCommand struct {
	Bench measureBench `cmd:"" help:"Speed and memory."`
	Film  measureFilm  `cmd:"" help:"Speed and memory with a film alone."`
	Eval  measureEval  `cmd:"" help:"Error rates on the sample photographs and on others."`
}

type measureBench struct {
	Rounds int         `default:"3" help:"How often each sample photograph is taken the whole way."`
	Copies int         `default:"10" help:"Copies of the samples in the batch."`
	Film   measureFilm `embed:"" prefix:"film-"`
}

// Run prints the tables.
func (m *measureBench) Run(ctx context.Context, a *app) error {
	if err := a.verifyWithSamples(ctx); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "consentry-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	layout, err := demo.Prepare(a.samples(), dir)
	if err != nil {
		return err
	}
	job := demoJob(layout)
	options, err := job.options(a)
	if err != nil {
		return err
	}
	options = aside(options, dir)
	options.Progress = newProgress(io.Discard)
	photographs, err := readSamples(layout)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "Each step, one photograph after the other, one child process of one thread:\n\n")
	if err := m.steps(ctx, a, options, photographs); err != nil {
		return err
	}
	if err := m.throughput(ctx, a, dir, options, photographs); err != nil {
		return err
	}
	if err := m.large(ctx, a, options, photographs); err != nil {
		return err
	}
	if err := m.Film.film(ctx, a, dir, options); err != nil {
		return err
	}
	return m.school(ctx, a, dir)
}

// What the register and the gallery of the largest school are measured with.
const (
	schoolSubjects   = 50_000
	schoolReferences = 2
	schoolFaces      = 100
)

// school measures what does not depend on photographs: a large gallery and a large register.
func (m *measureBench) school(ctx context.Context, a *app, dir string) error {
	fmt.Fprintf(a.stdout, "\nMatching the faces of one photograph, one core:\n\n")
	for _, crowd := range []gallery.Crowd{gallery.General(), gallery.Alike()} {
		cost, err := gallery.MeasureMatch(crowd, schoolSubjects, schoolReferences, schoolFaces, m.Rounds)
		if err != nil {
			return err
		}
		fmt.Fprintln(a.stdout, cost)
	}
	for _, recordsEach := range []int{1, 12} {
		fmt.Fprintf(a.stdout, "\nThe register in the embedded server, every write flushed:\n\n")
		costs, err := bench.MeasureRegister(ctx, filepath.Join(dir, fmt.Sprint("register", recordsEach)), schoolSubjects, recordsEach)
		if err != nil {
			return err
		}
		if err := costs.Print(a.stdout); err != nil {
			return err
		}
	}
	return nil
}

func readSamples(l demo.Layout) ([][]byte, error) {
	var photographs [][]byte
	for i := 1; i <= 6; i++ {
		data, err := os.ReadFile(filepath.Join(l.Event, fmt.Sprintf("sample%d.jpg", i)))
		if err != nil {
			return nil, err
		}
		photographs = append(photographs, data)
	}
	return photographs, nil
}

func (m *measureBench) steps(ctx context.Context, a *app, o redact.Options, photographs [][]byte) error {
	child := sandbox.NewProcess(o.Child, a.log)
	defer child.Close()
	orders, err := redact.Orders(ctx, o, child)
	if err != nil {
		return err
	}
	s, err := bench.MeasureSteps(ctx, child, orders[0], photographs, m.Rounds)
	if err != nil {
		return err
	}
	return s.Print(a.stdout)
}

func (m *measureBench) throughput(ctx context.Context, a *app, dir string, o redact.Options, photographs [][]byte) error {
	batch := filepath.Join(dir, "batch")
	if err := os.Mkdir(batch, 0o700); err != nil {
		return err
	}
	if err := bench.Copies(batch, photographs, m.Copies); err != nil {
		return err
	}
	o.Paths = []string{batch}
	var one float64
	for workers := 1; workers <= 2; workers++ {
		o.Out = filepath.Join(dir, fmt.Sprint("out", workers))
		t, err := bench.MeasureThroughput(ctx, o, workers)
		if err != nil {
			return err
		}
		if workers == 1 {
			one = t.PerSecond
		}
		fmt.Fprintf(a.stdout, "\n%d photographs, workers: %d: %.2f a second, %.2f × one worker\n",
			len(photographs)*m.Copies, workers, t.PerSecond, t.PerSecond/one)
	}
	peak, err := bench.PeakOfChildren()
	fmt.Fprintf(a.stdout, "\nlargest child process so far: %d MB\n", peak>>20)
	return err
}

// large is one photograph of 24 megapixels.
func (m *measureBench) large(ctx context.Context, a *app, o redact.Options, photographs [][]byte) error {
	photograph, err := evaluation.Large(photographs[5])
	if err != nil {
		return err
	}
	child := sandbox.NewProcess(o.Child, a.log)
	orders, err := redact.Orders(ctx, o, child)
	if err != nil {
		return err
	}
	s, err := bench.MeasureSteps(ctx, child, orders[0], [][]byte{photograph}, 1)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "\nOne photograph of 24 megapixels:\n\n")
	if err := s.Print(a.stdout); err != nil {
		return err
	}
	if err := child.Close(); err != nil {
		return err
	}
	peak, err := bench.PeakOfChildren()
	fmt.Fprintf(a.stdout, "\nlargest child process: %d MB\n", peak>>20)
	return err
}
