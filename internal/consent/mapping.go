package consent

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MappingSchema is the version of mapping files that this version reads.
const MappingSchema = 1

// Mapping says what the columns of a school's permissions list mean: a table with one row a subject
// and one column a purpose. Make it with [ParseMapping].
type Mapping struct {
	Schema          int             `yaml:"schema"`
	AdmissionNumber string          `yaml:"admission_number"` // the column with the number
	Party           Party           `yaml:"party"`            // who speaks in the columns that do not say; empty: the guardian
	Date            Date            `yaml:"date"`             // of all statements, or
	DateColumn      string          `yaml:"date_column"`      // the column with the date of the row's statements
	Expires         Date            `yaml:"expires"`          // of all grants; may be empty
	RecordedBy      string          `yaml:"recorded_by"`      // of all statements; may be empty
	Evidence        string          `yaml:"evidence"`         // of all statements; may be empty
	Purposes        []PurposeColumn `yaml:"purposes"`
	Subjects        *SubjectColumns `yaml:"subjects"` // nil: the list says nothing of subjects, who must be known already
	Ignore          []string        `yaml:"ignore"`   // columns that are not read, such as those with names
	Words           Words           `yaml:"words"`    // besides those that every mapping knows
}

// PurposeColumn is a column in which one party speaks of one purpose.
type PurposeColumn struct {
	Column  string  `yaml:"column"`
	Purpose Purpose `yaml:"purpose"`
	Party   Party   `yaml:"party"` // empty: the mapping's
}

// SubjectColumns names the columns that hold what subjects.csv would; empty where there is none.
type SubjectColumns struct {
	YearGroup  string `yaml:"year_group"`
	Class      string `yaml:"class"`
	Born       string `yaml:"born"`
	Joined     string `yaml:"joined"`
	Leaves     string `yaml:"leaves"`
	Lookalikes string `yaml:"lookalikes"`
}

// Words are what stands in the cells. Neither case nor the amount of space makes a difference.
type Words struct {
	Granted   []string `yaml:"granted"`
	Refused   []string `yaml:"refused"`
	Withdrawn []string `yaml:"withdrawn"`
	Nothing   []string `yaml:"nothing"` // as if the cell were empty
}

// commonWords are those that every mapping knows.
func commonWords() Words {
	return Words{
		Granted:   []string{"y", "yes", "true", "1", "granted"},
		Refused:   []string{"n", "no", "false", "0", "refused"},
		Withdrawn: []string{"withdrawn"},
		Nothing:   []string{""},
	}
}

// unsaid is what a cell says that says nothing; every Answer says something.
const unsaid Answer = ""

// list gives the words with their answers and their place in a mapping file.
func (w Words) list() []wordAnswer {
	var list []wordAnswer
	for _, group := range []struct {
		key    string
		words  []string
		answer Answer
	}{
		{"granted", w.Granted, Granted},
		{"refused", w.Refused, Refused},
		{"withdrawn", w.Withdrawn, Withdrawn},
		{"nothing", w.Nothing, unsaid},
	} {
		for i, word := range group.words {
			list = append(list, wordAnswer{plainWord(word), group.answer, []string{"words", group.key, strconv.Itoa(i)}})
		}
	}
	return list
}

type wordAnswer struct {
	word   string
	answer Answer
	keys   []string
}

// plainWord takes away what makes no difference between the words of cells.
func plainWord(cell string) string { return strings.ToLower(oneLine(cell)) }

// oneLine puts one space for each run of spaces and line breaks.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// answers gives the meaning of each word.
func (m Mapping) answers() map[string]Answer {
	answers := make(map[string]Answer)
	for _, w := range slices.Concat(commonWords().list(), m.Words.list()) {
		answers[w.word] = w.answer
	}
	return answers
}

// partyOf is who speaks in the column.
func (m Mapping) partyOf(c PurposeColumn) Party {
	switch {
	case c.Party != "":
		return c.Party
	case m.Party != "":
		return m.Party
	}
	return Guardian
}

// record is what a cell of the column says.
func (m Mapping) record(id string, c PurposeColumn, answer Answer, date Date) Record {
	r := Record{
		AdmissionNumber: id, Party: m.partyOf(c), Purpose: c.Purpose, Decision: answer, Date: date,
		RecordedBy: m.RecordedBy, Evidence: m.Evidence,
	}
	if r.grants() {
		r.Expires = m.Expires
	}
	return r
}

// roles gives the file's names of our own columns, of those that it has.
func (m Mapping) roles() map[string]string {
	roles := map[string]string{colAdmission: m.AdmissionNumber, colDate: m.DateColumn}
	if s := m.Subjects; s != nil {
		roles[colYearGroup], roles[colClass], roles[colBorn] = s.YearGroup, s.Class, s.Born
		roles[colJoined], roles[colLeaves], roles[colLookalikes] = s.Joined, s.Leaves, s.Lookalikes
	}
	for role, name := range roles {
		if name == "" {
			delete(roles, role)
		}
	}
	return roles
}

