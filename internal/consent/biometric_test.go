package consent

import (
	"strings"
	"testing"
	"time"
)

func TestMayEnrol(t *testing.T) {
	const (
		yes      = "guardian biometric granted 2025-09-01"
		ownYes   = "pupil biometric granted 2025-09-02"
		ownNo    = "pupil biometric refused 2025-09-03"
		no       = "guardian biometric refused 2025-09-01"
		command  = "consentry register set 4021 --party "
		flags    = " --purpose biometric --decision granted"
		nobody   = "no guardian has granted biometric consent; record it with: " + command + "guardian" + flags
		adultAsk = "4021 may not be enrolled: is of age and has not granted biometric consent in person; record it with: " + command + "pupil" + flags
	)
	adult, almost := Subject{Born: "2008-03-14"}, Subject{Born: "2008-03-15"}
	for name, test := range map[string]struct {
		subject Subject
		records []string
		allowed bool
		rule    string
		text    string
	}{
		"a guardian agrees":          {Subject{}, []string{yes}, true, RuleParentConsents, "4021 may be enrolled: biometric consent granted by guardian on 2025-09-01"},
		"a numbered guardian agrees": {Subject{}, []string{"guardian-2 biometric granted 2025-09-01"}, true, RuleParentConsents, "granted by guardian-2"},
		"nobody has agreed":          {Subject{}, nil, false, RuleParentConsents, "4021 may not be enrolled: " + nobody},
		"everything but biometric":   {Subject{}, []string{"guardian * granted 2025-09-01"}, false, RuleParentConsents, nobody},
		"the pupil alone agrees":     {almost, []string{ownYes}, false, RuleParentConsents, nobody},
		"the authority alone agrees": {Subject{}, []string{"placing-authority biometric granted 2025-09-01"}, false, RuleParentConsents, nobody},
		"refused":                    {Subject{}, []string{no}, false, RuleParentObjects, "4021 may not be enrolled: biometric consent refused by guardian on 2025-09-01"},
		"withdrawn":                  {Subject{}, []string{yes, "guardian biometric withdrawn 2025-10-01"}, false, RuleParentObjects, "biometric consent withdrawn by guardian on 2025-10-01"},
		"refused, then granted":      {Subject{}, []string{no, "guardian biometric granted 2025-10-01"}, true, RuleParentConsents, ""},
		"guardians disagree":         {Subject{}, []string{"guardian-1 biometric refused 2025-01-01", "guardian-2 biometric granted 2025-09-01"}, false, RuleParentObjects, "refused by guardian-1"},
		"the pupil refuses":          {Subject{}, []string{yes, ownNo}, false, RuleChildObjects, "refused by pupil on 2025-09-03"},
		"the authority refuses":      {Subject{}, []string{yes, "placing-authority biometric refused 2025-09-01"}, false, RuleAuthorityObjects, "refused by placing-authority"},
		"run out":                    {Subject{}, []string{"guardian biometric granted 2025-09-01 2025-12-31"}, false, RuleParentConsents, "the biometric consent of guardian ended on 2025-12-31; record it with: "},
		"last day":                   {Subject{}, []string{"guardian biometric granted 2025-09-01 2026-03-14"}, true, RuleParentConsents, ""},
		"from tomorrow":              {Subject{}, []string{"guardian biometric granted 2026-03-15"}, false, RuleParentConsents, nobody},
		"refusals do not run out":    {Subject{}, []string{"guardian biometric refused 2024-01-01 2024-02-01"}, false, RuleParentObjects, ""},
		"of age, agrees":             {adult, []string{ownYes}, true, RuleAdultDecides, "granted by pupil on 2025-09-02"},
		"of age, a guardian agrees":  {adult, []string{yes}, false, RuleAdultDecides, adultAsk},
		"of age, a guardian refuses": {adult, []string{ownYes, no}, true, RuleAdultDecides, ""},
		"of age, refuses":            {adult, []string{ownNo, yes}, false, RuleAdultDecides, "refused by pupil"},
		"of age, authority refuses":  {adult, []string{ownYes, "placing-authority biometric refused 2025-09-01"}, false, RuleAuthorityObjects, ""},
		"not yet of age":             {almost, []string{ownYes, no}, false, RuleParentObjects, ""},
		"nobody knows the age":       {Subject{YearGroup: "13"}, []string{ownYes}, false, RuleParentConsents, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := MayEnrol(registerWith(t, test.subject, test.records...), "4021", today)
			if p.Allowed != test.allowed || p.Rule != test.rule || p.Clause == "" || p.Records == nil || !strings.Contains(p.Text, test.text) {
				t.Errorf("%+v, want %v by %s: %s", p, test.allowed, test.rule, test.text)
			}
		})
	}
}

func TestMayNotEnrolInDoubt(t *testing.T) {
	reg := register(t, "guardian biometric granted 2025-09-01")
	for name, p := range map[string]Permit{
		"another":     MayEnrol(reg, "4022", today),
		"a name":      MayEnrol(reg, "Ada Lovelace", today),
		"no register": MayEnrol(nil, "4021", today),
		"no day":      MayEnrol(reg, "4021", time.Time{}),
	} {
		if p.Allowed || p.Rule == "" || p.Text == "" || p.Records == nil || strings.Contains(p.Text, "Ada") {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestAge(t *testing.T) {
	for _, test := range []struct {
		born, day Date
		want      int
		known     bool
	}{
		{"2014-03-14", "2026-03-14", 12, true},
		{"2014-03-15", "2026-03-14", 11, true},
		{"2008-02-29", "2026-02-28", 17, true},
		{"2008-02-29", "2026-03-01", 18, true},
		{"2026-03-14", "2026-03-14", 0, true},
		{"2026-03-15", "2026-03-14", 0, false},
		{"", "2026-03-14", 0, false},
	} {
		s := Subject{Born: test.born}
		if got, known := s.age(test.day); got != test.want || known != test.known {
			t.Errorf("born %s, on %s: %d, %v", test.born, test.day, got, known)
		}
	}
	for from, want := range map[Date]Date{"2024-02-29": "2026-02-28", "2024-07-31": "2026-07-31", "2022-02-28": "2024-02-28"} {
		if got := from.addYears(2); got != want {
			t.Errorf("two years after %s: %s", from, got)
		}
	}
}

func TestParties(t *testing.T) {
	places := map[int]Party{}
	for party, role := range map[Party]Party{
		Pupil: Pupil, Guardian: Guardian, PlacingAuthority: PlacingAuthority,
		"guardian-1": Guardian, "guardian-9": Guardian,
		"guardian-0": "", "guardian-10": "", "guardian-": "", "guardian1": "", "Guardian": "", "": "", "mother": "",
	} {
		if party.Role() != role || party.Valid() != (role != "") {
			t.Errorf("%q: role %q", party, party.Role())
		}
		if place := party.place(); place >= 0 {
			if other, twice := places[place]; twice || place >= placesOfAll {
				t.Errorf("%s stands where %s does", party, other)
			}
			places[place] = party
		}
	}
}
