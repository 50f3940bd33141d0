package consent

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxRegisterErrors bounds the list of what keeps a register from being made.
const maxRegisterErrors = 100

// With gives the register in which the changed entries stand in place of those of the same number,
// or beside the others where there is none, and from which the removed ones are gone. The receiver
// stays as it is; what did not change is shared, so that one change among 50,000 subjects takes well
// under a millisecond.
//
// The changed entries are checked as [NewRegister] checks them, and must hold nobody else's records.
// A number cannot be both changed and removed. To remove somebody whom the register does not know is
// an error, so that a slip of the pen is not taken for a removal that was done. Others lose a removed
// subject's number from their lookalikes: nothing of it stays. (To see whom that concerns, compare
// with [Register.Differences].)
func (reg *Register) With(revision uint64, changed []Entry, removed []string) (*Register, error) {
	own := make([]Entry, len(changed))
	for i, e := range changed {
		own[i] = e.clone()
	}
	d := newDraft(reg, revision)
	d.removeAll(removed)
	d.putAll(own)
	return d.finish()
}

// clone shares nothing with the entry.
func (e Entry) clone() Entry {
	e.Subject.Lookalikes = slices.Clone(e.Subject.Lookalikes)
	e.Records = slices.Clone(e.Records)
	return e
}

// draft is a register in the making.
type draft struct {
	next    *Register
	own     [shardCount]bool // the shards that are no longer shared
	removed map[string]bool
	links   map[string]*link // how namedBy changes, by the subject that is named
	checks  recordChecks
	scratch []byte
	errs    []error
}

// link is who begins and who ceases to name a subject as a lookalike.
type link struct{ add, drop []string }

func newDraft(from *Register, revision uint64) *draft {
	next := &Register{}
	if from != nil {
		*next = *from
	}
	next.revision = revision
	return &draft{next: next, removed: make(map[string]bool), links: make(map[string]*link)}
}

// set puts a node, or removes what stands under the key where n is nil.
func (d *draft) set(key string, n *node) {
	i := shardOf(key)
	if !d.own[i] {
		fresh := &shard{nodes: make(map[string]*node)}
		if old := d.next.shards[i]; old != nil {
			fresh.nodes = maps.Clone(old.nodes)
		}
		d.next.shards[i], d.own[i] = fresh, true
	}
	nodes := d.next.shards[i].nodes
	d.next.size -= len(nodes)
	if n == nil {
		delete(nodes, key)
	} else {
		nodes[key] = n
	}
	d.next.size += len(nodes)
}

func (d *draft) fail(err error) {
	switch {
	case err == nil || len(d.errs) > maxRegisterErrors:
		return
	case len(d.errs) == maxRegisterErrors:
		err = errors.New("and more of the kind")
	}
	d.errs = append(d.errs, err)
}

func (d *draft) link(id string) *link {
	l := d.links[id]
	if l == nil {
		l = &link{}
		d.links[id] = l
	}
	return l
}

// removeAll takes subjects out, and their numbers out of the lookalikes of those that stay and are
// not put anew.
func (d *draft) removeAll(removed []string) {
	for _, id := range removed {
		n := d.next.node(id)
		if n == nil {
			d.fail(joinFaults("subject to remove", id, []fault{{colAdmission, errUnknownSubject}}))
			continue
		}
		d.set(strings.ToLower(id), nil)
		d.removed[id] = true
		for _, other := range n.Subject.Lookalikes {
			d.link(other).drop = append(d.link(other).drop, id)
		}
		for _, other := range n.namedBy {
			d.forget(other, id)
		}
	}
}

// forget takes a removed subject's number out of another's lookalikes.
func (d *draft) forget(id, removed string) {
	old := d.next.node(id)
	if old == nil { // removed as well
		return
	}
	e := old.Entry
	e.Subject.Lookalikes = tidy(slices.DeleteFunc(slices.Clone(e.Subject.Lookalikes), func(other string) bool { return other == removed }))
	d.set(strings.ToLower(id), d.newNode(e, old.namedBy))
}

