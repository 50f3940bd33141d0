package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/enrolment"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/register"
	"github.com/consentry/consentry/internal/sandbox"
)

type enrolCommand struct {
	Add    enrolAdd    `cmd:"" default:"withargs" help:"Enrol photographs named by admission number: 4021.jpg, 4021-2.jpg, or any in a folder 4021/ (the default)."`
	List   enrolList   `cmd:"" help:"Show who is enrolled: quality, age, agreement of the references, nearest other subject."`
	Remove enrolRemove `cmd:"" help:"Destroy the templates and references of subjects."`
}

type enrolAdd struct {
	Paths   []string      `arg:"" name:"path" help:"Photographs, folders named by admission number, or folders of both." type:"path"`
	TimeOut time.Duration `name:"timeout" help:"Longest time for one photograph." default:"${timeout}"`
}

// Run enrols what is good enough, and says what is not and why.
func (e *enrolAdd) Run(ctx context.Context, a *app) error {
	if e.TimeOut <= 0 {
		return usageError{fmt.Errorf("--timeout %v: longer than nothing, such as 3m", e.TimeOut)}
	}
	if err := a.models.Verify(ctx); err != nil {
		return err
	}
	return a.withRegister(ctx, func(b *bus.Bus, reg *consent.Register) error {
		if reg.Len() == 0 {
			return usageError{errors.New("the register is empty, so nobody may be enrolled; begin with consentry register import")}
		}
		files, problems, err := intake.ReferencePaths(e.Paths, reg.Has)
		if err != nil {
			return usageError{err}
		}
		result, err := a.enrol(ctx, b, e.TimeOut, files)
		if err := errors.Join(a.printEnrolment(result, problems), err); err != nil {
			return err
		}
		if len(problems)+len(result.Refused) > 0 {
			return exitCode(exitUsage)
		}
		return nil
	})
}

// enrol runs a session on the files.
func (a *app) enrol(ctx context.Context, b *bus.Bus, timeOut time.Duration, files []intake.ReferenceFile) (enrolment.Result, error) {
	session, closeVision, err := a.enrolmentSession(b, timeOut)
	if err != nil {
		return enrolment.Result{}, err
	}
	defer closeVision()
	progress := newProgress(a.stderr)
	defer progress.finish()
	session.Progress = progress.Enrolling
	return session.Run(ctx, files)
}

// enrolmentSession enrols into the state; photographs are looked at in a child process.
func (a *app) enrolmentSession(b *bus.Bus, timeOut time.Duration) (enrolment.Session, func(), error) {
	vision, closeVision, err := a.openVision()
	if err != nil {
		return enrolment.Session{}, nil, err
	}
	return enrolment.Session{
		Looker:     vision,
		Register:   register.New(b.Register()).Load,
		Store:      enrolment.New(b.Gallery()),
		Models:     a.models.Digest(),
		Thresholds: gallery.DefaultThresholds(),
		Limits:     media.DefaultLimits(),
		TimeOut:    timeOut,
		Now:        time.Now,
	}, closeVision, nil
}

// openVision prepares a child process that looks at pictures.
func (a *app) openVision() (*sandbox.Process, func(), error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, setupError{fmt.Errorf("finding the program's own file: %w", err)}
	}
	limits := media.DefaultLimits()
	p := sandbox.NewProcess(a.child(self, limits), a.log)
	return p, func() {
		if err := p.Close(); err != nil {
			a.log.Warn("ending a child process", "error", err)
		}
	}, nil
}

// child is how the process is started that looks at pictures.
func (a *app) child(self string, limits media.Limits) sandbox.Command {
	return sandbox.Command{Path: self, Args: []string{
		"look", "--models", a.models.Dir(),
		"--max-bytes", strconv.FormatInt(limits.MaxBytes, 10), "--max-pixels", strconv.FormatInt(limits.MaxPixels, 10),
	}}
}

