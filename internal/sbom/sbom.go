// Package sbom lists what a binary was built from, as a CycloneDX 1.5 document.
package sbom

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"
)

// document is the part of CycloneDX 1.5 (ECMA-424) that is filled in.
type document struct {
	Format     string      `json:"bomFormat"`
	Spec       string      `json:"specVersion"`
	Version    int         `json:"version"`
	Metadata   metadata    `json:"metadata"`
	Components []component `json:"components"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type    string `json:"type"`
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	PURL    string `json:"purl,omitempty"`
	Hashes  []hash `json:"hashes,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

// Weight is a model file that the binary works with.
type Weight struct {
	Name   string
	SHA256 string // lower-case hexadecimal
}

// Write lists the Go modules that are in the binary, the Debian packages that it is built with
// and the weights. It has no time and no serial number, so that the same binary gives the same bytes.
func Write(w io.Writer, binary string, packages []string, weights []Weight) error {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return fmt.Errorf("reading what the binary was built from: %w", err)
	}
	d := document{
		Format: "CycloneDX", Spec: "1.5", Version: 1,
		Metadata: metadata{Component: module("application", &info.Main)},
	}
	d.Components = append(d.Components, component{
		Type: "platform", Name: "go", Version: strings.TrimPrefix(info.GoVersion, "go"),
	})
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		d.Components = append(d.Components, module("library", m))
	}
	for _, p := range slices.Sorted(slices.Values(packages)) {
		d.Components = append(d.Components, component{Type: "library", Name: p, PURL: "pkg:deb/debian/" + p + "?distro=bookworm"})
	}
	for _, weight := range weights {
		d.Components = append(d.Components, component{
			Type: "machine-learning-model", Name: weight.Name, Hashes: []hash{{"SHA-256", weight.SHA256}},
		})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(d)
}

func module(kind string, m *debug.Module) component {
	return component{Type: kind, Name: m.Path, Version: m.Version, PURL: "pkg:golang/" + m.Path + "@" + m.Version}
}
