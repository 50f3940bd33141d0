package consent

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// maxLineErrors bounds the list of faults and that of notes, so that a foreign file of a million
// lines gives an answer and not a flood. The line after which the check stopped is said.
const maxLineErrors = 10_000

// maxRows bounds the subjects of one file: ten times the largest register that is planned for.
const maxRows = 500_000

// maxCell is as much as a cell of a spreadsheet can hold.
const maxCell = 32 << 10

// LineError is one fault, or a note, about one line of an import file.
type LineError struct {
	Line    int    `json:"line"`             // 1 is the first line of the file; 0 concerns the file as a whole
	Column  string `json:"column,omitempty"` // one of the known columns, or empty
	Message string `json:"message"`          // never repeats a cell, which could be a name
}

func (e LineError) String() string {
	where := fmt.Sprintf("line %d", e.Line)
	if e.Line == 0 {
		where = "file"
	}
	if e.Column != "" {
		where += ", column " + e.Column
	}
	return where + ": " + e.Message
}

// ImportError lists every fault found in an import file, by line. Nothing of such a file is taken.
type ImportError struct{ Lines []LineError }

func (e *ImportError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d fault(s), nothing imported", len(e.Lines))
	for _, l := range e.Lines {
		b.WriteString("\n" + l.String())
	}
	return b.String()
}

// table reads an import file and collects its faults and notes.
type table struct {
	columns  []string          // the names that the header may hold
	required []string          // those that it must hold
	roles    map[string]string // the file's name of each of our columns; nil: the same
	header   []string
	at       map[string]int // place in the file of each of our columns that it has
	size     int            // of the text, in bytes
	stopped  bool           // by a fault that the rest of the file would repeat
	words    interner
	errs     []LineError
	notes    []LineError
}

// row is one line of a table. It holds until the next one is read, its cells for good.
type row struct {
	line  int
	cells []string
	at    map[string]int
}

// cell is what stands in one of our columns, without the space around it; empty where the file
// lacks the column.
func (r row) cell(column string) string {
	if i, ok := r.at[column]; ok {
		return r.cells[i]
	}
	return ""
}

// each hands over the rows that have the right shape; all else is among the faults.
func (t *table) each(r io.Reader, use func(row)) error {
	data, err := readAll(r)
	if err != nil {
		return err
	}
	text, latin, err := decodeText(data)
	if err != nil {
		t.fail(0, "", err.Error())
		return nil
	}
	if latin > 0 {
		t.note(latin, "", `is not UTF-8; the file was read as Windows-1252 (Latin-1): save it as "CSV UTF-8" if its letters come out wrong`)
	}
	t.size = len(text)
	sep := separator(text, t.columns)
	if line := overwide(text, byte(sep)); line > 0 {
		t.fail(line, "", fmt.Sprintf("has more than %d cells", maxColumns))
		return nil
	}
	if cr := newCSV(text, sep); t.readHeader(cr) {
		t.readRows(cr, use)
	}
	return nil
}

// readHeader takes the first line, which names the columns in any order.
func (t *table) readHeader(cr *csv.Reader) bool {
	header, err := cr.Read()
	if errors.Is(err, io.EOF) {
		t.fail(0, "", "is empty; its first line must name the columns: "+strings.Join(t.columns, ","))
		return false
	}
	if err != nil {
		t.failCSV(err)
		return false
	}
	t.header = make([]string, len(header))
	for i, name := range header {
		t.header[i] = columnName(name, t.columns)
	}
	return t.checkHeader()
}

// columnName takes a name off the space around it and, where this makes it a known one, off the line
// breaks that spreadsheets have in the heads of narrow columns.
func columnName(cell string, known []string) string {
	if name := oneLine(cell); slices.Contains(known, name) {
		return name
	}
	return strings.TrimSpace(cell)
}

func (t *table) checkHeader() bool {
	if countColumns(t.header, t.columns) == 0 {
		// Then it may be no header at all, and its cells people's data, which are not repeated.
		t.fail(1, "", "must name the columns: "+strings.Join(t.columns, ","))
		return false
	}
	for i := range t.header {
		t.checkColumn(i)
	}
	for _, name := range t.required {
		if !slices.Contains(t.header, name) {
			t.fail(1, "", "the column "+name+" is missing")
		}
	}
	t.locate()
	return len(t.errs) == 0
}

// locate finds the place of each of our columns.
func (t *table) locate() {
	t.at = make(map[string]int, len(t.header))
	if t.roles == nil {
		for i, name := range t.header {
			t.at[name] = i
		}
	}
	for role, name := range t.roles {
		if i := slices.Index(t.header, name); i >= 0 {
			t.at[role] = i
		}
	}
}

// maxColumnName bounds how much of an unknown column's name is repeated.
const maxColumnName = 64