func (a *app) printEnrolment(r enrolment.Result, problems []intake.Problem) error {
	for _, gone := range r.Removed {
		fmt.Fprintf(a.stderr, "consentry: the templates and references of %s are destroyed: %s\n", gone.Subject, gone.Reason)
	}
	for _, p := range problems {
		fmt.Fprintln(a.stderr, "consentry:", p)
	}
	for _, refused := range r.Refused {
		fmt.Fprintf(a.stderr, "consentry: refused: %s: %s\n", refused.Path, refused.Reason)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(a.stderr, "consentry: %s: %s\n", note.Path, note.Reason)
	}
	if len(r.Again) > 0 {
		fmt.Fprintf(a.stderr, "consentry: enrolled with other models, and not looked for until their photographs are enrolled again: %d references\n", len(r.Again))
	}
	if a.json {
		return json.NewEncoder(a.stdout).Encode(map[string]any{
			"added": r.Added, "already": r.Already, "refused": len(r.Refused) + len(problems), "again": len(r.Again),
		})
	}
	_, err := fmt.Fprintf(a.stdout, "enrolled %d, already there %d, refused %d\n", r.Added, r.Already, len(r.Refused)+len(problems))
	return err
}

type enrolList struct{}

// Run prints a line for each enrolled subject.
func (e *enrolList) Run(ctx context.Context, a *app) error {
	return a.withRegister(ctx, func(b *bus.Bus, _ *consent.Register) error {
		all, err := enrolment.New(b.Gallery()).List(ctx)
		if err != nil {
			return err
		}
		references, _ := enrolment.References(all, a.models.Digest())
		g, err := gallery.New(references, gallery.DefaultThresholds())
		if err != nil {
			return err
		}
		cards := enrolment.Cards(all, g, a.models.Digest(), consent.DateOf(time.Now()), enrolment.DefaultMonths)
		if a.json {
			return json.NewEncoder(a.stdout).Encode(nonNil(cards))
		}
		return printCards(a.stdout, cards)
	})
}

func printCards(w io.Writer, cards []enrolment.Card) error {
	if len(cards) == 0 {
		_, err := fmt.Fprintln(w, "nobody is enrolled")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SUBJECT\tREFERENCES\tQUALITY\tAGE\tAGREEMENT\tNEAREST OTHER\tREMARK")
	for _, c := range cards {
		nearest, remark := "-", ""
		if c.Nearest != "" {
			nearest = c.Nearest + ", " + c.Distance
		}
		if c.Old {
			remark = "a new photograph is due"
		}
		if c.Again > 0 {
			remark = "enrol again: made by other models"
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\t%s\n", c.Subject, c.References, c.Quality, c.Age, c.Agreement, nearest, remark)
	}
	return table.Flush()
}

type enrolRemove struct {
	IDs []string `arg:"" name:"id" help:"Admission numbers."`
}

// Run destroys what is enrolled of the subjects. Their consents stay as they are.
func (e *enrolRemove) Run(ctx context.Context, a *app) error {
	for _, id := range e.IDs {
		if err := consent.ValidAdmissionNumber(id); err != nil {
			return usageError{err}
		}
	}
	return a.withBus(ctx, func(b *bus.Bus) error {
		store := enrolment.New(b.Gallery())
		nobody, destroyed := false, map[string]int{}
		for _, id := range e.IDs {
			n, err := store.Remove(ctx, id)
			if err != nil {
				return errors.Join(a.printDestroyed(destroyed), err)
			}
			if n == 0 && destroyed[id] == 0 {
				nobody = true
				fmt.Fprintf(a.stderr, "consentry: %s is not enrolled\n", id)
				continue
			}
			destroyed[id] += n
		}
		if err := a.printDestroyed(destroyed); err != nil {
			return err
		}
		if nobody {
			return exitCode(exitUsage)
		}
		return nil
	})
}

// printDestroyed says how many references were destroyed of whom.
func (a *app) printDestroyed(destroyed map[string]int) error {
	if a.json {
		return json.NewEncoder(a.stdout).Encode(map[string]any{"removed": destroyed})
	}
	for _, id := range slices.Sorted(maps.Keys(destroyed)) {
		if _, err := fmt.Fprintf(a.stdout, "%s: %d references and their templates destroyed\n", id, destroyed[id]); err != nil {
			return err
		}
	}
	return nil
}
