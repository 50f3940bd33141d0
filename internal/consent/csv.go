package consent

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// The columns of subjects.csv and consents.csv.
const (
	colAdmission  = "admission_number"
	colYearGroup  = "year_group"
	colClass      = "class"
	colBorn       = "born"
	colJoined     = "joined"
	colLeaves     = "leaves"
	colLookalikes = "lookalikes"
	colParty      = "party"
	colPurpose    = "purpose"
	colDecision   = "decision"
	colDate       = "date"
	colExpires    = "expires"
	colRecordedBy = "recorded_by"
	colEvidence   = "evidence"
)

var errUnknownSubject = errors.New("is not among the subjects")

// ParseSubjects reads subjects.csv: columns in any order, admission_number required, unknown
// columns refused by name, a byte-order mark accepted. The subjects come in the file's order. The
// error is an [*ImportError] with every fault, [ErrTooLarge], or the reader's own.
func ParseSubjects(r io.Reader) ([]Subject, error) {
	t := &table{
		columns:  []string{colAdmission, colYearGroup, colClass, colBorn, colJoined, colLeaves, colLookalikes},
		required: []string{colAdmission},
	}
	rows, err := t.read(r)
	if err != nil {
		return nil, err
	}
	subjects := make([]Subject, len(rows))
	for i, row := range rows {
		subjects[i] = parseSubject(row)
		t.failAll(row.line, subjects[i].check())
	}
	t.checkAmongSubjects(rows, subjects)
	if err := t.err(); err != nil {
		return nil, err
	}
	return subjects, nil
}

func parseSubject(r row) Subject {
	return Subject{
		AdmissionNumber: r.cells[colAdmission],
		YearGroup:       r.cells[colYearGroup],
		Class:           r.cells[colClass],
		Born:            Date(r.cells[colBorn]),
		Joined:          Date(r.cells[colJoined]),
		Leaves:          Date(r.cells[colLeaves]),
		Lookalikes:      splitList(r.cells[colLookalikes]),
	}
}

// splitList reads a list divided by semicolons, without empty parts or repeats, sorted.
func splitList(cell string) []string {
	var list []string
	for part := range strings.SplitSeq(cell, ";") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// checkAmongSubjects finds admission numbers that are there twice, and lookalikes that are not.
func (t *table) checkAmongSubjects(rows []row, subjects []Subject) {
	lines := make(map[string]int, len(rows)) // by admission number in lower case
	for i, s := range subjects {
		key := strings.ToLower(s.AdmissionNumber)
		if first, twice := lines[key]; twice {
			t.fail(rows[i].line, colAdmission, fmt.Sprintf("is the same as in line %d, but for upper and lower case at most", first))
			continue
		}
		lines[key] = rows[i].line
	}
	known := subjectSet(subjects)
	for i, s := range subjects {
		for _, other := range s.Lookalikes {
			if !known[other] && ValidAdmissionNumber(other) == nil {
				t.fail(rows[i].line, colLookalikes, errUnknownSubject.Error())
			}
		}
	}
}

func subjectSet(subjects []Subject) map[string]bool {
	set := make(map[string]bool, len(subjects))
	for _, s := range subjects {
		set[s.AdmissionNumber] = true
	}
	return set
}

// ParseConsents reads consents.csv for the given subjects, as strictly as [ParseSubjects] does. A
// record of a subject that is not among them is a fault. The same row twice is one record.
func ParseConsents(r io.Reader, subjects []Subject) ([]Record, error) {
	t := &table{
		columns: []string{
			colAdmission, colParty, colPurpose, colDecision, colDate, colExpires, colRecordedBy, colEvidence,
		},
		required: []string{colAdmission, colParty, colPurpose, colDecision, colDate},
	}
	rows, err := t.read(r)
	if err != nil {
		return nil, err
	}
	known := subjectSet(subjects)
	records := make([]Record, len(rows))
	for i, row := range rows {
		records[i] = parseRecord(row)
		t.failAll(row.line, records[i].check())
		if id := records[i].AdmissionNumber; !known[id] && ValidAdmissionNumber(id) == nil {
			t.fail(row.line, colAdmission, errUnknownSubject.Error())
		}
	}
	if err := t.err(); err != nil {
		return nil, err
	}
	return withoutRepeats(records), nil
}

func parseRecord(r row) Record {
	return Record{
		AdmissionNumber: r.cells[colAdmission],
		Party:           Party(r.cells[colParty]),
		Purpose:         Purpose(r.cells[colPurpose]),
		Decision:        Answer(r.cells[colDecision]),
		Date:            Date(r.cells[colDate]),
		Expires:         Date(r.cells[colExpires]),
		RecordedBy:      r.cells[colRecordedBy],
		Evidence:        r.cells[colEvidence],
	}
}

// withoutRepeats keeps the first of equal records, in the order given.
func withoutRepeats(records []Record) []Record {
	seen := make(map[Record]bool, len(records))
	return slices.DeleteFunc(records, func(r Record) bool {
		twice := seen[r]
		seen[r] = true
		return twice
	})
}
