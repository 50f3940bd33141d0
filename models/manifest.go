package models

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed manifest.yaml
var embedded []byte

// manifestVersion is the only version of the manifest's format so far.
const manifestVersion = 1

// maxManifest bounds a manifest in bytes; the embedded one has some five thousand. The YAML library
// takes gigabytes for a megabyte of nested lists, and under a second for as much as this.
const maxManifest = 1 << 16

// dlibFolder is the part of the model directory that is handed to go-face.
const dlibFolder = "dlib"

// manifestFile is the YAML document.
type manifestFile struct {
	Version int     `yaml:"version"`
	Models  []entry `yaml:"models"`
}

// entry is one file of the model directory.
type entry struct {
	Name     Name     `yaml:"name"`
	Group    Group    `yaml:"group"`    // Weights if left out
	Task     string   `yaml:"task"`     // what it does, for people
	File     string   `yaml:"file"`     // below the model directory, with slashes
	Licence  string   `yaml:"licence"`  // SPDX identifier, or words where there is none
	Optional bool     `yaml:"optional"` // nothing misses it
	Convert  string   `yaml:"convert"`  // none if left out
	Sources  []source `yaml:"sources"`  // what the conversion takes, in its order
	SHA256   string   `yaml:"sha256"`   // of the finished file, lower-case hexadecimal
}

// source is where one file comes from: a file in an npm package (NPM and Path), a file on this
// machine (Path alone) or an address (URL).
type source struct {
	NPM    string `yaml:"npm"`    // NAME@VERSION, the version exact
	Path   string `yaml:"path"`   // in the package, or on this machine
	URL    string `yaml:"url"`    // http or https
	Debian string `yaml:"debian"` // the Debian package that brings Path, for the error message
	SHA256 string `yaml:"sha256"` // as fetched; may be left out where nothing is converted
}

func (e entry) required() bool { return e.Group == Weights && !e.Optional }

// String names the source for people.
func (s source) String() string {
	switch {
	case s.NPM != "":
		return "npm " + s.NPM + " " + s.Path
	case s.URL != "":
		return s.URL
	case s.Debian != "":
		return "Debian " + s.Debian + " " + s.Path
	}
	return s.Path
}

func embeddedManifest() ([]entry, error) {
	entries, err := decodeManifest(bytes.NewReader(embedded))
	if err != nil {
		return nil, err
	}
	return entries, validate(entries)
}

// decodeManifest reads one YAML document strictly: unknown and repeated keys, another version and
// a second document are errors. What the entries say is checked by validate.
func decodeManifest(r io.Reader) ([]entry, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	if len(data) > maxManifest {
		return nil, fmt.Errorf("longer than %d bytes", maxManifest)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict())
	var m manifestFile
	if err := decodeYAML(dec, &m); err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	if err := decodeYAML(dec, &manifestFile{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("parse: more than one document")
	}
	if m.Version != manifestVersion {
		return nil, fmt.Errorf("version %d is not known, want %d", m.Version, manifestVersion)
	}
	return withDefaults(m.Models), nil
}

// decodeYAML makes an error of a panic: goccy/go-yaml 1.19.2 dereferences nil where a list is asked
// for and a broken tag stands before an alias, as fuzzing showed.
func decodeYAML(dec *yaml.Decoder, into any) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the YAML library gave up: %v", r)
		}
	}()
	return dec.Decode(into)
}

func withDefaults(entries []entry) []entry {
	for i := range entries {
		e := &entries[i]
		if e.Group == "" {
			e.Group = Weights
		}
		if e.Convert == "" {
			e.Convert = convertNone
		}
		if e.Convert == convertNone && len(e.Sources) == 1 && e.Sources[0].SHA256 == "" {
			e.Sources[0].SHA256 = e.SHA256
		}
	}
	return entries
}

