package consent

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// clauseTest is one cell of the table in docs/policies.md; its name is the clause.
type clauseTest struct {
	name    string
	subject Subject
	records []string
	purpose Purpose // empty: website
	want    Outcome
	rule    string
}

func (c clauseTest) decide(t *testing.T, p Policy) Decision {
	t.Helper()
	if c.purpose == "" {
		c.purpose = Website
	}
	d := Decide(p, registerWith(t, c.subject, c.records...), "4021", c.purpose, today)
	checkExplained(t, d)
	if len(d.Records)+len(d.Overruled) != len(c.records) {
		t.Errorf("not every record is accounted for: %+v", d)
	}
	return d
}

func runClauses(t *testing.T, name string, tests []clauseTest) {
	t.Helper()
	p := preset(t, name)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if d := test.decide(t, p); d.Outcome != test.want || d.Rule != test.rule {
				t.Errorf("%s by %s, want %s by %s: %s", d.Outcome, d.Rule, test.want, test.rule, d.Text)
			}
		})
	}
}

// What the parties said, on website. Nothing but its own last day ends an "until" before today.
const (
	pupilYes     = "pupil website granted 2025-01-01"
	pupilNo      = "pupil website refused 2025-02-01"
	guardianYes  = "guardian website granted 2025-01-01"
	guardianNo   = "guardian website withdrawn 2025-02-01"
	authorityYes = "placing-authority website granted 2025-01-01"
	authorityNo  = "placing-authority website refused 2025-02-01"
	pupilEnded   = "pupil website granted 2025-01-01 2026-03-13"
	parentEnded  = "guardian website granted 2025-01-01 2026-03-13"
	parentUntil  = "guardian website granted 2025-01-01 2026-03-14"
)

func inYear(group string) Subject { return Subject{YearGroup: group} }
func bornOn(date Date) Subject    { return Subject{Born: date} }
func leftOn(date Date) Subject    { return Subject{Leaves: date} }

func TestPerse(t *testing.T) {
	disagree := []string{pupilYes, guardianNo}
	tests := []clauseTest{
		{"perse-2.1 nothing said", Subject{}, nil, "", Show, "perse-2.1"},
		{"perse-2.1 granted", Subject{}, []string{guardianYes}, "", Show, "perse-2.1"},
		{"perse-2.1 pupil granted", Subject{}, []string{pupilYes}, "", Show, "perse-2.1"},
		{"perse-5 refused by guardian", Subject{}, []string{guardianNo}, "", Obscure, "perse-5"},
		{"perse-5 refused by pupil", inYear("R"), []string{pupilNo}, "", Obscure, "perse-5"},
		{"perse-5 refused by both", inYear("12"), []string{pupilNo, guardianNo}, "", Obscure, "perse-5"},
		{"perse-5 refused by placing authority", Subject{}, []string{guardianYes, authorityNo}, "", Obscure, "perse-5"},
		{"perse-5 guardians disagree", Subject{}, []string{"guardian-1 * granted 2025-03-01", "guardian-2 website refused 2025-01-01"}, "", Obscure, "perse-5"},
		{"perse-5 consent has run out", Subject{}, []string{parentEnded}, "", Obscure, "perse-5"},
		{"perse-5 last day", Subject{}, []string{parentUntil}, "", Show, "perse-2.1"},
		{"perse-2.5a", inYear("9"), []string{pupilNo, guardianYes}, "", Obscure, "perse-2.5a"},
		{"perse-2.5a any age", inYear("1"), []string{pupilNo, guardianYes}, "", Obscure, "perse-2.5a"},
		{"perse-2.5a production", Subject{}, []string{"pupil * refused 2025-02-01", "guardian-1 * granted 2025-03-01"}, Production, Obscure, "perse-2.5a"},
		{"perse-2.5b production", inYear("10"), []string{"pupil * granted 2025-02-01", "guardian * refused 2025-03-01"}, Production, Obscure, "perse-2.5b"},
		{"perse-2.6 authority refuses too", inYear("12"), append(slices.Clone(disagree), authorityNo), "", Obscure, "perse-2.5b"},
		{"perse-2.6 a guardian refuses, one agrees", inYear("12"), append(slices.Clone(disagree), "guardian-1 website granted 2025-01-01"), "", Review, "perse-2.6"},
		{"perse-2.6 a guardian's consent has run out", inYear("12"), append(slices.Clone(disagree), "guardian-1 website granted 2025-01-01 2025-02-01"), "", Obscure, "perse-2.5b"},
		{"perse-9 refused", Subject{}, []string{"guardian production refused 2025-01-01"}, Production, Obscure, "perse-9"},
		{"perse-9 permitted", Subject{}, []string{"guardian production granted 2025-01-01"}, Production, Show, "perse-2.1"},
		{"perse-9 nothing said", Subject{}, nil, Production, Show, "perse-2.1"},
		{"perse-leaving consent stays", leftOn("2019-07-31"), []string{guardianYes}, "", Show, "perse-2.1"},
		{"perse-leaving refusal stays", leftOn("2019-07-31"), []string{guardianNo}, "", Obscure, "perse-5"},
	}
	runClauses(t, "perse", append(tests, perseYears(disagree)...))
}

