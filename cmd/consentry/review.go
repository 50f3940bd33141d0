package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/enrolment"
	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/report"
	"github.com/consentry/consentry/internal/review"
)

type reviewCommand struct {
	List   reviewList   `cmd:"" help:"List the faces that wait for a person."`
	Decide reviewDecide `cmd:"" help:"Decide about a face; the derivatives that it is in are made again."`
}

type reviewList struct{}

// Run prints the faces that wait in the runs of this state.
func (r *reviewList) Run(ctx context.Context, a *app) error {
	return a.withBus(ctx, func(b *bus.Bus) error {
		faces, _, err := a.reviewed(ctx, b)
		if err != nil {
			return err
		}
		waiting := faces.Waiting()
		if a.json {
			return json.NewEncoder(a.stdout).Encode(waiting)
		}
		if len(waiting) == 0 {
			_, err := fmt.Fprintln(a.stdout, "no face waits for a person")
			return err
		}
		table := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "FACE\tPICTURE\tAT\tPURPOSES\tWHY")
		for _, f := range waiting {
			fmt.Fprintf(table, "%s\t%s\t%.0f,%.0f %.0f×%.0f\t%s\t%s\n", f.ID, f.Path, f.Box.X, f.Box.Y, f.Box.W, f.Box.H, purposesOf(f), shortened(f.Reason))
		}
		return table.Flush()
	})
}

// maxReason is what fits a line of the table; --json gives the whole.
const maxReason = 90

func shortened(reason string) string {
	if runes := []rune(reason); len(runes) > maxReason {
		return string(runes[:maxReason-1]) + "…"
	}
	return reason
}

func purposesOf(f review.Face) string {
	names := make([]string, len(f.Waiting))
	for i, w := range f.Waiting {
		names[i] = string(w.Purpose)
	}
	return strings.Join(names, ",")
}

// reviewed collects the faces of all runs that this state remembers. A report that is gone has
// nothing that could be decided any more.
func (a *app) reviewed(ctx context.Context, b *bus.Bus) (*review.Faces, []review.Run, error) {
	runs, err := review.New(b.Rulings(), b.Runs()).Runs(ctx)
	if err != nil {
		return nil, nil, err
	}
	var faces review.Faces
	for _, run := range runs {
		r, err := report.Load(run.Out)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("the report of an earlier run in %s: %w", run.Out, err)
		}
		faces.Add(run.Out, r)
	}
	return &faces, runs, nil
}

type reviewDecide struct {
	Face         string   `arg:"" help:"The face's id: on the contact sheet, in report.json, in review list."`
	As           string   `enum:"show,obscure," default:"" placeholder:"WORD" help:"What becomes of the face: show or obscure."`
	Is           string   `placeholder:"ID" help:"The face is this subject; the register decides then."`
	Not          []string `placeholder:"ID" help:"The face is not this subject."`
	Purpose      []string `placeholder:"X" help:"With --as: for these purposes only. Default: those for which it waits."`
	By           string   `placeholder:"WHO" help:"Who decides: an office or initials."`
	Why          string   `placeholder:"TEXT" help:"Why, for the record."`
	AddReference bool     `help:"With --is: keep the face as a reference of the subject, if it may be enrolled."`
}

// Run keeps the decision, and does the runs again that the face is part of.
func (r *reviewDecide) Run(ctx context.Context, a *app) error {
	if r.As == "" && r.Is == "" && len(r.Not) == 0 {
		return usageError{errors.New("say what you decide: --as show, --as obscure, --is ID or --not ID")}
	}
	if r.AddReference && r.Is == "" {
		return usageError{errors.New("--add-reference: of whom? Give --is ID")}
	}
	var again []review.Run
	err := a.withRegister(ctx, func(b *bus.Bus, reg *consent.Register) error {
		faces, runs, err := a.reviewed(ctx, b)
		if err != nil {
			return err
		}
		f, ok := faces.Find(r.Face)
		if !ok {
			return usageError{fmt.Errorf("%s: no such face in the runs of this state; see consentry review list", r.Face)}
		}
		if again = runsOf(f, runs); r.AddReference {
			if err := a.addReference(ctx, b, f, again, r.Is); err != nil {
				return err
			}
		}
		return r.keep(ctx, b, reg, f)
	})
	if err != nil {
		return err
	}
	return a.runAgain(ctx, again)
}

