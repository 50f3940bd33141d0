package intake

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/pathless"
)

// ReferenceFile is an enrolment photograph of one subject.
type ReferenceFile struct {
	Subject string // admission number
	Path    string // absolute, all links resolved
	Rel     string // path below the folder given, or the file's name
	Size    int64
}

// Open opens the photograph for reading, if it still is the plain file that the scan saw.
func (f ReferenceFile) Open() (*os.File, error) { return openPlain(f.Path) }

const (
	expected     = "expected is 4021.jpg, 4021-2.jpg, or any name in a folder 4021/, where 4021 is an admission number of the register"
	badName      = "the name gives no subject: " + expected
	twoNames     = "the name could mean two subjects; put the photograph into a folder named by the admission number"
	badFolder    = "the folder's name is no admission number of the register: " + expected
	twoFolders   = "could be the folder of one subject or a folder of many, since names in it are those of other subjects; nothing of it is taken; give the files one by one, or the folder that it lies in"
	nestedFolder = "lies too deep: " + expected
)

// References lists the enrolment photographs in a folder, by subject: 4021.jpg, 4021-2.jpg, and all
// in a folder 4021/. known says whether an admission number is one of the register's; where it is
// nil, every well-formed one is.
//
// Admission numbers may hold hyphens themselves. So a file's whole name (without its ending) counts
// first, and only then a last -DIGITS is taken for a running number. Where both are subjects, as
// 19-2.jpg is where the register has 19 and 19-2, neither is taken: a photograph enrolled for the
// wrong pupil is worse than none. A folder's name counts as it stands.
//
// The error is a [*UsageError] where the folder cannot be read at all.
func References(dir string, known func(string) bool) ([]ReferenceFile, []Problem, error) {
	batch, err := scanReferences(dir)
	if err != nil {
		return nil, nil, err
	}
	r := &references{known: known, problems: batch.Problems, told: map[string]bool{}}
	for _, f := range batch.Files {
		r.inFolder(dir, f)
	}
	return r.sorted()
}

// ReferencePaths lists the enrolment photographs that are named on a command line: single files, a
// folder named by an admission number, or a folder as for [References]. A missing path is among the
// problems.
func ReferencePaths(paths []string, known func(string) bool) ([]ReferenceFile, []Problem, error) {
	all := &references{known: known}
	for _, path := range paths {
		files, problems, err := referencePath(path, known)
		if err != nil {
			return nil, nil, err
		}
		all.files = append(all.files, files...)
		all.problems = append(all.problems, problems...)
	}
	return all.sorted()
}

func referencePath(path string, known func(string) bool) ([]ReferenceFile, []Problem, error) {
	info, err := os.Stat(path)
	isFolder := err == nil && info.IsDir()
	if isFolder && !subjectName(filepath.Base(filepath.Clean(path)), known) {
		return References(path, known)
	}
	batch := &Batch{}
	if err := scanPath(context.Background(), batch, path, output{}, referenceOptions()); err != nil {
		return nil, nil, err
	}
	r := &references{known: known, problems: batch.Problems, told: map[string]bool{}}
	if isFolder && slices.ContainsFunc(batch.Files, r.namesAnother) {
		r.complainOnce(path, "", twoFolders)
		return r.files, r.problems, nil
	}
	for _, f := range batch.Files {
		if isFolder {
			r.inFolder(filepath.Dir(filepath.Clean(path)), f)
			continue
		}
		r.byName(path, f)
	}
	return r.files, r.problems, nil
}

// scanReferences lists the files of the folder, with paths below it.
func scanReferences(dir string) (*Batch, error) {
	info, err := os.Stat(dir)
	if err != nil {
		_, message := kindOf(err)
		return nil, usage("folder of references %s: %s", Display(dir), message)
	}
	if !info.IsDir() {
		return nil, usage("folder of references %s: is not a folder", Display(dir))
	}
	resolved, _, err := resolve(dir)
	if err == nil {
		resolved, err = filepath.Abs(resolved)
	}
	if err != nil {
		return nil, usage("folder of references %s: %v", Display(dir), pathless.Error(err))
	}
	batch := &Batch{}
	w := &walker{batch: batch, opts: referenceOptions(), root: resolved, linked: map[string]bool{}}
	err = w.folderArgument(context.Background(), place{real: resolved, shown: dir})
	batch.sort()
	return batch, err
}

