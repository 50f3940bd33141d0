package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/consentry/consentry/internal/atomicfile"
	"github.com/consentry/consentry/internal/pathless"
)

// maxFile bounds what Load reads, in bytes: a million faces make about 250 MB.
const maxFile = 256 << 20

// Pictures is where the contact sheet has its pictures from. Either function may be nil, and each may
// give nothing. They are asked while the sheet is written, in its order, so that pictures need not all
// be in memory; only for tracks that wait for a person they are asked before.
type Pictures struct {
	// Asset gives the picture of asset i: a JPEG of the derivative, of a film one of its frames; or of a
	// withheld asset with every face hidden.
	Asset func(i int) ([]byte, error)
	// Track gives the pictures of the n-th track of asset i, counted from 0.
	Track func(i, n int) ([]Picture, error)
}

// Picture is a track's face at one moment.
type Picture struct {
	At   float64 // seconds, in the source's own time
	Bare bool    // shows the face as it is; of no track but one that waits for a person the sheet takes it
	JPEG []byte  // unless it is bare: cut from the derivative, or with every face hidden
}

// Modes of the files. Of a sheet with bare faces other users of the machine need not see anything.
const (
	ownerOnly = 0o600
	document  = 0o666
)

// Write makes report.json and report.html in a folder that exists, each complete or not at all.
func Write(dir string, r Report, pictures Pictures) error {
	if err := r.validate(); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if r.Assets == nil {
		r.Assets = []Asset{}
	}
	encode := func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		e.SetEscapeHTML(false)
		return e.Encode(r)
	}
	if err := writeFile(filepath.Join(dir, JSONName), document, encode); err != nil {
		return fmt.Errorf("writing %s: %w", JSONName, err)
	}
	s, err := newSheet(r, pictures)
	if err != nil {
		return fmt.Errorf("writing %s: %w", HTMLName, err)
	}
	mode := fs.FileMode(document)
	if s.Bare > 0 {
		mode = ownerOnly
	}
	if err := writeFile(filepath.Join(dir, HTMLName), mode, s.render); err != nil {
		return fmt.Errorf("writing %s: %w", HTMLName, err)
	}
	return nil
}

// Load reads the report of an earlier run. The error wraps fs.ErrNotExist where there is none and
// [ErrInvalid] where there is one that this version cannot vouch for.
func Load(dir string) (Report, error) {
	f, err := os.Open(filepath.Join(dir, JSONName))
	if err != nil {
		return Report{}, fmt.Errorf("opening %s: %w", JSONName, pathless.Error(err))
	}
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	if err != nil {
		return Report{}, fmt.Errorf("looking at %s: %w", JSONName, pathless.Error(err))
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return Report{}, fmt.Errorf("%w: no regular file, or larger than %d bytes", ErrInvalid, maxFile)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return Report{}, fmt.Errorf("reading %s: %w", JSONName, pathless.Error(err))
	}
	return parse(data)
}

func parse(data []byte) (Report, error) {
	var r Report
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return Report{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Report{}, fmt.Errorf("%w: something follows the end", ErrInvalid)
	}
	if err := r.validate(); err != nil {
		return Report{}, err
	}
	return r, nil
}

// writeFile gives the file the mode that the user's umask makes of the given one, as for any other
// document.
func writeFile(path string, mode fs.FileMode, content func(io.Writer) error) error {
	return atomicfile.Write(path, mode, func(w io.Writer) error {
		b := bufio.NewWriterSize(w, 1<<16)
		if err := content(b); err != nil {
			return err
		}
		return b.Flush()
	})
}
