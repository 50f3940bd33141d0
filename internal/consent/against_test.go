package consent

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAgainst(t *testing.T) {
	for name, test := range map[string]struct {
		records []string // the first is the one that is asked about
		want    string   // part of the only sentence; empty: it stands
	}{
		"alone":                       {[]string{"guardian press granted 2026-01-01"}, ""},
		"an earlier refusal":          {[]string{"guardian press granted 2026-01-01", "guardian press refused 2025-01-01"}, ""},
		"a later refusal":             {[]string{"guardian press granted 2026-01-01", "guardian press refused 2026-01-02"}, "which is later"},
		"a later grant":               {[]string{"guardian press refused 2026-01-01", "guardian press granted 2026-01-02"}, "which is later"},
		"a refusal of the same date":  {[]string{"guardian press granted 2026-01-01", "guardian press withdrawn 2026-01-01"}, "the refusal stands"},
		"a grant of the same date":    {[]string{"guardian press refused 2026-01-01", "guardian press granted 2026-01-01"}, ""},
		"another guardian's refusal":  {[]string{"guardian press granted 2026-01-01", "guardian-2 press refused 2026-01-01"}, ""},
		"a refusal of something else": {[]string{"guardian press granted 2026-01-01", "guardian website refused 2026-01-02"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			asked := register(t, test.records[0]).Records("4021")[0]
			got := strings.Join(register(t, test.records...).Against(asked), "|")
			if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestZeroTwins(t *testing.T) {
	var subjects []Subject
	for _, id := range []string{"42", "0042", "420", "P42", "7", "007", "0"} {
		subjects = append(subjects, Subject{AdmissionNumber: id})
	}
	reg, err := NewRegister(1, subjects, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][2]string{{"0042", "42"}, {"007", "7"}}, reg.ZeroTwins()); diff != "" {
		t.Error(diff)
	}
}
