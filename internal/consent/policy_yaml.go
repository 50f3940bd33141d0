package consent

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

var errSchema = fmt.Errorf("must be %d, the schema that this version of consentry reads; "+
	"begin again with a copy of a preset, and carry your changes over", PolicySchema)

func policyFile() yamlFile {
	y := yamlFile{
		what:  "policy",
		least: "schema, name, source, nothing_said, consent, refused, leaving, unknown_face, doubt",
		wrong: wrongInPolicy,
	}
	y.first = func(body *ast.MappingNode) error {
		// First of all, since the other faults of a file for another schema would only confuse.
		if node := child(body, "schema"); node == nil || node.String() != strconv.Itoa(PolicySchema) {
			return y.placed(body, []placedFault{{[]string{"schema"}, errSchema}})
		}
		return nil
	}
	return y
}

// ParsePolicy reads a policy file. Unknown and repeated keys, unknown words, missing and empty
// parts, combinations that have no meaning, lists where one word belongs, anchors and a second
// document are refused, with line and column in a [*FileError].
func ParsePolicy(data []byte) (Policy, error) {
	var p Policy
	if err := policyFile().parse(data, &p, func() []placedFault { return p.check() }); err != nil {
		return Policy{}, err
	}
	return p, nil
}

// wrongInPolicy finds what YAML offers and a policy does not need: an empty value would lift a limit
// in silence, and a fraction would be cut off.
func wrongInPolicy(n ast.Node) string {
	switch n := n.(type) {
	case *ast.NullNode:
		return "must not be empty: give a value, or leave the key out"
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "must be a whole number, or a text in quotes"
	case *ast.SequenceNode:
		if !isListKey(n.GetPath()) {
			return "a list has no place here"
		}
	}
	return ""
}

// isListKey says whether the schema wants a list at this place of the file, such as
// $.consent.needs[0].
func isListKey(path string) bool {
	switch list, rest, _ := strings.Cut(path, "["); list {
	case "$.precedence", "$.refused_for":
		return rest == "" || strings.HasSuffix(rest, "].purposes") && list == "$.refused_for"
	case "$.third_party.purposes", "$.names.never_for":
		return rest == ""
	case "$.consent.needs":
		return strings.Count(path, "[") <= 1
	}
	return false
}
