package intake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/consentry/consentry/internal/atomicfile"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/pathless"
)

// maxDepth bounds nested folders. Pictures of an event lie a handful deep; a tree that is deeper by
// an order of magnitude is a mistake or an attack, and ends where paths no longer fit the system.
const maxDepth = 64

// maxName is the longest file name, in bytes, of the usual file systems.
const maxName = 255

// place is where something is.
type place struct {
	real  string // absolute, links resolved
	shown string // as the user would type it
	rel   string // as File.Rel
}

func (p place) child(name string) place {
	return place{
		real:  filepath.Join(p.real, name),
		shown: filepath.Join(p.shown, name),
		rel:   path.Join(p.rel, name),
	}
}

func (p place) name() string { return path.Base(p.rel) }

// walker adds to a batch what lies below one argument.
type walker struct {
	batch  *Batch
	opts   Options
	root   string          // the argument, links resolved; nothing outside of it is taken
	linked map[string]bool // folders that were entered through a link; each is entered once
}

// folderArgument adds a folder that was named, and says so where it has nothing to give.
func (w *walker) folderArgument(ctx context.Context, at place) error {
	files, problems := len(w.batch.Files), len(w.batch.Problems)
	if err := w.folder(ctx, at, nil); err != nil {
		return err
	}
	if len(w.batch.Files) == files && len(w.batch.Problems) == problems {
		w.problem(at, NoMedia, "the folder holds no photograph or video")
	}
	return nil
}

// folder adds what lies in a folder. above are the resolved folders on the way to it.
func (w *walker) folder(ctx context.Context, at place, above []string) error {
	if len(above) >= maxDepth {
		w.problem(at, TooDeep, fmt.Sprintf("is nested more than %d folders deep", maxDepth))
		return nil
	}
	entries, err := os.ReadDir(at.real)
	if err != nil { // what could be listed is still taken
		kind, message := kindOf(err)
		w.problem(at, kind, message)
	}
	above = append(slices.Clip(above), at.real)
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.entry(ctx, at.child(entry.Name()), entry, above); err != nil {
			return err
		}
	}
	return nil
}

// entry adds one entry of a folder.
func (w *walker) entry(ctx context.Context, at place, entry fs.DirEntry, above []string) error {
	switch {
	case junk(at.name()):
		w.ignore(at, "a hidden or system file")
		return nil
	case entry.IsDir():
		return w.folder(ctx, at, above)
	case entry.Type()&fs.ModeSymlink != 0:
		return w.link(ctx, at, above)
	case entry.Type().IsRegular() && !w.opts.IsMedia(at.name()):
		w.ignore(at, "not a photograph or video by its name")
		return nil
	}
	info, err := entry.Info()
	if err != nil {
		kind, message := kindOf(err)
		w.problem(at, kind, message)
		return nil
	}
	w.found(at, info)
	return nil
}

// junk recognises what systems leave in folders: hidden files (AppleDouble's ._ and our own
// temporary files among them) and two of Windows.
func junk(name string) bool {
	switch strings.ToLower(name) {
	case "thumbs.db", "desktop.ini", "ehthumbs.db", "$recycle.bin", "__macosx":
		return true
	}
	return strings.HasPrefix(name, ".") || atomicfile.IsTemp(name)
}

// link follows a link that stays inside of the root. A file is taken under the link's name; a
// folder is entered once, unless it is one that the link lies in.
func (w *walker) link(ctx context.Context, at place, above []string) error {
	target, info, err := resolve(at.real)
	taken := w.opts.IsMedia(at.name())
	mayBeFolder := err == nil && info.IsDir() || err != nil && path.Ext(at.rel) == ""
	switch {
	case !taken && !mayBeFolder:
		w.ignore(at, "a link that is not a photograph or video by its name")
	case err != nil:
		kind, message := kindOf(err)
		w.problem(at, kind, message)
	case !within(target, w.root):
		w.problem(at, Outside, "is a link out of the folder given, which is not followed; name its target on the command line if it is meant")
	case !info.IsDir():
		at.real = target
		w.found(at, info)
	case slices.Contains(above, target) || w.linked[target]:
		w.ignore(at, "a link to a folder that is taken already")
	default:
		w.linked[target] = true
		at.real = target
		return w.folder(ctx, at, above)
	}
	return nil
}

// found adds a folder's file, unless it is only called like a film.
func (w *walker) found(at place, info fs.FileInfo) {
	if w.opts.IsFilm != nil && media.IsDoubtfulName(at.name()) && info.Mode().IsRegular() && info.Size() > 0 && !w.isFilm(at, info.Size()) {
		w.ignore(at, "not a photograph or video by its content")
		return
	}
	w.file(at, info)
}

// isFilm is true also for what cannot be read, so that the user is told.
func (w *walker) isFilm(at place, size int64) bool {
	f, err := openPlain(at.real)
	if err != nil {
		return true
	}
	defer f.Close()
	return w.opts.IsFilm(f, size)
}

// file adds a file that is taken, or says why it cannot be.
func (w *walker) file(at place, info fs.FileInfo) {
	output := w.opts.DerivativeName(at.rel)
	switch {
	case !info.Mode().IsRegular():
		w.problem(at, Special, "is a device, pipe or socket and not a plain file; it is not opened")
		return
	case info.Size() == 0:
		w.problem(at, Empty, "the file is empty")
		return
	case w.nameTooLong(output):
		w.problem(at, NameLength, fmt.Sprintf("the name is too long for what is written beside the derivative (at most %d bytes)", w.longestName()))
		return
	}
	f, err := openPlain(at.real)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		kind, message := kindOf(err)
		w.problem(at, kind, message)
		return
	}
	w.batch.Files = append(w.batch.Files, File{Path: at.real, Rel: at.rel, Output: output, Size: info.Size()})
}

// longestName is the room for a derivative's name, in bytes, beside the longest companion.
func (w *walker) longestName() int {
	longest := 0
	for _, ending := range w.opts.Companions {
		longest = max(longest, len(ending))
	}
	return maxName - longest
}

func (w *walker) nameTooLong(output string) bool { return len(path.Base(output)) > w.longestName() }

func (w *walker) problem(at place, kind Kind, message string) {
	w.batch.Problems = append(w.batch.Problems, Problem{Path: at.shown, Rel: at.rel, Kind: kind, Message: message})
}

func (w *walker) ignore(at place, why string) {
	w.batch.Ignored = append(w.batch.Ignored, Ignored{Path: at.shown, Why: why})
}

var errNotPlain = errors.New("is not a plain file")

// kindOf puts the system's error into a kind and a sentence.
func kindOf(err error) (Kind, string) {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return Missing, "there is no such file or folder, or it is a link that leads nowhere"
	case errors.Is(err, fs.ErrPermission):
		return Unreadable, "cannot be read: permission denied"
	case errors.Is(err, syscall.ENAMETOOLONG):
		return TooDeep, "the path is longer than the system can take"
	case errors.Is(err, syscall.ELOOP), strings.Contains(err.Error(), "too many links"): // EvalSymlinks has no error of its own for it
		return Missing, "is a link that leads back to itself"
	case errors.Is(err, errNotPlain):
		return Special, errNotPlain.Error()
	}
	return Unreadable, "cannot be read: " + pathless.Error(err).Error()
}
