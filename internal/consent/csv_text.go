package consent

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/consentry/consentry/internal/pathless"
)

// MaxImportBytes is the largest subjects, consents or permissions file that is read. 50,000 pupils
// with twelve records each take about two thirds of it.
const MaxImportBytes = 64 << 20

// ErrTooLarge says that an import file is over MaxImportBytes.
var ErrTooLarge = errors.New("the file is larger than 64 MiB, which is more than a register can be; split it or check that it is the right file")

var (
	errUTF16       = errors.New(`is UTF-16 text; save it as "CSV UTF-8"`)
	errSpreadsheet = errors.New(`is a spreadsheet and not a CSV file; save it as "CSV UTF-8"`)
	errNUL         = errors.New("holds NUL bytes and so is no CSV file")
	errOldLines    = errors.New(`ends its lines with a carriage return only; save it as "CSV UTF-8"`)
)

// readAll reads an import file. Where the file's size can be asked for, one that is too large is
// refused before a byte of it is read.
func readAll(r io.Reader) ([]byte, error) {
	size := int64(0)
	if f, ok := r.(interface{ Stat() (fs.FileInfo, error) }); ok {
		info, err := f.Stat()
		if err != nil {
			return nil, fmt.Errorf("reading an import file: %w", pathless.Error(err))
		}
		size = info.Size()
	}
	if size > MaxImportBytes {
		return nil, ErrTooLarge
	}
	data := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	if _, err := data.ReadFrom(io.LimitReader(r, MaxImportBytes+1)); err != nil {
		return nil, fmt.Errorf("reading an import file: %w", pathless.Error(err))
	}
	if data.Len() > MaxImportBytes {
		return nil, ErrTooLarge
	}
	return data.Bytes(), nil
}

// decodeText makes UTF-8 of what spreadsheets write. Text in Windows-1252, which Latin-1 is a part
// of, comes with the line of its first such letter; latin is 0 where the file is UTF-8.
func decodeText(data []byte) (text []byte, latin int, err error) {
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}), bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return nil, 0, errUTF16
	case bytes.HasPrefix(data, []byte("PK\x03\x04")), bytes.HasPrefix(data, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		return nil, 0, errSpreadsheet
	case bytes.IndexByte(data, 0) >= 0:
		return nil, 0, errNUL
	case bytes.IndexByte(data, '\n') < 0 && bytes.IndexByte(bytes.TrimRight(data, "\r"), '\r') >= 0:
		return nil, 0, errOldLines
	case utf8.Valid(data):
		return bytes.TrimPrefix(data, []byte("\ufeff")), 0, nil
	}
	return decodeLatin(data)
}

// decodeLatin refuses a file that holds letters of both encodings: nobody can say what its others
// were meant to be.
func decodeLatin(data []byte) (text []byte, line int, err error) {
	at, mixed := scanUTF8(data)
	line = 1 + bytes.Count(data[:at], []byte("\n"))
	if mixed {
		return nil, 0, fmt.Errorf(`is UTF-8 text in part only (what is none comes first at line %d); save it as "CSV UTF-8"`, line)
	}
	text, err = charmap.Windows1252.NewDecoder().Bytes(data)
	if err != nil || bytes.ContainsRune(text, utf8.RuneError) {
		return nil, 0, fmt.Errorf(`is neither UTF-8 nor Windows-1252 text (first at line %d); save it as "CSV UTF-8"`, line)
	}
	return text, line, nil
}

// scanUTF8 finds the first byte that is not UTF-8, and whether the data also holds letters beyond
// ASCII that are.
func scanUTF8(data []byte) (first int, mixed bool) {
	first = len(data)
	for i := 0; i < len(data); {
		if data[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			first = min(first, i)
		} else {
			mixed = true
		}
		i += size
	}
	return first, mixed
}

// maxHeader bounds how much is looked at for the separator, in bytes.
const maxHeader = 64 << 10

// maxColumns bounds the cells of a line: a foreign file of commas alone would take many times its
// size in memory.
const maxColumns = 1000

// overwide is the first line that has more cells than a table can have, or 0. (Separators in quotes
// count too; no cell that is accepted has so many.)
func overwide(text []byte, sep byte) int {
	n := 0
	for line := range bytes.Lines(text) {
		if n++; bytes.Count(line, []byte{sep}) >= maxColumns {
			return n
		}
	}
	return 0
}

// separators are what divides the cells of a line, by the country and the program that wrote it.
func separators() []rune { return []rune{',', ';', '\t'} }

// separator recognises what divides the cells from the header line: that by which the line names
// the most of the wanted columns. It is the comma where two name as many.
func separator(text []byte, wanted []string) rune {
	best, most := ',', 0
	text = text[:min(len(text), maxHeader)]
	for _, sep := range separators() {
		header, err := newCSV(text, sep).Read()
		if err != nil {
			continue
		}
		if n := countColumns(header, wanted); n > most {
			best, most = sep, n
		}
	}
	return best
}

func countColumns(header, wanted []string) (n int) {
	for _, name := range header {
		if slices.Contains(wanted, columnName(name, wanted)) {
			n++
		}
	}
	return n
}

func newCSV(text []byte, sep rune) *csv.Reader {
	cr := csv.NewReader(bytes.NewReader(text))
	cr.Comma = sep
	cr.FieldsPerRecord = -1 // checked by the table, so that each wrong line is listed
	cr.ReuseRecord = true
	return cr
}
