// Package bench measures what the way of a photograph costs. It prints ratios against the cost of
// decoding and encoding alone, measured in the same run, so that figures of different machines can
// be compared; nothing here passes or fails.
package bench

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/consentry/consentry/internal/evaluation"
	"github.com/consentry/consentry/pipeline"
)

// Step is what one step costs for one photograph, on average.
type Step struct {
	Name  string
	Cost  time.Duration
	Ratio float64 // to the floor
}

// Steps is what every step costs, one photograph after the other in one child of one thread.
type Steps struct {
	Photographs int
	Floor       time.Duration // decode and encode alone, for one photograph
	Steps       []Step        // in the order of the way
	Total       time.Duration // of all steps, for one photograph
}

// stopwatch adds up the time between one step's beginning and the next one's.
type stopwatch struct {
	order []string
	spent map[string]time.Duration
	now   string
	since time.Time
}

func (s *stopwatch) step(name string) {
	at := time.Now()
	if s.now != "" {
		s.spent[s.now] += at.Sub(s.since)
	}
	if _, known := s.spent[name]; !known && name != "" {
		s.order = append(s.order, name)
		s.spent[name] = 0
	}
	s.now, s.since = name, time.Now()
}

// MeasureSteps takes every photograph the whole way, rounds times. The first photograph warms up
// and is not counted.
func MeasureSteps(ctx context.Context, vision pipeline.Vision, order pipeline.Order, photographs [][]byte, rounds int) (Steps, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return Steps{}, fmt.Errorf("making a key: %w", err)
	}
	watch := &stopwatch{spent: map[string]time.Duration{}}
	line := pipeline.Line{Vision: vision, Key: key, Now: time.Now, Step: func(string) {}}
	if err := take(ctx, line, photographs[0], order); err != nil {
		return Steps{}, err
	}
	line.Step = watch.step
	for range rounds {
		for _, data := range photographs {
			if err := take(ctx, line, data, order); err != nil {
				return Steps{}, err
			}
			watch.step("")
		}
	}
	return summarise(watch, photographs, rounds)
}

func take(ctx context.Context, line pipeline.Line, data []byte, order pipeline.Order) error {
	digest := sha256.Sum256(data)
	results, err := line.Photograph(ctx, pipeline.Asset{Digest: hex.EncodeToString(digest[:]), Data: data}, []pipeline.Order{order})
	if err != nil {
		return fmt.Errorf("taking a photograph the whole way: %w", err)
	}
	if results[0].Outcome != pipeline.Released {
		return fmt.Errorf("a photograph was not released: %s", results[0].Reason)
	}
	return nil
}

func summarise(watch *stopwatch, photographs [][]byte, rounds int) (Steps, error) {
	n := time.Duration(len(photographs) * rounds)
	var floor time.Duration
	for range rounds {
		d, err := evaluation.CodecFloor(photographs)
		if err != nil {
			return Steps{}, err
		}
		floor += d
	}
	s := Steps{Photographs: int(n), Floor: floor / n}
	for _, name := range watch.order {
		cost := watch.spent[name] / n
		s.Steps = append(s.Steps, Step{Name: name, Cost: cost, Ratio: float64(cost) / float64(s.Floor)})
		s.Total += cost
	}
	return s, nil
}

// Print writes a table.
func (s Steps) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "step\tms a photograph\t× decode + encode\t\n")
	for _, step := range s.Steps {
		fmt.Fprintf(t, "%s\t%.1f\t%.2f\t\n", step.Name, ms(step.Cost), step.Ratio)
	}
	fmt.Fprintf(t, "all steps\t%.1f\t%.2f\t\n", ms(s.Total), float64(s.Total)/float64(s.Floor))
	fmt.Fprintf(t, "decode + encode alone\t%.1f\t1.00\t\n", ms(s.Floor))
	return t.Flush()
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
