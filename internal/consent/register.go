package consent

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Register is a snapshot of all subjects and consent records. It never changes: a new revision is a
// new Register. A nil Register is an empty one.
type Register struct {
	revision uint64
	subjects map[string]Subject
	records  map[string][]Record // by subject, ordered by compareRecords, without repeats
	alike    map[string][]string // lookalikes in both directions, sorted
	digest   string
}

// NewRegister checks subjects and records as the imports do, since they may come from a store, and
// makes a snapshot of them. The revision is the store's own count of changes.
func NewRegister(revision uint64, subjects []Subject, records []Record) (*Register, error) {
	reg := &Register{
		revision: revision,
		subjects: make(map[string]Subject, len(subjects)),
		records:  make(map[string][]Record, len(subjects)),
		alike:    make(map[string][]string),
	}
	if err := reg.addSubjects(subjects); err != nil {
		return nil, err
	}
	if err := reg.addRecords(records); err != nil {
		return nil, err
	}
	reg.digest = reg.sum()
	return reg, nil
}

func (reg *Register) addSubjects(subjects []Subject) error {
	lower := make(map[string]bool, len(subjects))
	for _, s := range subjects {
		if err := joinFaults("subject", s.AdmissionNumber, s.check()); err != nil {
			return err
		}
		key := strings.ToLower(s.AdmissionNumber)
		if lower[key] {
			return fmt.Errorf("subject %s: there is another of the same number", s.AdmissionNumber)
		}
		lower[key] = true
		s.Lookalikes = slices.Compact(slices.Sorted(slices.Values(s.Lookalikes)))
		reg.subjects[s.AdmissionNumber] = s
	}
	return reg.linkLookalikes()
}

func (reg *Register) linkLookalikes() error {
	for id, s := range reg.subjects {
		for _, other := range s.Lookalikes {
			if _, ok := reg.subjects[other]; !ok {
				return fmt.Errorf("subject %s: lookalike %s %w", id, other, errUnknownSubject)
			}
			reg.alike[id] = append(reg.alike[id], other)
			reg.alike[other] = append(reg.alike[other], id)
		}
	}
	for id, list := range reg.alike {
		slices.Sort(list)
		reg.alike[id] = slices.Compact(list)
	}
	return nil
}

func (reg *Register) addRecords(records []Record) error {
	for _, r := range records {
		if err := joinFaults("record of subject", r.AdmissionNumber, r.check()); err != nil {
			return err
		}
		if !reg.Has(r.AdmissionNumber) {
			return fmt.Errorf("record of subject %s, which %w", r.AdmissionNumber, errUnknownSubject)
		}
		reg.records[r.AdmissionNumber] = append(reg.records[r.AdmissionNumber], r)
	}
	for id, list := range reg.records {
		slices.SortFunc(list, compareRecords)
		reg.records[id] = slices.Compact(list)
	}
	return nil
}

// joinFaults makes one error of what check found. The number is named only where it is one.
func joinFaults(what, id string, found []fault) error {
	if ValidAdmissionNumber(id) == nil {
		what += " " + id
	}
	var errs []error
	for _, f := range found {
		errs = append(errs, fmt.Errorf("%s: %s %w", what, f.column, f.err))
	}
	return errors.Join(errs...)
}

// sum digests subjects and records in a fixed order; the revision is not part of it.
func (reg *Register) sum() string {
	hash := sha256.New()
	enc := json.NewEncoder(hash) // a line each; no value holds a bare line break
	for _, id := range reg.IDs() {
		// Strings and slices of strings always encode, and a hash always takes them.
		_ = enc.Encode(reg.subjects[id])
		for _, r := range reg.records[id] {
			_ = enc.Encode(r)
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// Revision is the store's count of changes that this snapshot shows.
func (reg *Register) Revision() uint64 {
	if reg == nil {
		return 0
	}
	return reg.revision
}

// Digest is the SHA-256, in hex, of all subjects and records. It does not depend on the order of
// rows or columns, on repeats, or on the revision.
func (reg *Register) Digest() string {
	if reg == nil {
		return hex.EncodeToString(sha256.New().Sum(nil))
	}
	return reg.digest
}

// Len is the number of subjects.
func (reg *Register) Len() int {
	if reg == nil {
		return 0
	}
	return len(reg.subjects)
}

// Has says whether the register knows the admission number.
func (reg *Register) Has(id string) bool {
	if reg == nil {
		return false
	}
	_, ok := reg.subjects[id]
	return ok
}

// Subject gives the subject with this admission number; ok is false where there is none.
func (reg *Register) Subject(id string) (s Subject, ok bool) {
	if reg == nil {
		return Subject{}, false
	}
	s, ok = reg.subjects[id]
	s.Lookalikes = slices.Clone(s.Lookalikes)
	return s, ok
}

// IDs lists all admission numbers, sorted.
func (reg *Register) IDs() []string {
	if reg == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(reg.subjects))
}

// Records lists what was said about the subject, on any purpose, oldest first.
func (reg *Register) Records(id string) []Record {
	if reg == nil {
		return nil
	}
	return slices.Clone(reg.records[id])
}

// Lookalikes lists who looks like the subject: those that it names and those that name it, sorted.
func (reg *Register) Lookalikes(id string) []string {
	if reg == nil {
		return nil
	}
	return slices.Clone(reg.alike[id])
}
