package consent

import (
	"cmp"
	"fmt"
	"slices"
)

// maxRecords bounds the records of one file: four times those of the largest register that is
// planned for. Without it a file of 64 MiB could ask for many times its size in memory.
const maxRecords = 2_500_000

var errTooManyRecords = fmt.Errorf("has more than %d records, which is more than a register can hold", maxRecords)

// statements are the records of a file, and where they stand in it.
type statements struct {
	t       *table
	known   func(string) bool
	checks  recordChecks
	sure    string // the last subject that was found to be known
	records []Record
	lines   []int // of each record
}

// add takes a record from a row and lists what is wrong with it.
func (s *statements) add(from row, r Record) {
	if len(s.records) >= maxRecords {
		s.t.stop(from.line, errTooManyRecords)
		return
	}
	s.t.failAll(from, s.checks.check(r))
	if id := r.AdmissionNumber; id != s.sure {
		switch {
		case isKnown(s.known, id):
			s.sure = id
		case ValidAdmissionNumber(id) == nil:
			s.t.fail(from.line, s.t.title(colAdmission), errUnknownSubject.Error())
		}
	}
	if s.records == nil {
		n := min(maxRecords, s.t.size/minRecordSize+1)
		s.records, s.lines = make([]Record, 0, n), make([]int, 0, n)
	}
	s.records, s.lines = append(s.records, r), append(s.lines, from.line)
}

// minRecordSize is the length of the least row of a consents.csv that has no fault, in bytes:
// "1,pupil,*,granted,2025-01-01" and the line break. Rows of a school are twice as long.
const minRecordSize = 29

// settled gives each record once, in the file's order, and notes what a person should look at.
func (s *statements) settled() []Record {
	order := make([]int, len(s.records))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(compareStatements(&s.records[a], &s.records[b]), cmp.Compare(a, b))
	})
	repeated := make(map[int]bool)
	for n := 1; n < len(order); n++ {
		if s.compare(order[n-1], order[n]) {
			repeated[order[n]] = true
			order[n] = order[n-1] // the one that the next may repeat too
		}
	}
	sortByLine(s.t.notes)
	if len(repeated) == 0 {
		return s.records
	}
	kept := make([]Record, 0, len(s.records)-len(repeated))
	for i, r := range s.records {
		if !repeated[i] {
			kept = append(kept, r)
		}
	}
	return kept
}

// compare notes what two neighbours in the order of compareStatements have to do with each other;
// repeated says that the second adds nothing.
func (s *statements) compare(first, second int) (repeated bool) {
	a, b := s.records[first], s.records[second]
	later, earlier := max(s.lines[first], s.lines[second]), min(s.lines[first], s.lines[second])
	switch {
	case a == b:
		s.t.note(later, "", fmt.Sprintf("repeats line %d", earlier))
		return true
	case !a.sameMatter(b):
	case a.grants() != b.grants():
		s.t.note(later, colDecision, fmt.Sprintf("contradicts line %d: the same party says otherwise of the same purpose on the same date; the refusal stands", earlier))
	case a.Decision == b.Decision:
		s.t.note(later, "", fmt.Sprintf("says the same as line %d, but not in expires, recorded_by or evidence; both are kept", earlier))
	}
	return false
}

// sameMatter says whether both are what one party has said of one subject and purpose on one date.
func (r Record) sameMatter(o Record) bool {
	return r.AdmissionNumber == o.AdmissionNumber && r.Party == o.Party && r.Purpose == o.Purpose && r.Date == o.Date
}

// sameStatement says whether both say the same of the same matter, whatever was noted beside it.
func (r Record) sameStatement(o Record) bool { return r.sameMatter(o) && r.Decision == o.Decision }

// compareStatements puts records of one matter side by side, and those of one statement in it.
func compareStatements(a, b *Record) int {
	if c := cmp.Compare(a.AdmissionNumber, b.AdmissionNumber); c != 0 {
		return c // most pairs of a sort end here
	}
	return cmp.Or(
		cmp.Compare(a.Party, b.Party),
		cmp.Compare(a.Purpose, b.Purpose),
		cmp.Compare(a.Date, b.Date),
		cmp.Compare(a.Decision, b.Decision),
		cmp.Compare(a.Expires, b.Expires),
		cmp.Compare(a.RecordedBy, b.RecordedBy),
		cmp.Compare(a.Evidence, b.Evidence),
	)
}

// recordChecks is Record.check for many records: it remembers which combinations of words and dates
// were fine, of which a register of a million rows has a few hundred.
type recordChecks struct{ fine map[words]bool }

// words are the parts of a record that come from closed vocabularies and the calendar.
type words struct {
	party         Party
	purpose       Purpose
	decision      Answer
	date, expires Date
}

// check lists the same faults as Record.check.
func (c *recordChecks) check(r Record) []fault {
	key := words{r.Party, r.Purpose, r.Decision, r.Date, r.Expires}
	if c.fine[key] && validText(r.RecordedBy) == nil && validText(r.Evidence) == nil && ValidAdmissionNumber(r.AdmissionNumber) == nil {
		return nil
	}
	found := r.check()
	if len(found) == 0 {
		if c.fine == nil {
			c.fine = make(map[words]bool)
		}
		c.fine[key] = true
	}
	return found
}
