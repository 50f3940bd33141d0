package consent

import (
	"bytes"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const policyYAML = `schema: 2
name: ours
source: our own policy
nothing_said:
  outcome: review
  rule: ours-1
  clause: one
consent: {needs: [[pupil, guardian], [placing-authority]], rule: ours-2, clause: two}
refused: {rule: ours-3, clause: three}
precedence:
  - said: {pupil: granted, guardian: refused}
    year_groups: {from: R, to: 6}
    ages: {from: 4, to: 12}
    outcome: review
    rule: ours-4
    clause: four
leaving: {consents: lapse, after_years: 2, rule: ours-5, clause: five}
unknown_face: {outcome: obscure, rule: ours-6, clause: six}
doubt: {ask: the head, rule: ours-7, clause: seven}
third_party: {purposes: [press, website], approval: the head, rule: ours-8, clause: eight}
folders: {pattern: ACADEMIC-YEAR/CLASS, rule: ours-9, clause: nine}
retention: {years_after_leaving: 3, rule: ours-10, clause: ten}
`

func TestParsePolicy(t *testing.T) {
	three := 3
	want := Policy{
		Schema: 2, Name: "ours", Source: "our own policy",
		NothingSaid: Default{Review, "ours-1", "one"},
		Consent:     Consent{Needs: [][]Party{{Pupil, Guardian}, {PlacingAuthority}}, Rule: "ours-2", Clause: "two"},
		Refused:     Ground{"ours-3", "three"},
		Precedence: []Precedence{{
			Said: Said{Pupil: Granted, Guardian: Refused}, YearGroups: &YearGroups{"R", "6"}, Ages: &Ages{4, 12},
			Outcome: Review, Rule: "ours-4", Clause: "four",
		}},
		Leaving:     Leaving{Consents: Lapse, AfterYears: 2, Rule: "ours-5", Clause: "five"},
		UnknownFace: Default{Obscure, "ours-6", "six"},
		Doubt:       Doubt{"the head", "ours-7", "seven"},
		ThirdParty:  &ThirdParty{[]Purpose{Press, Website}, "the head", "ours-8", "eight"},
		Folders:     &Folders{Pattern: "ACADEMIC-YEAR/CLASS", Rule: "ours-9", Clause: "nine"},
		Retention:   &Retention{YearsAfterLeaving: &three, Rule: "ours-10", Clause: "ten"},
	}
	got, err := ParsePolicy([]byte(policyYAML))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	d := Decide(got, register(t), "4021", Press, today)
	if d.Outcome != Review || d.Rule != "ours-1" || !strings.HasSuffix(d.Text, "; ask the head (ours-7)") {
		t.Errorf("%+v", d)
	}
}

// swap replaces the one place of the file where the old text stands.
func swap(t *testing.T, old, with string) string {
	t.Helper()
	if strings.Count(policyYAML, old) != 1 {
		t.Fatalf("%q is not in the file once", old)
	}
	return strings.Replace(policyYAML, old, with, 1)
}

const lapsedYAML = "lapsed: {outcome: review, rule: l, clause: l}\n"

func TestFileFaults(t *testing.T) {
	optOut := strings.NewReplacer("outcome: review\n  rule: ours-1", "outcome: show\n  rule: ours-1",
		"[[pupil, guardian], [placing-authority]]", "[]").Replace(policyYAML)
	if _, err := ParsePolicy([]byte(optOut + lapsedYAML)); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		text         string
		line, column int
		message      string
	}{
		"empty":               {"", 0, 0, "must be a mapping"},
		"an empty mapping":    {"{}\n", 0, 0, "must be a mapping"},
		"a list":              {"- 1\n", 0, 0, "must be a mapping"},
		"schema 1":            {swap(t, "schema: 2", "schema: 1\ngranted: {rule: a, clause: b}"), 1, 9, "schema must be 2"},
		"later schema":        {swap(t, "schema: 2", "schema: 3"), 1, 9, "schema must be 2"},
		"no schema":           {swap(t, "schema: 2\n", ""), 1, 1, "schema must be 2"},
		"unknown key":         {swap(t, "nothing_said", "nothing_sayed"), 4, 1, "nothing_sayed"},
		"unknown inner key":   {swap(t, "  rule: ours-1\n", "  rool: ours-1\n"), 6, 3, "rool"},
		"unknown key in list": {swap(t, "    rule: ours-4", "    rool: ours-4"), 15, 5, "rool"},
		"outcome of refusal":  {swap(t, "{rule: ours-3", "{outcome: show, rule: ours-3"), 9, 11, "outcome"},
		"unknown outcome":     {swap(t, "outcome: review\n  rule", "outcome: blur\n  rule"), 5, 12, "nothing_said.outcome must be one of: show, obscure, review"},
		"unknown party":       {swap(t, "[pupil, guardian]", "[pupil, mother]"), 8, 27, "consent.needs.0.1 must be one of: pupil, guardian, placing-authority"},
		"numbered guardian":   {swap(t, "[pupil, guardian]", "[pupil, guardian-1]"), 8, 27, "must be one of"},
		"party twice":         {swap(t, "[pupil, guardian]", "[pupil, pupil]"), 8, 27, "names a party twice"},
		"nobody in needs":     {swap(t, "[placing-authority]", "[]"), 8, 38, "at least one party"},
		"needs is no list":    {swap(t, "[[pupil, guardian], [placing-authority]]", "guardian"), 8, 18, "sequence"},
		"needs a flat list":   {swap(t, "[[pupil, guardian], [placing-authority]]", "[guardian]"), 8, 19, "sequence"},
		"needs too deep":      {swap(t, "[placing-authority]", "[[pupil]]"), 8, 39, "list has no place"},
		"unknown purpose":     {swap(t, "[press, website]", "[press, webpage]"), 20, 33, "third_party.purposes.1 must be one of"},
		"no publication":      {swap(t, "[press, website]", "[biometric]"), 20, 26, "must be one of"},
		"every purpose":       {swap(t, "[press, website]", "['*']"), 20, 26, "must be one of"},
		"no purposes":         {swap(t, "[press, website]", "[]"), 20, 15, "at least one publication purpose"},
		"purpose twice":       {swap(t, "[press, website]", "[press, press]"), 20, 33, "names a purpose twice"},
		"override to show":    {swap(t, "    outcome: review", "    outcome: show"), 14, 14, "precedence.0.outcome must be one of: obscure, review"},
		"unknown answer":      {swap(t, "pupil: granted", "pupil: withdrawn"), 11, 19, "precedence.0.said.pupil must be one of: granted, refused"},
		"nobody refuses":      {swap(t, "guardian: refused", "guardian: granted"), 11, 5, "at least one party that has refused"},
		"nobody grants":       {swap(t, "pupil: granted, ", ""), 11, 5, "at least one party that has refused"},
		"years upside down":   {swap(t, "{from: R, to: 6}", "{from: 6, to: R}"), 12, 5, "range of year groups"},
		"year group 14":       {swap(t, "{from: R, to: 6}", "{from: R, to: 14}"), 12, 5, "range of year groups"},
		"no last year group":  {swap(t, "{from: R, to: 6}", "{from: R}"), 12, 5, "range of year groups"},
		"ages upside down":    {swap(t, "{from: 4, to: 12}", "{from: 12, to: 4}"), 13, 5, "range of ages"},
		"negative age":        {swap(t, "{from: 4, to: 12}", "{from: -4, to: 12}"), 13, 5, "range of ages"},
		"ages of all":         {swap(t, "{from: 4, to: 12}", "{to: 0}"), 13, 5, "range of ages"},
		"half a year":         {swap(t, "{from: 4, to: 12}", "{from: 4.5, to: 12}"), 13, 18, "whole number"},
		"empty range":         {swap(t, " {from: 4, to: 12}", ""), 13, 0, "must not be empty"},
		"never applies": {
			swap(t, "precedence:\n", "precedence:\n  - {said: {pupil: granted, guardian: refused}, outcome: obscure, rule: a, clause: a}\n"),
			12, 5, "precedence.1 can never apply",
		},
		"shows without need": {swap(t, "needs: [[pupil, guardian], [placing-authority]], ", ""), 8, 1, "consent.needs must not be empty"},
		"shows despite need": {swap(t, "outcome: review\n  rule", "outcome: show\n  rule"), 5, 12, "nothing_said.outcome cannot be show"},
		"lapsed, opt-in":     {policyYAML + lapsedYAML, 23, 1, "lapsed has no place"},
		"no lapsed, opt-out": {optOut, 1, 1, "lapsed must be given"},
		"pupil's, opt-out":   {strings.Replace(optOut, "needs: [],", "needs: [], pupil_if_recorded: true,", 1) + lapsedYAML, 8, 41, "has no meaning"},
		"stay, with years":   {swap(t, "consents: lapse", "consents: stay"), 17, 40, "leaving.after_years has no meaning where consents stay"},
		"unknown leaving":    {swap(t, "consents: lapse", "consents: go"), 17, 21, "leaving.consents must be one of: stay, lapse"},
		"negative years":     {swap(t, "after_years: 2", "after_years: -2"), 17, 0, "from 0 to 100"},
		"negative retention": {swap(t, "years_after_leaving: 3", "years_after_leaving: -3"), 22, 0, "from 0 to 100"},
		"short retention":    {swap(t, "years_after_leaving: 3", "years_after_leaving: 1"), 22, 34, "must not be less than leaving.after_years"},
		"unknown token":      {swap(t, "ACADEMIC-YEAR/CLASS", "ACADEMIC-YEAR/NAME"), 21, 20, "folders.pattern must be folders"},
		"no rule":            {swap(t, "  rule: ours-1\n", ""), 4, 1, "nothing_said.rule must be"},
		"no refusal":         {swap(t, "refused: {rule: ours-3, clause: three}\n", ""), 1, 1, "refused.clause must be given"},
		"no leaving":         {swap(t, "leaving: {consents: lapse, after_years: 2, rule: ours-5, clause: five}\n", ""), 1, 1, "leaving.clause must be given"},
		"rule with spaces":   {swap(t, "ours-3", "ours 3"), 9, 17, "refused.rule must be a short name"},
		"key twice":          {policyYAML + "name: theirs\n", 23, 1, "name"},
		"anchor":             {swap(t, "name: ours", "name: &a ours"), 2, 7, "anchors"},
		"tag":                {swap(t, "name: ours", "name: !!str ours"), 2, 7, "tags"},
		"empty value":        {swap(t, "name: ours", "name:"), 2, 0, "must not be empty"},
		"fraction":           {swap(t, "name: ours", "name: 1.5"), 2, 7, "whole number"},
		"list inside":        {swap(t, "name: ours", "name: [ours]"), 2, 7, "list has no place"},
		"list of clauses":    {swap(t, "clause: four", "clause: [four]"), 16, 13, "list has no place"},
		"wrong kind":         {swap(t, "{rule: ours-3, clause: three}", "yes"), 9, 10, ""},
		"not YAML":           {"a: b: c\n  d: [\n", 1, 0, ""},
		"second document":    {policyYAML + "---\n" + policyYAML, 0, 0, "one YAML document"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParsePolicy([]byte(test.text))
			var wrong *FileError
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
	text := strings.NewReplacer("outcome: review\n  rule", "outcome: blur\n  rule", "ours-3", "Ours", "ask: the head, ", "").Replace(policyYAML)
	_, err := ParsePolicy([]byte(text))
	var wrong *FileError
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
		for _, rule := range rules(reflect.ValueOf(p)) {
			if !strings.HasPrefix(rule, name+"-") {
				t.Errorf("%s: rule %s is not named after it", name, rule)
			}
		}
	}
	entries, err := presetFiles.ReadDir("presets")
	if err != nil || len(entries) != len(Presets()) || len(digests) != len(Presets()) {
		t.Errorf("%d files, %d digests, %d names, %v", len(entries), len(digests), len(Presets()), err)
	}
}

// rules lists what stands in every field Rule.
func rules(v reflect.Value) []string {
	var list []string
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			list = rules(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			list = append(list, rules(v.Index(i))...)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name == "Rule" {
				list = append(list, v.Field(i).String())
			}
			list = append(list, rules(v.Field(i))...)
		}
	}
	return list
}

