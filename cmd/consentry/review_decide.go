package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/redact"
	"github.com/consentry/consentry/internal/review"
)

type reviewDecide struct {
	Face         []string `arg:"" help:"The face's id: on the contact sheet, in report.json, in review list. Several, where the same is said of all."`
	As           string   `enum:"show,obscure," default:"" placeholder:"WORD" help:"What becomes of the face: show or obscure."`
	Is           string   `placeholder:"ID" help:"The face is this subject; the register decides then."`
	Not          []string `placeholder:"ID" help:"The face is not this subject."`
	Purpose      []string `placeholder:"X" help:"With --as: for these purposes only. Default: those for which it waits, or all that it was judged for where it waits for none."`
	By           string   `placeholder:"WHO" help:"Who decides: an office or initials."`
	Why          string   `placeholder:"TEXT" help:"Why, for the record."`
	AddReference bool     `help:"With --is: keep the face as a reference of the subject, if it may be enrolled. Of photographs only."`
}

// decision is what is said of one face.
type decision struct {
	face review.Face
	said review.Statement
}

// Run keeps the decisions, and does the runs again that they could change. What these have made of the
// assets is taken away before: whatever goes wrong then, nothing stays that a decision is against.
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
		decisions, err := r.decisions(reg, known.Faces())
		if err != nil {
			return usageError{err}
		}
		after = newAftermath(a, known, decisions)
		if r.AddReference {
			if err := a.addReference(ctx, b, decisions[0].face, after.runs(), r.Is); err != nil {
				return err
			}
		}
		return r.keep(ctx, b, decisions, &after)
	})
	if err != nil {
		return err
	}
	return after.runAgain(ctx)
}

// decisions are what is said of each face. An error says why it cannot be said of one; then it is said of none.
func (r *reviewDecide) decisions(reg *consent.Register, faces *review.Faces) ([]decision, error) {
	var list []decision
	for i, id := range r.Face {
		if slices.Contains(r.Face[:i], id) {
			continue
		}
		f, ok := faces.Find(id)
		if !ok {
			return nil, fmt.Errorf("%s: no such face in the runs of this state; see consentry review list", id)
		}
		said, err := r.statement(reg, f)
		if err == nil {
			err = said.Check()
		}
		if err != nil {
			return nil, err
		}
		list = append(list, decision{f, said})
	}
	return list, nil
}

// check refuses what can be told to be wrong from the command line alone.
func (r *reviewDecide) check() error {
	switch {
	case r.As == "" && r.Is == "" && len(r.Not) == 0:
		return errors.New("say what you decide: --as show, --as obscure, --is ID or --not ID")
	case r.AddReference && r.Is == "":
		return errors.New("--add-reference: of whom? Give --is ID")
	case r.AddReference && len(r.Face) > 1:
		return errors.New("--add-reference: one face at a time")
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

// keep writes the statements down, while no run can write to what they are about. Were they written first,
// a program that is killed would leave a derivative that a decision is against.
func (r *reviewDecide) keep(ctx context.Context, b *bus.Bus, decisions []decision, after *aftermath) error {
	if err := after.hold(); err != nil {
		return errors.Join(usageError{err}, after.release())
	}
	after.takeBack()
	store := review.New(b.Rulings(), b.Runs())
	for _, d := range decisions {
		err := store.RuleAt(ctx, d.face.Asset, d.face.Place(), d.said)
		if errors.Is(err, bus.ErrConflict) {
			err = usageError{fmt.Errorf("somebody else has just decided about %s; look again and repeat: %w", d.face.ID, err)}
		}
		if err == nil && d.face.Film != nil {
			err = redact.ForgetTrack(ctx, b, d.face.Asset, d.face.ID)
		}
		if err != nil {
			return errors.Join(err, after.release())
		}
	}
	return after.release()
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
		return said, fmt.Errorf("%s: %w", f.ID, err)
	}
	if said.As == consent.Show {
		if err := review.Showable(about); err != nil {
			return said, fmt.Errorf("nothing was decided about %s: %w", f.ID, err)
		}
	}
	said.Bases = map[consent.Purpose][]string{}
	for _, w := range about {
		said.Purposes = append(said.Purposes, w.Purpose)
		said.Bases[w.Purpose] = w.Bases
	}
	return said, nil
}