// perseYears is the pupil's yes against the guardian's no, for each year group and age.
func perseYears(disagree []string) []clauseTest {
	of := func(name string, s Subject, want Outcome, rule string) clauseTest {
		return clauseTest{name, s, disagree, "", want, rule}
	}
	return []clauseTest{
		of("perse-2.4 R", inYear("R"), Obscure, "perse-2.4"),
		of("perse-2.4 1", inYear("1"), Obscure, "perse-2.4"),
		of("perse-2.4 6", inYear("6"), Obscure, "perse-2.4"),
		of("perse-2.5b 7", inYear("7"), Obscure, "perse-2.5b"),
		of("perse-2.5b 11", inYear("11"), Obscure, "perse-2.5b"),
		of("perse-2.5b 11, though 16", Subject{YearGroup: "11", Born: "2009-10-01"}, Obscure, "perse-2.5b"),
		of("perse-2.6 12", inYear("12"), Review, "perse-2.6"),
		of("perse-2.6 13", inYear("13"), Review, "perse-2.6"),
		of("perse-2.4 aged 11", bornOn("2014-03-15"), Obscure, "perse-2.4"),
		of("perse-2.5b aged 12", bornOn("2014-03-14"), Obscure, "perse-2.5b"),
		of("perse-2.5b aged 15", bornOn("2010-03-15"), Obscure, "perse-2.5b"),
		of("perse-2.6 aged 16", bornOn("2010-03-14"), Review, "perse-2.6"),
		of("perse-2.5b neither known", Subject{}, Obscure, "perse-2.5b"),
	}
}

func TestLumen(t *testing.T) {
	both := []string{guardianYes, pupilYes}
	runClauses(t, "lumen", []clauseTest{
		{"lumen-consent nothing said", Subject{}, nil, "", Obscure, "lumen-consent"},
		{"lumen-consent both", Subject{}, both, "", Show, "lumen-consent"},
		{"lumen-consent a numbered guardian", Subject{}, []string{pupilYes, "guardian-3 * granted 2025-01-01"}, "", Show, "lumen-consent"},
		{"lumen-consent guardian alone", Subject{}, []string{guardianYes}, "", Obscure, "lumen-consent"},
		{"lumen-consent pupil alone", inYear("13"), []string{pupilYes}, "", Obscure, "lumen-consent"},
		{"lumen-consent authority and pupil", Subject{}, []string{pupilYes, authorityYes}, "", Obscure, "lumen-consent"},
		{"lumen-consent pupil refuses", Subject{}, []string{pupilNo, guardianYes}, "", Obscure, "lumen-consent"},
		{"lumen-consent guardian refuses", inYear("13"), []string{pupilYes, guardianNo}, "", Obscure, "lumen-consent"},
		{"lumen-consent authority refuses", Subject{}, append(slices.Clone(both), authorityNo), "", Obscure, "lumen-consent"},
		{"lumen-consent guardians disagree", Subject{}, append(slices.Clone(both), "guardian-2 website refused 2024-01-01"), "", Obscure, "lumen-consent"},
		{"lumen-consent pupil's has run out", Subject{}, []string{guardianYes, pupilEnded}, "", Obscure, "lumen-consent"},
		{"lumen-retention on roll", leftOn("2026-03-14"), both, "", Show, "lumen-consent"},
		{"lumen-retention two years", leftOn("2024-03-14"), both, "", Show, "lumen-consent"},
		{"lumen-retention after two years", leftOn("2024-03-13"), both, "", Obscure, "lumen-retention"},
		{"lumen-retention guardian alone", leftOn("2024-03-13"), []string{guardianYes}, "", Obscure, "lumen-consent"},
		{"lumen-retention refusal stays", leftOn("2019-03-13"), []string{pupilYes, guardianNo}, "", Obscure, "lumen-consent"},
	})
}