// referenceOptions: nothing is written beside a reference.
func referenceOptions() Options { return Options{Companions: []string{}}.withDefaults() }

// references sorts files into subjects and problems.
type references struct {
	known    func(string) bool
	files    []ReferenceFile
	problems []Problem
	told     map[string]bool // folders whose name has been complained about, once for all its files
}

// inFolder takes a file of a folder of references.
func (r *references) inFolder(dir string, f File) {
	parts := strings.Split(f.Rel, "/")
	folder := filepath.Join(dir, parts[0])
	switch {
	case len(parts) == 1:
		r.byName(folder, f)
	case !subjectName(parts[0], r.known):
		r.complainOnce(folder, parts[0], badFolder)
	case len(parts) > 2:
		r.complainOnce(filepath.Join(dir, filepath.FromSlash(f.Rel)), f.Rel, nestedFolder)
	default:
		r.take(parts[0], f)
	}
}

// namesAnother says whether a file in a folder that is called like a subject is itself called like
// another one, or lies in a folder that is: then the folder may as well be a folder of references
// that happens to be called so, as 2024/ may be.
func (r *references) namesAnother(f File) bool {
	parts := strings.Split(f.Rel, "/")
	other, _ := subjectOf(stem(parts[len(parts)-1]), r.known)
	nested := len(parts) > 2 && subjectName(parts[1], r.known)
	return r.known != nil && (nested || other != "" && other != parts[0])
}

// byName takes a file that is named by its subject.
func (r *references) byName(shown string, f File) {
	subject, message := subjectOf(stem(filepath.Base(f.Rel)), r.known)
	if subject == "" {
		r.complainOnce(shown, f.Rel, message)
		return
	}
	r.take(subject, f)
}

func (r *references) take(subject string, f File) {
	r.files = append(r.files, ReferenceFile{Subject: subject, Path: f.Path, Rel: f.Rel, Size: f.Size})
}

func (r *references) complainOnce(path, rel, message string) {
	if r.told[path] {
		return
	}
	r.told[path] = true
	r.problems = append(r.problems, Problem{Path: path, Rel: rel, Kind: BadName, Message: message})
}

func (r *references) sorted() ([]ReferenceFile, []Problem, error) {
	slices.SortFunc(r.files, func(a, b ReferenceFile) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Rel, b.Rel), cmp.Compare(a.Path, b.Path))
	})
	slices.SortFunc(r.problems, func(a, b Problem) int { return cmp.Compare(a.Path, b.Path) })
	same := func(a, b ReferenceFile) bool { return a.Subject == b.Subject && a.Path == b.Path }
	return slices.CompactFunc(r.files, same), slices.Compact(r.problems), nil
}

func stem(name string) string { return strings.TrimSuffix(name, filepath.Ext(name)) }

// runningNumber is what follows the admission number of a second photograph.
var runningNumber = regexp.MustCompile(`^(.+)-[0-9]{1,4}$`)

// subjectOf finds whose photograph a file without its ending is, or says why it is nobody's.
func subjectOf(stem string, known func(string) bool) (subject, message string) {
	base := ""
	if m := runningNumber.FindStringSubmatch(stem); m != nil && subjectName(m[1], known) {
		base = m[1]
	}
	whole := subjectName(stem, known)
	switch {
	case known == nil && base != "": // nobody to ask: 4021-2 is the second photograph of 4021
		return base, ""
	case whole && base != "":
		return "", twoNames
	case whole:
		return stem, ""
	case base != "":
		return base, ""
	}
	return "", badName
}

// subjectName says whether the text is an admission number, and a known one.
func subjectName(text string, known func(string) bool) bool {
	return consent.ValidAdmissionNumber(text) == nil && (known == nil || known(text))
}
