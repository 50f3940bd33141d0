package consent

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// randomRecords speaks of a small world, so that records often meet.
func randomRecords(rnd *rand.Rand, n int) []Record {
	purposes := []Purpose{Website, Website, AnyPurpose, Press, Biometric}
	parties := []Party{Pupil, Pupil, Guardian, "guardian-1", "guardian-2", PlacingAuthority}
	records := make([]Record, n)
	for i := range records {
		day := 12 + rnd.IntN(5)
		records[i] = Record{
			AdmissionNumber: "4021",
			Party:           parties[rnd.IntN(len(parties))],
			Purpose:         purposes[rnd.IntN(len(purposes))],
			Decision:        []Answer{Granted, Granted, Refused, Withdrawn}[rnd.IntN(4)],
			Date:            Date(fmt.Sprintf("2026-03-%02d", day)),
		}
		if rnd.IntN(3) == 0 {
			records[i].Expires = Date(fmt.Sprintf("2026-03-%02d", day+rnd.IntN(3)))
		}
	}
	return records
}

// randomSubject is of any year group and age, or of none that is known, and may have left.
func randomSubject(rnd *rand.Rand) Subject {
	years := []string{"", "", "R", "3", "6", "7", "8", "11", "12", "13"}
	s := Subject{YearGroup: years[rnd.IntN(len(years))]}
	if rnd.IntN(2) == 0 {
		s.Born = Date(fmt.Sprintf("%d-03-%02d", 2006+rnd.IntN(12), 13+rnd.IntN(3)))
	}
	if rnd.IntN(3) == 0 {
		s.Leaves = Date(fmt.Sprintf("%d-03-%02d", 2023+rnd.IntN(4), 13+rnd.IntN(3)))
	}
	return s
}

// scene is one random register under one preset.
type scene struct {
	rnd     *rand.Rand
	policy  Policy
	subject Subject
	records []Record
}

func (w scene) decide(t *testing.T, more ...Record) Decision {
	t.Helper()
	return Decide(w.policy, registerOf(t, w.subject, append(slices.Clone(w.records), more...)), "4021", Website, today)
}

