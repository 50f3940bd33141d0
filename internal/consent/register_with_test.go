package consent

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func granted(id string, purpose Purpose) Record {
	return Record{AdmissionNumber: id, Party: Guardian, Purpose: purpose, Decision: Granted, Date: "2025-01-01"}
}

func newRegister(t testing.TB, subjects []Subject, records ...Record) *Register {
	t.Helper()
	reg, err := NewRegister(1, subjects, records)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

// entries is all that a register holds, for comparisons.
func entries(reg *Register) map[string]Entry {
	all := make(map[string]Entry)
	for _, id := range reg.IDs() {
		all[id], _ = reg.Entry(id)
	}
	return all
}

func TestWithRefuses(t *testing.T) {
	reg := newRegister(t, []Subject{{AdmissionNumber: "A1", Lookalikes: []string{"2"}}, {AdmissionNumber: "2"}}, granted("2", Press))
	before := entries(reg)
	for name, test := range map[string]struct {
		changed []Entry
		removed []string
		want    string
	}{
		"other case":            {[]Entry{{Subject: Subject{AdmissionNumber: "a1"}}}, nil, "upper and lower case: A1"},
		"twice":                 {[]Entry{{Subject: Subject{AdmissionNumber: "3"}}, {Subject: Subject{AdmissionNumber: "3"}}}, nil, "another of the same number"},
		"year group":            {[]Entry{{Subject: Subject{AdmissionNumber: "3", YearGroup: "14"}}}, nil, "subject 3: year_group"},
		"name":                  {[]Entry{{Subject: Subject{AdmissionNumber: "Ada"}}}, nil, "subject: admission_number must be"},
		"another's record":      {[]Entry{{Subject{AdmissionNumber: "3"}, []Record{granted("2", Press)}}}, nil, "record of another"},
		"bad record":            {[]Entry{{Subject{AdmissionNumber: "3"}, []Record{{AdmissionNumber: "3"}}}}, nil, "record of subject 3: party"},
		"unknown lookalike":     {[]Entry{{Subject: Subject{AdmissionNumber: "3", Lookalikes: []string{"4"}}}}, nil, "lookalike 4 is not among"},
		"own lookalike":         {[]Entry{{Subject: Subject{AdmissionNumber: "3", Lookalikes: []string{"3"}}}}, nil, "lookalike of itself"},
		"removed lookalike":     {[]Entry{{Subject: Subject{AdmissionNumber: "A1", Lookalikes: []string{"2"}}}}, []string{"2"}, "lookalike 2 is not among"},
		"changed and removed":   {[]Entry{{Subject: Subject{AdmissionNumber: "2"}}}, []string{"2"}, "both changed and removed"},
		"unknown to remove":     {nil, []string{"3"}, "subject to remove 3: admission_number is not among"},
		"other case to remove":  {nil, []string{"a1"}, "is not among"},
		"name to remove":        {nil, []string{"Ada"}, "subject to remove: admission_number is not among"},
		"one bad of many parts": {[]Entry{{Subject: Subject{AdmissionNumber: "3"}}, {Subject: Subject{AdmissionNumber: "4", Born: "1/2/2025"}}}, []string{"2"}, "born"},
	} {
		next, err := reg.With(2, test.changed, test.removed)
		if next != nil || err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "Ada") {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		if diff := cmp.Diff(before, entries(reg)); diff != "" {
			t.Fatalf("%s: the register itself was changed: %s", name, diff)
		}
	}
}

func TestWithManyFaultsAreBounded(t *testing.T) {
	var changed []Entry
	for i := range 1000 {
		changed = append(changed, Entry{Subject: Subject{AdmissionNumber: fmt.Sprint(i), YearGroup: "14"}})
	}
	_, err := (*Register)(nil).With(1, changed, nil)
	if n := strings.Count(err.Error(), "\n"); n != maxRegisterErrors || !strings.HasSuffix(err.Error(), "and more of the kind") {
		t.Errorf("%d lines", n)
	}
}

func TestWithRemoved(t *testing.T) {
	reg := newRegister(t, []Subject{
		{AdmissionNumber: "1", Lookalikes: []string{"2", "3"}}, {AdmissionNumber: "2"}, {AdmissionNumber: "3", Lookalikes: []string{"2"}},
	}, granted("2", Press), granted("1", Press))
	next, err := reg.With(2, nil, []string{"2"})
	if err != nil {
		t.Fatal(err)
	}
	want := newRegister(t, []Subject{{AdmissionNumber: "1", Lookalikes: []string{"3"}}, {AdmissionNumber: "3"}}, granted("1", Press))
	if diff := cmp.Diff(entries(want), entries(next)); diff != "" || next.Digest() != want.Digest() {
		t.Error("not as if the subject had never been:", diff)
	}
	if got := reg.Differences(next); !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("differences: %v", got)
	}
	none, err := next.With(3, nil, []string{"1", "3"})
	if err != nil || none.Len() != 0 || none.Digest() != (*Register)(nil).Digest() {
		t.Errorf("an emptied register is not the empty one: %v", err)
	}
}

