package consent

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRegisterRefuses(t *testing.T) {
	good := Record{AdmissionNumber: "1", Party: Pupil, Purpose: Press, Decision: Granted, Date: "2025-01-01"}
	with := func(change func(*Record)) []Record {
		r := good
		change(&r)
		return []Record{r}
	}
	one := []Subject{{AdmissionNumber: "1"}}
	for name, test := range map[string]struct {
		subjects []Subject
		records  []Record
		want     string
	}{
		"subject twice":     {[]Subject{{AdmissionNumber: "a1"}, {AdmissionNumber: "A1"}}, nil, "another of the same number"},
		"name as number":    {[]Subject{{AdmissionNumber: "Ada"}}, nil, "must be an admission number"},
		"unknown lookalike": {[]Subject{{AdmissionNumber: "1", Lookalikes: []string{"2"}}}, nil, "not among"},
		"bad lookalike":     {[]Subject{{AdmissionNumber: "1", Lookalikes: []string{"1"}}}, nil, "lookalike of itself"},
		"unknown subject":   {nil, []Record{good}, "not among"},
		"unknown answer":    {one, with(func(r *Record) { r.Decision = "yes" }), "decision must be one of"},
		"no date":           {one, with(func(r *Record) { r.Date = "" }), "date must not be empty"},
		"bad date":          {one, with(func(r *Record) { r.Date = "2025-1-1" }), "written YYYY-MM-DD"},
		"line break":        {one, with(func(r *Record) { r.Evidence = "a\nb" }), "on one line"},
		"long text":         {one, with(func(r *Record) { r.RecordedBy = strings.Repeat("x", 501) }), "500 bytes"},
	} {
		reg, err := NewRegister(1, test.subjects, test.records)
		if reg != nil || err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "Ada") {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func TestRegisterLookups(t *testing.T) {
	subjects := []Subject{{AdmissionNumber: "2"}, {AdmissionNumber: "1", Lookalikes: []string{"3", "2", "3"}}, {AdmissionNumber: "3"}}
	late := Record{AdmissionNumber: "2", Party: Pupil, Purpose: Press, Decision: Granted, Date: "2025-01-02"}
	early := late
	early.Date = "2025-01-01"
	reg, err := NewRegister(17, subjects, []Record{late, early, late})
	if err != nil {
		t.Fatal(err)
	}
	got := []any{reg.Revision(), reg.Len(), reg.IDs(), reg.Records("2"), reg.Lookalikes("1"), reg.Lookalikes("2"), reg.Has("3"), reg.Has("4")}
	want := []any{uint64(17), 3, []string{"1", "2", "3"}, []Record{early, late}, []string{"2", "3"}, []string{"1"}, true, false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRegisterCannotBeChanged(t *testing.T) {
	reg := register(t, "guardian press granted 2025-01-01")
	before := reg.Digest()
	reg.Records("4021")[0].Decision = Refused
	if d := Decide(preset(t, "stepping-stones"), reg, "4021", Press, today); d.Outcome != Show || reg.Digest() != before {
		t.Error("what a lookup gave was still a part of the register")
	}
}

func TestRegisterDigest(t *testing.T) {
	subjects := []Subject{{AdmissionNumber: "1", Lookalikes: []string{"2", "3"}}, {AdmissionNumber: "2"}, {AdmissionNumber: "3"}}
	a, err := NewRegister(1, subjects, nil)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(subjects)
	slices.Reverse(subjects[2].Lookalikes)
	b, err := NewRegister(2, subjects, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a.Digest() != b.Digest() {
		t.Error("the digest depends on order or revision")
	}
	subjects[0].Class = "7B"
	c, err := NewRegister(2, subjects, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a.Digest() == c.Digest() {
		t.Error("a changed class does not change the digest")
	}
	var none *Register
	empty, err := NewRegister(0, nil, nil)
	if err != nil || none.Digest() != empty.Digest() {
		t.Errorf("nil is not the empty register: %v", err)
	}
}

func BenchmarkImport50000(b *testing.B) {
	var subjects, consents strings.Builder
	subjects.WriteString("admission_number,year_group,class\n")
	consents.WriteString("admission_number,party,purpose,decision,date\n")
	for i := range 50_000 {
		fmt.Fprintf(&subjects, "S%d,7,7B\n", i)
		fmt.Fprintf(&consents, "S%d,guardian,*,granted,2025-09-01\n", i)
	}
	for b.Loop() {
		s, err := ParseSubjects(strings.NewReader(subjects.String()))
		if err != nil {
			b.Fatal(err)
		}
		r, err := ParseConsents(strings.NewReader(consents.String()), s)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := NewRegister(1, s, r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	p, reg := preset(b, "lumen"), register(b, "guardian * granted 2025-01-01", "pupil website refused 2025-02-01")
	for b.Loop() {
		Decide(p, reg, "4021", Website, today)
	}
}
