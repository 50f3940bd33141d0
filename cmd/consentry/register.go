package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/internal/register"
	"github.com/consentry/consentry/internal/review"
)

type registerCommand struct {
	Import  registerImport  `cmd:"" help:"Add or update subjects and consents from CSV files: all of it or nothing."`
	Set     registerSet     `cmd:"" help:"Record what one party says about one purpose."`
	Show    registerShow    `cmd:"" help:"Show everything that is recorded of a subject."`
	List    registerList    `cmd:"" help:"List subjects."`
	Explain registerExplain `cmd:"" help:"Say what becomes of a subject's face for a purpose, and why."`
	Remove  registerRemove  `cmd:"" help:"Remove subjects, with their consents, templates and references."`
}

type registerSet struct {
	ID         string `arg:"" name:"id" help:"Admission number."`
	Party      string `required:"" placeholder:"P" help:"Who speaks: pupil, guardian (guardian-1 and guardian-2 where two are told apart), placing-authority."`
	Purpose    string `required:"" placeholder:"X" help:"${purposes}; biometric (to be enrolled); or * (every publication)."`
	Decision   string `required:"" placeholder:"D" help:"granted, refused or withdrawn."`
	Date       string `placeholder:"DATE" help:"Since when (YYYY-MM-DD). Default: today."`
	Expires    string `placeholder:"DATE" help:"The last day on which a grant counts."`
	RecordedBy string `placeholder:"WHO" help:"Who records it: an office or initials."`
	Evidence   string `placeholder:"REF" help:"Where the signed form is kept."`
}

// Run adds the record, and destroys what may not be kept any more.
func (r *registerSet) Run(ctx context.Context, a *app) error {
	record := consent.Record{
		AdmissionNumber: r.ID, Party: consent.Party(r.Party), Purpose: consent.Purpose(r.Purpose),
		Decision: consent.Answer(r.Decision), Date: consent.Date(r.Date), Expires: consent.Date(r.Expires),
		RecordedBy: r.RecordedBy, Evidence: r.Evidence,
	}
	if r.Date == "" {
		record.Date = consent.DateOf(time.Now())
	}
	return a.withRegister(ctx, func(b *bus.Bus, reg *consent.Register) error {
		if _, err := subjectOf(reg, r.ID); err != nil {
			return err
		}
		reg, err := register.New(b.Register()).Set(ctx, record)
		after, err := a.taken(err)
		if err != nil {
			return err
		}
		if err := a.reconcile(ctx, b, reg); err != nil {
			return err
		}
		a.noteLater([]consent.Record{record})
		if a.json {
			err = json.NewEncoder(a.stdout).Encode(map[string]any{"register_revision": reg.Revision(), "record": record})
			return errors.Join(err, after)
		}
		_, err = fmt.Fprintf(a.stdout, "recorded: %s of %s, %s %s on %s (register revision %d)\n",
			record.Party, record.AdmissionNumber, record.Purpose, record.Decision, record.Date, reg.Revision())
		for _, why := range reg.Against(record) {
			fmt.Fprintln(a.stderr, "consentry: but", why)
		}
		return errors.Join(err, after)
	})
}

// noteLater says which records do not count yet, as their day has not come: a slip of the pen in a
// year would otherwise leave a refusal unheard, and nobody would know.
func (a *app) noteLater(records []consent.Record) {
	today := consent.DateOf(time.Now())
	var later []string
	for _, r := range records {
		if r.Date > today {
			later = append(later, r.AdmissionNumber)
		}
	}
	if n := len(later); n > 0 {
		slices.Sort(later)
		later = slices.Compact(later)
		fmt.Fprintf(a.stderr, "consentry: %d of the records are dated later than today and do not count before their day; of: %s\n", n, someOf(later))
	}
}

// taken sorts the errors of a change of the register: what the register refuses is wrong usage. A
// change that was taken, and whose predecessor is still on the disk, goes on to its consequences;
// after is the error to end with then.
func (a *app) taken(err error) (after, refused error) {
	switch {
	case errors.Is(err, register.ErrNotErased):
		return err, nil
	case err == nil, errors.Is(err, bus.ErrUnavailable), errors.Is(err, bus.ErrFull), errors.Is(err, register.ErrDamaged), errors.Is(err, register.ErrUnknown):
		return nil, err
	}
	return nil, usageError{err}
}

type registerRemove struct {
	IDs []string `arg:"" name:"id" help:"Admission numbers."`
}

// Run removes the subjects and everything enrolled of them.
func (r *registerRemove) Run(ctx context.Context, a *app) error {
	slices.Sort(r.IDs)
	r.IDs = slices.Compact(r.IDs)
	return a.withBus(ctx, func(b *bus.Bus) error {
		reg, err := register.New(b.Register()).Remove(ctx, r.IDs...)
		after, err := a.taken(err)
		if err != nil {
			return err
		}
		if err := errors.Join(a.reconcile(ctx, b, reg), review.New(b.Rulings(), b.Runs()).Forget(ctx, r.IDs...)); err != nil {
			return err
		}
		err = a.printRemoved(r.IDs, reg.Revision())
		fmt.Fprintln(a.stderr, "consentry: their faces match nobody from now on; opt-out policies such as perse and james show such faces")
		return errors.Join(err, after)
	})
}

func (a *app) printRemoved(ids []string, revision uint64) error {
	if a.json {
		return json.NewEncoder(a.stdout).Encode(map[string]any{"removed": ids, "register_revision": revision})
	}
	_, err := fmt.Fprintf(a.stdout, "removed %d (register revision %d)\n", len(ids), revision)
	return err
}

// day reads --on, or is today.
func day(text string) (time.Time, error) {
	if text == "" {
		return time.Now(), nil
	}
	d, err := consent.ParseDate(text)
	if err != nil {
		return time.Time{}, usageError{fmt.Errorf("--on %s: %w", text, err)}
	}
	t, err := time.ParseInLocation(time.DateOnly, string(d), time.Local)
	if err != nil {
		return time.Time{}, usageError{err}
	}
	return t.Add(12 * time.Hour), nil
}

// openInput opens a file that the user has named.
func openInput(path string) (*os.File, error) {
	f, err := intake.OpenNamed(path)
	if err != nil {
		return nil, usageError{err}
	}
	return f, nil
}