func (t *table) checkColumn(i int) {
	name := t.header[i]
	switch {
	case slices.Contains(t.header[:i], name):
		t.fail(1, "", fmt.Sprintf("the column %q is there twice", shortName(name)))
	case slices.Contains(t.columns, name):
	case name == "":
		t.fail(1, "", fmt.Sprintf("the column in place %d has no name", i+1))
	case strings.ContainsFunc(name, unicode.IsControl): // two lines run into one: not a name alone
		t.fail(1, "", fmt.Sprintf("the column in place %d has no name on one line", i+1))
	default:
		t.fail(1, "", fmt.Sprintf("unknown column %q; known are: %s", shortName(name), strings.Join(t.columns, ",")))
	}
}

func shortName(name string) string {
	if len(name) > maxColumnName {
		return strings.ToValidUTF8(name[:maxColumnName], "") + "…"
	}
	return name
}

func (t *table) readRows(cr *csv.Reader, use func(row)) {
	for !t.full() {
		cells, err := cr.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.failCSV(err)
			continue
		}
		line, _ := cr.FieldPos(0)
		t.readRow(line, cells, use)
	}
}

// readRow leaves out blank lines, which spreadsheets put at the end of a table.
func (t *table) readRow(line int, cells []string, use func(row)) {
	blank := true
	for i, cell := range cells {
		cells[i] = t.words.intern(strings.TrimSpace(cell))
		blank = blank && cells[i] == ""
	}
	switch {
	case slices.ContainsFunc(cells, func(cell string) bool { return len(cell) > maxCell }):
		t.fail(line, "", fmt.Sprintf("has a cell of more than %d bytes", maxCell))
	case blank:
	case len(cells) != len(t.header):
		t.fail(line, "", fmt.Sprintf("has %d cells, the header has %d", len(cells), len(t.header)))
	default:
		use(row{line: line, cells: cells, at: t.at})
	}
}

// interner keeps one copy of each of the first words that it is given. The cells of a register
// repeat, and a cell on its own would keep the whole line that it was cut from.
type interner map[string]string

const maxInterned = 1 << 17 // two admission numbers of each of 50,000, and all dates

func (words *interner) intern(cell string) string {
	if cell == "" {
		return ""
	}
	if word, ok := (*words)[cell]; ok {
		return word
	}
	if *words == nil {
		*words = make(interner)
	}
	word := strings.Clone(cell)
	if len(*words) < maxInterned {
		(*words)[word] = word
	}
	return word
}

func (t *table) failCSV(err error) {
	var parse *csv.ParseError
	if !errors.As(err, &parse) {
		t.fail(0, "", err.Error())
		return
	}
	t.fail(parse.StartLine, "", "is not CSV: "+parse.Err.Error())
}

func (t *table) fail(line int, column, message string) {
	t.errs = addBounded(t.errs, LineError{Line: line, Column: column, Message: message}, "too many faults; what follows was not checked")
}

func (t *table) note(line int, column, message string) {
	t.notes = addBounded(t.notes, LineError{Line: line, Column: column, Message: message}, "too many notes; what follows is not listed")
}

func addBounded(list []LineError, e LineError, last string) []LineError {
	switch {
	case len(list) >= maxLineErrors:
		return list
	case len(list) == maxLineErrors-1:
		e.Column, e.Message = "", last
	}
	return append(list, e)
}

// failAll lists faults of a row by our columns, under the file's own names for them.
func (t *table) failAll(r row, found []fault) {
	for _, f := range found {
		message := f.err.Error()
		if errors.Is(f.err, errDateFormat) && writtenOtherwise(r.cell(f.column)) {
			message += dateHint
		}
		t.fail(r.line, t.title(f.column), message)
	}
}

// title is the file's name for one of our columns.
func (t *table) title(column string) string {
	if name, ok := t.roles[column]; ok {
		return name
	}
	return column
}

// dateHint tells why a date that a person can read is refused all the same.
const dateHint = "; a date written otherwise is not guessed (01/02/2025 is one day to some and another to others): " +
	"give the column's cells the format YYYY-MM-DD and save the file again"

// writtenOtherwise says whether a cell that is no date seems to be meant as one.
func writtenOtherwise(cell string) bool {
	return strings.ContainsAny(cell, "0123456789") && (strings.ContainsAny(cell, "/. ") || !strings.Contains(cell, "-") || len(cell) < len("2025-01-02"))
}

// stop lists a fault that each row from here on would have, and ends the reading.
func (t *table) stop(line int, err error) {
	if !t.stopped {
		t.fail(line, "", err.Error())
	}
	t.stopped = true
}

func (t *table) full() bool { return t.stopped || len(t.errs) >= maxLineErrors }

// err is all that was found, ordered by line, or nil.
func (t *table) err() error {
	if len(t.errs) == 0 {
		return nil
	}
	sortByLine(t.errs)
	return &ImportError{Lines: t.errs}
}

func sortByLine(list []LineError) {
	slices.SortStableFunc(list, func(a, b LineError) int { return a.Line - b.Line })
}
