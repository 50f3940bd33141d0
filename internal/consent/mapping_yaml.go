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

// MappingError lists the faults of a mapping file, by place. A mapping that was not read from a file
// has no places: its lines and columns are 0.
type MappingError struct{ Faults []PolicyFault }

func (e *MappingError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = fmt.Sprintf("line %d, column %d: %s", f.Line, f.Column, f.Message)
	}
	return "mapping file refused: " + strings.Join(lines, "; ")
}

// maxMappingBytes is room for hundreds of columns. (The YAML library takes quadratic time over deep
// nesting: two seconds for this size.)
const maxMappingBytes = 64 << 10

var (
	errMappingSize = errors.New("a mapping file has at most 64 KiB")
	errMappingYAML = errors.New("the mapping file is not YAML that can be read")
)

// ParseMapping reads a mapping file. Unknown and repeated keys, unknown words, columns named twice,
// missing and empty parts, numbers without quotes (a column 010 would become 8), anchors and a second
// document are refused, with line and column in a [*MappingError].
func ParseMapping(data []byte) (m Mapping, err error) {
	if len(data) > maxMappingBytes {
		return Mapping{}, errMappingSize
	}
	// The library that reads YAML has been known to panic on hostile text.
	defer func() {
		if recover() != nil {
			m, err = Mapping{}, errMappingYAML
		}
	}()
	body, err := mappingBody(data)
	if err != nil {
		return Mapping{}, err
	}
	if err := yaml.NodeToValue(body, &m, yaml.Strict()); err != nil {
		return Mapping{}, mappingError(err)
	}
	if found := m.check(); len(found) > 0 {
		return Mapping{}, placedIn(body, found)
	}
	return m, nil
}

// mappingBody is the one YAML mapping that a mapping file consists of.
func mappingBody(data []byte) (*ast.MappingNode, error) {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, mappingError(err)
	}
	if len(file.Docs) != 1 {
		return nil, &MappingError{[]PolicyFault{{Message: fmt.Sprintf("must be one YAML document, and is %d", len(file.Docs))}}}
	}
	body, ok := file.Docs[0].Body.(*ast.MappingNode)
	if !ok || len(body.Values) == 0 {
		return nil, &MappingError{[]PolicyFault{{Message: "must be a mapping with the keys schema, admission_number, date or date_column, and purposes at least"}}}
	}
	var words wordNodes
	ast.Walk(&words, body)
	if len(words.faults) > 0 {
		return nil, &MappingError{words.faults}
	}
	return body, nil
}

// wordNodes finds what YAML reads as something else than the word that is written.
type wordNodes struct{ faults []PolicyFault }

func (v *wordNodes) Visit(n ast.Node) ast.Visitor {
	message := ""
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		message = "anchors, aliases, merges and tags have no place in a mapping file"
	case *ast.NullNode:
		message = "must not be empty: give a value, or leave the key out"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode, *ast.BoolNode:
		if n.GetPath() != "$.schema" {
			message = "must be in quotes, to be read as it is written"
		}
	}
	if message == "" {
		return v
	}
	v.faults = append(v.faults, faultAt(n.GetToken(), message))
	return nil
}

// mappingError takes place and message from the YAML library's error, without its extract.
func mappingError(err error) error {
	var at yaml.Error
	if !errors.As(err, &at) {
		return fmt.Errorf("reading a mapping file: %w", err)
	}
	return &MappingError{[]PolicyFault{faultAt(at.GetToken(), at.GetMessage())}}
}

// placedIn finds where in the file each fault is; without a file there are no places.
func placedIn(body *ast.MappingNode, found []keyed) error {
	e := &MappingError{}
	for _, f := range found {
		at := (*token.Token)(nil)
		if body != nil {
			at = findIn(body, f.keys)
		}
		e.Faults = append(e.Faults, faultAt(at, strings.Join(f.keys, ".")+" "+f.err.Error()))
	}
	slices.SortStableFunc(e.Faults, func(a, b PolicyFault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return e
}

// findIn is the token of the value that the keys lead to or, where the file lacks it, of what is
// nearest to it: the first key of the file where even the first key is missing.
func findIn(body *ast.MappingNode, keys []string) *token.Token {
	nearest := body.Values[0].Key.GetToken() // mappingBody wants one at least
	node := ast.Node(body)
	for _, key := range keys {
		var at *token.Token
		if node, at = childOf(node, key); node == nil {
			return nearest
		}
		nearest = at
	}
	return nearest
}

// childOf is the part of a mapping or of a list under the key, and where to point at it; nil where
// there is none.
func childOf(node ast.Node, key string) (ast.Node, *token.Token) {
	switch node := node.(type) {
	case *ast.MappingNode:
		i := slices.IndexFunc(node.Values, func(v *ast.MappingValueNode) bool { return v.Key.GetToken().Value == key })
		if i < 0 {
			return nil, nil
		}
		return node.Values[i].Value, start(node.Values[i].Value, node.Values[i].Key.GetToken())
	case *ast.SequenceNode:
		if i, err := strconv.Atoi(key); err == nil && i < len(node.Values) {
			return node.Values[i], start(node.Values[i], node.GetToken())
		}
	}
	return nil, nil
}

// start is where a value begins: that of a mapping at its first key, that of a list at the list's own
// key, since the library points at other places in both.
func start(value ast.Node, key *token.Token) *token.Token {
	switch value := value.(type) {
	case *ast.MappingNode:
		if len(value.Values) > 0 {
			return value.Values[0].Key.GetToken()
		}
		return key
	case *ast.SequenceNode:
		return key
	}
	return value.GetToken()
}
