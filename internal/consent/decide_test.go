package consent

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var today = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

func preset(t testing.TB, name string) Policy {
	t.Helper()
	p, err := LoadPreset(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// register has the subject 4021 and the records, each written "party purpose answer date [expires]".
func register(t testing.TB, lines ...string) *Register {
	t.Helper()
	var records []Record
	for _, line := range lines {
		f := append(strings.Fields(line), "")
		records = append(records, Record{
			AdmissionNumber: "4021", Party: Party(f[0]), Purpose: Purpose(f[1]), Decision: Answer(f[2]),
			Date: Date(f[3]), Expires: Date(f[4]),
		})
	}
	return registerOf(t, records)
}

func registerOf(t testing.TB, records []Record) *Register {
	t.Helper()
	reg, err := NewRegister(1, []Subject{{AdmissionNumber: "4021"}}, records)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func TestNothingSaid(t *testing.T) {
	want := map[string][2]Outcome{ // nothing said, unknown face
		"perse": {Show, Show}, "james": {Show, Show},
		"lumen": {Obscure, Obscure}, "stepping-stones": {Obscure, Obscure}, "break": {Obscure, Obscure},
	}
	rules := map[string]string{
		"perse": "perse-2.1", "james": "james-consent", "lumen": "lumen-consent",
		"stepping-stones": "stepping-stones-consent", "break": "break-consent",
	}
	for _, name := range Presets() {
		t.Run(rules[name], func(t *testing.T) {
			p := preset(t, name)
			d := Decide(p, register(t), "4021", Website, today)
			got := [2]Outcome{d.Outcome, UnknownFace(p, "").Outcome}
			if got != want[name] || d.Rule != rules[name] {
				t.Errorf("got %v by %s, want %v by %s", got, d.Rule, want[name], rules[name])
			}
		})
	}
}

func TestSomethingSaid(t *testing.T) {
	tests := map[string]struct {
		records []string
		want    Outcome
		rule    string // under perse
		used    int
	}{
		"granted":                       {[]string{"guardian website granted 2025-01-01"}, Show, "perse-2.1", 1},
		"refused":                       {[]string{"guardian website refused 2025-01-01"}, Obscure, "perse-5", 1},
		"withdrawn":                     {[]string{"guardian website withdrawn 2025-01-01"}, Obscure, "perse-5", 1},
		"refused for everything":        {[]string{"pupil * refused 2025-01-01"}, Obscure, "perse-5", 1},
		"granted for everything":        {[]string{"pupil * granted 2025-01-01"}, Show, "perse-2.1", 1},
		"placing authority refuses":     {[]string{"placing-authority website refused 2025-01-01"}, Obscure, "perse-5", 1},
		"granted, then withdrawn":       {[]string{"guardian website granted 2024-01-01", "guardian website withdrawn 2025-01-01"}, Obscure, "perse-5", 1},
		"refused, then granted":         {[]string{"guardian website refused 2024-01-01", "guardian website granted 2025-01-01"}, Show, "perse-2.1", 1},
		"both on one date":              {[]string{"guardian website refused 2025-01-01", "guardian website granted 2025-01-01"}, Obscure, "perse-5", 1},
		"both on one date, by *":        {[]string{"guardian * refused 2025-01-01", "guardian website granted 2025-01-01"}, Obscure, "perse-5", 1},
		"pupil refuses":                 {[]string{"guardian website granted 2025-01-01", "pupil website refused 2024-01-01"}, Obscure, "perse-5", 1},
		"guardian refuses":              {[]string{"guardian website refused 2024-01-01", "pupil website granted 2025-01-01"}, Obscure, "perse-5", 1},
		"both refuse":                   {[]string{"guardian website refused 2024-01-01", "pupil website withdrawn 2025-01-01"}, Obscure, "perse-5", 2},
		"* refused, then this granted":  {[]string{"guardian * refused 2024-01-01", "guardian website granted 2025-01-01"}, Show, "perse-2.1", 1},
		"this refused, then * granted":  {[]string{"guardian website refused 2024-01-01", "guardian * granted 2025-01-01"}, Obscure, "perse-5", 1},
		"this granted, then * refused":  {[]string{"guardian website granted 2024-01-01", "guardian * refused 2025-01-01"}, Obscure, "perse-5", 1},
		"grant on its last day":         {[]string{"guardian website granted 2024-01-01 2026-03-14"}, Show, "perse-2.1", 1},
		"refusal that starts today":     {[]string{"guardian website refused 2026-03-14"}, Obscure, "perse-5", 1},
		"a refusal does not run out":    {[]string{"guardian website refused 2024-01-01 2024-02-01"}, Obscure, "perse-5", 1},
		"an expired grant of a refuser": {[]string{"guardian website refused 2024-01-01", "guardian website granted 2024-06-01 2025-01-01"}, Obscure, "perse-5", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, policy := range Presets() {
				d := Decide(preset(t, policy), register(t, test.records...), "4021", Website, today)
				if d.Outcome != test.want || len(d.Records) != test.used {
					t.Errorf("%s: %s on %d records, want %s on %d", policy, d.Outcome, len(d.Records), test.want, test.used)
				}
				if len(d.Records)+len(d.Overruled) != len(test.records) {
					t.Errorf("%s: not every record is accounted for: %+v", policy, d)
				}
				if policy == "perse" && d.Rule != test.rule {
					t.Errorf("rule %s, want %s", d.Rule, test.rule)
				}
			}
		})
	}
}

func TestRecordsThatDoNotCount(t *testing.T) {
	for name, line := range map[string]string{
		"another purpose": "guardian press refused 2025-01-01",
		"dated later":     "guardian website refused 2026-03-15",
		"expired":         "guardian website granted 2025-01-01 2026-03-13",
		"biometric":       "guardian biometric granted 2025-01-01",
	} {
		for _, policy := range Presets() {
			p := preset(t, policy)
			got := Decide(p, register(t, line), "4021", Website, today)
			want := Decide(p, register(t), "4021", Website, today)
			if got.Outcome != want.Outcome || got.Rule != want.Rule || len(got.Records) != 0 {
				t.Errorf("%s, %s: %+v, want as if nothing was said", policy, name, got)
			}
		}
	}
}

func TestEverythingIsNotBiometric(t *testing.T) {
	h := hear(register(t, "guardian * granted 2025-01-01").Records("4021"), Biometric, DateOf(today))
	if len(h.stands) != 0 {
		t.Error("a grant of every publication purpose stands as a consent to be enrolled")
	}
}

func TestExplanation(t *testing.T) {
	reg := register(t, "guardian website granted 2025-01-01", "pupil website refused 2024-01-01", "guardian website granted 2023-01-01")
	d := Decide(preset(t, "perse"), reg, "4021", Website, today)
	want := "subject 4021 is obscured for website: pupil refused website on 2024-01-01 " +
		"(perse-5: 5: images are used unless it has been requested otherwise, and here it has been)"
	if diff := cmp.Diff(want, d.Text); diff != "" {
		t.Error(diff)
	}
	var why []string
	for _, o := range d.Overruled {
		why = append(why, string(o.Record.Date)+" "+o.Why)
	}
	wantWhy := []string{"2025-01-01 another party has refused", "2023-01-01 the same party has spoken later"}
	if diff := cmp.Diff(wantWhy, why); diff != "" {
		t.Error(diff)
	}
}

func TestDoubtIsNeverShown(t *testing.T) {
	p, reg := preset(t, "perse"), register(t, "guardian * granted 2025-01-01")
	broken := p
	broken.NothingSaid.Outcome = "shwo"
	for name, test := range map[string]struct {
		got  Decision
		want Outcome
		rule string
	}{
		"identification":     {Decide(p, reg, "4021", Identification, today), Obscure, RuleNotAPurpose},
		"biometric":          {Decide(p, reg, "4021", Biometric, today), Obscure, RuleNotAPurpose},
		"any purpose":        {Decide(p, reg, "4021", AnyPurpose, today), Obscure, RuleNotAPurpose},
		"no purpose":         {Decide(p, reg, "4021", "", today), Obscure, RuleNotAPurpose},
		"no day":             {Decide(p, reg, "4021", Website, time.Time{}), Obscure, RuleNoDate},
		"a day too far":      {Decide(p, reg, "4021", Website, today.AddDate(8000, 0, 0)), Obscure, RuleNoDate},
		"no policy":          {Decide(Policy{}, reg, "4021", Website, today), Obscure, RuleNoPolicy},
		"broken policy":      {Decide(broken, reg, "4021", Website, today), Obscure, RuleNoPolicy},
		"unknown subject":    {Decide(p, reg, "4022", Website, today), Review, RuleNotRegistered},
		"no register":        {Decide(p, nil, "4021", Website, today), Review, RuleNotRegistered},
		"unknown, no policy": {UnknownFace(Policy{}, Show), Obscure, RuleNoPolicy},
		"unknown, bad word":  {UnknownFace(p, "blur"), Obscure, RuleUnknownFaceSet},
	} {
		if test.got.Outcome != test.want || test.got.Rule != test.rule {
			t.Errorf("%s: %s by %s, want %s by %s", name, test.got.Outcome, test.got.Rule, test.want, test.rule)
		}
		checkExplained(t, test.got)
	}
}

func TestUnknownFaceOverride(t *testing.T) {
	for _, want := range Outcomes() {
		d := UnknownFace(preset(t, "lumen"), want)
		if d.Outcome != want || d.Rule != RuleUnknownFaceSet {
			t.Errorf("%s by %s, want %s", d.Outcome, d.Rule, want)
		}
		if asks := strings.Contains(d.Text, "senior member of staff"); asks != (want == Review) {
			t.Errorf("%s: %q", want, d.Text)
		}
	}
}

func TestDayIsLocal(t *testing.T) {
	reg := register(t, "guardian website withdrawn 2026-07-01")
	summer := time.FixedZone("BST", 3600)
	at := time.Date(2026, 7, 1, 0, 30, 0, 0, summer) // still June in UTC
	if d := Decide(preset(t, "perse"), reg, "4021", Website, at); d.Outcome != Obscure {
		t.Error("a withdrawal does not count from the school's own midnight")
	}
}

func checkExplained(t *testing.T, d Decision) {
	t.Helper()
	if !slices.Contains(Outcomes(), d.Outcome) || d.Rule == "" || d.Clause == "" || d.Text == "" || d.Records == nil {
		t.Errorf("not explained: %+v", d)
	}
}

// randomRecords speaks of a small world, so that records often meet.
func randomRecords(rnd *rand.Rand, n int) []Record {
	purposes := []Purpose{Website, AnyPurpose, Press, Biometric}
	records := make([]Record, n)
	for i := range records {
		day := 12 + rnd.IntN(5)
		records[i] = Record{
			AdmissionNumber: "4021",
			Party:           Parties()[rnd.IntN(3)],
			Purpose:         purposes[rnd.IntN(len(purposes))],
			Decision:        Answers()[rnd.IntN(3)],
			Date:            Date(fmt.Sprintf("2026-03-%02d", day)),
		}
		if rnd.IntN(3) == 0 {
			records[i].Expires = Date(fmt.Sprintf("2026-03-%02d", day+rnd.IntN(3)))
		}
	}
	return records
}

// worlds calls check with many sets of records and each preset.
func worlds(t *testing.T, check func(rnd *rand.Rand, p Policy, records []Record)) {
	t.Helper()
	var policies []Policy
	for _, name := range Presets() {
		policies = append(policies, preset(t, name))
	}
	for seed := range uint64(2000) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		check(rnd, policies[seed%5], randomRecords(rnd, rnd.IntN(7)))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func (d Decision) said() string { return string(d.Outcome) + " " + d.Rule }

func TestPropertyRefusalNeverShows(t *testing.T) {
	worlds(t, func(rnd *rand.Rand, p Policy, records []Record) {
		refusal := randomRecords(rnd, 1)[0]
		refusal.Decision = []Answer{Refused, Withdrawn}[rnd.IntN(2)]
		before := Decide(p, registerOf(t, records), "4021", Website, today)
		after := Decide(p, registerOf(t, append(slices.Clone(records), refusal)), "4021", Website, today)
		if before.Outcome == Obscure && after.Outcome != Obscure {
			t.Errorf("%+v turned %q into %q", refusal, before.Text, after.Text)
		}
	})
}

func TestPropertyStandingRefusalObscures(t *testing.T) {
	worlds(t, func(_ *rand.Rand, p Policy, records []Record) {
		last := Record{AdmissionNumber: "4021", Party: Guardian, Purpose: Website, Decision: Refused, Date: DateOf(today)}
		d := Decide(p, registerOf(t, append(slices.Clone(records), last)), "4021", Website, today)
		if d.Outcome != Obscure {
			t.Errorf("a refusal of today gives %q", d.Text)
		}
	})
}

func TestPropertyExpiredGrantNeverCounts(t *testing.T) {
	worlds(t, func(rnd *rand.Rand, p Policy, records []Record) {
		grant := Record{
			AdmissionNumber: "4021", Party: Parties()[rnd.IntN(3)], Purpose: Website, Decision: Granted,
			Date: Date(fmt.Sprintf("2026-03-%02d", 1+rnd.IntN(13))), Expires: "2026-03-13",
		}
		before := Decide(p, registerOf(t, records), "4021", Website, today)
		after := Decide(p, registerOf(t, append(slices.Clone(records), grant)), "4021", Website, today)
		if before.said() != after.said() {
			t.Errorf("an expired grant turned %q into %q", before.Text, after.Text)
		}
	})
}

func TestPropertyWithdrawnGrantNeverCounts(t *testing.T) {
	worlds(t, func(rnd *rand.Rand, p Policy, records []Record) {
		grant := randomRecords(rnd, 1)[0]
		grant.Decision, grant.Purpose, grant.Expires = Granted, Website, ""
		withdrawal := grant
		withdrawal.Decision = Withdrawn
		d := Decide(p, registerOf(t, []Record{grant, withdrawal}), "4021", Website, today)
		if slices.Contains(d.Records, grant) || d.Outcome == Show && len(d.Records) > 0 {
			t.Errorf("a withdrawn grant counts: %q", d.Text)
		}
		with := append(slices.Clone(records), withdrawal)
		before := Decide(p, registerOf(t, with), "4021", Website, today)
		after := Decide(p, registerOf(t, append(with, grant)), "4021", Website, today)
		if before.said() != after.said() {
			t.Errorf("a withdrawn grant turned %q into %q", before.Text, after.Text)
		}
	})
}

func TestPropertyOrderDoesNotMatter(t *testing.T) {
	worlds(t, func(rnd *rand.Rand, p Policy, records []Record) {
		a := registerOf(t, records)
		shuffled := append(slices.Clone(records), records...) // repeats do not matter either
		rnd.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		b := registerOf(t, shuffled)
		if a.Digest() != b.Digest() {
			t.Error("the digest depends on the order of records")
		}
		if diff := cmp.Diff(Decide(p, a, "4021", Website, today), Decide(p, b, "4021", Website, today)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPropertyEveryOutcomeIsExplained(t *testing.T) {
	worlds(t, func(_ *rand.Rand, p Policy, records []Record) {
		reg := registerOf(t, records)
		for _, purpose := range append(PublicationPurposes(), Biometric, AnyPurpose, Identification, "") {
			d := Decide(p, reg, "4021", purpose, today)
			checkExplained(t, d)
			if !strings.Contains(d.Text, d.Clause) || d.Outcome == Show && !purpose.IsPublication() {
				t.Errorf("%s: %+v", purpose, d)
			}
		}
	})
}
