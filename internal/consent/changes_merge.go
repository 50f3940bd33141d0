package consent

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
)

var errTwice = errors.New("is there twice")

// merge is a merge on its way.
type merge struct {
	reg     *Register
	entries map[string]Entry // those that are mentioned, as they become
	changed map[string]bool  // those that become something else than they were
	changes Changes
	errs    []error
}

func (m *merge) fail(what, id string, err error) {
	if len(m.errs) < maxRegisterErrors {
		m.errs = append(m.errs, joinFaults(what, id, []fault{{colAdmission, err}}))
	}
}

// finish makes the register.
func (m *merge) finish() (*Register, error) {
	if len(m.errs) > 0 {
		return nil, errors.Join(m.errs...)
	}
	if m.reg != nil && len(m.changed) == 0 {
		return m.reg, nil
	}
	var changed []Entry
	for _, id := range slices.Sorted(maps.Keys(m.changed)) {
		changed = append(changed, m.entries[id])
	}
	return m.reg.With(m.reg.Revision(), changed, nil)
}

// subject takes one subject and compares it with the register's.
func (m *merge) subject(s Subject) {
	id := s.AdmissionNumber
	if _, twice := m.entries[id]; twice {
		m.fail("subject", id, errTwice)
		return
	}
	s.Lookalikes = tidy(slices.Clone(s.Lookalikes))
	tally, old := &m.changes.Subjects, m.reg.node(id)
	if old == nil {
		tally.Added.add(1, id)
		m.entries[id], m.changed[id] = Entry{Subject: s}, true
		return
	}
	m.entries[id] = Entry{Subject: s, Records: old.Records}
	if equalSubjects(s, old.Subject) {
		tally.Unchanged.add(1, id)
		return
	}
	tally.Changed.add(1, id)
	m.changed[id] = true
	m.noteLosses(old.Subject, s)
}

func equalSubjects(a, b Subject) bool {
	return a.AdmissionNumber == b.AdmissionNumber && a.YearGroup == b.YearGroup && a.Class == b.Class &&
		a.Born == b.Born && a.Joined == b.Joined && a.Leaves == b.Leaves && slices.Equal(a.Lookalikes, b.Lookalikes)
}

// records takes the statements, subject by subject.
func (m *merge) records(records []Record) {
	said := make(map[string][]Record)
	for _, r := range records {
		said[r.AdmissionNumber] = append(said[r.AdmissionNumber], r)
	}
	for id, list := range said {
		slices.SortFunc(list, compareRecords)
		m.recordsOf(id, slices.Compact(list))
	}
}

// recordsOf takes what is said of one subject, ordered and without repeats.
func (m *merge) recordsOf(id string, said []Record) {
	e, ok := m.entries[id]
	if !ok {
		old := m.reg.node(id)
		if old == nil {
			m.fail("record of subject", id, errUnknownSubject)
			return
		}
		e = old.Entry
	}
	before := e.Records
	var added, changed int
	e.Records, added, changed = state(before, said)
	m.entries[id] = e
	if added+changed > 0 {
		m.changed[id] = true
	}
	tally := &m.changes.Records
	tally.Added.add(added, id)
	tally.Changed.add(changed, id)
	tally.Unchanged.add(len(said)-added-changed, id)
	m.noteContradictions(id, e.Records, said)
	if changed > 0 {
		m.noteLonger(id, before, said)
	}
}

// state adds what is said to the records of a subject, and counts what of it is new. It leaves both
// lists as they are. What is said is ordered and without repeats.
//
// The records that make one statement are replaced as a set, and only where the set that is said
// holds something new: so neither order nor repetition makes a difference.
func state(old, said []Record) (records []Record, added, changed int) {
	if len(old) == 0 {
		return said, len(said), 0
	}
	for _, r := range said {
		if !slices.Contains(old, r) {
			return restate(old, said)
		}
	}
	return old, 0, 0
}

func restate(old, said []Record) (records []Record, added, changed int) {
	records = slices.Clone(old)
	said = slices.Clone(said)
	slices.SortFunc(said, func(a, b Record) int { return compareStatements(&a, &b) })
	for len(said) > 0 {
		n := 1
		for n < len(said) && said[n].sameStatement(said[0]) {
			n++
		}
		statement := said[:n]
		said = said[n:]
		same := slices.ContainsFunc(old, statement[0].sameStatement)
		fresh := countFresh(old, statement)
		switch {
		case fresh == 0:
			continue
		case same:
			changed += fresh
			records = slices.DeleteFunc(records, statement[0].sameStatement)
		default:
			added += fresh
		}
		records = append(records, statement...)
	}
	return records, added, changed
}

// countFresh counts the records that are not in the old list.
func countFresh(old, records []Record) (n int) {
	for _, r := range records {
		if !slices.Contains(old, r) {
			n++
		}
	}
	return n
}

// settled puts the changes in order, since maps and rows have none that counts.
func (m *merge) settled() Changes {
	c := &m.changes
	for _, t := range []*Tally{&c.Subjects, &c.Records} {
		for _, count := range []*Count{&t.Added, &t.Changed, &t.Unchanged} {
			slices.Sort(count.Of)
			if count.Of == nil {
				count.Of = []string{} // [] in JSON, not null
			}
		}
	}
	slices.SortFunc(c.Notes, func(a, b Note) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Message, b.Message))
	})
	c.Notes = slices.Compact(c.Notes)
	if len(c.Notes) > maxNotes {
		more := fmt.Sprintf("and %d more notes, on this and other subjects", len(c.Notes)-maxNotes)
		c.Notes = append(c.Notes[:maxNotes:maxNotes], Note{Subject: c.Notes[maxNotes].Subject, Message: more})
	}
	if c.Notes == nil {
		c.Notes = []Note{}
	}
	return m.changes
}

func (m *merge) note(id, format string, args ...any) {
	m.changes.Notes = append(m.changes.Notes, Note{Subject: id, Message: fmt.Sprintf(format, args...)})
}

// noteLosses tells of what may have made an outcome stricter and is gone.
func (m *merge) noteLosses(before, after Subject) {
	for _, other := range before.Lookalikes {
		if _, still := slices.BinarySearch(after.Lookalikes, other); !still {
			m.note(after.AdmissionNumber, "no longer has the lookalike %s", other)
		}
	}
	for _, f := range []struct{ what, before, after string }{
		{"year group", before.YearGroup, after.YearGroup},
		{"day of birth", string(before.Born), string(after.Born)},
		{"day of leaving", string(before.Leaves), string(after.Leaves)},
	} {
		if f.before != "" && f.after == "" {
			m.note(after.AdmissionNumber, "no longer has a %s", f.what)
		}
	}
}

// noteContradictions tells of grants and refusals of one date that the files have a part in.
func (m *merge) noteContradictions(id string, all, said []Record) {
	for _, r := range said {
		otherwise := func(o Record) bool { return o.sameMatter(r) && o.grants() != r.grants() }
		if slices.ContainsFunc(all, otherwise) {
			m.note(id, "%s has both granted and refused %s on %s: the refusal stands", r.Party, r.Purpose, r.Date)
		}
	}
}

// noteLonger tells of grants that end later than they did.
func (m *merge) noteLonger(id string, before, said []Record) {
	for _, r := range said {
		if !r.grants() {
			continue
		}
		longer := func(o Record) bool {
			return r.sameStatement(o) && o.Expires != "" && (r.Expires == "" || o.Expires < r.Expires)
		}
		if !slices.Contains(before, r) && slices.ContainsFunc(before, longer) {
			m.note(id, "what %s granted for %s on %s now ends later", r.Party, r.Purpose, r.Date)
		}
	}
}
