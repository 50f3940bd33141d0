package consent

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
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

// ParsePolicy reads a policy file. Unknown and repeated keys, unknown words, missing parts, anchors
// and a second document are refused, with line and column in a [*PolicyError].
func ParsePolicy(data []byte) (Policy, error) {
	if len(data) > maxPolicyBytes {
		return Policy{}, errPolicySize
	}
	body, err := policyBody(data)
	if err != nil {
		return Policy{}, err
	}
	var p Policy
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
		return nil, &PolicyError{[]PolicyFault{{Message: "must be a mapping with the keys schema, name, source, nothing_said, refused, granted, unknown_face, doubt"}}}
	}
	var plain plainNodes
	ast.Walk(&plain, body)
	if len(plain.faults) > 0 {
		return nil, &PolicyError{plain.faults}
	}
	return body, nil
}

// plainNodes finds what YAML offers and a policy does not need: with anchors and tags, a file can
// say something else than it seems to say to the person who reads it.
type plainNodes struct{ faults []PolicyFault }

func (v *plainNodes) Visit(n ast.Node) ast.Visitor {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		v.faults = append(v.faults, faultAt(n.GetToken(), "anchors, aliases, merges and tags have no place in a policy file"))
		return nil
	case *ast.SequenceNode:
		v.faults = append(v.faults, faultAt(n.GetToken(), "a list has no place here"))
		return nil
	}
	return v
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
func placed(body *ast.MappingNode, found []place) error {
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
		mapping, ok := node.(*ast.MappingNode)
		if !ok {
			return nearest
		}
		i := slices.IndexFunc(mapping.Values, func(v *ast.MappingValueNode) bool { return v.Key.String() == key })
		if i < 0 {
			return nearest
		}
		nearest, node = mapping.Values[i].Key.GetToken(), mapping.Values[i].Value
	}
	return node.GetToken()
}
