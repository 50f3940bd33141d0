package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
)

type registerShow struct {
	ID string `arg:"" name:"id" help:"Admission number."`
}

// Run prints the subject, its records, and whether it may be enrolled.
func (r *registerShow) Run(ctx context.Context, a *app) error {
	return a.withRegister(ctx, func(_ *bus.Bus, reg *consent.Register) error {
		subject, err := subjectOf(reg, r.ID)
		if err != nil {
			return err
		}
		records, permit := reg.Records(r.ID), consent.MayEnrol(reg, r.ID, time.Now())
		if a.json {
			return json.NewEncoder(a.stdout).Encode(struct {
				Subject  consent.Subject  `json:"subject"`
				Records  []consent.Record `json:"records"`
				MayEnrol bool             `json:"may_enrol"`
				Why      string           `json:"why"`
			}{subject, nonNil(records), permit.Allowed, permit.Text})
		}
		return printSubject(a.stdout, subject, records, permit, reg.Lookalikes(r.ID))
	})
}

// subjectOf is the subject with the number, or says that there is none.
func subjectOf(reg *consent.Register, id string) (consent.Subject, error) {
	if err := consent.ValidAdmissionNumber(id); err != nil {
		return consent.Subject{}, usageError{err}
	}
	s, ok := reg.Subject(id)
	if !ok {
		return consent.Subject{}, usageError{fmt.Errorf("%s is not in the register; consentry register import adds subjects", id)}
	}
	return s, nil
}