func TestPolicyDigest(t *testing.T) {
	a, err := ParsePolicy([]byte(policyYAML))
	if err != nil {
		t.Fatal(err)
	}
	b, err := ParsePolicy([]byte("# a comment\n" + swap(t, "{rule: ours-3, clause: three}", "{clause: three,   rule: ours-3}")))
	if err != nil {
		t.Fatal(err)
	}
	if a.Digest() != b.Digest() {
		t.Error("comments and order change the digest")
	}
}

// Nothing that a policy says may be changed without a change of its digest.
func TestDigestCoversEverything(t *testing.T) {
	var p Policy
	fill(reflect.ValueOf(&p).Elem())
	whole := p.Digest()
	seen := map[string]bool{whole: true}
	leaves := 0
	each(reflect.ValueOf(&p).Elem(), func(leaf reflect.Value) {
		leaves++
		old := reflect.New(leaf.Type()).Elem()
		old.Set(leaf)
		leaf.SetZero()
		if seen[p.Digest()] {
			t.Errorf("leaf %d, a %s, is not digested", leaves, leaf.Type())
		}
		seen[p.Digest()] = true
		leaf.Set(old)
	})
	if leaves < 60 || p.Digest() != whole {
		t.Errorf("%d leaves", leaves)
	}
}

// fill gives every field a value, and every list one entry.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.String:
		v.SetString("x")
	case reflect.Int:
		v.SetInt(7)
	case reflect.Bool:
		v.SetBool(true)
	}
}

