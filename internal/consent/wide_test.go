package consent

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseWide(t *testing.T) {
	const text = "Surname,Adm No,Web,Pupil web\nA,1,Y,photos   ok\nB,2,,refused\nC,3, No ,WITHDRAWN\n,4,,\n"
	say := func(id string, party Party, answer Answer) Record {
		return Record{AdmissionNumber: id, Party: party, Purpose: Website, Decision: answer, Date: "2025-09-01"}
	}
	want := WideFile{Records: []Record{
		say("1", Guardian, Granted), say("1", Pupil, Granted), say("2", Pupil, Refused), say("3", Guardian, Refused), say("3", Pupil, Withdrawn),
	}}
	for name, text := range map[string]string{
		"plain":                  text,
		"Excel":                  "\ufeff" + strings.ReplaceAll(text, "\n", "\r\n"),
		"semicolons":             strings.ReplaceAll(text, ",", ";"),
		"tabs":                   strings.ReplaceAll(text, ",", "\t"),
		"blank lines":            text + ",,,\n\n",
		"head over two lines":    strings.Replace(text, "Pupil web", "\"Pupil\nweb\"", 1),
		"without ignored":        strings.NewReplacer("Surname,", "", "\nA,", "\n", "\nB,", "\n", "\nC,", "\n", "\n,4", "\n4").Replace(text),
		"separators in quotes":   strings.Replace(strings.ReplaceAll(text, ",", ";"), "A;", "\"A;B\";", 1),
		"names in other scripts": strings.Replace(text, "\nA,", "\nŽofie,", 1),
	} {
		got, err := ParseWide(strings.NewReader(text), mapping(t, mappingYAML), func(id string) bool { return strings.Contains("1234", id) })
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

const wideSubjects = `schema: 1
admission_number: Adm No
date_column: Signed
expires: 2026-08-31
recorded_by: office
evidence: list
party: placing-authority
purposes: [{column: All, purpose: "*"}]
subjects: {class: Form, leaves: Leaves, lookalikes: Twins}
`

func TestParseWideSubjects(t *testing.T) {
	const text = "Form;Adm No;All;Signed;Twins;Leaves\n7\xc9;1;1;2025-09-01;2;\n8B;2;0;2025-09-02;\"3;1\";2027-07-31\n8B;4;;;;\n"
	got, err := ParseWide(strings.NewReader(text), mapping(t, wideSubjects), func(id string) bool { return id == "3" })
	if err != nil {
		t.Fatal(err)
	}
	want := WideFile{
		Subjects: []Subject{
			{AdmissionNumber: "1", Class: "7É", Lookalikes: []string{"2"}},
			{AdmissionNumber: "2", Class: "8B", Leaves: "2027-07-31", Lookalikes: []string{"1", "3"}},
			{AdmissionNumber: "4", Class: "8B"},
		},
		Columns: []string{"admission_number", "class", "leaves", "lookalikes"},
		Records: []Record{
			{"1", PlacingAuthority, AnyPurpose, Granted, "2025-09-01", "2026-08-31", "office", "list"},
			{"2", PlacingAuthority, AnyPurpose, Refused, "2025-09-02", "", "office", "list"},
		},
		Notes: got.Notes,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(got.Notes) != 1 || !strings.Contains(got.Notes[0].String(), "line 2: is not UTF-8; the file was read as Windows-1252") {
		t.Errorf("notes: %v", got.Notes)
	}
}

func TestWideFaults(t *testing.T) {
	for name, test := range map[string]struct {
		mapping, text string
		want          []string
	}{
		"unknown column":     {mappingYAML, "Adm No,Web,Pupil web,Forename\n", []string{`unknown column "Forename"; known are: Adm No,Web,Pupil web,Surname`}},
		"missing column":     {mappingYAML, "Adm No,Web\n", []string{"column Pupil web is missing"}},
		"column twice":       {mappingYAML, "Adm No,Web,Pupil web,Web\n", []string{`"Web" is there twice`}},
		"no header":          {mappingYAML, "1,Ada,Y,N\n", []string{"line 1: must name the columns"}},
		"unknown word":       {mappingYAML, "Adm No,Web,Pupil web\n1,Ada,Y\n2,Y,?\n", []string{"line 2, column Web: holds a word", "line 3, column Pupil web: holds a word"}},
		"unknown subject":    {mappingYAML, "Adm No,Web,Pupil web\n9,Y,Y\n", []string{"line 2, column Adm No: is not among"}},
		"no number":          {mappingYAML, "Adm No,Web,Pupil web\n,Y,Y\nAda,Y,Y\n", []string{"line 2, column Adm No", "line 3, column Adm No: must be an admission number"}},
		"twice":              {mappingYAML, "Adm No,Web,Pupil web\n1,Y,Y\n2,Y,Y\n1,N,N\n", []string{"line 4, column Adm No: is the same as in line 2"}},
		"cells":              {mappingYAML, "Adm No,Web,Pupil web\n1,Y\n", []string{"line 2: has 2 cells"}},
		"no date":            {wideSubjects, "Adm No,All,Signed,Form,Leaves,Twins\n1,Y,,7B,,\n", []string{"line 2, column Signed: must not be empty"}},
		"British date":       {wideSubjects, "Adm No,All,Signed,Form,Leaves,Twins\n1,Y,01/09/2025,7B,,\n2,,x,7B,1/2/2027,\n", []string{"line 2, column Signed: must be a date of the calendar, written YYYY-MM-DD; a date written otherwise", "line 3, column Leaves: must be a date of the calendar, written YYYY-MM-DD; a", "line 3, column Signed"}},
		"after the expiry":   {wideSubjects, "Adm No,All,Signed,Form,Leaves,Twins\n1,Y,2026-09-01,7B,,\n", []string{"line 2, column Signed: must not be later"}},
		"own twin":           {wideSubjects, "Adm No,All,Signed,Form,Leaves,Twins\n1,,,7B,,1\n", []string{"line 2, column Twins: a subject cannot be"}},
		"unknown twin":       {wideSubjects, "Adm No,All,Signed,Form,Leaves,Twins\n1,,,7B,,9\n", []string{"line 2, column Twins: is not among"}},
		"no mapping":         {"", "", []string{"mapping file refused: line 0, column 0: admission_number must name a column"}},
		"spreadsheet":        {mappingYAML, "PK\x03\x04", []string{"spreadsheet"}},
		"empty":              {mappingYAML, "", []string{"file: is empty"}},
		"purpose word alone": {mappingYAML, "Adm No,Web,Pupil web\n1,Y Ada,Y\n", []string{"line 2, column Web"}},
	} {
		t.Run(name, func(t *testing.T) {
			var m Mapping
			if test.mapping != "" {
				m = mapping(t, test.mapping)
			}
			f, err := ParseWide(strings.NewReader(test.text), m, func(id string) bool { return id == "1" || id == "2" })
			if diff := cmp.Diff(WideFile{}, f); diff != "" {
				t.Error("something was taken from a faulty file")
			}
			if err == nil || strings.Contains(err.Error(), "Ada") {
				t.Fatalf("the error repeats a cell: %v", err)
			}
			checkLines(t, err, test.want)
		})
	}
}

// What a list has no column for is not erased by it.
func TestOnto(t *testing.T) {
	reg := newRegister(t, []Subject{
		{AdmissionNumber: "1", YearGroup: "7", Class: "7A", Born: "2013-01-01", Joined: "2020-01-01", Leaves: "2030-01-01", Lookalikes: []string{"2"}},
		{AdmissionNumber: "2"},
	})
	f, err := ReadSubjects(strings.NewReader("class,admission_number,leaves\n8A,1,\n8B,3,\n"), reg.Has)
	if err != nil {
		t.Fatal(err)
	}
	want := []Subject{
		{AdmissionNumber: "1", YearGroup: "7", Class: "8A", Born: "2013-01-01", Joined: "2020-01-01", Lookalikes: []string{"2"}},
		{AdmissionNumber: "3", Class: "8B"},
	}
	if diff := cmp.Diff(want, f.Onto(reg)); diff != "" {
		t.Error(diff)
	}
	all := Subject{"1", "8", "8A", "2013-01-02", "2020-01-02", "2030-01-02", []string{"3"}}
	old, _ := reg.Subject("1")
	if diff := cmp.Diff(all, all.over(old, subjectColumns())); diff != "" {
		t.Errorf("a column is not taken: %s", diff)
	}
	wide := WideFile{Subjects: f.Subjects, Columns: f.Columns}
	if diff := cmp.Diff(want, wide.Onto(reg)); diff != "" {
		t.Error(diff)
	}
}

// FuzzWide wants that whatever is taken from a foreign list makes a register.
func FuzzWide(f *testing.F) {
	f.Add([]byte("Surname,Adm No,Web,Pupil web\nA,1,Y,photos ok\n"), false)
	f.Add([]byte("\ufeffAdm No;All;Signed;Form;Leaves;Twins\r\n1;1;2025-09-01;\"7\nB\";;2\r\n2;n;;;;\r\n"), true)
	f.Add([]byte("Adm No\tAll\tSigned\tForm\tLeaves\tTwins\n1\ty\t2025-09-01\t\xe9\t\t\n"), true)
	known := func(id string) bool { return id == "1" }
	plain, withSubjects := mapping(f, mappingYAML), mapping(f, wideSubjects)
	f.Fuzz(func(t *testing.T, data []byte, subjects bool) {
		m := plain
		if subjects {
			m = withSubjects
		}
		file, err := ParseWide(bytes.NewReader(data), m, known)
		if err != nil {
			return
		}
		reg := newRegister(t, ids("1"))
		next, _, err := reg.Merge(file.Onto(reg), file.Records)
		if err != nil {
			if strings.Contains(err.Error(), "upper and lower case") {
				return // only the register knows
			}
			t.Fatalf("the import took what the register refuses: %v", err)
		}
		if _, changes, err := next.Merge(file.Onto(next), file.Records); err != nil || !changes.None() {
			t.Errorf("a second time: %+v, %v", changes, err)
		}
	})
}
