package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/review"
)

type reviewDecide struct {
	Face         string   `arg:"" help:"The face's id: on the contact sheet, in report.json, in review list."`
	As           string   `enum:"show,obscure," default:"" placeholder:"WORD" help:"What becomes of the face: show or obscure."`
	Is           string   `placeholder:"ID" help:"The face is this subject; the register decides then."`
	Not          []string `placeholder:"ID" help:"The face is not this subject."`
	Purpose      []string `placeholder:"X" help:"With --as: for these purposes only. Default: those for which it waits, or all that it was judged for where it waits for none."`
	By           string   `placeholder:"WHO" help:"Who decides: an office or initials."`
	Why          string   `placeholder:"TEXT" help:"Why, for the record."`
	AddReference bool     `help:"With --is: keep the face as a reference of the subject, if it may be enrolled."`
}

// Run keeps the decision, and does the runs again that it could change. What these have made of the
// asset is taken away before: whatever goes wrong then, nothing stays that the decision is against.
func (r *reviewDecide) Run(ctx context.Context, a *app) error {
	if err := r.check(); err != nil {
		return usageError{err}
	}
	var after aftermath
	err := a.withRegister(ctx, func(b *bus.Bus, reg *consent.Register) error {
		known, err := a.earlierRuns(ctx, b)
		if err != nil {
			return err
		}
		f, ok := known.Faces().Find(r.Face)
		if !ok {
			return usageError{fmt.Errorf("%s: no such face in the runs of this state; see consentry review list", r.Face)}
		}
		said, err := r.statement(reg, f)
		if err == nil {
			err = said.Check()
		}
		if err != nil {
			return usageError{err}
		}
		after = newAftermath(a, known, f.Asset, said)
		if r.AddReference {
			if err := a.addReference(ctx, b, f, after.runs(), r.Is); err != nil {
				return err
			}
		}
		return r.keep(ctx, b, f, said, &after)
	})
	if err != nil {
		return err
	}
	return after.runAgain(ctx)
}

// check refuses what can be told to be wrong from the command line alone.
func (r *reviewDecide) check() error {
	switch {
	case r.As == "" && r.Is == "" && len(r.Not) == 0:
		return errors.New("say what you decide: --as show, --as obscure, --is ID or --not ID")
	case r.AddReference && r.Is == "":
		return errors.New("--add-reference: of whom? Give --is ID")
	case r.Is != "" && slices.Contains(r.Not, r.Is):
		return fmt.Errorf("--is %s --not %[1]s: it is one or the other", r.Is)
	case r.As == string(consent.Show) && (r.Is != "" || len(r.Not) > 0):
		return errors.New("--as show together with --is or --not: whether a face may be shown depends on who it is. " +
			"Say who it is or is not first; if it still waits then, decide --as show")
	case r.As == "" && len(r.Purpose) > 0:
		return errors.New("--purpose goes with --as: who a face is holds for all purposes")
	}
	return nil
}

// keep writes the statement down, while no run can write to what it is about. Were it written first, a
// program that is killed would leave a derivative that the decision is against.
func (r *reviewDecide) keep(ctx context.Context, b *bus.Bus, f review.Face, said review.Statement, after *aftermath) error {
	if err := after.hold(); err != nil {
		return errors.Join(usageError{err}, after.release())
	}
	after.takeBack()
	err := review.New(b.Rulings(), b.Runs()).Rule(ctx, f.Asset, f.Box, said)
	if errors.Is(err, bus.ErrConflict) {
		err = usageError{fmt.Errorf("somebody else has just decided about %s; look again and repeat: %w", r.Face, err)}
	}
	return errors.Join(err, after.release())
}

// statement is what is said. An error says why it cannot be.
func (r *reviewDecide) statement(reg *consent.Register, f review.Face) (review.Statement, error) {
	said := review.Statement{At: time.Now().UTC(), By: r.By, Why: r.Why, Is: r.Is, Not: r.Not, As: consent.Outcome(r.As)}
	for _, id := range append([]string{r.Is}, r.Not...) {
		if id == "" || reg.Len() == 0 {
			continue
		}
		if _, err := subjectOf(reg, id); err != nil {
			return said, err
		}
	}
	if r.As == "" {
		return said, nil
	}
	wanted, err := (&redactCommand{Purpose: r.Purpose}).purposes()
	if err != nil {
		return said, err
	}
	about, err := f.For(wanted)
	if err != nil {
		return said, fmt.Errorf("%s: %w", r.Face, err)
	}
	if said.As == consent.Show {
		if err := review.Showable(about); err != nil {
			return said, fmt.Errorf("nothing was decided about %s: %w", r.Face, err)
		}
	}
	said.Bases = map[consent.Purpose][]string{}
	for _, w := range about {
		said.Purposes = append(said.Purposes, w.Purpose)
		said.Bases[w.Purpose] = w.Bases
	}
	return said, nil
}