func TestJames(t *testing.T) {
	disagree := []string{pupilYes, guardianNo}
	runClauses(t, "james", []clauseTest{
		{"james-consent nothing said", Subject{}, nil, "", Show, "james-consent"},
		{"james-consent granted", Subject{}, []string{guardianYes}, "", Show, "james-consent"},
		{"james-consent guardian refuses", bornOn("2005-01-01"), []string{guardianNo}, "", Obscure, "james-consent"},
		{"james-consent pupil refuses", bornOn("2020-01-01"), []string{pupilNo, guardianYes}, "", Obscure, "james-consent"},
		{"james-consent authority refuses", bornOn("2010-01-01"), []string{pupilYes, authorityNo}, "", Obscure, "james-consent"},
		{"james-under-12", bornOn("2014-03-15"), disagree, "", Obscure, "james-under-12"},
		{"james-under-12 though year 8", Subject{Born: "2014-03-15", YearGroup: "8"}, disagree, "", Obscure, "james-under-12"},
		{"james-own-rights from 12", bornOn("2014-03-14"), disagree, "", Review, "james-own-rights"},
		{"james-own-rights though year 6", Subject{Born: "2014-03-14", YearGroup: "6"}, disagree, "", Review, "james-own-rights"},
		{"james-under-12 year 7", inYear("7"), disagree, "", Obscure, "james-under-12"},
		{"james-own-rights year 8", inYear("8"), disagree, "", Review, "james-own-rights"},
		{"james-under-12 neither known", Subject{}, disagree, "", Obscure, "james-under-12"},
		{"james-lapsed", Subject{}, []string{parentEnded}, "", Obscure, "james-lapsed"},
		{"james-leaving", leftOn("2015-07-31"), []string{guardianYes}, "", Show, "james-consent"},
	})
}

func TestSteppingStones(t *testing.T) {
	runClauses(t, "stepping-stones", []clauseTest{
		{"stepping-stones-consent nothing said", Subject{}, nil, "", Obscure, "stepping-stones-consent"},
		{"stepping-stones-consent guardian", Subject{}, []string{guardianYes}, "", Show, "stepping-stones-consent"},
		{"stepping-stones-consent pupil alone", Subject{}, []string{pupilYes}, "", Obscure, "stepping-stones-consent"},
		{"stepping-stones-consent authority alone", Subject{}, []string{authorityYes}, "", Obscure, "stepping-stones-consent"},
		{"stepping-stones-consent pupil refuses", Subject{}, []string{pupilNo, guardianYes}, "", Obscure, "stepping-stones-consent"},
		{"stepping-stones-consent guardian refuses", Subject{}, []string{pupilYes, guardianNo}, "", Obscure, "stepping-stones-consent"},
		{"stepping-stones-consent has run out", Subject{}, []string{parentEnded}, "", Obscure, "stepping-stones-consent"},
		{"stepping-stones-consent pupil's has run out", Subject{}, []string{guardianYes, pupilEnded}, "", Show, "stepping-stones-consent"},
		{"stepping-stones-leaving last day", leftOn("2026-03-14"), []string{guardianYes}, "", Show, "stepping-stones-consent"},
		{"stepping-stones-leaving next day", leftOn("2026-03-13"), []string{guardianYes}, "", Obscure, "stepping-stones-leaving"},
		{"stepping-stones-leaving until a date", leftOn("2026-03-13"), []string{parentUntil}, "", Obscure, "stepping-stones-leaving"},
		{"stepping-stones-leaving said later", leftOn("2024-03-13"), []string{guardianYes}, "", Obscure, "stepping-stones-leaving"},
	})
}

