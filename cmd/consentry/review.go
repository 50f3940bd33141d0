package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/review"
)

type reviewCommand struct {
	List   reviewList   `cmd:"" help:"List the faces that wait for a person."`
	Decide reviewDecide `cmd:"" help:"Decide about a face; the derivatives that it is in are made again."`
}

type reviewList struct {
	Crops string `placeholder:"DIR" type:"path" help:"Write a picture of each face, bare, into this folder: for the person who decides, and not to be passed on."`
}

// Run prints the faces that wait in the runs of this state.
func (r *reviewList) Run(ctx context.Context, a *app) error {
	return a.withBus(ctx, func(b *bus.Bus) error {
		known, err := a.earlierRuns(ctx, b)
		if err != nil {
			return err
		}
		waiting := known.Faces().Waiting()
		if err := a.printWaiting(waiting); err != nil || r.Crops == "" {
			return err
		}
		return a.writeCrops(ctx, b, r.Crops, waiting, known.Runs)
	})
}

func (a *app) printWaiting(waiting []review.Face) error {
	if a.json {
		return json.NewEncoder(a.stdout).Encode(waiting)
	}
	if len(waiting) == 0 {
		_, err := fmt.Fprintln(a.stdout, "no face waits for a person")
		return err
	}
	table := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FACE\tFILE\tAT\tPURPOSES\tWHY")
	for _, f := range waiting {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", f.ID, f.Path, where(f), review.Purposes(f.Waiting), shortened(f.Reason))
	}
	return table.Flush()
}

// where is the place in a photograph, or the time in a film.
func where(f review.Face) string {
	if f.Film != nil {
		return f.Film.String()
	}
	return fmt.Sprintf("%.0f,%.0f %.0f×%.0f", f.Box.X, f.Box.Y, f.Box.W, f.Box.H)
}

// maxReason is what fits a line of the table; --json gives the whole.
const maxReason = 90

func shortened(reason string) string {
	if runes := []rune(reason); len(runes) > maxReason {
		return string(runes[:maxReason-1]) + "…"
	}
	return reason
}

// earlierRuns reads the runs that this state remembers, and says of which ones nothing can be told.
func (a *app) earlierRuns(ctx context.Context, b *bus.Bus) (review.Known, error) {
	host := ""
	if a.nats != "" {
		var err error
		if host, err = os.Hostname(); err != nil {
			return review.Known{}, setupError{fmt.Errorf("finding the machine's name: %w", err)}
		}
	}
	known, err := review.New(b.Rulings(), b.Runs()).Known(ctx, host)
	if err != nil {
		return review.Known{}, err
	}
	for _, out := range known.Gone {
		fmt.Fprintf(a.stderr, "consentry: %s is gone; the run that made it is forgotten\n", out)
	}
	for _, d := range known.Damaged {
		fmt.Fprintf(a.stderr, "consentry: what is kept of an earlier run%s cannot be read; do it again: %v\n", into(d.Out), d.Err)
	}
	return known, nil
}

func into(out string) string {
	if out == "" {
		return ""
	}
	return " into " + out
}