// override replaces embedded entries by the user's of the same name. Licence, sources, conversion
// and digest are the user's; name, group, task and file stay, since the code relies on them. A
// relative path on this machine is taken from dir.
func override(entries, user []entry, dir string) ([]entry, error) {
	out := slices.Clone(entries)
	seen := map[Name]bool{}
	for _, u := range user {
		i := slices.IndexFunc(out, func(e entry) bool { return e.Name == u.Name })
		if i < 0 {
			return nil, fmt.Errorf("entry %q: there is no such model (see consentry models list)", u.Name)
		}
		if seen[u.Name] {
			return nil, fmt.Errorf("entry %q is given twice", u.Name)
		}
		seen[u.Name] = true
		if u.File != "" || u.Task != "" || u.Optional || u.Group != Weights {
			return nil, fmt.Errorf("entry %q: only licence, convert, sources and sha256 can be replaced", u.Name)
		}
		e := &out[i]
		e.Licence, e.Convert, e.Sources, e.SHA256 = u.Licence, u.Convert, anchored(u.Sources, dir), u.SHA256
	}
	return out, validate(out)
}

func anchored(sources []source, dir string) []source {
	out := slices.Clone(sources)
	for i, s := range out {
		if s.NPM == "" && s.Path != "" && !filepath.IsAbs(s.Path) {
			out[i].Path = filepath.Join(dir, s.Path)
		}
	}
	return out
}

// validate checks each entry and that no name and no file is there twice.
func validate(entries []entry) error {
	names, files := map[Name]bool{}, map[string]bool{}
	for _, e := range entries {
		if err := e.check(); err != nil {
			return fmt.Errorf("entry %q: %w", e.Name, err)
		}
		if names[e.Name] || files[e.File] {
			return fmt.Errorf("entry %q: its name or its file is there twice", e.Name)
		}
		names[e.Name], files[e.File] = true, true
	}
	return nil
}

var (
	namePattern = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	sumPattern  = regexp.MustCompile(`^[0-9a-f]{64}$`)
	// An exact version, so that what is fetched cannot change, and no leading dash, so that
	// nothing can pass for an option of npm.
	npmPattern = regexp.MustCompile(`^(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*@[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$`)
)

func (e entry) check() error {
	switch {
	case !namePattern.MatchString(string(e.Name)):
		return errors.New("name must be small letters, digits and dashes")
	case e.Group != Weights && e.Group != Samples:
		return fmt.Errorf("unknown group %q", e.Group)
	case e.Task == "" || e.Licence == "":
		return errors.New("task and licence must be given")
	case !filepath.IsLocal(e.File) || path.Clean(e.File) != e.File || strings.HasPrefix(e.File, "."):
		return fmt.Errorf("file %q must be a plain path below the model directory", e.File)
	case e.File == overrideFile:
		return fmt.Errorf("file %q is the manifest's own name", e.File)
	case !sumPattern.MatchString(e.SHA256):
		return errors.New("sha256 must be 64 small hexadecimal digits")
	}
	if err := e.checkConversion(); err != nil {
		return err
	}
	for _, s := range e.Sources {
		if err := s.check(); err != nil {
			return err
		}
	}
	return nil
}

// checkConversion wants the conversion known and its number of sources right. An optional entry
// may have none: the user puts the file there, or gives a source.
func (e entry) checkConversion() error {
	c, err := conversionFor(e.Convert)
	if err != nil {
		return err
	}
	if len(e.Sources) == c.sources || (e.Optional && len(e.Sources) == 0) {
		return nil
	}
	return fmt.Errorf("conversion %s takes %d sources, %d are given", e.Convert, c.sources, len(e.Sources))
}

func (s source) check() error {
	switch {
	case !sumPattern.MatchString(s.SHA256):
		return errors.New("source: sha256 must be 64 small hexadecimal digits")
	case s.NPM != "" && (s.URL != "" || s.Debian != ""):
		return errors.New("source: npm goes with path alone")
	case s.NPM != "" && !npmPattern.MatchString(s.NPM):
		return fmt.Errorf("source: npm %q must be NAME@VERSION with an exact version", s.NPM)
	case s.NPM != "" && (!filepath.IsLocal(s.Path) || path.Clean(s.Path) != s.Path):
		return fmt.Errorf("source: path %q must be a plain path in the package", s.Path)
	case s.NPM == "" && (s.Path == "") == (s.URL == ""):
		return errors.New("source: give npm and path, or path, or url")
	case s.Debian != "" && s.Path == "":
		return errors.New("source: debian goes with path")
	case s.URL != "":
		return checkAddress(s.URL)
	}
	return nil
}

func checkAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("source: url: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return errors.New("source: url must be http or https")
	}
	return nil
}