// each calls do with every value that is not made of others.
func each(v reflect.Value, do func(reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		each(v.Elem(), do)
	case reflect.Slice:
		each(v.Index(0), do)
	case reflect.Struct:
		for i := range v.NumField() {
			each(v.Field(i), do)
		}
	default:
		do(v)
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
	if _, err := Load("a.yml", huge); !errors.Is(err, errYAMLSize) {
		t.Errorf("an endless file: %v", err)
	}
}

func TestFolderFits(t *testing.T) {
	lumen := preset(t, "lumen")
	for rel, want := range map[string]bool{
		"2025-26/7B": true, "2025-26/7B/": true, "2025-2026/Year 7": true, "2025_26/R": true, "2025–26/Reception": true,
		"1999-00/13": true, "2025-26/year-10": true, "2025-26/10BX": true, "2025-26/RW": true, "2025-26/Y3": true, "2025-26/12 C": true,
		"": false, "2025-26": false, "2025-27/7B": false, "2025-2027/7B": false, "2025/7B": false, "25-26/7B": false,
		"2025-26/14": false, "2025-26/0": false, "2025-26/14A": false, "2025-26/Ada": false, "2025-26/7 Jo": false, "2025-26/7Ada": false,
		"2025-26/7B/Ada": false, "Ada/7B": false, "/2025-26/7B": false, "../2025-26/7B": false, "2025-26//7B": false, `2025-26\7B`: false,
		"2025-26/ROB": false, "2025-26/7B\n": false,
	} {
		if got := lumen.FolderFits(rel); got != want {
			t.Errorf("%q: %v", rel, got)
		}
	}
	if !preset(t, "james").FolderFits("anything/at all") {
		t.Error("a policy without a pattern forbids a folder")
	}
}

// FuzzParsePolicy wants that whatever is taken can decide, and never shows over a refusal.
func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte(policyYAML))
	for _, name := range Presets() {
		data, err := PresetSource(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("schema: 2\na: &a [*a]\n"))
	f.Add([]byte("schema: 2\nprecedence: [{said: {pupil: granted, guardian: refused}, outcome: show}]\n"))
	f.Add(bytes.Repeat([]byte("{"), 100))
	refused := registerWith(f, Subject{YearGroup: "12", Born: "2009-01-01"}, pupilYes, authorityYes, guardianNo)
	silent := register(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParsePolicy(data)
		if err != nil {
			return
		}
		if !p.usable() || len(p.check()) > 0 {
			t.Errorf("an unusable policy was taken: %+v", p)
		}
		if d := Decide(p, refused, "4021", Website, today); d.Outcome == Show || d.Rule == "" || d.Clause == "" {
			t.Errorf("over a refusal: %+v", d)
		}
		if d := Decide(p, silent, "4021", Website, today); d.Outcome == Show && len(p.Consent.Needs) > 0 {
			t.Errorf("without a yes: %+v", d)
		}
		p.FolderFits("2025-26/7B")
	})
}
