package intake

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/consentry/consentry/internal/pathless"
)

// Scan lists the inputs below the paths. A file named on the command line is taken whatever it is
// called; a folder gives the files whose names promise media, below its own name: event/ gives
// event/a.jpg. out is the output folder, which need not exist, or empty where nothing is written.
//
// What is wrong with single inputs is in the batch. The error is a [*UsageError] where nothing may
// be processed: no paths, output and input inside of one another, two inputs with one output.
func Scan(ctx context.Context, paths []string, out string, opts Options) (*Batch, error) {
	if len(paths) == 0 {
		return nil, usage("no files or folders were given")
	}
	o, err := resolveOut(out)
	if err != nil {
		return nil, err
	}
	batch := &Batch{}
	opts = opts.withDefaults()
	for _, path := range paths {
		if err := scanPath(ctx, batch, path, o, opts); err != nil {
			return nil, err
		}
	}
	batch.sort()
	batch.partCollisions(opts)
	return batch, nil
}

// scanPath adds what one argument stands for.
func scanPath(ctx context.Context, batch *Batch, arg string, out output, opts Options) error {
	if arg == "" {
		return usage("an empty path was given; the current folder is .")
	}
	abs, err := filepath.Abs(arg)
	if err != nil {
		return usage("%s: %v", Display(arg), pathless.Error(err))
	}
	w := &walker{batch: batch, opts: opts, linked: map[string]bool{}}
	rel := prefix(abs)
	resolved, info, err := resolve(abs) // a link that is named is meant
	if err != nil {
		kind, message := kindOf(err)
		w.problem(place{shown: arg, rel: rel}, kind, message)
		return ctx.Err()
	}
	if err := out.checkApart(arg, resolved, info.IsDir()); err != nil {
		return err
	}
	w.root = resolved
	at := place{real: resolved, shown: filepath.Clean(arg), rel: rel}
	if info.IsDir() {
		return w.folderArgument(ctx, at)
	}
	w.file(at, info)
	return ctx.Err()
}

// partCollisions turns files that would be written over each other into problems.
func (b *Batch) partCollisions(opts Options) {
	colliding := Collisions(b.Files, opts)
	b.Files = slices.DeleteFunc(b.Files, func(f File) bool {
		message, bad := colliding[f.Path]
		if bad {
			b.Problems = append(b.Problems, Problem{Path: f.Path, Rel: f.Rel, Kind: Collision, Message: message})
		}
		return bad
	})
	b.sort()
}

// prefix is the first part of the relative paths that an argument gives: its own name, or nothing
// for the root of the file system.
func prefix(abs string) string {
	base := filepath.Base(abs)
	if base == string(filepath.Separator) {
		return ""
	}
	return base
}

// resolve follows all links and says what is there.
func resolve(path string) (resolved string, info fs.FileInfo, err error) {
	if resolved, err = filepath.EvalSymlinks(path); err != nil {
		return "", nil, err
	}
	if info, err = os.Lstat(resolved); err != nil {
		return "", nil, err
	}
	return resolved, info, nil
}

// sort puts all lists in the order of their paths, and a file that was named twice in once.
func (b *Batch) sort() {
	slices.SortFunc(b.Files, func(x, y File) int {
		return cmp.Or(cmp.Compare(x.Rel, y.Rel), cmp.Compare(x.Path, y.Path))
	})
	b.Files = slices.Compact(b.Files)
	slices.SortFunc(b.Problems, func(x, y Problem) int {
		return cmp.Or(cmp.Compare(x.Path, y.Path), cmp.Compare(x.Kind, y.Kind))
	})
	b.Problems = slices.Compact(b.Problems)
	slices.SortFunc(b.Ignored, func(x, y Ignored) int { return cmp.Compare(x.Path, y.Path) })
	b.Ignored = slices.Compact(b.Ignored)
}

// output is the output folder, links resolved as far as it exists.
type output struct{ shown, real string }

func resolveOut(out string) (output, error) {
	if out == "" {
		return output{}, nil
	}
	abs, err := filepath.Abs(out)
	if err != nil {
		return output{}, usage("output folder %s: %v", Display(out), pathless.Error(err))
	}
	resolved, err := resolveExisting(abs)
	if err != nil {
		return output{}, usage("output folder %s: %v", Display(out), pathless.Error(err))
	}
	if info, err := os.Stat(resolved); err == nil && !info.IsDir() {
		return output{}, usage("output folder %s: there is a file of that name", Display(out))
	}
	return output{shown: out, real: resolved}, nil
}

var errLinkNowhere = errors.New("a link on the way leads nowhere")

// resolveExisting resolves the links of the part of the path that exists.
func resolveExisting(abs string) (string, error) {
	resolved, err := filepath.EvalSymlinks(abs)
	if !errors.Is(err, fs.ErrNotExist) {
		return resolved, err
	}
	if _, err := os.Lstat(abs); err == nil {
		return "", errLinkNowhere
	}
	parent, err := resolveExisting(filepath.Dir(abs))
	return filepath.Join(parent, filepath.Base(abs)), err
}

// checkApart refuses an output folder inside of an input folder, where the next run would take
// derivatives for originals, and an input inside of the output folder, which could be overwritten.
func (o output) checkApart(arg, resolved string, folder bool) error {
	switch {
	case o.real == "":
		return nil
	case folder && inside(o.real, resolved):
		return usage("the output folder %s is inside of the input folder %s; choose one outside of it", Display(o.shown), Display(arg))
	case inside(resolved, o.real):
		return usage("the input %s is inside of the output folder %s; choose another output folder", Display(arg), Display(o.shown))
	}
	return nil
}

// inside says whether path is folder or below it. It asks the file system, so that folders which
// are mounted twice or spelled in another case are seen to be the same.
func inside(path, folder string) bool {
	want, err := os.Stat(folder)
	if err != nil {
		return within(path, folder)
	}
	for {
		info, err := os.Stat(path)
		if err == nil && os.SameFile(info, want) {
			return true
		}
		parent := filepath.Dir(path)
		if parent == path {
			return false
		}
		path = parent
	}
}

// within says whether the resolved path is folder or below it, by name.
func within(path, folder string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(rel)
}
