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

var (
	errUnknownSubject = errors.New("is not among the subjects")
	errTooManyRows    = fmt.Errorf("has more than %d rows, which is more than a register can hold", maxRows)
)

// SubjectsFile is what a subjects.csv says.
type SubjectsFile struct {
	Subjects []Subject   // in the file's order
	Columns  []string    // those of subjects.csv that the file has, in our order; it says nothing of the others
	Notes    []LineError // what a person should know, by line; nothing of it keeps the file from being imported
}

// Onto gives the file's subjects with what it has no column for taken from the register, so that a
// file of admission numbers and classes does not erase anybody's lookalikes. Hand the result to
// [Register.Merge].
func (f SubjectsFile) Onto(reg *Register) []Subject { return onto(reg, f.Subjects, f.Columns) }

// ReadSubjects reads subjects.csv: columns in any order, admission_number required, unknown columns
// refused by name. Commas, semicolons and tabs are told apart by the header; a byte-order mark, CRLF,
// blank lines and Windows-1252 are accepted. Lookalikes may be of the file or among those that known
// says the register has; known may be nil. The error is an [*ImportError] with every fault,
// [ErrTooLarge], or the reader's own.
func ReadSubjects(r io.Reader, known func(id string) bool) (SubjectsFile, error) {
	t := &table{columns: subjectColumns(), required: []string{colAdmission}}
	list, err := t.readSubjects(r, known)
	if err != nil {
		return SubjectsFile{}, err
	}
	return SubjectsFile{Subjects: list, Columns: t.has(subjectColumns()), Notes: t.notes}, nil
}

// ParseSubjects is [ReadSubjects] for a file that holds the whole register, without the notes.
func ParseSubjects(r io.Reader) ([]Subject, error) {
	f, err := ReadSubjects(r, nil)
	return f.Subjects, err
}

func subjectColumns() []string {
	return []string{colAdmission, colYearGroup, colClass, colBorn, colJoined, colLeaves, colLookalikes}
}

func (t *table) readSubjects(r io.Reader, known func(string) bool) ([]Subject, error) {
	list := listed{t: t, known: known}
	if err := t.each(r, func(r row) { list.add(r) }); err != nil {
		return nil, err
	}
	list.checkLookalikes()
	if err := t.err(); err != nil {
		return nil, err
	}
	return list.subjects, nil
}

// has lists those of our columns that the file has.
func (t *table) has(columns []string) []string {
	return slices.DeleteFunc(slices.Clone(columns), func(c string) bool { _, ok := t.at[c]; return !ok })
}

// listed are the subjects of a file, and where they stand in it.
type listed struct {
	t        *table
	known    func(string) bool
	subjects []Subject
	lines    []int          // of each subject
	first    map[string]int // the line of each admission number in lower case
}

// add takes the row's subject and lists what is wrong with it.
func (l *listed) add(r row) {
	if len(l.subjects) >= maxRows {
		l.t.stop(r.line, errTooManyRows)
		return
	}
	s := parseSubject(r)
	l.t.failAll(r, s.check())
	l.addLine(r.line, s.AdmissionNumber)
	l.subjects, l.lines = append(l.subjects, s), append(l.lines, r.line)
}

// addLine finds admission numbers that are there twice.
func (l *listed) addLine(line int, id string) {
	if l.first == nil {
		l.first = make(map[string]int)
	}
	key := strings.ToLower(id)
	if first, twice := l.first[key]; twice {
		l.t.fail(line, l.t.title(colAdmission), fmt.Sprintf("is the same as in line %d, but for upper and lower case at most", first))
		return
	}
	l.first[key] = line
}

// checkLookalikes finds those that are neither of the file nor of the register.
func (l *listed) checkLookalikes() {
	here := make(map[string]bool, len(l.subjects))
	for _, s := range l.subjects {
		here[s.AdmissionNumber] = true
	}
	for i, s := range l.subjects {
		for _, other := range s.Lookalikes {
			if !here[other] && !isKnown(l.known, other) && ValidAdmissionNumber(other) == nil {
				l.t.fail(l.lines[i], l.t.title(colLookalikes), errUnknownSubject.Error())
			}
		}
	}
}

func isKnown(known func(string) bool, id string) bool { return known != nil && known(id) }

func parseSubject(r row) Subject {
	return Subject{
		AdmissionNumber: r.cell(colAdmission),
		YearGroup:       r.cell(colYearGroup),
		Class:           r.cell(colClass),
		Born:            Date(r.cell(colBorn)),
		Joined:          Date(r.cell(colJoined)),
		Leaves:          Date(r.cell(colLeaves)),
		Lookalikes:      splitList(r.cell(colLookalikes)),
	}
}

// splitList reads a list divided by semicolons, without empty parts or repeats, sorted.
func splitList(cell string) []string {
	if cell == "" {
		return nil
	}
	var list []string
	for part := range strings.SplitSeq(cell, ";") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// ConsentsFile is what a consents.csv says.
type ConsentsFile struct {
	Records []Record    // in the file's order, each once
	Notes   []LineError // repeats, contradictions and the encoding, by line
}

// ReadConsents reads consents.csv as [ReadSubjects] reads subjects. A record of a subject that known
// does not know is a fault. The same row twice is one record; rows that contradict each other are
// both taken (any refusal wins), and both come with a note.
func ReadConsents(r io.Reader, known func(id string) bool) (ConsentsFile, error) {
	t := &table{
		columns: []string{
			colAdmission, colParty, colPurpose, colDecision, colDate, colExpires, colRecordedBy, colEvidence,
		},
		required: []string{colAdmission, colParty, colPurpose, colDecision, colDate},
	}
	s := statements{t: t, known: known}
	if err := t.each(r, func(r row) { s.add(r, parseRecord(r)) }); err != nil {
		return ConsentsFile{}, err
	}
	if err := t.err(); err != nil {
		return ConsentsFile{}, err
	}
	return ConsentsFile{Records: s.settled(), Notes: t.notes}, nil
}

// ParseConsents is [ReadConsents] for the given subjects, without the notes.
func ParseConsents(r io.Reader, subjects []Subject) ([]Record, error) {
	set := make(map[string]bool, len(subjects))
	for _, s := range subjects {
		set[s.AdmissionNumber] = true
	}
	f, err := ReadConsents(r, func(id string) bool { return set[id] })
	return f.Records, err
}

func parseRecord(r row) Record {
	return Record{
		AdmissionNumber: r.cell(colAdmission),
		Party:           Party(r.cell(colParty)),
		Purpose:         Purpose(r.cell(colPurpose)),
		Decision:        Answer(r.cell(colDecision)),
		Date:            Date(r.cell(colDate)),
		Expires:         Date(r.cell(colExpires)),
		RecordedBy:      r.cell(colRecordedBy),
		Evidence:        r.cell(colEvidence),
	}
}