func TestBreak(t *testing.T) {
	runClauses(t, "break", []clauseTest{
		{"break-consent nothing said", Subject{}, nil, "", Obscure, "break-consent"},
		{"break-consent guardian", Subject{}, []string{guardianYes}, "", Show, "break-consent"},
		{"break-consent authority", Subject{}, []string{authorityYes}, "", Show, "break-consent"},
		{"break-consent child alone", Subject{}, []string{pupilYes}, "", Obscure, "break-consent"},
		{"break-consent child and authority", Subject{}, []string{pupilYes, authorityYes}, "", Show, "break-consent"},
		{"break-consent child's has run out", Subject{}, []string{pupilEnded, authorityYes}, "", Obscure, "break-consent"},
		{"break-consent child refuses", Subject{}, []string{pupilNo, guardianYes, authorityYes}, "", Obscure, "break-consent"},
		{"break-consent guardian refuses", Subject{}, []string{pupilYes, guardianNo, authorityYes}, "", Obscure, "break-consent"},
		{"break-consent authority refuses", Subject{}, []string{pupilYes, guardianYes, authorityNo}, "", Obscure, "break-consent"},
		{"break-leaving destroy", leftOn("2026-03-13"), []string{guardianYes}, "", Obscure, "break-leaving"},
		{"break-leaving retain until", leftOn("2026-03-13"), []string{parentUntil}, "", Show, "break-consent"},
		{"break-leaving retained until", leftOn("2026-03-13"), []string{parentEnded}, "", Obscure, "break-consent"},
	})
}

