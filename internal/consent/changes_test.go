package consent

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// records reads lines written "id party purpose answer date [expires]".
func records(lines ...string) []Record {
	var list []Record
	for _, line := range lines {
		f := append(strings.Fields(line), "")
		list = append(list, Record{
			AdmissionNumber: f[0], Party: Party(f[1]), Purpose: Purpose(f[2]), Decision: Answer(f[3]), Date: Date(f[4]), Expires: Date(f[5]),
		})
	}
	return list
}

func ids(list ...string) []Subject {
	var subjects []Subject
	for _, id := range list {
		subjects = append(subjects, Subject{AdmissionNumber: id})
	}
	return subjects
}

func count(n int, of ...string) Count { return Count{Count: n, Of: append([]string{}, of...)} }

func mergeInto(t *testing.T, reg *Register, subjects []Subject, list []Record) (*Register, Changes) {
	t.Helper()
	next, changes, err := reg.Merge(subjects, list)
	if err != nil {
		t.Fatal(err)
	}
	return next, changes
}

func TestMergeSubjects(t *testing.T) {
	reg := newRegister(t, []Subject{
		{AdmissionNumber: "1", YearGroup: "7", Born: "2013-01-01", Leaves: "2030-07-31", Lookalikes: []string{"2"}},
		{AdmissionNumber: "2"},
		{AdmissionNumber: "3", Class: "7B"},
	}, granted("1", Press))
	next, changes := mergeInto(t, reg, []Subject{{AdmissionNumber: "1", YearGroup: "8"}, {AdmissionNumber: "2"}, {AdmissionNumber: "4", Lookalikes: []string{"1", "3"}}}, nil)
	want := Changes{
		Subjects: Tally{Added: count(1, "4"), Changed: count(1, "1"), Unchanged: count(1, "2")},
		Records:  Tally{Added: count(0), Changed: count(0), Unchanged: count(0)},
		Notes: []Note{
			{"1", "no longer has a day of birth"},
			{"1", "no longer has a day of leaving"},
			{"1", "no longer has the lookalike 2"},
		},
	}
	if diff := cmp.Diff(want, changes); diff != "" || changes.None() {
		t.Error(diff)
	}
	if next.Revision() != reg.Revision() || !next.Has("3") || len(next.Records("1")) != 1 || !slices.Equal(next.Lookalikes("1"), []string{"4"}) {
		t.Errorf("got %v", entries(next))
	}
}

