package intake

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// CheckOutputs refuses files of which two would write the same path: by the same name, by names that
// differ in upper and lower case or in the spelling of accents only (many disks and USB sticks take
// these for one), by one's derivative having the name of the other's clearance, or by one being a
// file where the other needs a folder. The [*UsageError] names both, for each such pair.
//
// Scan has done so by the names of its inputs; who learns from a file's content that its derivative
// is called something else sets File.Output and checks again.
func CheckOutputs(files []File, opts Options) error {
	opts = opts.withDefaults()
	taken := make(claims, len(files))
	var faults []string
	for _, f := range files {
		faults = append(faults, taken.claim(f, opts)...)
	}
	faults = append(faults, taken.foldersThatAreFiles()...)
	if len(faults) == 0 {
		return nil
	}
	return &UsageError{strings.Join(faults, "\n")}
}

// claims tells by folded path which input writes there.
type claims map[string]File

// claim takes all paths that the file's derivative needs, and says who has them already.
func (c claims) claim(f File, opts Options) []string {
	var faults []string
	for _, reserved := range opts.Reserved {
		if fold(reserved) == fold(f.Output) {
			faults = append(faults, Display(f.Path)+" would be written over "+reserved+", which is consentry's own; rename it")
		}
	}
	for _, ending := range append([]string{""}, opts.Companions...) {
		key := fold(f.Output + ending)
		if other, twice := c[key]; twice {
			return append(faults, Display(other.Path)+" and "+Display(f.Path)+" would both be written to "+
				Display(f.Output+ending)+" (or to names that many disks take for the same); rename one or run them apart")
		}
		c[key] = f
	}
	return faults
}

// foldersThatAreFiles finds outputs that lie below another output.
func (c claims) foldersThatAreFiles() []string {
	pairs := map[[2]string]bool{}
	for key, f := range c {
		for dir := path.Dir(key); dir != "." && dir != "/"; dir = path.Dir(dir) {
			if other, ok := c[dir]; ok {
				pairs[[2]string{other.Path, f.Path}] = true
			}
		}
	}
	var faults []string
	for pair := range pairs {
		faults = append(faults, Display(pair[0])+" would be written where "+Display(pair[1])+" needs a folder; rename one or run them apart")
	}
	slices.SortFunc(faults, cmp.Compare)
	return faults
}

// fold gives equal strings for names that a disk may take for the same one.
func fold(name string) string {
	if !utf8.ValidString(name) {
		return name
	}
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(name)))
}
