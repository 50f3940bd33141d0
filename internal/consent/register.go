package consent

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Register is a snapshot of all subjects and consent records. It never changes, and any number of
// goroutines may read it: a new revision is a new Register, which shares with the old one what is
// the same in both. A nil Register is an empty one.
type Register struct {
	revision uint64
	size     int // subjects
	shards   [shardCount]*shard
	digest   string
}

// Entry is one subject and all that was said about it: what is kept, changed and removed as a whole.
type Entry struct {
	Subject Subject  `json:"subject"`
	Records []Record `json:"records,omitempty"`
}

// shardCount is how many parts a register has. With 50,000 subjects a part has two hundred, so that
// a change of one of them copies and digests these and no more.
const shardCount = 256

// shard holds the subjects whose numbers fall into it; nil is an empty one.
type shard struct {
	nodes map[string]*node // by admission number in lower case
	sum   [sha256.Size]byte
}

// node is an entry in a register, and who names it. Nodes are shared and never change.
type node struct {
	Entry             // lookalikes sorted; records ordered by compareRecords; both without repeats
	namedBy []string  // who has this subject among its lookalikes, sorted
	sum     entryHash // of the entry alone
}

// NewRegister checks subjects and records as the imports do, since they may come from a store, and
// makes a snapshot of them. The revision is the store's own count of changes.
func NewRegister(revision uint64, subjects []Subject, records []Record) (*Register, error) {
	entries, err := group(subjects, records)
	if err != nil {
		return nil, err
	}
	d := newDraft(nil, revision)
	d.putAll(entries)
	return d.finish()
}

// group gives each subject its records.
func group(subjects []Subject, records []Record) ([]Entry, error) {
	entries := make([]Entry, len(subjects))
	place := make(map[string]int, len(subjects))
	for i, s := range subjects {
		s.Lookalikes = slices.Clone(s.Lookalikes)
		entries[i].Subject = s
		place[s.AdmissionNumber] = i
	}
	counts := make([]int, len(subjects))
	for _, r := range records {
		i, ok := place[r.AdmissionNumber]
		if !ok {
			return nil, joinFaults("record of subject", r.AdmissionNumber, []fault{{colAdmission, errUnknownSubject}})
		}
		counts[i]++
	}
	for _, r := range records {
		e := &entries[place[r.AdmissionNumber]]
		if e.Records == nil {
			e.Records = make([]Record, 0, counts[place[r.AdmissionNumber]])
		}
		e.Records = append(e.Records, r)
	}
	return entries, nil
}

// joinFaults makes one error of what check found. The number is named only where it is one.
func joinFaults(what, id string, found []fault) error {
	if len(found) == 0 {
		return nil
	}
	if ValidAdmissionNumber(id) == nil {
		what += " " + id
	}
	var errs []error
	for _, f := range found {
		errs = append(errs, fmt.Errorf("%s: %s %w", what, f.column, f.err))
	}
	return errors.Join(errs...)
}

// shardOf is the part of the register that the number, in lower case, belongs to: FNV-1a, which is
// the same in every process, so that digests are.
func shardOf(key string) int {
	hash := uint32(2166136261)
	for i := range len(key) {
		hash = (hash ^ uint32(key[i])) * 16777619
	}
	return int((hash ^ hash>>16) % shardCount)
}

// at gives the node under the key, whatever the case of its letters, or nil.
func (reg *Register) at(key string) *node {
	if reg == nil {
		return nil
	}
	if s := reg.shards[shardOf(key)]; s != nil {
		return s.nodes[key]
	}
	return nil
}

// node gives the subject's node, or nil.
func (reg *Register) node(id string) *node {
	if n := reg.at(strings.ToLower(id)); n != nil && n.Subject.AdmissionNumber == id {
		return n
	}
	return nil
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
		return digestOf(&[shardCount]*shard{})
	}
	return reg.digest
}

// Len is the number of subjects.
func (reg *Register) Len() int {
	if reg == nil {
		return 0
	}
	return reg.size
}

// Has says whether the register knows the admission number.
func (reg *Register) Has(id string) bool { return reg.node(id) != nil }

// Subject gives the subject with this admission number; ok is false where there is none.
func (reg *Register) Subject(id string) (s Subject, ok bool) {
	n := reg.node(id)
	if n == nil {
		return Subject{}, false
	}
	s = n.Subject
	s.Lookalikes = slices.Clone(s.Lookalikes)
	return s, true
}

// Entry gives the subject with this admission number and its records, oldest first; ok is false
// where there is none.
func (reg *Register) Entry(id string) (e Entry, ok bool) {
	s, ok := reg.Subject(id)
	if !ok {
		return Entry{}, false
	}
	return Entry{Subject: s, Records: reg.Records(id)}, true
}

// IDs lists all admission numbers, sorted.
func (reg *Register) IDs() []string {
	if reg == nil {
		return nil
	}
	ids := make([]string, 0, reg.size)
	for _, s := range reg.shards {
		if s == nil {
			continue
		}
		for _, n := range s.nodes {
			ids = append(ids, n.Subject.AdmissionNumber)
		}
	}
	slices.Sort(ids)
	return ids
}

// Records lists what was said about the subject, on any purpose, oldest first.
func (reg *Register) Records(id string) []Record {
	if n := reg.node(id); n != nil {
		return slices.Clone(n.Records)
	}
	return nil
}

// Lookalikes lists who looks like the subject: those that it names and those that name it, sorted.
func (reg *Register) Lookalikes(id string) []string {
	n := reg.node(id)
	if n == nil {
		return nil
	}
	return union(n.Subject.Lookalikes, n.namedBy)
}

// union gives what is in either list, sorted, each once; nil where both are empty.
func union(a, b []string) []string {
	if len(a)+len(b) == 0 {
		return nil
	}
	list := slices.Concat(a, b)
	slices.Sort(list)
	return slices.Compact(list)
}

// Differences lists the admission numbers that the one register has and the other has not, or has
// with something else: those whose kept copies and templates must be looked at again after a change.
// It is sorted, and quick where the registers come from one another by [Register.With].
func (reg *Register) Differences(other *Register) []string {
	var none Register
	if reg == nil {
		reg = &none
	}
	if other == nil {
		other = &none
	}
	var ids []string
	for i := range shardCount {
		a, b := reg.shards[i], other.shards[i]
		if a != b {
			ids = append(append(ids, a.unlike(b)...), b.unlike(a)...)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// unlike lists the subjects that the other shard lacks or has with something else.
func (s *shard) unlike(other *shard) []string {
	if s == nil {
		return nil
	}
	var ids []string
	for key, n := range s.nodes {
		var o *node
		if other != nil {
			o = other.nodes[key]
		}
		if o == nil || o.sum != n.sum {
			ids = append(ids, n.Subject.AdmissionNumber)
		}
	}
	return ids
}
