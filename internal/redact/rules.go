package redact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/internal/register"
	"github.com/consentry/consentry/internal/review"
	"github.com/consentry/consentry/pipeline"
)

// rules are what a run decides by.
type rules struct {
	policy    consent.Policy
	register  *consent.Register
	attending []string // who was there, sorted; nil: anybody may have been
	rulings   pipeline.Rulings
}

// readRules reads register, attendance and what persons have decided, and refuses what is wrong
// with any of them.
func readRules(ctx context.Context, o Options, policy consent.Policy, b *bus.Bus, store *register.Store) (rules, error) {
	register, err := readRegister(ctx, o, store)
	if err != nil {
		return rules{}, err
	}
	attending, err := readAttendance(o.Attending, register)
	if err != nil {
		return rules{}, &UsageError{err}
	}
	r := rules{policy: policy, register: register, attending: attending}
	if b != nil {
		if r.rulings, err = review.New(b.Rulings(), b.Runs()).Rulings(ctx); err != nil {
			return rules{}, err
		}
	}
	if o.For != "" && o.Mode != pipeline.Everyone && !register.Has(o.For) {
		return rules{}, &UsageError{fmt.Errorf("--for %s: not in the register", o.For)}
	}
	return r, nil
}

func readPolicy(o Options) (consent.Policy, error) {
	policy, err := consent.Load(o.Preset, func(name string) (io.ReadCloser, error) { return intake.OpenNamed(name) })
	if err != nil {
		return consent.Policy{}, &UsageError{fmt.Errorf("--preset %s: %w", o.Preset, err)}
	}
	return policy, nil
}

// readRegister takes the register from the files given, or else from the state.
func readRegister(ctx context.Context, o Options, store *register.Store) (*consent.Register, error) {
	if o.RegisterDir != "" {
		reg, err := registerFromFiles(o.RegisterDir)
		if err != nil {
			return nil, &UsageError{err}
		}
		return reg, nil
	}
	if o.Mode == pipeline.Everyone {
		return consent.NewRegister(0, nil, nil)
	}
	var reg *consent.Register
	if store != nil {
		var err error
		if reg, err = store.Load(ctx); err != nil {
			return nil, fmt.Errorf("reading the register: %w", err)
		}
	}
	if reg.Len() == 0 {
		return nil, &UsageError{fmt.Errorf("mode %s needs a register, and there is none: give --register DIR with subjects.csv and consents.csv, "+
			"import one (consentry register import SUBJECTS.csv CONSENTS.csv), or use --mode everyone", o.Mode)}
	}
	return reg, nil
}

func registerFromFiles(dir string) (*consent.Register, error) {
	var subjects []consent.Subject
	err := parseFile(filepath.Join(dir, "subjects.csv"), func(r io.Reader) (err error) {
		subjects, err = consent.ParseSubjects(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	var records []consent.Record
	err = parseFile(filepath.Join(dir, "consents.csv"), func(r io.Reader) (err error) {
		records, err = consent.ParseConsents(r, subjects)
		return err
	})
	if err != nil {
		return nil, err
	}
	return consent.NewRegister(1, subjects, records)
}

func parseFile(path string, parse func(io.Reader) error) error {
	f, err := intake.OpenNamed(path)
	if err != nil {
		return fmt.Errorf("the register: %w", err)
	}
	defer f.Close()
	if err := parse(f); err != nil {
		return fmt.Errorf("%s, nothing was imported: %w", path, err)
	}
	return nil
}

// readAttendance lists who was at the event: those in the classes and year groups, those named by
// their numbers, and those in the files. Without items it is nil: anybody may have been there.
func readAttendance(items []string, reg *consent.Register) ([]string, error) {
	if len(items) == 0 {
		return nil, nil
	}
	index := attendanceIndex(reg)
	var present []string
	for _, item := range items {
		item = strings.TrimSpace(item)
		ids := index[item]
		if len(ids) == 0 {
			var err error
			if ids, err = attendeesIn(item, reg); err != nil {
				return nil, err
			}
		}
		if len(ids) == 0 {
			return nil, fmt.Errorf("--attending %s: the file names nobody", item)
		}
		present = append(present, ids...)
	}
	slices.Sort(present)
	return slices.Compact(present), nil
}

// attendanceIndex lists the subjects that a word of --attending means. One that is both, a year
// group and somebody's number, means both: rather too many were there than too few.
func attendanceIndex(reg *consent.Register) map[string][]string {
	index := map[string][]string{}
	for _, id := range reg.IDs() {
		s, _ := reg.Subject(id)
		for _, word := range slices.Compact([]string{s.Class, s.YearGroup, id}) {
			if word != "" {
				index[word] = append(index[word], id)
			}
		}
	}
	return index
}

// maxAttendance is ample for 50,000 numbers of 32 letters.
const maxAttendance = 2 << 20

func attendeesIn(path string, reg *consent.Register) ([]string, error) {
	f, err := intake.OpenNamed(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("--attending %s: no class, year group or admission number of the register, and no file", path)
	}
	if err != nil {
		return nil, fmt.Errorf("--attending: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxAttendance+1))
	if err != nil {
		return nil, fmt.Errorf("--attending: %w", err)
	}
	if len(text) > maxAttendance {
		return nil, fmt.Errorf("--attending %s: larger than a list of admission numbers can be", path)
	}
	var ids []string
	for n, line := range strings.Split(strings.TrimPrefix(string(text), "\ufeff"), "\n") {
		id := strings.TrimSpace(line)
		if id == "" {
			continue
		}
		if !reg.Has(id) {
			return nil, fmt.Errorf("--attending %s: line %d is no admission number of the register", path, n+1)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// attended says whether the subject may have been there.
func (r rules) attended(id string) bool {
	if r.attending == nil {
		return true
	}
	_, found := slices.BinarySearch(r.attending, id)
	return found
}

// decision is what becomes of the subject for the purpose.
func (r rules) decision(o Options, id string, purpose consent.Purpose) consent.Decision {
	if o.For != "" {
		return consent.DecideInRecordOf(r.policy, r.register, id, o.For, purpose, o.Now())
	}
	return consent.Decide(r.policy, r.register, id, purpose, o.Now())
}

// hidden lists the subjects who may have been there and may not be shown for one of the purposes.
func (r rules) hidden(o Options) []string {
	var ids []string
	for _, id := range r.register.IDs() {
		if r.attended(id) && slices.ContainsFunc(o.Purposes, func(p consent.Purpose) bool {
			return r.decision(o, id, p).Outcome != consent.Show
		}) {
			ids = append(ids, id)
		}
	}
	return ids
}