func TestWithRenamed(t *testing.T) {
	reg := newRegister(t, []Subject{{AdmissionNumber: "A1"}})
	next, err := reg.With(2, []Entry{{Subject: Subject{AdmissionNumber: "a1"}}}, []string{"A1"})
	if err != nil || !next.Has("a1") || next.Has("A1") || next.Len() != 1 {
		t.Errorf("got %v, %v", next.IDs(), err)
	}
	if got := reg.Differences(next); !slices.Equal(got, []string{"A1", "a1"}) {
		t.Errorf("differences: %v", got)
	}
}

// world is what a register should hold, kept in the plainest way.
type world map[string]Entry

func (w world) register(t *testing.T) *Register {
	var subjects []Subject
	var records []Record
	for e := range maps.Values(w) {
		subjects, records = append(subjects, e.Subject), append(records, e.Records...)
	}
	return newRegister(t, subjects, records...)
}

// entry makes up an entry whose lookalikes are in the world.
func (w world) entry(rng *rand.Rand, id string) Entry {
	e := Entry{Subject: Subject{AdmissionNumber: id, Class: fmt.Sprint(rng.IntN(3))}}
	for other := range w {
		if other != id && rng.IntN(6) == 0 {
			e.Subject.Lookalikes = append(e.Subject.Lookalikes, other)
		}
	}
	for range rng.IntN(4) {
		e.Records = append(e.Records, granted(id, recordPurposes()[rng.IntN(5)]))
	}
	return e
}

func (w world) remove(id string) {
	delete(w, id)
	for other, e := range w {
		e.Subject.Lookalikes = slices.DeleteFunc(slices.Clone(e.Subject.Lookalikes), func(l string) bool { return l == id })
		w[other] = e
	}
}

// However a register came about, it is the one that is made of its entries at once.
func TestWithIsNewRegister(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	w, reg := world{}, (*Register)(nil)
	for step := range 300 {
		var removed []string
		if ids := reg.IDs(); len(ids) > 0 && rng.IntN(3) == 0 {
			removed = []string{ids[rng.IntN(len(ids))]}
			w.remove(removed[0])
		}
		var changed []Entry
		for _, n := range rng.Perm(20)[:rng.IntN(3)] {
			if id := fmt.Sprint("S", n); !slices.Contains(removed, id) {
				changed = append(changed, w.entry(rng, id))
				w[id] = changed[len(changed)-1]
			}
		}
		next, err := reg.With(uint64(step), changed, removed)
		if err != nil {
			t.Fatal(err)
		}
		want := w.register(t)
		if next.Digest() != want.Digest() || next.Len() != want.Len() || next.Revision() != uint64(step) {
			t.Fatalf("step %d: %s", step, cmp.Diff(entries(want), entries(next)))
		}
		for id := range w {
			if diff := cmp.Diff(want.Lookalikes(id), next.Lookalikes(id)); diff != "" {
				t.Fatalf("step %d, lookalikes of %s: %s", step, id, diff)
			}
		}
		reg = next
	}
}

