package redact

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/pipeline"
)

// rules are the policy and the register of a run.
type rules struct {
	policy   consent.Policy
	register *consent.Register
	attended func(subject string) bool
}

// readRules reads preset, register and attendance, and refuses what is wrong with any of them.
func readRules(o Options) (rules, error) {
	policy, err := consent.Load(o.Preset, func(name string) (io.ReadCloser, error) { return os.Open(name) })
	if err != nil {
		return rules{}, &UsageError{fmt.Errorf("--preset %s: %w", o.Preset, err)}
	}
	register, err := readRegister(o)
	if err != nil {
		return rules{}, &UsageError{err}
	}
	attended, err := readAttendance(o.Attending, register)
	if err != nil {
		return rules{}, &UsageError{err}
	}
	return rules{policy: policy, register: register, attended: attended}, nil
}

func readRegister(o Options) (*consent.Register, error) {
	if o.RegisterDir == "" {
		if o.Mode != pipeline.Everyone {
			return nil, fmt.Errorf("mode %s needs a register: give --register DIR with subjects.csv and consents.csv, or use --mode everyone", o.Mode)
		}
		return consent.NewRegister(0, nil, nil)
	}
	var subjects []consent.Subject
	err := parseFile(filepath.Join(o.RegisterDir, "subjects.csv"), func(r io.Reader) (err error) {
		subjects, err = consent.ParseSubjects(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	var records []consent.Record
	err = parseFile(filepath.Join(o.RegisterDir, "consents.csv"), func(r io.Reader) (err error) {
		records, err = consent.ParseConsents(r, subjects)
		return err
	})
	if err != nil {
		return nil, err
	}
	return consent.NewRegister(1, subjects, records)
}

func parseFile(path string, parse func(io.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("the register: %w", err)
	}
	defer f.Close()
	if err := parse(f); err != nil {
		return fmt.Errorf("%s, nothing was imported: %w", path, err)
	}
	return nil
}

// readAttendance says who was at the event: those in one of the classes or year groups, or named
// in one of the files. Without items everybody may have been there.
func readAttendance(items []string, register *consent.Register) (func(string) bool, error) {
	if len(items) == 0 {
		return func(string) bool { return true }, nil
	}
	present := map[string]bool{}
	for _, item := range items {
		ids, err := attendees(item, register)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			present[id] = true
		}
	}
	return func(id string) bool { return present[id] }, nil
}

// attendees are the subjects that one item of --attending means.
func attendees(item string, register *consent.Register) ([]string, error) {
	var ids []string
	for _, id := range register.IDs() {
		if s, _ := register.Subject(id); s.Class == item || s.YearGroup == item {
			ids = append(ids, id)
		}
	}
	if len(ids) > 0 {
		return ids, nil
	}
	text, err := os.ReadFile(item)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("--attending %s: no class or year group of the register, and no file", item)
	}
	if err != nil {
		return nil, fmt.Errorf("--attending: %w", err)
	}
	for n, line := range strings.Split(string(text), "\n") {
		id := strings.TrimSpace(line)
		if id == "" {
			continue
		}
		if !register.Has(id) {
			return nil, fmt.Errorf("--attending %s: line %d is no admission number of the register", item, n+1)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// hidden lists the subjects who may have been there and may not be shown for one of the purposes.
func (r rules) hidden(o Options) []string {
	var ids []string
	for _, id := range r.register.IDs() {
		if r.attended(id) && slices.ContainsFunc(o.Purposes, func(p consent.Purpose) bool {
			return consent.Decide(r.policy, r.register, id, p, o.Now()).Outcome != consent.Show
		}) {
			ids = append(ids, id)
		}
	}
	return ids
}
