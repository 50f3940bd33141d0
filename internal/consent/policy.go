package consent

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// PolicySchema is the version of policy files that this version reads. A file says which it is
// written for, so that a rule that an older version would not know is never left out in silence.
const PolicySchema = 1

// Policy is a school's own rules, from a preset or from a copy of one. Make it with [LoadPreset],
// [ParsePolicy] or [Load]; the zero Policy shows nobody.
type Policy struct {
	Schema      int     `yaml:"schema" json:"schema"`
	Name        string  `yaml:"name" json:"name"`     // of the preset, or of the school's own copy
	Source      string  `yaml:"source" json:"source"` // the written policy that it puts into practice
	NothingSaid Default `yaml:"nothing_said" json:"nothing_said"`
	Refused     Ground  `yaml:"refused" json:"refused"` // somebody has refused: always obscured
	Granted     Ground  `yaml:"granted" json:"granted"` // somebody has agreed and nobody refused: shown
	UnknownFace Default `yaml:"unknown_face" json:"unknown_face"`
	Doubt       Doubt   `yaml:"doubt" json:"doubt"`
}

// Ground is what an outcome rests on.
type Ground struct {
	Rule   string `yaml:"rule" json:"rule"`     // short name for reports, such as perse-2.1
	Clause string `yaml:"clause" json:"clause"` // what the written policy says, in a sentence
}

// Default is an outcome that the policy sets where no record does.
type Default struct {
	Outcome Outcome `yaml:"outcome" json:"outcome"`
	Rule    string  `yaml:"rule" json:"rule"`
	Clause  string  `yaml:"clause" json:"clause"`
}

func (d Default) ground() Ground { return Ground{Rule: d.Rule, Clause: d.Clause} }

// Doubt says who decides on faces that are given to a person.
type Doubt struct {
	Ask    string `yaml:"ask" json:"ask"` // an office, not a name
	Rule   string `yaml:"rule" json:"rule"`
	Clause string `yaml:"clause" json:"clause"`
}

func (d Doubt) ground() Ground { return Ground{Rule: d.Rule, Clause: d.Clause} }

// Digest is the SHA-256, in hex, of what the policy says. Comments, order of keys and spacing of
// its file do not change it.
func (p Policy) Digest() string {
	data, err := json.Marshal(p)
	if err != nil { // strings and numbers always encode
		data = nil
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

//go:embed presets/*.yaml
var presetFiles embed.FS

// Presets lists the names of the embedded policies.
func Presets() []string { return []string{"perse", "lumen", "james", "stepping-stones", "break"} }

// ErrUnknownPreset says that a policy is neither the name of a preset nor that of a file.
var ErrUnknownPreset = errors.New("unknown preset")

// PresetSource gives the file of an embedded preset, for a school to copy and edit.
func PresetSource(name string) ([]byte, error) {
	if !slices.Contains(Presets(), name) {
		return nil, fmt.Errorf("%w; there are %s, or name a .yaml file", ErrUnknownPreset, strings.Join(Presets(), ", "))
	}
	data, err := presetFiles.ReadFile("presets/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("reading preset %s: %w", name, err)
	}
	return data, nil
}

// LoadPreset gives an embedded policy by name.
func LoadPreset(name string) (Policy, error) {
	data, err := PresetSource(name)
	if err != nil {
		return Policy{}, err
	}
	p, err := ParsePolicy(data)
	if err != nil {
		return Policy{}, fmt.Errorf("preset %s: %w", name, err)
	}
	return p, nil
}

// maxPolicyBytes is forty times the longest preset. (The YAML library takes quadratic time over deep
// nesting: two seconds for this size.)
const maxPolicyBytes = 64 << 10

var errPolicySize = errors.New("a policy file has at most 64 KiB")

// Load gives the preset of this name or, where the name ends in .yaml or .yml or holds a path
// separator, the policy in that file, which it gets through open.
func Load(nameOrFile string, open func(name string) (io.ReadCloser, error)) (Policy, error) {
	if !namesFile(nameOrFile) {
		return LoadPreset(nameOrFile)
	}
	f, err := open(nameOrFile)
	if err != nil {
		return Policy{}, fmt.Errorf("opening a policy file: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxPolicyBytes+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return Policy{}, fmt.Errorf("reading a policy file: %w", err)
	}
	return ParsePolicy(data)
}

func namesFile(name string) bool {
	lower := strings.ToLower(name)
	return strings.ContainsAny(name, `/\`) || strings.HasSuffix(lower, ".yaml") || strings.HasSuffix(lower, ".yml")
}

// Names and rules go into reports, clearances and metric labels.
var ruleName = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?$`)

var (
	errSchema     = fmt.Errorf("must be %d, the schema that this version of consentry reads", PolicySchema)
	errRuleName   = errors.New("must be a short name of small letters a-z, digits, '-' and '.'")
	errPolicyText = errors.New("must be given, as plain text of at most 500 bytes")
)

// place is one fault of a policy and the keys that lead to it.
type place struct {
	keys []string
	err  error
}

// check lists what is wrong with the policy.
func (p Policy) check() []place {
	var schema error
	if p.Schema != PolicySchema {
		schema = errSchema
	}
	all := []place{
		{[]string{"schema"}, schema},
		{[]string{"name"}, validRule(p.Name)},
		{[]string{"source"}, validSentence(p.Source)},
		{[]string{"nothing_said", "outcome"}, oneOf(p.NothingSaid.Outcome, Outcomes())},
		{[]string{"unknown_face", "outcome"}, oneOf(p.UnknownFace.Outcome, Outcomes())},
		{[]string{"doubt", "ask"}, validSentence(p.Doubt.Ask)},
	}
	for key, g := range p.grounds() {
		all = append(all,
			place{[]string{key, "rule"}, validRule(g.Rule)},
			place{[]string{key, "clause"}, validSentence(g.Clause)})
	}
	return slices.DeleteFunc(all, func(f place) bool { return f.err == nil })
}

// usable says whether the policy can decide at all. It stands between a policy that was never
// loaded and a decision, and costs next to nothing.
func (p Policy) usable() bool {
	for _, o := range []Outcome{p.NothingSaid.Outcome, p.UnknownFace.Outcome} {
		if !slices.Contains(Outcomes(), o) {
			return false
		}
	}
	for _, g := range p.grounds() {
		if g.Rule == "" || g.Clause == "" {
			return false
		}
	}
	return p.Schema == PolicySchema
}

func (p Policy) grounds() map[string]Ground {
	return map[string]Ground{
		"nothing_said": p.NothingSaid.ground(),
		"refused":      p.Refused,
		"granted":      p.Granted,
		"unknown_face": p.UnknownFace.ground(),
		"doubt":        p.Doubt.ground(),
	}
}

func validRule(name string) error {
	if !ruleName.MatchString(name) {
		return errRuleName
	}
	return nil
}

func validSentence(text string) error {
	if strings.TrimSpace(text) == "" || validText(text) != nil {
		return errPolicyText
	}
	return nil
}
