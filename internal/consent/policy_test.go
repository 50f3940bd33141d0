package consent

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const policyYAML = `schema: 1
name: ours
source: our own policy
nothing_said:
  outcome: review
  rule: ours-1
  clause: one
refused: {rule: ours-2, clause: two}
granted: {rule: ours-3, clause: three}
unknown_face: {outcome: obscure, rule: ours-4, clause: four}
doubt: {ask: the head, rule: ours-5, clause: five}
`

func TestParsePolicy(t *testing.T) {
	want := Policy{
		Schema: 1, Name: "ours", Source: "our own policy",
		NothingSaid: Default{Review, "ours-1", "one"}, Refused: Ground{"ours-2", "two"}, Granted: Ground{"ours-3", "three"},
		UnknownFace: Default{Obscure, "ours-4", "four"}, Doubt: Doubt{"the head", "ours-5", "five"},
	}
	got, err := ParsePolicy([]byte(policyYAML))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	d := Decide(got, register(t), "4021", Press, today)
	if d.Outcome != Review || !strings.HasSuffix(d.Text, "; ask the head (ours-5)") {
		t.Errorf("%+v", d)
	}
}

func TestPolicyFaults(t *testing.T) {
	swap := func(old, with string) string { return strings.Replace(policyYAML, old, with, 1) }
	for name, test := range map[string]struct {
		text         string
		line, column int
		message      string
	}{
		"empty":              {"", 0, 0, "must be a mapping"},
		"an empty mapping":   {"{}\n", 0, 0, "must be a mapping"},
		"a list":             {"- 1\n", 0, 0, "must be a mapping"},
		"unknown key":        {swap("nothing_said", "nothing_sayed"), 4, 1, "nothing_sayed"},
		"unknown inner key":  {swap("  rule: ours-1", "  rool: ours-1"), 6, 3, "rool"},
		"outcome of refusal": {swap("{rule: ours-2", "{outcome: show, rule: ours-2"), 8, 11, "outcome"},
		"unknown outcome":    {swap("review", "blur"), 5, 12, "nothing_said.outcome must be one of: show, obscure, review"},
		"later schema":       {swap("schema: 1", "schema: 2"), 1, 9, "schema must be 1"},
		"no schema":          {swap("schema: 1\n", ""), 1, 1, "schema must be 1"},
		"no rule":            {swap("  rule: ours-1\n", ""), 4, 1, "nothing_said.rule must be"},
		"no refusal":         {swap("refused: {rule: ours-2, clause: two}\n", ""), 1, 1, "refused.clause must be given"},
		"rule with spaces":   {swap("ours-3", "ours 3"), 9, 17, "granted.rule must be a short name"},
		"key twice":          {policyYAML + "name: theirs\n", 12, 1, "name"},
		"anchor":             {swap("name: ours", "name: &a ours"), 2, 7, "anchors"},
		"tag":                {swap("name: ours", "name: !!str ours"), 2, 7, "tags"},
		"list inside":        {swap("name: ours", "name: [ours]"), 2, 7, "list"},
		"wrong kind":         {swap("{rule: ours-2, clause: two}", "yes"), 8, 10, ""},
		"not YAML":           {"a: b: c\n  d: [\n", 1, 0, ""},
		"second document":    {policyYAML + "---\n" + policyYAML, 0, 0, "one YAML document"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParsePolicy([]byte(test.text))
			var wrong *PolicyError
			if !errors.As(err, &wrong) {
				t.Fatalf("got %v", err)
			}
			got := wrong.Faults[0]
			if got.Line != test.line || test.column > 0 && got.Column != test.column || !strings.Contains(got.Message, test.message) {
				t.Errorf("got %+v, want line %d, column %d, %q", got, test.line, test.column, test.message)
			}
		})
	}
}

func TestPolicyListsEveryFault(t *testing.T) {
	text := strings.NewReplacer("review", "blur", "ours-3", "Ours", "ask: the head, ", "").Replace(policyYAML)
	_, err := ParsePolicy([]byte(text))
	var wrong *PolicyError
	if !errors.As(err, &wrong) || len(wrong.Faults) != 3 {
		t.Errorf("got %v, want three faults", err)
	}
}

func TestPresetsAreWhatTheySay(t *testing.T) {
	digests := map[string]bool{}
	for _, name := range Presets() {
		p := preset(t, name)
		if p.Name != name {
			t.Errorf("preset %s calls itself %s", name, p.Name)
		}
		digests[p.Digest()] = true
		for _, g := range p.grounds() {
			if !strings.HasPrefix(g.Rule, name+"-") {
				t.Errorf("%s: rule %s is not named after it", name, g.Rule)
			}
		}
	}
	entries, err := presetFiles.ReadDir("presets")
	if err != nil || len(entries) != len(Presets()) || len(digests) != len(Presets()) {
		t.Errorf("%d files, %d digests, %d names, %v", len(entries), len(digests), len(Presets()), err)
	}
}

func TestPolicyDigest(t *testing.T) {
	a, err := ParsePolicy([]byte(policyYAML))
	if err != nil {
		t.Fatal(err)
	}
	b, err := ParsePolicy([]byte("# a comment\n" + strings.Replace(policyYAML, "{rule: ours-2, clause: two}", "{clause: two,   rule: ours-2}", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if a.Digest() != b.Digest() {
		t.Error("comments and order change the digest")
	}
	b.Granted.Clause = "another"
	if a.Digest() == b.Digest() {
		t.Error("a changed clause does not change the digest")
	}
}

func TestLoad(t *testing.T) {
	open := func(name string) (io.ReadCloser, error) {
		if name != "dir/ours.yaml" {
			return nil, os.ErrNotExist
		}
		return io.NopCloser(strings.NewReader(policyYAML)), nil
	}
	for name, want := range map[string]error{
		"lumen": nil, "dir/ours.yaml": nil, "none.yaml": os.ErrNotExist, "Lumen": ErrUnknownPreset, "../lumen": os.ErrNotExist,
	} {
		if _, err := Load(name, open); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	huge := func(string) (io.ReadCloser, error) { return io.NopCloser(endless{"# comment\n"}), nil }
	if _, err := Load("a.yml", huge); !errors.Is(err, errPolicySize) {
		t.Errorf("an endless file: %v", err)
	}
}

// FuzzParsePolicy wants that whatever is taken can decide, and that nothing else gets through.
func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte(policyYAML))
	for _, name := range Presets() {
		data, err := PresetSource(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("a: &a [*a]\n"))
	f.Add(bytes.Repeat([]byte("{"), 100))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParsePolicy(data)
		if err == nil && (!p.usable() || len(p.check()) > 0) {
			t.Errorf("an unusable policy was taken: %+v", p)
		}
	})
}