var (
	errMappingSchema = fmt.Errorf("must be %d, the schema that this version of consentry reads", MappingSchema)
	errNoColumn      = errors.New("must name a column of the list, as plain text of at most 500 bytes")
	errColumnTwice   = errors.New("names a column that another key names already")
	errSaidTwice     = errors.New("is what another column already says for the same party")
	errNoPurposes    = errors.New("must list the columns that purposes stand in")
	errNoSubjects    = errors.New("must name a column at least, or be left out")
	errOneDate       = errors.New("must be given, or date_column in its place, and not both")
	errNoWord        = errors.New("must be a word; an empty cell says nothing anyhow")
	errWordTwice     = errors.New("is a word that means something else already")
)

// check lists what is wrong with the mapping.
func (m Mapping) check() []placedFault {
	var found []placedFault
	if m.Schema != MappingSchema {
		found = append(found, placedFault{[]string{"schema"}, errMappingSchema})
	}
	if (m.Date == "") == (m.DateColumn == "") {
		found = append(found, placedFault{[]string{"date"}, errOneDate})
	}
	if len(m.Purposes) == 0 {
		found = append(found, placedFault{[]string{"purposes"}, errNoPurposes})
	}
	if m.Subjects != nil && *m.Subjects == (SubjectColumns{}) {
		found = append(found, placedFault{[]string{"subjects"}, errNoSubjects})
	}
	return slices.Concat(found, m.checkConstants(), m.checkColumns(), m.checkPurposes(), m.checkWords())
}

// checkConstants holds what all records share against the rules for records.
func (m Mapping) checkConstants() []placedFault {
	var found []placedFault
	date := m.Date
	if date == "" {
		date = firstYear0101
	}
	r := m.record("1", PurposeColumn{Purpose: AnyPurpose}, Granted, date)
	for _, f := range r.check() {
		found = append(found, placedFault{[]string{f.column}, f.err})
	}
	return found
}

// firstYear0101 stands for a date that is in a column: no expiry is earlier.
const firstYear0101 Date = "1900-01-01"

// checkPurposes holds what each column's records would be against the rules for records.
func (m Mapping) checkPurposes() []placedFault {
	var found []placedFault
	type matter struct {
		party   Party
		purpose Purpose
	}
	seen := make(map[matter]bool)
	for i, c := range m.Purposes {
		keys := []string{"purposes", strconv.Itoa(i)}
		for _, f := range (Record{AdmissionNumber: "1", Party: m.partyOf(c), Purpose: c.Purpose, Decision: Granted, Date: firstYear0101}).check() {
			if f.column == colPurpose || c.Party != "" { // else it is the mapping's own party
				found = append(found, placedFault{under(keys, f.column), f.err})
			}
		}
		key := matter{m.partyOf(c), c.Purpose}
		if seen[key] {
			found = append(found, placedFault{under(keys, colPurpose), errSaidTwice})
		}
		seen[key] = true
	}
	return found
}

func under(keys []string, key string) []string { return append(slices.Clone(keys), key) }

// namedColumn is a column of the file and where the mapping names it.
type namedColumn struct {
	name string
	keys []string
}

// named lists the columns that the mapping names, but for those that are ignored.
func (m Mapping) named() []namedColumn {
	list := []namedColumn{{m.AdmissionNumber, []string{"admission_number"}}}
	if m.DateColumn != "" {
		list = append(list, namedColumn{m.DateColumn, []string{"date_column"}})
	}
	roles := m.roles()
	for _, role := range subjectColumns()[1:] {
		if name, ok := roles[role]; ok {
			list = append(list, namedColumn{name, []string{"subjects", role}})
		}
	}
	for i, c := range m.Purposes {
		list = append(list, namedColumn{c.Column, []string{"purposes", strconv.Itoa(i), "column"}})
	}
	return list
}

// ignored lists the columns that the mapping says are not to be read.
func (m Mapping) ignored() []namedColumn {
	var list []namedColumn
	for i, name := range m.Ignore {
		list = append(list, namedColumn{name, []string{"ignore", strconv.Itoa(i)}})
	}
	return list
}

// checkColumns wants each column's name once, as it is after reading: on one line.
func (m Mapping) checkColumns() []placedFault {
	var found []placedFault
	seen := make(map[string]bool)
	for _, c := range slices.Concat(m.named(), m.ignored()) {
		switch {
		case c.name == "" || validText(c.name) != nil || oneLine(c.name) != c.name:
			found = append(found, placedFault{c.keys, errNoColumn})
		case seen[c.name]:
			found = append(found, placedFault{c.keys, errColumnTwice})
		}
		seen[c.name] = true
	}
	return found
}

// checkWords wants one meaning for each word.
func (m Mapping) checkWords() []placedFault {
	var found []placedFault
	means := make(map[string]Answer)
	for _, w := range commonWords().list() {
		means[w.word] = w.answer
	}
	for _, w := range m.Words.list() {
		answer, known := means[w.word]
		switch {
		case w.word == "" || validText(w.word) != nil:
			found = append(found, placedFault{w.keys, errNoWord})
		case known && answer != w.answer:
			found = append(found, placedFault{w.keys, errWordTwice})
		}
		means[w.word] = w.answer
	}
	return found
}
