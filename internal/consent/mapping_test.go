package consent

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const mappingYAML = `schema: 1
admission_number: Adm No
date: 2025-09-01
purposes:
  - column: Web
    purpose: website
  - {column: Pupil web, purpose: website, party: pupil}
ignore: [Surname]
words:
  granted: [Photos OK]
`

func mapping(t testing.TB, text string) Mapping {
	t.Helper()
	m, err := ParseMapping([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestParseMapping(t *testing.T) {
	want := Mapping{
		Schema: 1, AdmissionNumber: "Adm No", Date: "2025-09-01",
		Purposes: []PurposeColumn{{Column: "Web", Purpose: Website}, {Column: "Pupil web", Purpose: Website, Party: Pupil}},
		Ignore:   []string{"Surname"}, Words: Words{Granted: []string{"Photos OK"}},
	}
	if diff := cmp.Diff(want, mapping(t, mappingYAML)); diff != "" {
		t.Error(diff)
	}
}

func TestMappingFaults(t *testing.T) {
	edit := func(old, new string) string {
		if !strings.Contains(mappingYAML, old) {
			t.Fatalf("the mapping does not hold %q", old)
		}
		return strings.Replace(mappingYAML, old, new, 1)
	}
	for name, test := range map[string]struct{ text, want string }{
		"empty":                  {"", "line 0, column 0: must be"},
		"a list":                 {"- a\n", "line 0, column 0: must be a mapping"},
		"two documents":          {mappingYAML + "---\na: 1\n", "one YAML document, and is 2"},
		"not YAML":               {"a: [", "line 1"},
		"unknown key":            {mappingYAML + "colour: red\n", "line 11, column 1: unknown field"},
		"unknown key within":     {edit("    purpose: website", "    purpose: website\n    colour: red"), "line 7, column 5: unknown field"},
		"key twice":              {mappingYAML + "party: pupil\nparty: pupil\n", "line 12"},
		"anchor":                 {edit("Adm No", "&a Adm No"), "line 2, column 19: anchors"},
		"no schema":              {edit("schema: 1\n", ""), "line 1, column 1: schema must be 1"},
		"other schema":           {edit("schema: 1", "schema: 2"), "line 1, column 9: schema must be 1"},
		"no number column":       {edit("admission_number: Adm No\n", ""), "line 1, column 1: admission_number must name a column"},
		"no date":                {edit("date: 2025-09-01\n", ""), "date must be given, or date_column"},
		"two dates":              {edit("date:", "date_column: Signed\ndate:"), "line 4, column 7: date must be given, or date_column"},
		"British date":           {edit("2025-09-01", "01/09/2025"), "line 3, column 7: date must be a date of the calendar"},
		"expires too soon":       {edit("date:", "expires: 2025-08-31\ndate:"), "line 3, column 10: expires must not be earlier"},
		"no purposes":            {"schema: 1\nadmission_number: A\ndate: 2025-01-01\n", "purposes must list"},
		"empty purposes":         {"schema: 1\nadmission_number: A\ndate: 2025-01-01\npurposes: []\n", "line 4, column 1: purposes must list"},
		"purposes as a mapping":  {"schema: 1\nadmission_number: A\ndate: 2025-01-01\npurposes: {a: b}\n", "line 4"},
		"unknown purpose":        {edit("purpose: website", "purpose: web"), "line 6, column 14: purposes.0.purpose must be one of"},
		"identification":         {edit("purpose: website", "purpose: identification"), "purposes.0.purpose must be one of"},
		"no purpose":             {edit("    purpose: website\n", ""), "line 5, column 5: purposes.0.purpose must be one of"},
		"unknown party":          {edit("party: pupil", "party: mother"), "line 7, column 50: purposes.1.party must be"},
		"unknown party for all":  {edit("date:", "party: mother\ndate:"), "line 3, column 8: party must be"},
		"purpose twice":          {edit(", party: pupil", ""), "line 7, column 34: purposes.1.purpose is what another column already says"},
		"column twice":           {edit("Pupil web", "Web"), "line 7, column 14: purposes.1.column names a column that another"},
		"column used, ignored":   {edit("[Surname]", "[Adm No]"), "line 8, column 10: ignore.0 names a column that another"},
		"no column":              {edit("  - column: Web\n    purpose", "  - purpose"), "line 5, column 5: purposes.0.column must name a column"},
		"column over two lines":  {edit("Adm No", `"Adm\nNo"`), "line 2, column 19: admission_number must name a column"},
		"empty subjects":         {mappingYAML + "subjects: {}\n", "line 11, column 1: subjects must name a column"},
		"number as column":       {edit("[Surname]", "[010]"), "line 8, column 10: must be in quotes"},
		"truth as word":          {edit("[Photos OK]", "[true]"), "line 10, column 13: must be in quotes"},
		"nothing as a value":     {edit("Adm No", ""), "line 2"},
		"empty word":             {edit("Photos OK", `" "`), "line 10, column 13: words.granted.0 must be a word"},
		"no that means yes":      {edit("Photos OK", `"No"`), "line 10, column 13: words.granted.0 is a word that means something else"},
		"word of two meanings":   {mappingYAML + "  refused: [photos  ok]\n", "line 11, column 13: words.refused.0 is a word that means something else"},
		"recorded by two lines":  {edit("date:", "recorded_by: \"a\\nb\"\ndate:"), "line 3, column 14: recorded_by must be plain text"},
		"too large":              {mappingYAML + strings.Repeat("#", maxYAMLBytes), "64 KiB"},
		"lookalike column twice": {mappingYAML + "subjects: {class: Form, lookalikes: Form}\n", "line 11, column 37: subjects.lookalikes names a column that another"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseMapping([]byte(test.text))
			if !strings.Contains(fmt.Sprint(err), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func FuzzMapping(f *testing.F) {
	f.Add([]byte(mappingYAML))
	f.Add([]byte("schema: 1\nadmission_number: A\ndate_column: B\npurposes: [{column: C, purpose: '*'}]\nsubjects: {class: D}\n"))
	f.Add([]byte("a: &x [*x]\n? - b\n: !!binary |\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseMapping(data)
		if err != nil {
			return
		}
		_, err = ParseWide(strings.NewReader(""), m, nil)
		if wrong := (*FileError)(nil); errors.As(err, &wrong) {
			t.Errorf("a mapping that was read cannot be used: %v", err)
		}
	})
}