// The rest of the table is not about outcomes.
func TestOtherClauses(t *testing.T) {
	perse, lumen, james, stones, brk := preset(t, "perse"), preset(t, "lumen"), preset(t, "james"), preset(t, "stepping-stones"), preset(t, "break")
	two := 2
	for name, pair := range map[string][2]any{
		"perse-2.6":                 {perse.Doubt.Ask, "Director of Communications"},
		"lumen-doubt":               {lumen.Doubt.Ask, "a senior member of staff"},
		"james-doubt":               {james.Doubt.Ask, "the Management Team"},
		"stepping-stones-doubt":     {stones.Doubt.Ask, "the Designated Safeguarding Lead"},
		"break-doubt":               {brk.Doubt.Ask, "the service manager"},
		"perse-3":                   {perse.ThirdParty.Approval, "Director of Communications"},
		"james-public-use":          {james.ThirdParty.Approval, "the Management Team"},
		"stepping-stones-press":     {slices.Contains(stones.ThirdParty.Purposes, Press), true},
		"break-third-party":         {brk.ThirdParty.Approval, "the service manager"},
		"perse-6":                   {perse.Retention.ReferenceMonths, 12},
		"perse-7":                   {perse.Names.NeverFor, []Purpose{Press, Advertising}},
		"perse-7 year":              {perse.Names.GuardianUpTo, "8"},
		"lumen-names":               {lumen.Names.NeverInFileName, true},
		"james-names":               {james.Names.Published, NoFullNames},
		"stepping-stones-names":     {stones.Names.Published, NoNames},
		"lumen-retention":           {lumen.Retention.YearsAfterLeaving, &two},
		"perse-group-record":        {perse.GroupRecord.Others, Incidental},
		"stepping-stones-own":       {stones.GroupRecord.Others, OwnConsent},
		"perse-unknown-face":        {UnknownFace(perse, "").Outcome, Show},
		"lumen-unknown-face":        {UnknownFace(lumen, "").Outcome, Obscure},
		"james-unknown-face":        {UnknownFace(james, "").Outcome, Show},
		"stepping-stones-unknown":   {UnknownFace(stones, "").Outcome, Obscure},
		"break-unknown-face":        {UnknownFace(brk, "").Outcome, Obscure},
		"lumen-scrutiny":            {lumen.Scrutiny.Rule, "lumen-scrutiny"},
		"break-leaving two choices": {brk.Leaving.KeepWithExpiry, true},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(pair[1], pair[0]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNoticeAndApproval(t *testing.T) {
	t.Run("perse-2.5a guardian is told", func(t *testing.T) {
		d := clauseTest{records: []string{pupilNo, guardianYes}}.decide(t, preset(t, "perse"))
		if len(d.Notices) != 1 || !strings.Contains(d.Text, d.Notices[0]) {
			t.Errorf("%+v", d)
		}
	})
	t.Run("perse-2.6 is asked", func(t *testing.T) {
		d := clauseTest{subject: inYear("12"), records: []string{pupilYes, guardianNo}}.decide(t, preset(t, "perse"))
		if !strings.HasSuffix(d.Text, "; ask Director of Communications (perse-2.6)") || len(d.Records) != 2 {
			t.Errorf("%+v", d)
		}
	})
	for _, test := range []struct {
		name    string
		purpose Purpose
		records []string
		want    bool
	}{
		{"perse-3 press", Press, nil, true},
		{"perse-3 internal", InternalDisplay, nil, false},
		{"perse-3 nobody to release", Press, []string{"pupil press refused 2025-01-01"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := clauseTest{records: test.records, purpose: test.purpose}.decide(t, preset(t, "perse"))
			if got := d.Approval != nil; got != test.want || got && (d.Approval.Rule != "perse-3" || !strings.Contains(d.Text, "perse-3")) {
				t.Errorf("%+v", d)
			}
		})
	}
}

func TestStanding(t *testing.T) {
	tests := map[string]struct {
		records []string
		want    Outcome // under a policy that needs a guardian's yes
		why     []string
	}{
		"granted, then withdrawn":           {[]string{"guardian website granted 2024-01-01", "guardian website withdrawn 2025-01-01"}, Obscure, []string{"2024-01-01 the same party has spoken later"}},
		"refused, then granted":             {[]string{"guardian website refused 2024-01-01", "guardian website granted 2025-01-01"}, Show, []string{"2024-01-01 the same party has spoken later"}},
		"both on one date":                  {[]string{"guardian website refused 2025-01-01", "guardian website granted 2025-01-01"}, Obscure, []string{"2025-01-01 the same party has said both on the same date, and then the refusal stands"}},
		"both on one date, by *":            {[]string{"guardian * refused 2025-01-01", "guardian website granted 2025-01-01"}, Obscure, []string{"2025-01-01 the same party has said both on the same date, and then the refusal stands"}},
		"* refused, then this granted":      {[]string{"guardian * refused 2024-01-01", "guardian website granted 2025-01-01"}, Show, []string{"2024-01-01 the same party has spoken later"}},
		"this refused, then * granted":      {[]string{"guardian website refused 2024-01-01", "guardian * granted 2025-01-01"}, Obscure, []string{"2025-01-01 a refusal of this very purpose stands until this very purpose is granted"}},
		"this granted, then * refused":      {[]string{"guardian website granted 2024-01-01", "guardian * refused 2025-01-01"}, Obscure, []string{"2024-01-01 the same party has spoken later"}},
		"a refusal does not run out":        {[]string{"guardian website refused 2024-01-01 2024-02-01"}, Obscure, nil},
		"refusal, then a grant that ended":  {[]string{"guardian website refused 2024-01-01", "guardian website granted 2024-06-01 2025-01-01"}, Obscure, []string{"2024-06-01 has expired"}},
		"grant, then a grant that ended":    {[]string{"guardian website granted 2024-01-01", "guardian website granted 2024-06-01 2025-01-01"}, Obscure, []string{"2024-01-01 the same party has spoken later, and what it said then has run out", "2024-06-01 has expired"}},
		"grant that ended, then a grant":    {[]string{"guardian website granted 2024-01-01 2024-02-01", "guardian website granted 2024-06-01"}, Show, []string{"2024-01-01 has expired"}},
		"dated later":                       {[]string{"guardian website granted 2024-01-01", "guardian website refused 2026-03-15"}, Show, []string{"2026-03-15 is dated later"}},
		"from today":                        {[]string{"guardian website granted 2024-01-01", "guardian website refused 2026-03-14"}, Obscure, []string{"2024-01-01 the same party has spoken later"}},
		"a guardian does not speak for one": {[]string{"guardian-1 website refused 2024-01-01", "guardian website granted 2025-01-01"}, Obscure, []string{"2025-01-01 another party has refused"}},
	}
	p := preset(t, "stepping-stones")
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := clauseTest{records: test.records}.decide(t, p)
			if diff := cmp.Diff(test.why, whys(d.Overruled)); diff != "" || d.Outcome != test.want {
				t.Errorf("%s, want %s: %s", d.Outcome, test.want, diff)
			}
		})
	}
}

