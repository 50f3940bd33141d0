package consent

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxImportBytes is the largest subjects or consents file that is read. 50,000 pupils with eleven
// records each take about half of it.
const MaxImportBytes = 64 << 20

// maxLineErrors bounds the list of faults, so that a foreign file of a million lines gives an
// answer and not a flood. The line after which the check stopped is said.
const maxLineErrors = 10_000

// ErrTooLarge says that an import file is over MaxImportBytes.
var ErrTooLarge = errors.New("the file is larger than 64 MiB, which is more than a register can be; split it or check that it is the right file")

// LineError is one fault in one line of an import file.
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

// row is one line of a table: its cells by column, and where it begins.
type row struct {
	line  int
	cells map[string]string
}

// table reads an import file and collects its faults.
type table struct {
	columns  []string // the known ones
	required []string
	header   []string
	errs     []LineError
}

// read gives the rows that have the right shape; all else is among the faults.
func (t *table) read(r io.Reader) ([]row, error) {
	data, err := readAll(r)
	if err != nil {
		return nil, err
	}
	if err := checkEncoding(data); err != nil {
		t.fail(0, "", err.Error())
		return nil, t.err()
	}
	cr := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	cr.FieldsPerRecord = -1 // checked here, so that each wrong line is listed
	if !t.readHeader(cr) {
		return nil, t.err()
	}
	return t.readRows(cr), nil
}

func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxImportBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading an import file: %w", err)
	}
	if len(data) > MaxImportBytes {
		return nil, ErrTooLarge
	}
	return data, nil
}

// checkEncoding recognises what spreadsheets write besides "CSV UTF-8".
func checkEncoding(data []byte) error {
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}), bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return errors.New(`is UTF-16 text; save it as "CSV UTF-8"`)
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return errors.New(`is a spreadsheet and not a CSV file; save it as "CSV UTF-8"`)
	case !utf8.Valid(data):
		line := 1 + bytes.Count(data[:validPrefix(data)], []byte("\n"))
		return fmt.Errorf(`is not UTF-8 text (first at line %d); save it as "CSV UTF-8"`, line)
	case bytes.IndexByte(data, 0) >= 0:
		return errors.New("holds NUL bytes and so is no CSV file")
	}
	return nil
}

// validPrefix is the length of the longest prefix that is UTF-8.
func validPrefix(data []byte) int {
	n := 0
	for n < len(data) {
		r, size := utf8.DecodeRune(data[n:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		n += size
	}
	return n
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
	if !t.namesColumns(header) {
		return false
	}
	for i, name := range header {
		header[i] = strings.TrimSpace(name)
		t.checkColumn(header, i)
	}
	for _, name := range t.required {
		if !slices.Contains(header, name) {
			t.fail(1, "", "the column "+name+" is missing")
		}
	}
	t.header = header
	return len(t.errs) == 0
}

// namesColumns is false where the first line is no header at all: then its cells are people's data
// and are not repeated, as an unknown column's name would be.
func (t *table) namesColumns(header []string) bool {
	known := func(name string) bool { return slices.Contains(t.columns, strings.TrimSpace(name)) }
	if slices.ContainsFunc(header, known) {
		return true
	}
	text := "must name the columns: " + strings.Join(t.columns, ",")
	for _, sep := range []string{";", "\t"} {
		if slices.ContainsFunc(strings.Split(header[0], sep), known) {
			text = fmt.Sprintf("the columns are separated by %q; save the file with commas", sep)
		}
	}
	t.fail(1, "", text)
	return false
}

// maxColumnName bounds how much of an unknown column's name is repeated.
const maxColumnName = 64

func (t *table) checkColumn(header []string, i int) {
	name := header[i]
	switch {
	case !slices.Contains(t.columns, name):
		if len(name) > maxColumnName {
			name = strings.ToValidUTF8(name[:maxColumnName], "") + "…"
		}
		t.fail(1, "", fmt.Sprintf("unknown column %q; known are: %s", name, strings.Join(t.columns, ",")))
	case slices.Contains(header[:i], name):
		t.fail(1, "", "the column "+name+" is there twice")
	}
}

func (t *table) readRows(cr *csv.Reader) []row {
	var rows []row
	for !t.full() {
		cells, err := cr.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.failCSV(err)
			continue
		}
		line, _ := cr.FieldPos(0)
		if len(cells) != len(t.header) {
			t.fail(line, "", fmt.Sprintf("has %d cells, the header has %d", len(cells), len(t.header)))
			continue
		}
		if r := t.row(line, cells); !r.blank() {
			rows = append(rows, r)
		}
	}
	return rows
}

func (t *table) row(line int, cells []string) row {
	r := row{line: line, cells: make(map[string]string, len(cells))}
	for i, name := range t.header {
		r.cells[name] = strings.TrimSpace(cells[i])
	}
	return r
}

// blank recognises the empty lines that spreadsheets leave at the end of a table.
func (r row) blank() bool {
	for _, cell := range r.cells {
		if cell != "" {
			return false
		}
	}
	return true
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
	if t.full() {
		return
	}
	if len(t.errs) == maxLineErrors-1 {
		column, message = "", "too many faults; what follows was not checked"
	}
	t.errs = append(t.errs, LineError{Line: line, Column: column, Message: message})
}

func (t *table) failAll(line int, found []fault) {
	for _, f := range found {
		t.fail(line, f.column, f.err.Error())
	}
}

func (t *table) full() bool { return len(t.errs) >= maxLineErrors }

// err is all that was found, ordered by line, or nil.
func (t *table) err() error {
	if len(t.errs) == 0 {
		return nil
	}
	slices.SortStableFunc(t.errs, func(a, b LineError) int { return a.Line - b.Line })
	return &ImportError{Lines: t.errs}
}
