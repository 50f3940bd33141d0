package intake

import (
	"path"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Collisions finds files of which two would write the same path: by the same name, by names that
// differ in upper and lower case or in the spelling of accents only (many disks and USB sticks take
// these for one), by one's derivative having the name of the other's clearance, or by one being a
// file where the other needs a folder. It says for each of them, by File.Path, what it collides
// with. None of them may be written: nobody can say which is meant.
//
// Scan leaves those out whose names collide; who learns from a file's content that its derivative
// is called something else sets File.Output and asks again.
func Collisions(files []File, opts Options) map[string]string {
	opts = opts.withDefaults()
	c := claims{taken: make(map[string]File, len(files)), faults: map[string]string{}}
	for _, f := range files {
		c.claim(f, opts)
	}
	c.foldersThatAreFiles()
	return c.faults
}

// claims tells by folded path which input writes there, and who collides with whom.
type claims struct {
	taken  map[string]File
	faults map[string]string
}

const rename = "; rename one of them, or run them apart"

// both notes that two files collide. The first of several collisions of a file is told.
func (c *claims) both(f, other File, what string) {
	for _, pair := range [][2]File{{f, other}, {other, f}} {
		if _, told := c.faults[pair[0].Path]; !told {
			c.faults[pair[0].Path] = "this and " + Display(pair[1].Path) + what + rename
		}
	}
}

// claim takes all paths that the file's derivative needs.
func (c *claims) claim(f File, opts Options) {
	for _, reserved := range opts.Reserved {
		if fold(reserved) == fold(f.Output) {
			c.faults[f.Path] = "it would be written over " + reserved + ", which is consentry's own; rename it"
		}
	}
	for _, ending := range append([]string{""}, opts.Companions...) {
		key := fold(f.Output + ending)
		if other, twice := c.taken[key]; twice {
			c.both(f, other, " would both be written to "+Display(f.Output+ending)+" (or to names that many disks take for the same)")
			return
		}
		c.taken[key] = f
	}
}

// foldersThatAreFiles finds outputs that lie below another output.
func (c *claims) foldersThatAreFiles() {
	for key, f := range c.taken {
		for dir := path.Dir(key); dir != "." && dir != "/"; dir = path.Dir(dir) {
			if other, ok := c.taken[dir]; ok {
				c.both(f, other, " would need a file and a folder of the same name")
			}
		}
	}
}

// fold gives equal strings for names that a disk may take for the same one.
func fold(name string) string {
	if !utf8.ValidString(name) {
		return name
	}
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(name)))
}