func TestMergeRecords(t *testing.T) {
	for name, test := range map[string]struct {
		old, said, want           []string
		added, changed, unchanged int
		notes                     []string
	}{
		"new": {
			nil, []string{"1 pupil press granted 2025-01-01"}, []string{"1 pupil press granted 2025-01-01"}, 1, 0, 0, nil,
		},
		"the same": {
			[]string{"1 pupil press granted 2025-01-01"}, []string{"1 pupil press granted 2025-01-01"}, []string{"1 pupil press granted 2025-01-01"}, 0, 0, 1, nil,
		},
		"said twice": {
			nil, []string{"1 pupil press granted 2025-01-01", "1 pupil press granted 2025-01-01"}, []string{"1 pupil press granted 2025-01-01"}, 1, 0, 0, nil,
		},
		"later": {
			[]string{"1 pupil press granted 2025-01-01"},
			[]string{"1 pupil press refused 2025-01-02"},
			[]string{"1 pupil press granted 2025-01-01", "1 pupil press refused 2025-01-02"},
			1, 0, 0, nil,
		},
		"sooner ended": {
			[]string{"1 pupil press granted 2025-01-01"},
			[]string{"1 pupil press granted 2025-01-01 2025-02-01"},
			[]string{"1 pupil press granted 2025-01-01 2025-02-01"},
			0, 1, 0, nil,
		},
		"later ended": {
			[]string{"1 pupil press granted 2025-01-01 2025-02-01"},
			[]string{"1 pupil press granted 2025-01-01 2025-03-01"},
			[]string{"1 pupil press granted 2025-01-01 2025-03-01"},
			0, 1, 0,
			[]string{"what pupil granted for press on 2025-01-01 now ends later"},
		},
		"no longer ended": {
			[]string{"1 pupil press granted 2025-01-01 2025-02-01"},
			[]string{"1 pupil press granted 2025-01-01"},
			[]string{"1 pupil press granted 2025-01-01"},
			0, 1, 0,
			[]string{"what pupil granted for press on 2025-01-01 now ends later"},
		},
		"contradiction": {
			[]string{"1 pupil press granted 2025-01-01"},
			[]string{"1 pupil press withdrawn 2025-01-01"},
			[]string{"1 pupil press granted 2025-01-01", "1 pupil press withdrawn 2025-01-01"},
			1, 0, 0,
			[]string{"pupil has both granted and refused press on 2025-01-01: the refusal stands"},
		},
		"contradiction within": {
			nil,
			[]string{"1 pupil press granted 2025-01-01", "1 pupil press refused 2025-01-01"},
			[]string{"1 pupil press granted 2025-01-01", "1 pupil press refused 2025-01-01"},
			2, 0, 0,
			[]string{"pupil has both granted and refused press on 2025-01-01: the refusal stands"},
		},
		"two refusals": {
			[]string{"1 pupil press refused 2025-01-01"},
			[]string{"1 pupil press withdrawn 2025-01-01"},
			[]string{"1 pupil press refused 2025-01-01", "1 pupil press withdrawn 2025-01-01"},
			1, 0, 0, nil,
		},
		"another party": {
			[]string{"1 guardian press granted 2025-01-01"},
			[]string{"1 pupil press refused 2025-01-01"},
			[]string{"1 guardian press granted 2025-01-01", "1 pupil press refused 2025-01-01"},
			1, 0, 0, nil,
		},
		"one of two ends": {
			[]string{"1 pupil press granted 2025-01-01 2025-02-01", "1 pupil press granted 2025-01-01 2025-03-01"},
			[]string{"1 pupil press granted 2025-01-01 2025-02-01"},
			[]string{"1 pupil press granted 2025-01-01 2025-02-01", "1 pupil press granted 2025-01-01 2025-03-01"},
			0, 0, 1, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			reg := newRegister(t, ids("1", "2"), records(test.old...)...)
			next, changes := mergeInto(t, reg, nil, records(test.said...))
			if diff := cmp.Diff(records(test.want...), next.Records("1")); diff != "" {
				t.Error(diff)
			}
			r := changes.Records
			got := []int{r.Added.Count, r.Changed.Count, r.Unchanged.Count}
			if diff := cmp.Diff([]int{test.added, test.changed, test.unchanged}, got); diff != "" {
				t.Error(diff)
			}
			var notes []string
			for _, n := range changes.Notes {
				notes = append(notes, n.Message)
			}
			if diff := cmp.Diff(test.notes, notes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMergeRefuses(t *testing.T) {
	reg := newRegister(t, ids("A1"))
	for name, test := range map[string]struct {
		subjects []Subject
		records  []Record
		want     string
	}{
		"other case":        {ids("a1"), nil, "upper and lower case: A1"},
		"twice":             {ids("2", "2"), nil, "is there twice"},
		"twice but case":    {ids("b2", "B2"), nil, "another of the same number"},
		"unknown subject":   {nil, records("2 pupil press granted 2025-01-01"), "record of subject 2: admission_number is not among"},
		"subject's case":    {nil, records("a1 pupil press granted 2025-01-01"), "is not among"},
		"unknown lookalike": {[]Subject{{AdmissionNumber: "2", Lookalikes: []string{"3"}}}, nil, "lookalike 3 is not among"},
		"bad record":        {nil, records("A1 pupil press granted 2025-13-01"), "written YYYY-MM-DD"},
		"bad subject":       {[]Subject{{AdmissionNumber: "2", YearGroup: "14"}}, nil, "year_group"},
		"name":              {ids("Ada"), nil, "must be an admission number"},
	} {
		next, changes, err := reg.Merge(test.subjects, test.records)
		if next != nil || err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "Ada") {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		if diff := cmp.Diff(Changes{}, changes); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// file makes up what a file could hold, with many clashes.
func file(rng *rand.Rand) (subjects []Subject, list []Record) {
	pick := func(words ...string) string { return words[rng.IntN(len(words))] }
	for _, n := range rng.Perm(8) {
		s := Subject{AdmissionNumber: fmt.Sprint(n), Class: pick("7A", "7B")}
		for other := range 8 {
			if other != n && rng.IntN(4) == 0 {
				s.Lookalikes = append(s.Lookalikes, fmt.Sprint(other))
			}
		}
		subjects = append(subjects, s)
	}
	for range rng.IntN(60) {
		list = append(list, records(strings.Join([]string{
			fmt.Sprint(rng.IntN(8)), pick("pupil", "guardian"), pick("press", "*"), pick("granted", "refused", "withdrawn"),
			pick("2025-01-01", "2025-01-02"), pick("", "2026-01-01", "2027-01-01"),
		}, " "))...)
	}
	return subjects, list
}

// The promises of Merge, over files that clash wherever they can.
func TestMergeProperties(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 5))
		reg, _ := mergeInto(t, nil, ids("0", "1", "2", "3", "4", "5", "6", "7"), nil)
		_, before := file(rng)
		reg, _ = mergeInto(t, reg, nil, before)
		digest := reg.Digest()
		subjects, said := file(rng)
		once, changes := mergeInto(t, reg, subjects, said)
		if reg.Digest() != digest {
			t.Fatal("the register itself was changed")
		}
		again, none := mergeInto(t, once, subjects, said)
		if again.Digest() != once.Digest() || !none.None() {
			t.Fatalf("seed %d: a second time changes something: %+v", seed, none)
		}
		for _, r := range said {
			if !slices.Contains(once.Records(r.AdmissionNumber), r) {
				t.Fatalf("seed %d: %v was not taken", seed, r)
			}
		}
		for _, r := range before {
			if !slices.ContainsFunc(once.Records(r.AdmissionNumber), r.sameStatement) {
				t.Fatalf("seed %d: %v was lost", seed, r)
			}
		}
		rng.Shuffle(len(subjects), func(a, b int) { subjects[a], subjects[b] = subjects[b], subjects[a] })
		rng.Shuffle(len(said), func(a, b int) { said[a], said[b] = said[b], said[a] })
		shuffled, same := mergeInto(t, reg, subjects, append(said, said...))
		if diff := cmp.Diff(changes, same); diff != "" || shuffled.Digest() != once.Digest() {
			t.Fatalf("seed %d: the order or number of rows matters: %s", seed, diff)
		}
	}
}

// Whatever is remembered, the faults are those of Record.check.
func TestRecordChecks(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 7))
	pick := func(words ...string) string { return words[rng.IntN(len(words))] }
	var checks recordChecks
	for range 5000 {
		r := Record{
			AdmissionNumber: pick("1", "1", "1", "Ada"), Party: Party(pick("pupil", "guardian", "mother")), Purpose: Purpose(pick("press", "*", "web")),
			Decision: Answer(pick("granted", "refused", "yes")), Date: Date(pick("2025-01-01", "2025-02-01", "", "1/2/2025")),
			Expires: Date(pick("", "2025-01-15", "x")), RecordedBy: pick("", "office", "a\nb"), Evidence: pick("", "form", "\xff"),
		}
		got, want := joinFaults("", "", checks.check(r)), joinFaults("", "", r.check())
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%+v: got %v, want %v", r, got, want)
		}
	}
}
