package consent

import (
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
	return registerWith(t, Subject{}, lines...)
}

// registerWith says more of the subject 4021.
func registerWith(t testing.TB, s Subject, lines ...string) *Register {
	t.Helper()
	var records []Record
	for _, line := range lines {
		f := append(strings.Fields(line), "")
		records = append(records, Record{
			AdmissionNumber: "4021", Party: Party(f[0]), Purpose: Purpose(f[1]), Decision: Answer(f[2]),
			Date: Date(f[3]), Expires: Date(f[4]),
		})
	}
	return registerOf(t, s, records)
}

func registerOf(t testing.TB, s Subject, records []Record) *Register {
	t.Helper()
	s.AdmissionNumber = "4021"
	reg, err := NewRegister(1, []Subject{s}, records)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func TestRecordsThatDoNotCount(t *testing.T) {
	for name, line := range map[string]string{
		"another purpose": "guardian press refused 2025-01-01",
		"dated later":     "guardian website refused 2026-03-15",
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

func TestExplanation(t *testing.T) {
	reg := register(t, "guardian website granted 2025-01-01", "pupil website refused 2024-01-01", "guardian website granted 2023-01-01")
	d := Decide(preset(t, "perse"), reg, "4021", Website, today)
	want := "subject 4021 is obscured for website: pupil refused website on 2024-01-01 " +
		"(perse-2.5a: 2.5(a): a pupil's objection is respected although a parent has consented, and the parent is told); " +
		"the guardian who agreed is to be told that the pupil has refused"
	if diff := cmp.Diff(want, d.Text); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"2025-01-01 another party has refused", "2023-01-01 the same party has spoken later"}, whys(d.Overruled)); diff != "" {
		t.Error(diff)
	}
}

func whys(list []Overrule) []string {
	var why []string
	for _, o := range list {
		why = append(why, string(o.Record.Date)+" "+o.Why)
	}
	return why
}

// Each text must name what the decision turns on.
func TestTextsSayWhatIsMissing(t *testing.T) {
	left := Subject{Leaves: "2025-07-31"}
	for name, test := range map[string]struct {
		preset  string
		subject Subject
		records []string
		want    string
	}{
		"withdrawn":        {"lumen", Subject{}, []string{guardianNo}, "guardian withdrew website on 2025-02-01 ("},
		"nothing":          {"lumen", Subject{}, nil, "nobody has said anything that counts"},
		"pupil missing":    {"lumen", Subject{}, []string{"guardian * granted 2025-01-01"}, "guardian granted every purpose on 2025-01-01, but the consent of the pupil is missing"},
		"guardian missing": {"lumen", Subject{}, []string{"pupil website granted 2025-01-01"}, "the consent of a guardian is missing"},
		"either":           {"break", Subject{}, []string{"pupil website granted 2025-01-01"}, "the consent of a guardian or of the placing authority is missing"},
		"run out":          {"lumen", Subject{}, []string{"guardian website granted 2025-01-01", "pupil website granted 2025-01-01 2025-12-31"}, "the consent of pupil given on 2025-01-01 ended on 2025-12-31"},
		"pupil's own":      {"break", Subject{}, []string{"guardian website granted 2025-01-01", "pupil website granted 2025-01-01 2025-12-31"}, "the pupil's own consent is missing; the consent of pupil given on 2025-01-01 ended on 2025-12-31"},
		"left":             {"stepping-stones", left, []string{"guardian website granted 2025-01-01"}, "what was agreed to lapsed when the subject left on 2025-07-31"},
		"only run out":     {"lumen", Subject{}, []string{"pupil website granted 2025-01-01 2025-12-31"}, "the consent of pupil given on 2025-01-01 ended on 2025-12-31"},
		"opt-out, run out": {"perse", Subject{}, []string{"guardian-2 * granted 2025-01-01 2025-12-31"}, "the consent of guardian-2 given on 2025-01-01 ended on 2025-12-31"},
		"but another agrees": {
			"perse",
			Subject{},
			[]string{"pupil * granted 2025-01-01", "guardian * granted 2025-01-01 2025-12-31"},
			"pupil granted every purpose on 2025-01-01, but the consent of guardian given on 2025-01-01 ended on 2025-12-31",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := Decide(preset(t, test.preset), registerWith(t, test.subject, test.records...), "4021", Website, today)
			if d.Outcome != Obscure || !strings.Contains(d.Text, test.want) {
				t.Errorf("%s: %q, want %q in it", d.Outcome, d.Text, test.want)
			}
		})
	}
}

func TestDoubtIsNeverShown(t *testing.T) {
	p, reg := preset(t, "perse"), register(t, "guardian * granted 2025-01-01")
	broken, mixed := p, p
	broken.NothingSaid.Outcome = "shwo"
	mixed.Consent.Needs = [][]Party{{Guardian}} // shows when nothing is said, and yet needs a yes
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
		"mixed policy":       {Decide(mixed, reg, "4021", Website, today), Obscure, RuleNoPolicy},
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
	if !slices.Contains(Outcomes(), d.Outcome) || d.Rule == "" || d.Clause == "" || d.Text == "" || d.Records == nil || !strings.Contains(d.Text, d.Clause) {
		t.Errorf("not explained: %+v", d)
	}
}
