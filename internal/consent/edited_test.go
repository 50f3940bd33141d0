package consent

import (
	"strings"
	"testing"
)

// edited is a preset with some lines of its file replaced, as a school would do it.
func edited(t *testing.T, name string, oldNew ...string) Policy {
	t.Helper()
	data, err := PresetSource(name)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for i := 0; i < len(oldNew); i += 2 {
		if !strings.Contains(text, oldNew[i]) {
			t.Fatalf("%s does not say %q", name, oldNew[i])
		}
		text = strings.Replace(text, oldNew[i], oldNew[i+1], 1)
	}
	p, err := ParsePolicy([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEditedPolicies(t *testing.T) {
	lapsed := "lapsed:\n  outcome: obscure"
	lapsedShows := edited(t, "perse", lapsed, "lapsed:\n  outcome: show")
	lapsedAsks := edited(t, "perse", lapsed, "lapsed:\n  outcome: review")
	lapses := edited(t, "perse", "consents: stay", "consents: lapse\n  after_years: 1")
	either := edited(t, "lumen", "needs: [[pupil, guardian]]", "needs: [[pupil], [guardian]]")
	asks := edited(t, "lumen", "nothing_said:\n  outcome: obscure", "nothing_said:\n  outcome: review")
	override := "precedence:\n  - {said: {pupil: granted, guardian: refused}, outcome: review, rule: ours, clause: a person decides}\n"
	eitherAsks := edited(t, "lumen", "needs: [[pupil, guardian]]", "needs: [[pupil], [guardian]]", "leaving:\n", override+"leaving:\n")
	bothAsk := edited(t, "lumen", "leaving:\n", override+"leaving:\n")
	for name, test := range map[string]struct {
		policy  Policy
		subject Subject
		records []string
		want    Outcome
		rule    string
	}{
		"lapsed may show":                     {lapsedShows, Subject{}, []string{parentEnded}, Show, "perse-5"},
		"lapsed may show, and another agrees": {lapsedShows, Subject{}, []string{parentEnded, pupilYes}, Show, "perse-2.1"},
		"lapsed may ask":                      {lapsedAsks, Subject{}, []string{parentEnded}, Review, "perse-5"},
		"lapsed asks, and another refuses":    {lapsedAsks, Subject{}, []string{parentEnded, pupilNo}, Obscure, "perse-5"},
		"opt-out, left":                       {lapses, leftOn("2025-03-13"), []string{guardianYes}, Obscure, "perse-5"},
		"opt-out, left not so long ago":       {lapses, leftOn("2025-03-14"), []string{guardianYes}, Show, "perse-2.1"},
		"opt-out, left in silence":            {lapses, leftOn("2025-03-13"), nil, Show, "perse-2.1"},
		"either, pupil":                       {either, Subject{}, []string{pupilYes}, Show, "lumen-consent"},
		"either, guardian":                    {either, Subject{}, []string{guardianYes}, Show, "lumen-consent"},
		"either, but one refuses":             {either, Subject{}, []string{pupilYes, guardianNo}, Obscure, "lumen-consent"},
		"asks in silence":                     {asks, Subject{}, nil, Review, "lumen-consent"},
		"asks where one is missing":           {asks, Subject{}, []string{guardianYes}, Review, "lumen-consent"},
		"either, a person decides":            {eitherAsks, Subject{}, []string{pupilYes, guardianNo}, Review, "ours"},
		// Without the refusal the guardian's yes would be missing: the pupil could not be shown.
		"both, no person decides": {bothAsk, Subject{}, []string{pupilYes, guardianNo}, Obscure, "lumen-consent"},
	} {
		t.Run(name, func(t *testing.T) {
			d := clauseTest{subject: test.subject, records: test.records}.decide(t, test.policy)
			if d.Outcome != test.want || d.Rule != test.rule {
				t.Errorf("%s by %s, want %s by %s: %s", d.Outcome, d.Rule, test.want, test.rule, d.Text)
			}
		})
	}
}