func (d *draft) newNode(e Entry, namedBy []string) *node {
	n := &node{Entry: e, namedBy: namedBy}
	n.sum, d.scratch = sumEntry(&n.Entry, d.scratch)
	return n
}

// putAll puts entries, which the register then owns.
func (d *draft) putAll(entries []Entry) {
	seen := make(map[string]bool, len(entries))
	for _, e := range entries {
		id := e.Subject.AdmissionNumber
		if err := joinFaults("subject", id, e.Subject.check()); err != nil {
			d.fail(err)
			continue
		}
		key := strings.ToLower(id)
		switch {
		case seen[key]:
			d.fail(fmt.Errorf("subject %s: there is another of the same number, but for upper and lower case at most", id))
		case d.removed[id]:
			d.fail(fmt.Errorf("subject %s cannot be both changed and removed", id))
		default:
			d.put(key, e)
		}
		seen[key] = true
	}
}

// put takes one entry whose subject is fine on its own.
func (d *draft) put(key string, e Entry) {
	id := e.Subject.AdmissionNumber
	old := d.next.at(key)
	if old == nil {
		old = &node{}
	} else if old.Subject.AdmissionNumber != id {
		d.fail(fmt.Errorf("subject %s: there is another of the same number, but for upper and lower case: %s", id, old.Subject.AdmissionNumber))
		return
	}
	e.Subject.Lookalikes = tidy(e.Subject.Lookalikes)
	e.Records = d.ordered(id, e.Records)
	d.relink(id, old.Subject.Lookalikes, e.Subject.Lookalikes)
	d.set(key, d.newNode(e, old.namedBy))
}

// tidy sorts a list that it owns and drops repeats.
func tidy(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// ordered checks a subject's records and puts them in order.
func (d *draft) ordered(id string, records []Record) []Record {
	for _, r := range records {
		if r.AdmissionNumber != id {
			d.fail(fmt.Errorf("subject %s has a record of another subject", id))
			continue
		}
		d.fail(joinFaults("record of subject", id, d.checks.check(r)))
	}
	if len(records) == 0 {
		return nil
	}
	slices.SortFunc(records, compareRecords)
	return slices.Compact(records)
}

// relink keeps in mind whom the subject begins and ceases to name.
func (d *draft) relink(id string, before, after []string) {
	for _, other := range before {
		if _, still := slices.BinarySearch(after, other); !still {
			d.link(other).drop = append(d.link(other).drop, id)
		}
	}
	for _, other := range after {
		if _, already := slices.BinarySearch(before, other); !already {
			d.link(other).add = append(d.link(other).add, id)
		}
	}
}

// finish follows the links and digests what is new.
func (d *draft) finish() (*Register, error) {
	for id, l := range d.links {
		d.follow(id, l)
	}
	if len(d.errs) > 0 {
		return nil, errors.Join(d.errs...)
	}
	for i, own := range d.own {
		if own {
			d.seal(i)
		}
	}
	d.next.digest = digestOf(&d.next.shards)
	return d.next, nil
}

// follow makes a link's changes to who names the subject, which must be there to be named.
func (d *draft) follow(id string, l *link) {
	n := d.next.node(id)
	if n == nil {
		for _, by := range l.add {
			d.fail(fmt.Errorf("subject %s: lookalike %s %w", by, id, errUnknownSubject))
		}
		return
	}
	drop := tidy(l.drop)
	kept := slices.DeleteFunc(slices.Clone(n.namedBy), func(by string) bool {
		_, gone := slices.BinarySearch(drop, by)
		return gone
	})
	fresh := *n
	fresh.namedBy = union(kept, l.add)
	d.set(strings.ToLower(id), &fresh)
}

// seal digests a shard of the draft's own; an empty one is left out, as if it had never been.
func (d *draft) seal(i int) {
	s := d.next.shards[i]
	if len(s.nodes) == 0 {
		d.next.shards[i] = nil
		return
	}
	s.sum = sumNodes(s.nodes)
}
