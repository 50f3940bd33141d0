package consent

import (
	"errors"
	"io"
	"slices"
)

// WideFile is what a permissions list says: a table with one row a subject and one column a purpose.
type WideFile struct {
	Subjects []Subject   // in the file's order; none where the mapping names no subject columns
	Columns  []string    // those of subjects.csv that the list has, by our names; it says nothing of the others
	Records  []Record    // row by row, in the order of the mapping's purposes
	Notes    []LineError // as in [ConsentsFile]
}

// Onto is [SubjectsFile.Onto] for a permissions list, which seldom holds all that is known of a
// subject.
func (f WideFile) Onto(reg *Register) []Subject { return onto(reg, f.Subjects, f.Columns) }

var errUnknownWord = errors.New("holds a word that is none of those for granted, refused and withdrawn; " +
	"if it is one, list it under words in the mapping file")

// ParseWide reads a permissions list as [ReadConsents] reads a consents file, by the mapping. Every
// column of the list must be in the mapping, and every column of the mapping in the list, but for
// the ignored ones. An empty cell says nothing: neither yes nor no. Where the mapping names subject
// columns, the list may hold new subjects; else known must know them. The error is a [*FileError]
// where the mapping itself is not usable.
func ParseWide(r io.Reader, m Mapping, known func(id string) bool) (WideFile, error) {
	if found := m.check(); len(found) > 0 {
		return WideFile{}, mappingFile().placed(nil, found)
	}
	w := newWide(m, known)
	if err := w.t.each(r, w.add); err != nil {
		return WideFile{}, err
	}
	w.subjects.checkLookalikes()
	if err := w.t.err(); err != nil {
		return WideFile{}, err
	}
	f := WideFile{Records: w.records, Notes: w.t.notes}
	if m.Subjects != nil {
		f.Subjects, f.Columns = w.subjects.subjects, w.t.has(subjectColumns())
	}
	return f, nil
}

// wide is a permissions list while it is read.
type wide struct {
	m        Mapping
	t        *table
	known    func(string) bool
	subjects listed
	answers  map[string]Answer
	records  []Record
}

func newWide(m Mapping, known func(string) bool) *wide {
	t := &table{roles: m.roles()}
	for _, c := range m.named() {
		t.columns, t.required = append(t.columns, c.name), append(t.required, c.name)
	}
	for _, c := range m.ignored() {
		t.columns = append(t.columns, c.name)
	}
	return &wide{m: m, t: t, known: known, subjects: listed{t: t, known: known}, answers: m.answers()}
}

// add takes a row: its subject, and what each column says of it.
func (w *wide) add(r row) {
	w.subjects.add(r)
	id := r.cell(colAdmission)
	if w.m.Subjects == nil && !isKnown(w.known, id) && ValidAdmissionNumber(id) == nil {
		w.t.fail(r.line, w.m.AdmissionNumber, errUnknownSubject.Error())
	}
	date := w.m.Date
	if w.m.DateColumn != "" {
		date = Date(r.cell(colDate))
	}
	before := len(w.records)
	for _, c := range w.m.Purposes {
		w.addCell(r, c, date)
	}
	if len(w.records) > before || date != "" {
		w.checkDate(r, date)
	}
	if len(w.records) > maxRecords {
		w.t.stop(r.line, errTooManyRecords)
	}
}

// addCell takes what the row says in one column.
func (w *wide) addCell(r row, c PurposeColumn, date Date) {
	cell := r.cells[slices.Index(w.t.header, c.Column)]
	answer, ok := w.answers[cell]
	if !ok {
		answer, ok = w.answers[plainWord(cell)]
	}
	switch {
	case !ok:
		w.t.fail(r.line, c.Column, errUnknownWord.Error())
	case answer != unsaid:
		w.records = append(w.records, w.m.record(r.cell(colAdmission), c, answer, date))
	}
}

// checkDate holds the row's date against the rules for records; all else of them is the mapping's.
func (w *wide) checkDate(r row, date Date) {
	if w.m.DateColumn == "" {
		return // checked with the mapping
	}
	record := w.m.record("1", PurposeColumn{Purpose: AnyPurpose}, Granted, date)
	found := record.check()
	for i, f := range found {
		if f.column == colExpires {
			found[i] = fault{colDate, errAfterExpiry}
		}
	}
	w.t.failAll(r, found[:min(len(found), 1)]) // what is no date is not too late as well
}

var errAfterExpiry = errors.New("must not be later than the day on which the mapping lets grants expire")
