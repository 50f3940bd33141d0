// Package intake turns the paths of a command line into the list of files to work on.
//
// It promises: the same tree gives the same list in the same order; nothing outside of what was
// named is read, whatever links lie in it; nothing that is not a plain file is opened; no two inputs
// can write the same output, on any disk; and whatever is left out is counted or comes with a reason.
//
// Paths hold names. They are in [Problem.Path] and in the texts of [UsageError] for the person at the
// terminal; logs get a problem's kind only.
package intake

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/pathless"
)

// File is one input.
type File struct {
	Path   string // absolute, all links resolved
	Rel    string // path below DIR/PURPOSE/ that the input has, slashes: event/a.heic
	Output string // path below DIR/PURPOSE/ of the derivative, slashes: event/a.jpg
	Size   int64  // bytes, at least 1
}

// Open opens the input for reading, if it still is the plain file that the scan saw.
func (f File) Open() (*os.File, error) { return openPlain(f.Path) }

// Kind says what is wrong with an input, in a word that may be logged and counted.
type Kind string

// The kinds of problems.
const (
	Missing    Kind = "missing"     // no such file, or a link that leads nowhere
	Unreadable Kind = "unreadable"  // no right to read it, or the disk fails
	Empty      Kind = "empty"       // a file of 0 bytes
	Outside    Kind = "outside"     // a link out of the folder given; not followed
	Special    Kind = "special"     // a device, pipe or socket; not opened
	NoMedia    Kind = "no-media"    // a folder without a photograph or video
	TooDeep    Kind = "too-deep"    // folders nested deeper than any event's
	Collision  Kind = "collision"   // two inputs would write one output
	NameLength Kind = "name-length" // no room in the name for what is written beside a derivative
	BadName    Kind = "bad-name"    // a reference whose name is no admission number, or could be two
)

// Problem is an input that is not taken, and why. The rest of the batch goes on.
type Problem struct {
	Path    string // as the user would type it
	Rel     string // as File.Rel; empty where an argument itself is the problem
	Kind    Kind
	Message string // without the path
}

func (p Problem) Error() string { return Display(p.Path) + ": " + p.Message }

// Ignored is a file in a folder that is passed over quietly.
type Ignored struct {
	Path string // as the user would type it
	Why  string
}

// Batch is what the paths of a command line amount to. All lists are in the order of their paths.
type Batch struct {
	Files    []File
	Problems []Problem
	Ignored  []Ignored
}

// UsageError is wrong usage: nothing may be processed. The text names the files concerned.
type UsageError struct{ Message string }

func (e *UsageError) Error() string { return e.Message }

func usage(format string, a ...any) error { return &UsageError{fmt.Sprintf(format, a...)} }

// Options are what a scan needs to know of the rest of the program. The zero value serves.
type Options struct {
	// IsMedia says whether a folder's file is taken, by its name; media.IsMediaName where nil.
	IsMedia func(name string) bool
	// IsFilm says whether a folder's file is taken whose name is that of other things as well
	// (media.IsDoubtfulName), by its bytes; where nil, the name is enough.
	IsFilm func(r io.ReaderAt, size int64) bool
	// DerivativeName gives File.Output from File.Rel; where nil, a HEIF or AVIF ending becomes .jpg,
	// and that of a film .mp4.
	DerivativeName func(rel string) string
	// Companions are the endings of what is written beside a derivative; where nil,
	// .clearance.json and .tracks.jsonl.
	Companions []string
	// Reserved are paths below DIR/PURPOSE/ that no derivative may have, slashes. (report.json and
	// report.html lie in DIR itself, where no derivative does.)
	Reserved []string
}

func (o Options) withDefaults() Options {
	if o.IsMedia == nil {
		o.IsMedia = media.IsMediaName
	}
	if o.DerivativeName == nil {
		o.DerivativeName = derivativeByName
	}
	if o.Companions == nil {
		o.Companions = []string{".clearance.json", ".tracks.jsonl"}
	}
	return o
}

func derivativeByName(rel string) string {
	switch strings.ToLower(path.Ext(rel)) {
	case ".heic", ".heif", ".hif", ".avif":
		return media.DerivativeName(rel, media.HEIF)
	}
	if media.KindOfName(rel) == media.Video {
		return media.FilmName(rel)
	}
	return rel
}

// Display is the path as it can be shown on one line of a terminal or web page: as it is, or with
// escapes as in Go source where it holds line breaks, other control characters, marks that turn the
// direction of writing, bytes that are not UTF-8, or a backslash. Different paths stay different.
func Display(path string) string {
	plain := utf8.ValidString(path) && !strings.Contains(path, `\`) &&
		!strings.ContainsFunc(path, func(r rune) bool { return !strconv.IsPrint(r) })
	if plain {
		return path
	}
	quoted := strconv.Quote(path)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// OpenNamed opens for reading a file that the user has named, if it is a plain one or a link to one.
// The error is for that user: it names the file.
func OpenNamed(path string) (*os.File, error) {
	f, err := openRegular(path, 0)
	if errors.Is(err, errNotPlain) {
		return nil, fmt.Errorf("%s: not a file but a folder, pipe or device", path)
	}
	return f, err
}

// openPlain opens a file that was found in a folder, if it is a plain one and no link.
func openPlain(path string) (*os.File, error) {
	f, err := openRegular(path, syscall.O_NOFOLLOW)
	if err != nil {
		return nil, pathless.Error(err)
	}
	return f, nil
}

// openRegular opens a file for reading if it is a plain one. O_NONBLOCK keeps a pipe that has taken
// the file's place from holding the program up.
func openRegular(path string, flags int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|flags, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errNotPlain
	}
	if err != nil {
		_ = f.Close() // nothing was written to it
		return nil, err
	}
	return f, nil
}
