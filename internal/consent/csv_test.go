package consent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const subjectsCSV = "admission_number,year_group,class,born,joined,leaves,lookalikes\n" +
	"4021,7,7B,2013-05-06,2024-09-01,2031-07-31,4022; 4023\n" +
	"4022,R,,,,,\n" +
	"4023,13,,,,,4021\n"

func parsed(t testing.TB, text string) []Subject {
	t.Helper()
	subjects, err := ParseSubjects(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return subjects
}

func TestParseSubjects(t *testing.T) {
	want := []Subject{
		{
			AdmissionNumber: "4021", YearGroup: "7", Class: "7B", Born: "2013-05-06", Joined: "2024-09-01",
			Leaves: "2031-07-31", Lookalikes: []string{"4022", "4023"},
		},
		{AdmissionNumber: "4022", YearGroup: "R"},
		{AdmissionNumber: "4023", YearGroup: "13", Lookalikes: []string{"4021"}},
	}
	for name, text := range map[string]string{
		"plain":           subjectsCSV,
		"byte-order mark": "\ufeff" + subjectsCSV,
		"CRLF":            strings.ReplaceAll(subjectsCSV, "\n", "\r\n"),
		"blank lines":     subjectsCSV + "\n,,,,,,\n",
		"spaces":          strings.ReplaceAll(subjectsCSV, ",", " , "),
	} {
		if diff := cmp.Diff(want, parsed(t, text)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	shuffled := parsed(t, "class,admission_number\n7B,4021\n")
	if diff := cmp.Diff([]Subject{{AdmissionNumber: "4021", Class: "7B"}}, shuffled); diff != "" {
		t.Error(diff)
	}
}

// lines is the list of faults, or the error's text where it is another error.
func lines(err error) []string {
	var wrong *ImportError
	if !errors.As(err, &wrong) {
		return []string{fmt.Sprint(err)}
	}
	var list []string
	for _, l := range wrong.Lines {
		list = append(list, l.String())
	}
	return list
}

// checkLines wants one fault for each fragment, in order.
func checkLines(t *testing.T, err error, want []string) {
	t.Helper()
	got := lines(err)
	ok := len(got) == len(want)
	for i := 0; ok && i < len(want); i++ {
		ok = strings.Contains(got[i], want[i])
	}
	if !ok {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSubjectFaults(t *testing.T) {
	const head = "admission_number,year_group,born,joined,leaves,lookalikes\n"
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"empty":              {"", []string{"file: is empty"}},
		"unknown column":     {"admission_number,name,first name\n1,Ada,B\n", []string{`line 1: unknown column "name"`, `line 1: unknown column "first name"`}},
		"column twice":       {"admission_number,class,class\n", []string{`column "class" is there twice`}},
		"missing column":     {"class\n7B\n", []string{"column admission_number is missing"}},
		"no header":          {"4021,Ada Byron\n", []string{"line 1: must name the columns"}},
		"mixed separators":   {"admission_number,class;born\n1,7B;\n", []string{`unknown column "class;born"`}},
		"short with tabs":    {"admission_number\tclass\tborn\n1\t7B\n", []string{"line 2: has 2 cells, the header has 3"}},
		"Latin-1":            {head + "1,7,,,,\n2,\xe9,,,,\n", []string{"line 3, column year_group"}},
		"UTF-8 in part":      {"admission_number,class\n1,\u00c9\n2,\xe9\n", []string{"UTF-8 text in part only (what is none comes first at line 3)"}},
		"old Macintosh":      {"admission_number,class\r1,Ada\r", []string{"carriage return only"}},
		"line break in name": {"admission_number,\"class\nAda\"\n", []string{"the column in place 2 has no name on one line"}},
		"nameless column":    {"admission_number,,class\n", []string{"the column in place 2 has no name"}},
		"old spreadsheet":    {"\xd0\xcf\x11\xe0\xa1\xb1", []string{"spreadsheet"}},
		"UTF-16":             {"\xff\xfea\x00", []string{"UTF-16"}},
		"a spreadsheet":      {"PK\x03\x04...", []string{"spreadsheet"}},
		"NUL":                {"admission_number\n1\x00\n", []string{"NUL"}},
		"too few cells":      {head + "1,7\n", []string{"line 2: has 2 cells, the header has 6"}},
		"quotes":             {head + "1,\"7\"x,,,,\n2,14,,,,\n", []string{"line 2: is not CSV", "line 3, column year_group"}},
		"year groups":        {head + "1,0,,,,\n2,14,,,,\n3,r,,,,\n4,07,,,,\n5,-1,,,,\n", []string{"line 2", "line 3", "line 4", "line 5", "line 6"}},
		"other dates":        {head + "1,7,06/05/2013,2024-9-1,2025-02-30,\n", []string{"column born: must be a date of the calendar, written YYYY-MM-DD; a date written otherwise is not guessed", "column joined: must be a date of the calendar, written YYYY-MM-DD; a date", "column leaves"}},
		"far years":          {head + "1,7,0213-05-06,,,\n", []string{"line 2, column born: must be a date between"}},
		"leaves first":       {head + "1,7,,2024-09-01,2024-08-31,\n", []string{"column leaves: must not be earlier"}},
		"born later":         {head + "1,7,2024-09-02,2024-09-01,,\n", []string{"column born: must not be later"}},
		"own lookalike":      {head + "1,7,,,,1\n", []string{"column lookalikes: a subject cannot be"}},
		"unknown lookalike":  {head + "1,7,,,,2\n", []string{"column lookalikes: is not among the subjects"}},
		"impossible twin":    {head + "1,7,,,,Ada Byron\n", []string{"column lookalikes: must be an admission number"}},
		"twice":              {head + "A1,7,,,,\n2,7,,,,\na1,8,,,,\n", []string{"line 4, column admission_number: is the same as in line 2"}},
		"several in a line":  {head + "Ada,14,,,,\n", []string{"column admission_number", "column year_group"}},
		"lines in quotes":    {"admission_number,class\n1,\"7\n8\"\n2,\n,7\n", []string{"line 2, column class", "line 5, column admission_number"}},
		"no admission no.":   {head + ",7,,,,\n", []string{"line 2, column admission_number"}},
		"path as number":     {head + "../1,7,,,,\n", []string{"column admission_number"}},
		"key pattern":        {head + "40.21,7,,,,\n1>,7,,,,\n", []string{"line 2", "line 3"}},
		"ends in a hyphen":   {head + "1-,7,,,,\n", []string{"line 2"}},
		"very long number":   {head + strings.Repeat("1", 33) + ",7,,,,\n", []string{"line 2"}},
		"blank line between": {head + "1,7,,,,\n\n2,14,,,,\n", []string{"line 4, column year_group"}},
	} {
		t.Run(name, func(t *testing.T) {
			subjects, err := ParseSubjects(strings.NewReader(test.text))
			if subjects != nil {
				t.Error("something was taken from a faulty file")
			}
			checkLines(t, err, test.want)
			for _, secret := range []string{"Ada", "Byron"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error repeats a cell: %v", err)
				}
			}
		})
	}
}

func TestParseConsents(t *testing.T) {
	subjects := parsed(t, subjectsCSV)
	text := "date,admission_number,party,purpose,decision,expires,evidence\n" +
		"2025-09-01,4021,guardian,*,granted,2026-08-31,form 12\n" +
		"2025-09-01,4021,guardian,*,granted,2026-08-31,form 12\n" +
		"2025-09-02,4022,pupil,website,refused,,\n"
	got, err := ParseConsents(strings.NewReader(text), subjects)
	if err != nil {
		t.Fatal(err)
	}
	want := []Record{
		{AdmissionNumber: "4021", Party: Guardian, Purpose: AnyPurpose, Decision: Granted, Date: "2025-09-01", Expires: "2026-08-31", Evidence: "form 12"},
		{AdmissionNumber: "4022", Party: Pupil, Purpose: Website, Decision: Refused, Date: "2025-09-02"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConsentFaults(t *testing.T) {
	const head = "admission_number,party,purpose,decision,date,expires\n"
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"unknown column":   {"admission_number,party,purpose,decision,date,parent\n", []string{`unknown column "parent"`}},
		"missing columns":  {"admission_number,party\n", []string{"purpose is missing", "decision is missing", "date is missing"}},
		"unknown words":    {head + "4021,mother,web,yes,2025-01-01,\n", []string{"column party: must be one of: pupil, guardian", "column purpose", "column decision"}},
		"identification":   {head + "4021,pupil,identification,granted,2025-01-01,\n", []string{"column purpose"}},
		"unknown subject":  {head + "9,pupil,press,granted,2025-01-01,\n4021,pupil,press,granted,2025-01-01,\nx9,pupil,press,granted,2025-01-01,\n", []string{"line 2, column admission_number: is not", "line 4, column admission_number: is not"}},
		"no date":          {head + "4021,pupil,press,granted,,\n", []string{"column date: must not be empty"}},
		"British date":     {head + "4021,pupil,press,granted,01/02/2025,\n", []string{"column date: must be a date"}},
		"expires too soon": {head + "4021,pupil,press,granted,2025-01-02,2025-01-01\n", []string{"column expires: must not be earlier"}},
		"case matters":     {head + "4021,Pupil,press,granted,2025-01-01,\n", []string{"column party"}},
		"quote left open":  {head + "4021,\"pupil,press,granted,2025-01-01,\n", []string{"line 2: is not CSV"}},
	} {
		t.Run(name, func(t *testing.T) {
			records, err := ParseConsents(strings.NewReader(test.text), parsed(t, subjectsCSV))
			if records != nil {
				t.Error("something was taken from a faulty file")
			}
			checkLines(t, err, test.want)
		})
	}
}

func TestManyFaultsAreBounded(t *testing.T) {
	text := "admission_number\n" + strings.Repeat("x\n", 3*maxLineErrors)
	_, err := ParseSubjects(strings.NewReader(text))
	got := lines(err)
	if len(got) != maxLineErrors || !strings.Contains(got[len(got)-1], "too many faults") {
		t.Errorf("%d faults, the last is %q", len(got), got[len(got)-1])
	}
}

func TestReaderError(t *testing.T) {
	_, err := ParseSubjects(io.MultiReader(strings.NewReader(subjectsCSV), failing{}))
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// FuzzSubjects wants that whatever is taken from a foreign file makes a register.
func FuzzSubjects(f *testing.F) {
	f.Add([]byte(subjectsCSV))
	f.Add([]byte("\ufeffclass,admission_number\r\n\"7\nB\",4021\r\n"))
	f.Add([]byte("admission_number;class\n1;\xe9\n"))
	f.Add([]byte("admission_number\tlookalikes\n1\t9;9\n"))
	f.Add([]byte("\xff\xfea\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := ReadSubjects(bytes.NewReader(data), func(id string) bool { return id == "9" })
		if err != nil {
			return
		}
		reg := newRegister(t, []Subject{{AdmissionNumber: "9", Class: "7B"}})
		next, _, err := reg.Merge(file.Onto(reg), nil)
		if err != nil {
			t.Fatalf("the import took what the register refuses: %v", err)
		}
		if _, changes, err := next.Merge(file.Onto(next), nil); err != nil || !changes.None() {
			t.Errorf("a second time: %+v, %v", changes, err)
		}
	})
}

// FuzzConsents wants the same of the other file, and that each record is there once.
func FuzzConsents(f *testing.F) {
	f.Add([]byte("admission_number,party,purpose,decision,date\n4021,pupil,*,refused,2025-01-01\n"))
	f.Add([]byte("date;purpose;party;admission_number;decision;evidence\r\n2025-01-01;press;guardian;4022;granted;\xe9\r\n"))
	f.Add([]byte("admission_number,party,purpose,decision,date\n\"4021\",\"pupil"))
	reg := newRegister(f, ids("4021", "4022"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := ReadConsents(bytes.NewReader(data), reg.Has)
		if err != nil {
			return
		}
		next, changes, err := reg.Merge(nil, file.Records)
		if err != nil {
			t.Fatalf("the import took what the register refuses: %v", err)
		}
		if changes.Records.Added.Count != len(file.Records) {
			t.Errorf("%d of %d records are new", changes.Records.Added.Count, len(file.Records))
		}
		if _, changes, err := next.Merge(nil, file.Records); err != nil || !changes.None() {
			t.Errorf("a second time: %+v, %v", changes, err)
		}
	})
}