func TestWithKeepsNothingOfTheCaller(t *testing.T) {
	e := Entry{Subject{AdmissionNumber: "1", Lookalikes: []string{"3", "2"}}, []Record{granted("1", Website), granted("1", Press)}}
	reg, err := newRegister(t, []Subject{{AdmissionNumber: "2"}, {AdmissionNumber: "3"}}).With(2, []Entry{e}, nil)
	if err != nil {
		t.Fatal(err)
	}
	before := entries(reg)
	if e.Subject.Lookalikes[0] != "3" || e.Records[0].Purpose != Website {
		t.Error("the caller's entry was put in order")
	}
	e.Subject.Lookalikes[0], e.Records[0].Decision = "9", Refused
	got, _ := reg.Entry("1")
	got.Subject.Lookalikes[0], got.Records[0].Decision = "9", Refused
	if diff := cmp.Diff(before, entries(reg)); diff != "" {
		t.Error(diff)
	}
}

// Many may read and change one register at once; run with -race.
func TestRegisterIsSafeForManyAtOnce(t *testing.T) {
	reg := newRegister(t, []Subject{{AdmissionNumber: "1", Lookalikes: []string{"2"}}, {AdmissionNumber: "2"}}, granted("1", Press))
	before := reg.Digest()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			e := Entry{Subject: Subject{AdmissionNumber: "1", Class: fmt.Sprint(i)}}
			next, err := reg.With(2, []Entry{e}, []string{"2"})
			if s, _ := next.Subject("1"); err != nil || s.Class != fmt.Sprint(i) {
				t.Errorf("got %v, %v", s, err)
			}
			if len(reg.Lookalikes("2")) != 1 || len(reg.Records("1")) != 1 {
				t.Error("somebody else's change is seen")
			}
		})
	}
	all.Wait()
	if reg.Digest() != before {
		t.Error("the register was changed")
	}
}

// A part that the digest left out could be changed unseen.
func TestDigestHoldsEachPart(t *testing.T) {
	base := Entry{Subject{AdmissionNumber: "1"}, []Record{{AdmissionNumber: "1"}}}
	sums := map[entryHash]string{}
	add := func(name string, e Entry) {
		sum, _ := sumEntry(&e, nil)
		if other, twice := sums[sum]; twice {
			t.Errorf("%s and %s have one digest", name, other)
		}
		sums[sum] = name
	}
	add("nothing", base)
	for i := range reflect.TypeFor[Subject]().NumField() {
		e := base
		field := reflect.ValueOf(&e.Subject).Elem().Field(i)
		if field.Kind() == reflect.Slice {
			field.Set(reflect.ValueOf([]string{"x"}))
		} else {
			field.SetString("x")
		}
		add(reflect.TypeFor[Subject]().Field(i).Name, e)
	}
	for i := 1; i < reflect.TypeFor[Record]().NumField(); i++ { // the first is the subject's own
		e := base.clone()
		reflect.ValueOf(&e.Records[0]).Elem().Field(i).SetString("x")
		add("record's "+reflect.TypeFor[Record]().Field(i).Name, e)
	}
	add("two records", Entry{base.Subject, []Record{base.Records[0], base.Records[0]}})
	add("no record", Entry{Subject: base.Subject})
}

func TestDifferences(t *testing.T) {
	a := newRegister(t, []Subject{{AdmissionNumber: "1"}, {AdmissionNumber: "2"}, {AdmissionNumber: "3"}}, granted("1", Press))
	b := newRegister(t, []Subject{{AdmissionNumber: "1"}, {AdmissionNumber: "2"}, {AdmissionNumber: "4"}}, granted("1", Website))
	want := []string{"1", "3", "4"}
	if ab, ba := a.Differences(b), b.Differences(a); !slices.Equal(ab, want) || !slices.Equal(ba, want) {
		t.Errorf("got %v and %v", ab, ba)
	}
	if got := (*Register)(nil).Differences(a); !slices.Equal(got, a.IDs()) || len(a.Differences(a)) != 0 {
		t.Errorf("got %v", got)
	}
}
