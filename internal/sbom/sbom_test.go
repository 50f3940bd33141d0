package sbom

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"testing"
)

func TestWriteListsWhatIsInTheBinary(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	weights := []Weight{{Name: "detector", SHA256: "ab"}}
	if err := Write(&first, self, []string{"libheif-dev"}, weights); err != nil {
		t.Fatal(err)
	}
	if err := Write(&second, self, []string{"libheif-dev"}, weights); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Errorf("a second list differs, or %v", err)
	}
	var d document
	if err := json.Unmarshal(first.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	has := func(name string) bool {
		return slices.ContainsFunc(d.Components, func(c component) bool { return c.Name == name })
	}
	for _, name := range []string{"go", "libheif-dev", "detector"} {
		if !has(name) {
			t.Errorf("%s is missing", name)
		}
	}
	if d.Format != "CycloneDX" || d.Metadata.Component.Name == "" {
		t.Errorf("%+v", d.Metadata)
	}
}

func TestWriteWantsABinary(t *testing.T) {
	if err := Write(&bytes.Buffer{}, "sbom.go", nil, nil); err == nil {
		t.Error("a source file was taken for a binary")
	}
}
