// Package models looks after the weights of the face models: which files there are, where they
// come from, under what licence, and whether the ones on this disk are the right ones.
//
// It promises three things. A file stands under its final name only once it is whole and its
// SHA-256 is the manifest's, whatever happened in between (a kill, a full disk, two pulls at
// once). Verify lets no missing or altered file pass. And a pull needs nothing but npm and the
// Debian packages: conversions are done here, in pure Go, and give the same bytes everywhere.
//
// No weights are in the repository and no face is looked at here; detectors and describers are
// in the packages below this one.
package models

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Name names one entry of the manifest.
type Name string

// The names of the embedded manifest.
const (
	Detector         Name = "detector"           // RFB-320, cut so that it runs at any size
	Landmarks        Name = "landmarks"          // 68 points on a 64×64 grey crop
	MobileFaceNet    Name = "mobilefacenet"      // 112×112 to 512 numbers
	DlibResNet       Name = "dlib-resnet"        // 150×150 to 128 numbers
	ShapePredictor   Name = "shape-predictor"    // dlib's 68 points, under go-face's name for its 5
	DlibDetectorStub Name = "dlib-detector-stub" // an untrained network that go-face loads
	YuNet            Name = "yunet"              // optional detector, source given by the user
)

// Group says what an entry is for.
type Group string

// The groups of the manifest.
const (
	Weights Group = "weights" // what the product runs on
	Samples Group = "samples" // photographs for the demonstration and the tests
)

// overrideFile is where a user puts entries that replace embedded ones.
const overrideFile = "manifest.yaml"

// Store is a model directory with the manifest that holds for it. It keeps no open files and may
// be used from several goroutines.
type Store struct {
	dir     string
	entries []entry
}

// Open reads the embedded manifest and, if DIR/manifest.yaml exists, the user's entries that
// replace embedded ones by name. It touches nothing; the directory need not exist yet.
func Open(dir string) (*Store, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("model directory: %w", err)
	}
	entries, err := embeddedManifest()
	if err != nil {
		return nil, fmt.Errorf("embedded model manifest: %w", err)
	}
	user, err := readUserManifest(filepath.Join(abs, overrideFile))
	if err != nil {
		return nil, err
	}
	if entries, err = override(entries, user, abs); err != nil {
		return nil, fmt.Errorf("%s in the model directory: %w", overrideFile, err)
	}
	return &Store{dir: abs, entries: entries}, nil
}

// readUserManifest gives nothing where there is no such file.
func readUserManifest(path string) ([]entry, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the model directory's own manifest: %w", err)
	}
	defer f.Close()
	user, err := decodeManifest(f)
	if err != nil {
		return nil, fmt.Errorf("%s in the model directory: %w", overrideFile, err)
	}
	return user, nil
}

// DefaultDir is $XDG_DATA_HOME/consentry/models, or ~/.local/share/consentry/models. As the XDG
// base directory specification wants, a relative $XDG_DATA_HOME is ignored.
func DefaultDir() (string, error) {
	data := os.Getenv("XDG_DATA_HOME")
	if !filepath.IsAbs(data) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("no default model directory (set XDG_DATA_HOME or --models): %w", err)
		}
		data = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(data, "consentry", "models"), nil
}

// Dir is the model directory, absolute.
func (s *Store) Dir() string { return s.dir }

// DlibDir is the folder that go-face's NewRecognizer takes: it holds the three files DlibResNet,
// ShapePredictor and DlibDetectorStub under go-face's fixed names.
func (s *Store) DlibDir() string { return filepath.Join(s.dir, dlibFolder) }

// Path is where the file of that name lies once it is pulled; "" for a name the manifest does not
// know. It says nothing about the file being there: see Verify.
func (s *Store) Path(name Name) string {
	if e, ok := s.entry(name); ok {
		return s.file(e)
	}
	return ""
}

// Digest identifies the model set: the SHA-256, in hexadecimal, of the lines "name sha256" of
// every entry that the product requires and of the optional ones in extra, sorted by name.
// Clearances carry it. It is the digest of what the manifest asks for; after a Verify of the same
// names without an error it is that of the files.
func (s *Store) Digest(extra ...Name) string {
	var lines []string
	for _, e := range s.entries {
		if e.required() || slices.Contains(extra, e.Name) {
			lines = append(lines, fmt.Sprintf("%s %s\n", e.Name, e.SHA256))
		}
	}
	slices.Sort(lines)
	h := sha256.New()
	for _, l := range lines {
		h.Write([]byte(l))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (s *Store) entry(name Name) (entry, bool) {
	i := slices.IndexFunc(s.entries, func(e entry) bool { return e.Name == name })
	if i < 0 {
		return entry{}, false
	}
	return s.entries[i], true
}

func (s *Store) file(e entry) string { return filepath.Join(s.dir, filepath.FromSlash(e.File)) }
