package consent

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

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
	data, err := io.ReadAll(io.LimitReader(f, maxYAMLBytes+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return Policy{}, fmt.Errorf("reading a policy file: %w", err)
	}
	return ParsePolicy(data)
}

func namesFile(name string) bool {
	lower := strings.ToLower(name)
	return strings.ContainsAny(name, `/\`) || strings.HasSuffix(lower, ".yaml") || strings.HasSuffix(lower, ".yml")
}
