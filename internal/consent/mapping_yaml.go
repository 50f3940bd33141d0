package consent

import "github.com/goccy/go-yaml/ast"

func mappingFile() yamlFile {
	return yamlFile{
		what:  "mapping",
		least: "schema, admission_number, date or date_column, and purposes",
		wrong: wrongInMapping,
	}
}

// ParseMapping reads a mapping file. Unknown and repeated keys, unknown words, columns named twice,
// missing and empty parts, numbers without quotes (a column 010 would become 8), anchors and a second
// document are refused, with line and column in a [*FileError].
func ParseMapping(data []byte) (Mapping, error) {
	var m Mapping
	if err := mappingFile().parse(data, &m, func() []placedFault { return m.check() }); err != nil {
		return Mapping{}, err
	}
	return m, nil
}

// wrongInMapping finds what YAML reads as something else than the word that is written.
func wrongInMapping(n ast.Node) string {
	switch n.(type) {
	case *ast.NullNode:
		return "must not be empty: give a value, or leave the key out"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode, *ast.BoolNode:
		if n.GetPath() != "$.schema" {
			return "must be in quotes, to be read as it is written"
		}
	}
	return ""
}