// scenes calls check with many of them.
func scenes(t *testing.T, check func(w scene)) {
	t.Helper()
	var policies []Policy
	for _, name := range Presets() {
		policies = append(policies, preset(t, name))
	}
	for seed := range uint64(4000) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		check(scene{rnd, policies[seed%5], randomSubject(rnd), randomRecords(rnd, rnd.IntN(7))})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func (d Decision) said() string { return string(d.Outcome) + " " + d.Rule }

func TestPropertyRefusalNeverShows(t *testing.T) {
	scenes(t, func(w scene) {
		refusal := randomRecords(w.rnd, 1)[0]
		refusal.Decision = []Answer{Refused, Withdrawn}[w.rnd.IntN(2)]
		before, after := w.decide(t), w.decide(t, refusal)
		if before.Outcome != Show && after.Outcome == Show {
			t.Errorf("%+v turned %q into %q", refusal, before.Text, after.Text)
		}
	})
}

func TestPropertyStandingRefusalNeverShows(t *testing.T) {
	scenes(t, func(w scene) {
		no := Record{AdmissionNumber: "4021", Party: Guardian, Purpose: Website, Decision: Refused, Date: DateOf(today)}
		if d := w.decide(t, no); d.Outcome == Show {
			t.Errorf("a guardian's refusal of today gives %q", d.Text)
		}
		no.Party = Pupil
		if d := w.decide(t, no); d.Outcome != Obscure {
			t.Errorf("a pupil's refusal of today gives %q", d.Text)
		}
		if d := DecideInRecordOf(w.policy, registerOf(t, w.subject, append(w.records, no)), "4021", "4021", Website, today); d.Outcome != Obscure {
			t.Errorf("in the pupil's own record: %q", d.Text)
		}
	})
}

// An expired grant is never worth a yes. Without it, the outcome is the same or shows more: a party
// whose last word has run out has asked for no more than that. In opt-in presets it can only take
// away the same party's own earlier yes, or a child's whose word is needed once it has spoken.
func TestPropertyExpiredGrantNeverCounts(t *testing.T) {
	scenes(t, func(w scene) {
		grant := randomRecords(w.rnd, 1)[0]
		grant.Purpose, grant.Decision = Website, Granted
		grant.Date, grant.Expires = Date(fmt.Sprintf("2026-03-%02d", 1+w.rnd.IntN(13))), "2026-03-13"
		before, after := w.decide(t), w.decide(t, grant)
		if after.Outcome == Show && before.Outcome != Show || slices.Contains(after.Records, grant) {
			t.Errorf("an expired grant turned %q into %q", before.Text, after.Text)
		}
		earlier := slices.ContainsFunc(before.Records, func(r Record) bool { return r.Party == grant.Party && r.grants() })
		child := grant.Party == Pupil && w.policy.Consent.PupilIfRecorded
		if len(w.policy.Consent.Needs) > 0 && !earlier && !child && before.Outcome != after.Outcome {
			t.Errorf("an expired grant turned %q into %q", before.Text, after.Text)
		}
	})
}

func TestPropertyWithdrawnGrantNeverCounts(t *testing.T) {
	scenes(t, func(w scene) {
		grant := randomRecords(w.rnd, 1)[0]
		grant.Decision, grant.Purpose, grant.Expires = Granted, Website, ""
		withdrawal := grant
		withdrawal.Decision = Withdrawn
		before, after := w.decide(t, withdrawal), w.decide(t, withdrawal, grant)
		if before.said() != after.said() || slices.Contains(after.Records, grant) {
			t.Errorf("a withdrawn grant turned %q into %q", before.Text, after.Text)
		}
	})
}

func TestPropertyOrderDoesNotMatter(t *testing.T) {
	scenes(t, func(w scene) {
		a := registerOf(t, w.subject, w.records)
		shuffled := append(slices.Clone(w.records), w.records...) // repeats do not matter either
		w.rnd.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		b := registerOf(t, w.subject, shuffled)
		if a.Digest() != b.Digest() {
			t.Error("the digest depends on the order of records")
		}
		if diff := cmp.Diff(Decide(w.policy, a, "4021", Website, today), Decide(w.policy, b, "4021", Website, today)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(MayEnrol(a, "4021", today), MayEnrol(b, "4021", today)); diff != "" {
			t.Error(diff)
		}
	})
}

// Every answer is explained, and every record on the purpose is used or overruled, once.
func TestPropertyEveryOutcomeIsExplained(t *testing.T) {
	scenes(t, func(w scene) {
		reg := registerOf(t, w.subject, w.records)
		for _, purpose := range append(PublicationPurposes(), Biometric, AnyPurpose, Identification, "") {
			for _, d := range []Decision{
				Decide(w.policy, reg, "4021", purpose, today),
				DecideInRecordOf(w.policy, reg, "4021", "4021", purpose, today),
				DecideInRecordOf(w.policy, reg, "4021", "4022", purpose, today),
			} {
				checkExplained(t, d)
				if purpose.IsPublication() {
					checkAccounted(t, reg, purpose, d.Records, d.Overruled)
				} else if d.Outcome == Show {
					t.Errorf("%s: %+v", purpose, d)
				}
			}
		}
		p := MayEnrol(reg, "4021", today)
		if p.Rule == "" || p.Clause == "" || p.Text == "" || p.Records == nil {
			t.Errorf("%+v", p)
		}
		checkAccounted(t, reg, Biometric, p.Records, p.Overruled)
	})
}

func checkAccounted(t *testing.T, reg *Register, purpose Purpose, used []Record, overruled []Overrule) {
	t.Helper()
	want := slices.DeleteFunc(reg.Records("4021"), func(r Record) bool { return !r.speaksOf(purpose) })
	got := slices.Clone(used)
	for _, o := range overruled {
		got = append(got, o.Record)
		if o.Why == "" {
			t.Errorf("%+v: no reason", o)
		}
	}
	slices.SortFunc(got, compareRecords)
	if !slices.Equal(want, got) {
		t.Errorf("%s: of %v, %v are accounted for", purpose, want, got)
	}
}

func TestPropertyRefusalNeverEnrols(t *testing.T) {
	scenes(t, func(w scene) {
		no := randomRecords(w.rnd, 1)[0]
		no.Purpose, no.Decision = Biometric, Refused
		before := MayEnrol(registerOf(t, w.subject, w.records), "4021", today)
		after := MayEnrol(registerOf(t, w.subject, append(slices.Clone(w.records), no)), "4021", today)
		if !before.Allowed && after.Allowed {
			t.Errorf("%+v turned %q into %q", no, before.Text, after.Text)
		}
		no.Party, no.Date, no.Expires = Pupil, DateOf(today), ""
		if p := MayEnrol(registerOf(t, w.subject, append(w.records, no)), "4021", today); p.Allowed {
			t.Errorf("the pupil's own refusal gives %q", p.Text)
		}
	})
}

func TestPropertyNoGrantOfEverythingEnrols(t *testing.T) {
	scenes(t, func(w scene) {
		for i := range w.records {
			if w.records[i].Purpose == Biometric {
				w.records[i].Purpose = AnyPurpose
			}
		}
		if p := MayEnrol(registerOf(t, w.subject, w.records), "4021", today); p.Allowed || len(p.Records)+len(p.Overruled) > 0 {
			t.Errorf("%+v", p)
		}
	})
}
