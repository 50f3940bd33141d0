package consent

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// PolicyFault is one fault of a policy file. Lines and columns begin at 1; 0 concerns the whole.
type PolicyFault struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

// PolicyError lists the faults of a policy file, by place.
type PolicyError struct{ Faults []PolicyFault }

func (e *PolicyError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = fmt.Sprintf("line %d, column %d: %s", f.Line, f.Column, f.Message)
	}
	return "policy file refused: " + strings.Join(lines, "; ")
}

// maxPolicyBytes is ten times the longest preset. (The YAML library takes quadratic time over deep
// nesting: two seconds for this size.)
const maxPolicyBytes = 64 << 10

var (
	errPolicySize = errors.New("a policy file has at most 64 KiB")
	errPolicyYAML = errors.New("the policy file is not YAML that can be read")
	errSchema     = fmt.Errorf("must be %d, the schema that this version of consentry reads; "+
		"begin again with a copy of a preset, and carry your changes over", PolicySchema)
)

// ParsePolicy reads a policy file. Unknown and repeated keys, unknown words, missing and empty
// parts, combinations that have no meaning, lists where one word belongs, anchors and a second
// document are refused, with line and column in a [*PolicyError].
func ParsePolicy(data []byte) (p Policy, err error) {
	if len(data) > maxPolicyBytes {
		return Policy{}, errPolicySize
	}
	// The library that reads YAML has been known to panic on hostile text.
	defer func() {
		if recover() != nil {
			p, err = Policy{}, errPolicyYAML
		}
	}()
	body, err := policyBody(data)
	if err != nil {
		return Policy{}, err
	}
	if err := yaml.NodeToValue(body, &p, yaml.Strict()); err != nil {
		return Policy{}, policyError(err)
	}
	if found := p.check(); len(found) > 0 {
		return Policy{}, placed(body, found)
	}
	return p, nil
}

// policyBody is the one mapping that a policy file consists of.
func policyBody(data []byte) (*ast.MappingNode, error) {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, policyError(err)
	}
	if len(file.Docs) != 1 {
		return nil, &PolicyError{[]PolicyFault{{Message: fmt.Sprintf("must be one YAML document, and is %d", len(file.Docs))}}}
	}
	body, ok := file.Docs[0].Body.(*ast.MappingNode)
	if !ok || len(body.Values) == 0 {
		return nil, &PolicyError{[]PolicyFault{{Message: "must be a mapping with the keys schema, name, source, " +
			"nothing_said, consent, refused, leaving, unknown_face, doubt at least"}}}
	}
	// First of all, since the other faults of a file for another schema would only confuse.
	if node := child(body, "schema"); node == nil || node.String() != strconv.Itoa(PolicySchema) {
		return nil, placed(body, []placedFault{{[]string{"schema"}, errSchema}})
	}
	var plain plainNodes
	ast.Walk(&plain, body)
	if len(plain.faults) > 0 {
		return nil, &PolicyError{plain.faults}
	}
	return body, nil
}

// plainNodes finds what YAML offers and a policy does not need: with anchors and tags, a file can
// say something else than it seems to say to the person who reads it, an empty value would lift a
// limit in silence, and a fraction would be cut off.
type plainNodes struct{ faults []PolicyFault }

func (v *plainNodes) Visit(n ast.Node) ast.Visitor {
	message := ""
	switch n := n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		message = "anchors, aliases, merges and tags have no place in a policy file"
	case *ast.NullNode:
		message = "must not be empty: give a value, or leave the key out"
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		message = "must be a whole number, or a text in quotes"
	case *ast.SequenceNode:
		if !isListKey(n.GetPath()) {
			message = "a list has no place here"
		}
	}
	if message == "" {
		return v
	}
	v.faults = append(v.faults, faultAt(n.GetToken(), message))
	return nil
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

// policyError takes place and message from the YAML library's error, without its extract.
func policyError(err error) error {
	var at yaml.Error
	if !errors.As(err, &at) {
		return fmt.Errorf("reading a policy file: %w", err)
	}
	return &PolicyError{[]PolicyFault{faultAt(at.GetToken(), at.GetMessage())}}
}

func faultAt(t *token.Token, message string) PolicyFault {
	f := PolicyFault{Message: message}
	if t != nil && t.Position != nil {
		f.Line, f.Column = t.Position.Line, t.Position.Column
	}
	return f
}

// placed finds where in the file each fault is.
func placed(body *ast.MappingNode, found []placedFault) error {
	e := &PolicyError{}
	for _, f := range found {
		e.Faults = append(e.Faults, faultAt(find(body, f.keys), strings.Join(f.keys, ".")+" "+f.err.Error()))
	}
	slices.SortFunc(e.Faults, func(a, b PolicyFault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	})
	return e
}

// find is the token of the value that the keys lead to or, where the file lacks it, of the key
// nearest to it: the first of the file where even the first key is missing.
func find(body *ast.MappingNode, keys []string) *token.Token {
	nearest := body.Values[0].Key.GetToken() // policyBody wants one at least
	node := ast.Node(body)
	for _, key := range keys {
		next := child(node, key)
		if next == nil {
			return nearest
		}
		if mapping, ok := node.(*ast.MappingNode); ok {
			nearest = keyToken(mapping, key)
		} else {
			nearest = startOf(next)
		}
		node = next
	}
	if _, scalar := node.(ast.ScalarNode); !scalar {
		return nearest // the key, and not the colon or bracket somewhere behind it
	}
	return node.GetToken()
}

// child is the value under the key of a mapping or at the place in a list, or nil.
func child(node ast.Node, key string) ast.Node {
	switch n := node.(type) {
	case *ast.MappingNode:
		if i := slices.IndexFunc(n.Values, func(v *ast.MappingValueNode) bool { return v.Key.String() == key }); i >= 0 {
			return n.Values[i].Value
		}
	case *ast.SequenceNode:
		if i, err := strconv.Atoi(key); err == nil && i < len(n.Values) {
			return n.Values[i]
		}
	}
	return nil
}

// startOf is where a node begins: the token of a mapping itself is a colon or bracket.
func startOf(node ast.Node) *token.Token {
	if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken()
	}
	return node.GetToken()
}

func keyToken(mapping *ast.MappingNode, key string) *token.Token {
	i := slices.IndexFunc(mapping.Values, func(v *ast.MappingValueNode) bool { return v.Key.String() == key })
	return mapping.Values[i].Key.GetToken()
}