// keep writes the statement down.
func (r *reviewDecide) keep(ctx context.Context, b *bus.Bus, reg *consent.Register, f review.Face) error {
	said, err := r.statement(reg, f)
	if err != nil {
		return err
	}
	err = review.New(b.Rulings(), b.Runs()).Rule(ctx, f.Asset, f.Box, said)
	if errors.Is(err, bus.ErrConflict) {
		return usageError{fmt.Errorf("somebody else has just decided about %s; look again and repeat: %w", r.Face, err)}
	}
	return err
}

func (r *reviewDecide) statement(reg *consent.Register, f review.Face) (review.Statement, error) {
	said := review.Statement{At: time.Now().UTC(), By: r.By, Why: r.Why, Is: r.Is, Not: r.Not, As: consent.Outcome(r.As)}
	for _, id := range append([]string{r.Is}, r.Not...) {
		if id == "" {
			continue
		}
		if _, err := subjectOf(reg, id); err != nil && reg.Len() > 0 {
			return said, err
		}
	}
	if r.As == "" {
		return said, nil
	}
	wanted, err := (&redactCommand{Purpose: r.Purpose}).purposes()
	if err != nil {
		return said, usageError{err}
	}
	said.Bases = map[consent.Purpose][]string{}
	for _, w := range f.Waiting {
		if len(wanted) == 0 || slices.Contains(wanted, w.Purpose) {
			said.Purposes = append(said.Purposes, w.Purpose)
			said.Bases[w.Purpose] = w.Bases
		}
	}
	if len(said.Purposes) == 0 {
		return said, usageError{fmt.Errorf("%s does not wait for this purpose, but for: %s", r.Face, purposesOf(f))}
	}
	return said, nil
}

func runsOf(f review.Face, runs []review.Run) []review.Run {
	var list []review.Run
	for _, run := range runs {
		if slices.Contains(f.Outs, run.Out) {
			list = append(list, run)
		}
	}
	return list
}

// runAgain does the runs again; what has not changed is found from before. The worst exit code of
// all counts.
func (a *app) runAgain(ctx context.Context, runs []review.Run) error {
	worst := exitCode(exitOK)
	for _, run := range runs {
		var command redactCommand
		if err := json.Unmarshal(run.Command, &command); err != nil {
			return fmt.Errorf("reading how the run for %s was done: %w", run.Out, err)
		}
		err := command.Run(ctx, a)
		var code exitCode
		if err != nil && !errors.As(err, &code) {
			return fmt.Errorf("the decision is kept, but the derivatives in %s could not be made again: %w", run.Out, err)
		}
		worst = max(worst, code)
	}
	if worst != exitOK {
		return worst
	}
	return nil
}

// addReference keeps the face as a reference of the subject. Where it is not good enough, or the
// subject may not be enrolled, nothing is decided either: the person decides again without it.
func (a *app) addReference(ctx context.Context, b *bus.Bus, f review.Face, runs []review.Run, subject string) error {
	if err := a.models.Verify(ctx); err != nil {
		return err
	}
	photograph, err := originalOf(ctx, f, runs)
	if err != nil {
		return usageError{fmt.Errorf("--add-reference: %w", err)}
	}
	session, closeVision, err := a.enrolmentSession(b, defaultTimeOut)
	if err != nil {
		return err
	}
	defer closeVision()
	note, err := session.Face(ctx, subject, photograph, f.Box)
	if errors.As(err, new(*enrolment.Faults)) || errors.As(err, new(*enrolment.Stranger)) {
		return usageError{fmt.Errorf("nothing was decided, as the face cannot be a reference of %s: %w", subject, err)}
	}
	if err != nil {
		return err
	}
	if note != "" {
		fmt.Fprintln(a.stderr, "consentry:", note)
	}
	_, err = fmt.Fprintf(a.stdout, "kept as a reference of %s\n", subject)
	return err
}

// originalOf reads the photograph that the face is in, from where a run took it.
func originalOf(ctx context.Context, f review.Face, runs []review.Run) ([]byte, error) {
	for _, run := range runs {
		var command redactCommand
		if err := json.Unmarshal(run.Command, &command); err != nil {
			return nil, fmt.Errorf("reading how the run for %s was done: %w", run.Out, err)
		}
		data, err := intake.Original(ctx, command.Paths, command.Out, intake.Options{IsMedia: media.IsMediaName}, f.Path, f.Asset, command.MaxBytes)
		if err == nil {
			return data, nil
		}
	}
	return nil, intake.ErrNoOriginal
}
