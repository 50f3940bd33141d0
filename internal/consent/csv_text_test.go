package consent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What spreadsheets write in different countries says the same.
func TestSpreadsheetsOfAllSorts(t *testing.T) {
	quoted := strings.ReplaceAll(subjectsCSV, "4022; 4023", `"4022; 4023"`)
	want, err := ReadSubjects(strings.NewReader(subjectsCSV), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"semicolons":                strings.NewReplacer(",", ";").Replace(quoted),
		"tabs":                      strings.ReplaceAll(subjectsCSV, ",", "\t"),
		"all at once":               "\ufeff" + strings.ReplaceAll(strings.NewReplacer(",", ";").Replace(quoted), "\n", "\r\n\r\n") + ";;;;;;\r\n",
		"quotes":                    strings.Replace(subjectsCSV, "admission_number,year_group", `"admission_number","year_group"`, 1),
		"no line break at the end":  strings.TrimSuffix(subjectsCSV, "\n"),
		"blank line in the middle":  strings.Replace(subjectsCSV, "4022,", "\n ,\n4022,", 1),
		"blank line of other width": subjectsCSV + ",,\n",
	} {
		got, err := ReadSubjects(strings.NewReader(text), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestLatin1(t *testing.T) {
	f, err := ReadSubjects(strings.NewReader("admission_number,class\n1,A\n2,\xc9t\xe9 \x80\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Subjects[1].Class; got != "Été €" {
		t.Errorf("got %q", got)
	}
	if len(f.Notes) != 1 || f.Notes[0].Line != 3 || !strings.Contains(f.Notes[0].Message, "Windows-1252") {
		t.Errorf("got %v", f.Notes)
	}
	_, err = ReadSubjects(strings.NewReader("admission_number,class\n1,\x81\n"), nil) // a byte that Windows-1252 has no letter for
	checkLines(t, err, []string{"is neither UTF-8 nor Windows-1252 text (first at line 2)"})
	_, err = ReadSubjects(strings.NewReader("\ufeffadmission_number,class\n1,\xe9\n"), nil) // it says that it is UTF-8
	checkLines(t, err, []string{"in part only"})
}

func TestKnownSubjects(t *testing.T) {
	reg := newRegister(t, ids("1", "2"))
	f, err := ReadSubjects(strings.NewReader("admission_number,lookalikes\n2,1;3\n3,\n"), reg.Has)
	if err != nil {
		t.Fatal(err)
	}
	want := []Subject{{AdmissionNumber: "2", Lookalikes: []string{"1", "3"}}, {AdmissionNumber: "3"}}
	if diff := cmp.Diff(want, f.Subjects); diff != "" {
		t.Error(diff)
	}
	_, err = ReadConsents(strings.NewReader("admission_number,party,purpose,decision,date\n1,pupil,press,granted,2025-01-01\n3,pupil,press,granted,2025-01-01\n"), reg.Has)
	checkLines(t, err, []string{"line 3, column admission_number: is not among"})
	_, err = ReadConsents(strings.NewReader("admission_number,party,purpose,decision,date\n1,pupil,press,granted,2025-01-01\n"), nil)
	checkLines(t, err, []string{"line 2, column admission_number: is not among"})
}

func TestConsentNotes(t *testing.T) {
	text := "admission_number,party,purpose,decision,date,evidence\n" +
		"1,pupil,press,granted,2025-01-01,a\n" +
		"2,pupil,press,refused,2025-01-01,\n" +
		"1,pupil,press,refused,2025-01-01,\n" +
		"2,pupil,press,refused,2025-01-01,\n" +
		"1,pupil,press,granted,2025-01-01,b\n" +
		"2,pupil,press,withdrawn,2025-01-01,\n" + // two refusals do not contradict each other
		"2,pupil,press,granted,2025-01-02,\n" + // nor do two dates
		"2,guardian,press,granted,2025-01-01,\n" + // nor two parties
		"2,pupil,press,refused,2025-01-01,\n"
	f, err := ReadConsents(strings.NewReader(text), newRegister(t, ids("1", "2")).Has)
	if err != nil {
		t.Fatal(err)
	}
	var notes []string
	for _, n := range f.Notes {
		notes = append(notes, n.String())
	}
	want := []string{
		"line 5: repeats line 3",
		"line 6: says the same as line 2, but not in expires, recorded_by or evidence; both are kept",
		"line 6, column decision: contradicts line 4: the same party says otherwise of the same purpose on the same date; the refusal stands",
		"line 10: repeats line 3",
	}
	if diff := cmp.Diff(want, notes); diff != "" {
		t.Error(diff)
	}
	if len(f.Records) != 7 || f.Records[0].Evidence != "a" || f.Records[1].AdmissionNumber != "2" {
		t.Errorf("got %v", f.Records)
	}
}

func TestManyNotesAreBounded(t *testing.T) {
	text := "admission_number,party,purpose,decision,date\n" + strings.Repeat("1,pupil,press,granted,2025-01-01\n", 2*maxLineErrors)
	f, err := ReadConsents(strings.NewReader(text), newRegister(t, ids("1")).Has)
	if err != nil || len(f.Records) != 1 || len(f.Notes) != maxLineErrors {
		t.Fatalf("%d records, %d notes, %v", len(f.Records), len(f.Notes), err)
	}
	if n := f.Notes[2]; n.Message != "repeats line 2" || n.Line != 5 {
		t.Errorf("got %v", n)
	}
}

// endless repeats its text for ever.
type endless struct{ text string }

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.text[i%len(e.text)]
	}
	return len(p), nil
}

// counted counts how much is read of an endless file.
type counted struct {
	endless
	read int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.endless.Read(p)
	c.read += n
	return n, err
}

func TestTooLarge(t *testing.T) {
	everybody := func(string) bool { return true }
	for name, parse := range map[string]func(*counted) error{
		"subjects": func(r *counted) error { _, err := ReadSubjects(r, nil); return err },
		"consents": func(r *counted) error { _, err := ReadConsents(r, everybody); return err },
		"wide":     func(r *counted) error { _, err := ParseWide(r, mapping(t, mappingYAML), everybody); return err },
	} {
		r := &counted{endless: endless{"admission_number\n"}}
		if err := parse(r); !errors.Is(err, ErrTooLarge) || r.read > MaxImportBytes+1 {
			t.Errorf("%s: %v after %d bytes", name, err, r.read)
		}
	}
}

// Of a file its size is known: a gigabyte is refused before any of it is read.
func TestGigabyte(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "consents.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(1 << 30); err != nil { // takes no room on the disk
		t.Fatal(err)
	}
	if _, err := ReadSubjects(f, nil); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	if at, err := f.Seek(0, 1); at != 0 || err != nil {
		t.Errorf("%d bytes were read, %v", at, err)
	}
}

func TestErrorsNameNoFile(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "Ada Byron.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = ReadSubjects(f, nil)
	if !errors.Is(err, os.ErrClosed) || strings.Contains(err.Error(), "Ada") {
		t.Errorf("got %v", err)
	}
}

func TestTooManyRows(t *testing.T) {
	var text strings.Builder
	text.WriteString("admission_number\n")
	for i := range maxRows + 10 {
		fmt.Fprintln(&text, i)
	}
	_, err := ReadSubjects(strings.NewReader(text.String()), nil)
	checkLines(t, err, []string{fmt.Sprintf("line %d: has more than %d rows", maxRows+2, maxRows)})
}

// A hostile file must not take many times its size in memory, nor hours.
func TestHostileShapes(t *testing.T) {
	long := strings.Repeat("x", maxCell+1)
	for name, test := range map[string]struct{ text, want string }{
		"commas":       {"admission_number\n" + strings.Repeat(",", 1<<20), "line 2: has more than 1000 cells"},
		"wide header":  {"admission_number" + strings.Repeat(",class", maxColumns) + "\n", "line 1: has more than 1000 cells"},
		"long cell":    {"admission_number,class\n1," + long + "\n", "line 2: has a cell of more than 32768 bytes"},
		"long heading": {"admission_number," + long + "\n", `line 1: unknown column "` + long[:maxColumnName] + `…"`},
		"open quote":   {"admission_number,class\n1,\"" + strings.Repeat("7B\n", 1<<18), "line 2: is not CSV"},
		"line breaks":  {strings.Repeat("\n", 1<<20), "file: is empty"},
	} {
		_, err := ReadSubjects(strings.NewReader(test.text), nil)
		if got := lines(err); len(got) != 1 || !strings.HasPrefix(got[0], test.want) {
			t.Errorf("%s: got %.200q", name, got)
		}
	}
}