func printSubject(w io.Writer, s consent.Subject, records []consent.Record, permit consent.Permit, alike []string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"admission number", s.AdmissionNumber},
		{"year group", s.YearGroup},
		{"class", s.Class},
		{"born", string(s.Born)},
		{"joined", string(s.Joined)},
		{"leaves", string(s.Leaves)},
		{"looks like", strings.Join(alike, ", ")},
		{"enrolment", permit.Text},
	} {
		if line[1] != "" {
			fmt.Fprintf(table, "%s\t%s\n", line[0], line[1])
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	return printRecords(w, records)
}

func printRecords(w io.Writer, records []consent.Record) error {
	if len(records) == 0 {
		_, err := fmt.Fprintln(w, "nobody has said anything")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DATE\tPARTY\tPURPOSE\tDECISION\tEXPIRES\tRECORDED BY\tEVIDENCE")
	for _, r := range records {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Date, r.Party, r.Purpose, r.Decision, r.Expires, r.RecordedBy, r.Evidence)
	}
	return table.Flush()
}

func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

type registerList struct {
	YearGroup []string `help:"Only these year groups." placeholder:"YEAR"`
	Class     []string `help:"Only these classes." placeholder:"CLASS"`
	Purpose   string   `help:"Say what becomes of each for this purpose: ${purposes}." placeholder:"X"`
	Outcome   string   `enum:"show,obscure,review," default:"" placeholder:"WORD" help:"With --purpose: only those with this outcome (show, obscure, review)."`
	Preset    string   `default:"lumen" help:"With --purpose: the policy to judge by, a preset or a YAML file."`
	On        string   `placeholder:"DATE" help:"With --purpose: the day to judge for. Default: today."`
}

// listed is one line of the list.
type listed struct {
	AdmissionNumber string          `json:"admission_number"`
	YearGroup       string          `json:"year_group,omitempty"`
	Class           string          `json:"class,omitempty"`
	Leaves          consent.Date    `json:"leaves,omitempty"`
	MayEnrol        bool            `json:"may_enrol"`
	Outcome         consent.Outcome `json:"outcome,omitempty"`
	Rule            string          `json:"rule,omitempty"`
}

// Run prints the table.
func (r *registerList) Run(ctx context.Context, a *app) error {
	judge, err := r.judge()
	if err != nil {
		return err
	}
	return a.withRegister(ctx, func(_ *bus.Bus, reg *consent.Register) error {
		rows := []listed{}
		for _, id := range reg.IDs() {
			s, _ := reg.Subject(id)
			if !matches(r.YearGroup, s.YearGroup) || !matches(r.Class, s.Class) {
				continue
			}
			row := listed{
				AdmissionNumber: id, YearGroup: s.YearGroup, Class: s.Class, Leaves: s.Leaves,
				MayEnrol: consent.MayEnrol(reg, id, time.Now()).Allowed,
			}
			row.Outcome, row.Rule = judge(reg, id)
			if r.Outcome == "" || row.Outcome == consent.Outcome(r.Outcome) {
				rows = append(rows, row)
			}
		}
		if a.json {
			return json.NewEncoder(a.stdout).Encode(rows)
		}
		return printList(a.stdout, rows, r.Purpose != "")
	})
}

func matches(wanted []string, word string) bool {
	return len(wanted) == 0 || slices.Contains(wanted, word)
}

// judge says what becomes of a subject for the purpose; nothing without one.
func (r *registerList) judge() (func(*consent.Register, string) (consent.Outcome, string), error) {
	if r.Purpose == "" {
		if r.Outcome != "" {
			return nil, usageError{fmt.Errorf("--outcome %s: for which --purpose?", r.Outcome)}
		}
		return func(*consent.Register, string) (consent.Outcome, string) { return "", "" }, nil
	}
	purpose, err := parsePurpose(r.Purpose)
	if err != nil {
		return nil, usageError{err}
	}
	policy, err := loadPolicy(r.Preset)
	if err != nil {
		return nil, err
	}
	on, err := day(r.On)
	if err != nil {
		return nil, err
	}
	return func(reg *consent.Register, id string) (consent.Outcome, string) {
		d := consent.Decide(policy, reg, id, purpose, on)
		return d.Outcome, d.Rule
	}, nil
}

func printList(w io.Writer, rows []listed, judged bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	head := "SUBJECT\tYEAR\tCLASS\tLEAVES\tMAY BE ENROLLED"
	if judged {
		head += "\tOUTCOME\tRULE"
	}
	fmt.Fprintln(table, head)
	for _, r := range rows {
		may := "no"
		if r.MayEnrol {
			may = "yes"
		}
		line := []string{r.AdmissionNumber, r.YearGroup, r.Class, string(r.Leaves), may}
		if judged {
			line = append(line, string(r.Outcome), r.Rule)
		}
		fmt.Fprintln(table, strings.Join(line, "\t"))
	}
	return table.Flush()
}

type registerExplain struct {
	ID      string `arg:"" name:"id" help:"Admission number."`
	Purpose string `required:"" placeholder:"X" help:"What a picture is to be published for: ${purposes}."`
	On      string `placeholder:"DATE" help:"The day to judge for (YYYY-MM-DD). Default: today."`
	Preset  string `default:"lumen" help:"Image policy: perse, lumen, james, stepping-stones, break, or a YAML file."`
}

// Run prints the outcome, the rule and clause, and every record with what became of it.
func (r *registerExplain) Run(ctx context.Context, a *app) error {
	purpose, err := parsePurpose(r.Purpose)
	if err != nil {
		return usageError{err}
	}
	policy, err := loadPolicy(r.Preset)
	if err != nil {
		return err
	}
	on, err := day(r.On)
	if err != nil {
		return err
	}
	return a.withRegister(ctx, func(_ *bus.Bus, reg *consent.Register) error {
		if _, err := subjectOf(reg, r.ID); err != nil {
			return err
		}
		d := consent.Decide(policy, reg, r.ID, purpose, on)
		if a.json {
			return json.NewEncoder(a.stdout).Encode(d)
		}
		return printDecision(a.stdout, d)
	})
}

func printDecision(w io.Writer, d consent.Decision) error {
	fmt.Fprintf(w, "%s\n\noutcome  %s\nrule     %s\nclause   %s\n", d.Text, d.Outcome, d.Rule, d.Clause)
	for _, notice := range d.Notices {
		fmt.Fprintf(w, "notice   %s\n", notice)
	}
	if d.Approval != nil {
		fmt.Fprintf(w, "approval before release: %s (%s: %s)\n", d.Approval.By, d.Approval.Rule, d.Approval.Clause)
	}
	fmt.Fprintln(w)
	if len(d.Records) > 0 {
		fmt.Fprintln(w, "It rests on:")
		if err := printRecords(w, d.Records); err != nil {
			return err
		}
	}
	if len(d.Overruled) > 0 {
		fmt.Fprintln(w, "These did not decide:")
	}
	for _, o := range d.Overruled {
		fmt.Fprintf(w, "  %s of %s: %s %s: %s\n", o.Record.Date, o.Record.Party, o.Record.Purpose, o.Record.Decision, o.Why)
	}
	return nil
}