func TestInRecordOf(t *testing.T) {
	tests := map[string]struct {
		preset  string
		subject Subject
		records []string
		owner   bool
		want    Outcome
		rule    string
	}{
		"owner, nothing said":         {"stepping-stones", Subject{}, nil, true, Show, "stepping-stones-learning-journey"},
		"owner, refused":              {"stepping-stones", Subject{}, []string{guardianNo}, true, Obscure, "stepping-stones-consent"},
		"owner, left to a person":     {"perse", inYear("12"), []string{pupilYes, guardianNo}, true, Review, "perse-2.6"},
		"owner, run out":              {"stepping-stones", Subject{}, []string{parentEnded}, true, Obscure, "stepping-stones-consent"},
		"owner, pupil alone agrees":   {"lumen", Subject{}, []string{pupilYes}, true, Show, RuleInRecordOf},
		"other, nothing said":         {"stepping-stones", Subject{}, nil, false, Obscure, "stepping-stones-consent"},
		"other, granted":              {"stepping-stones", Subject{}, []string{guardianYes}, false, Show, "stepping-stones-consent"},
		"other, refused":              {"stepping-stones", Subject{}, []string{guardianNo}, false, Obscure, "stepping-stones-consent"},
		"other, opt-out, no grant":    {"perse", Subject{}, nil, false, Obscure, "perse-group-record"},
		"other, opt-out, granted":     {"perse", Subject{}, []string{guardianYes}, false, Show, "perse-2.1"},
		"other, opt-out, to a person": {"perse", inYear("12"), []string{pupilYes, guardianNo}, false, Review, "perse-2.6"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			owner := "4021"
			if !test.owner {
				owner = "4022"
			}
			d := DecideInRecordOf(preset(t, test.preset), registerWith(t, test.subject, test.records...), "4021", owner, Website, today)
			checkExplained(t, d)
			if d.Outcome != test.want || d.Rule != test.rule || len(d.Records)+len(d.Overruled) != len(test.records) {
				t.Errorf("%+v, want %s by %s", d, test.want, test.rule)
			}
		})
	}
	for _, p := range []Policy{preset(t, "perse"), preset(t, "lumen"), {}} {
		if d := UnknownFaceInRecordOf(p); d.Outcome != Obscure {
			t.Errorf("%+v", d)
		} else {
			checkExplained(t, d)
		}
	}
	if d := DecideInRecordOf(preset(t, "perse"), nil, "4021", "4021", Website, today); d.Outcome != Review {
		t.Errorf("an owner that nobody knows: %+v", d)
	}
	if d := DecideInRecordOf(preset(t, "perse"), register(t), "4021", "4021", Website, time.Time{}); d.Outcome != Obscure {
		t.Errorf("no day: %+v", d)
	}
}
