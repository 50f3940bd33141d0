package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/consentry/consentry/internal/atomicfile"
	"github.com/consentry/consentry/internal/pathless"
)

// maxFile bounds what Load reads, in bytes: a million faces make about 250 MB.
const maxFile = 256 << 20

// Thumbnails gives the picture of asset i for the contact sheet: a JPEG of the derivative, or of a
// withheld asset with every face hidden; nil where there is none. It is asked once for each asset,
// in the order of the sheet, so that pictures need not all be in memory.
type Thumbnails func(i int) ([]byte, error)

// Write makes report.json and report.html in a folder that exists, each complete or not at all.
// thumbs may be nil.
func Write(dir string, r Report, thumbs Thumbnails) error {
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
	if err := writeFile(filepath.Join(dir, JSONName), encode); err != nil {
		return fmt.Errorf("writing %s: %w", JSONName, err)
	}
	render := func(w io.Writer) error { return Render(w, r, thumbs) }
	if err := writeFile(filepath.Join(dir, HTMLName), render); err != nil {
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

// writeFile gives the file the mode that the user's umask makes of 0666, as for any other document.
func writeFile(path string, content func(io.Writer) error) error {
	return atomicfile.Write(path, 0o666, func(w io.Writer) error {
		b := bufio.NewWriterSize(w, 1<<16)
		if err := content(b); err != nil {
			return err
		}
		return b.Flush()
	})
}
