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

// FileFault is one fault of a policy or mapping file. Lines and columns begin at 1; 0 concerns the
// whole, or what was not read from a file.
type FileFault struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

// FileError lists the faults of a policy or mapping file, by place. Nothing of such a file is taken.
type FileError struct {
	What   string // policy or mapping
	Faults []FileFault
}

func (e *FileError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = fmt.Sprintf("line %d, column %d: %s", f.Line, f.Column, f.Message)
	}
	return e.What + " file refused: " + strings.Join(lines, "; ")
}

// maxYAMLBytes is ten times the longest preset. (The YAML library takes quadratic time over deep
// nesting: two seconds for this size.)
const maxYAMLBytes = 64 << 10

var errYAMLSize = errors.New("has at most 64 KiB")

// yamlFile is a kind of YAML file that is read strictly.
type yamlFile struct {
	what  string                          // policy or mapping
	least string                          // the keys that it must have at least
	first func(*ast.MappingNode) error    // what is checked before all else; may be nil
	wrong func(ast.Node) (message string) // why YAML that is well-formed has no place in it, or ""
}

// parse reads the file into the value that into points at, which check then looks through.
func (y yamlFile) parse(data []byte, into any, check func() []placedFault) (err error) {
	if len(data) > maxYAMLBytes {
		return fmt.Errorf("a %s file %w", y.what, errYAMLSize)
	}
	// The library that reads YAML has been known to panic on hostile text.
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("the %s file is not YAML that can be read", y.what)
		}
	}()
	body, err := y.body(data)
	if err != nil {
		return err
	}
	if err := yaml.NodeToValue(body, into, yaml.Strict()); err != nil {
		return y.error(err)
	}
	if found := check(); len(found) > 0 {
		return y.placed(body, found)
	}
	return nil
}

// body is the one YAML mapping that a file consists of.
func (y yamlFile) body(data []byte) (*ast.MappingNode, error) {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, y.error(err)
	}
	if len(file.Docs) != 1 {
		return nil, y.refuse(FileFault{Message: fmt.Sprintf("must be one YAML document, and is %d", len(file.Docs))})
	}
	body, ok := file.Docs[0].Body.(*ast.MappingNode)
	if !ok || len(body.Values) == 0 {
		return nil, y.refuse(FileFault{Message: "must be a mapping with the keys " + y.least + " at least"})
	}
	if y.first != nil {
		if err := y.first(body); err != nil {
			return nil, err
		}
	}
	visitor := wrongNodes{file: y}
	ast.Walk(&visitor, body)
	if len(visitor.faults) > 0 {
		return nil, y.refuse(visitor.faults...)
	}
	return body, nil
}

func (y yamlFile) refuse(faults ...FileFault) error { return &FileError{What: y.what, Faults: faults} }

// error takes place and message from the YAML library's error, without its extract.
func (y yamlFile) error(err error) error {
	var at yaml.Error
	if !errors.As(err, &at) {
		return fmt.Errorf("reading a %s file: %w", y.what, err)
	}
	return y.refuse(faultAt(at.GetToken(), at.GetMessage()))
}

// wrongNodes collects what has no place in a file.
type wrongNodes struct {
	file   yamlFile
	faults []FileFault
}

func (v *wrongNodes) Visit(n ast.Node) ast.Visitor {
	var message string
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		message = "anchors, aliases, merges and tags have no place in a " + v.file.what + " file"
	default:
		message = v.file.wrong(n)
	}
	if message == "" {
		return v
	}
	v.faults = append(v.faults, faultAt(n.GetToken(), message))
	return nil
}

// placed finds where in the file each fault is; without a file there are no places.
func (y yamlFile) placed(body *ast.MappingNode, found []placedFault) error {
	e := &FileError{What: y.what}
	for _, f := range found {
		var at *token.Token
		if body != nil {
			at = find(body, f.keys)
		}
		e.Faults = append(e.Faults, faultAt(at, strings.Join(f.keys, ".")+" "+f.err.Error()))
	}
	slices.SortStableFunc(e.Faults, func(a, b FileFault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	})
	return e
}

func faultAt(t *token.Token, message string) FileFault {
	f := FileFault{Message: message}
	if t != nil && t.Position != nil {
		f.Line, f.Column = t.Position.Line, t.Position.Column
	}
	return f
}

// find is the token of the value that the keys lead to or, where the file lacks it, of the key
// nearest to it: the first of the file where even the first key is missing.
func find(body *ast.MappingNode, keys []string) *token.Token {
	nearest := body.Values[0].Key.GetToken() // body wants one at least
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
