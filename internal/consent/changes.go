package consent

import "fmt"

// Changes says what a merge does to a register.
type Changes struct {
	Subjects Tally  `json:"subjects"`
	Records  Tally  `json:"records"`
	Notes    []Note `json:"notes"` // what a person should look at; by subject
}

// None says whether the merge leaves the register as it is.
func (c Changes) None() bool {
	return c.Subjects.Added.Count+c.Subjects.Changed.Count+c.Records.Added.Count+c.Records.Changed.Count == 0
}

// Tally counts the subjects, or the records, of a merge. What the files do not mention is in none.
type Tally struct {
	Added     Count `json:"added"`
	Changed   Count `json:"changed"`
	Unchanged Count `json:"unchanged"`
}

// Count is how many there are, and of whom: of one subject some records may be new and some not.
type Count struct {
	Count int      `json:"count"`
	Of    []string `json:"of"` // admission numbers, sorted, each once
}

func (c *Count) add(n int, id string) {
	if n > 0 {
		c.Count += n
		c.Of = append(c.Of, id)
	}
}

// Note is something that a merge does as it was told to, and that may not be what was meant.
type Note struct {
	Subject string `json:"subject"`
	Message string `json:"message"` // holds words of the vocabularies, dates and admission numbers only
}

// maxNotes bounds the notes of a merge.
const maxNotes = 10_000

// Merge takes files into the register: a subject stands in place of that of the same number (see
// [SubjectsFile.Onto] for what a file has no column for), records are statements that are added, and
// nobody and nothing else is removed. The register that comes of it has the receiver's revision, and
// is the receiver itself where nothing changes. Neither order nor repeats of what is handed in
// matter, and to merge the same again changes nothing.
//
// A record is added beside the others of its subject, but replaces what says the same otherwise: the
// record of the same party, purpose, decision and date with another expiry, recorder or evidence. A
// grant and a refusal of one date are both kept, and the refusal stands.
//
// It is an error, and nothing is merged, where a subject is there twice or differs from the
// register's in upper and lower case, a record's subject is neither in the register nor handed in, a
// lookalike likewise, or a part is not valid on its own.
func (reg *Register) Merge(subjects []Subject, records []Record) (next *Register, changes Changes, err error) {
	m := merge{reg: reg, entries: make(map[string]Entry), changed: make(map[string]bool)}
	for _, s := range subjects {
		m.subject(s)
	}
	m.records(records)
	next, err = m.finish()
	if err != nil {
		return nil, Changes{}, fmt.Errorf("merging into the register: %w", err)
	}
	return next, m.settled(), nil
}
