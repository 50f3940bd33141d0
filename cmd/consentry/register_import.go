package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/register"
)

type registerImport struct {
	Files   []string `arg:"" name:"file" help:"SUBJECTS.csv CONSENTS.csv; with --mapping one permissions list."`
	Mapping string   `placeholder:"FILE" help:"A YAML file that says what the columns of a permissions list mean (one row a subject, one column a purpose)."`
	DryRun  bool     `help:"Say what would change, and change nothing."`
}

// imported is what the files hold.
type imported struct {
	subjects []consent.Subject
	records  []consent.Record
	notes    []fileNote
}

// fileNote is something worth knowing about a line that was taken.
type fileNote struct {
	File string `json:"file"`
	consent.LineError
}

// Run reads the files as a whole, and takes all or nothing.
func (r *registerImport) Run(ctx context.Context, a *app) error {
	return a.withRegister(ctx, func(b *bus.Bus, reg *consent.Register) error {
		in, err := r.read(reg)
		if err != nil {
			return err
		}
		next, changes, err := r.take(ctx, b, reg, in)
		after, err := a.taken(err)
		if err != nil {
			return err
		}
		a.noteLater(in.records)
		if !r.DryRun {
			after = errors.Join(after, a.reconcile(ctx, b, next))
		}
		return errors.Join(a.printImport(next, changes, in.notes, r.DryRun), after)
	})
}

func (r *registerImport) take(ctx context.Context, b *bus.Bus, reg *consent.Register, in imported) (*consent.Register, consent.Changes, error) {
	if r.DryRun {
		return reg.Merge(in.subjects, in.records)
	}
	return register.New(b.Register()).ImportOnto(ctx, reg, in.subjects, in.records)
}

func (r *registerImport) read(reg *consent.Register) (imported, error) {
	switch {
	case r.Mapping != "" && len(r.Files) == 1:
		return readWide(r.Files[0], r.Mapping, reg)
	case r.Mapping != "":
		return imported{}, usageError{errors.New("with --mapping, give one permissions list")}
	case len(r.Files) != 2:
		return imported{}, usageError{errors.New("give two files, SUBJECTS.csv and CONSENTS.csv, or one permissions list with --mapping FILE")}
	}
	return readLong(r.Files[0], r.Files[1], reg)
}

func readLong(subjectsPath, consentsPath string, reg *consent.Register) (imported, error) {
	var in imported
	wrongSubjects := readInput(subjectsPath, func(f io.Reader) error {
		file, err := consent.ReadSubjects(f, reg.Has)
		in.subjects = file.Onto(reg)
		in.note(subjectsPath, file.Notes)
		return err
	})
	inFile := map[string]bool{}
	for _, s := range in.subjects {
		inFile[s.AdmissionNumber] = true
	}
	// Where the subjects are wrong, all that can be said of the consents is what is wrong by itself.
	known := func(id string) bool { return wrongSubjects != nil || inFile[id] || reg.Has(id) }
	wrongConsents := readInput(consentsPath, func(f io.Reader) error {
		file, err := consent.ReadConsents(f, known)
		in.records = file.Records
		in.note(consentsPath, file.Notes)
		return err
	})
	return in, errors.Join(wrongSubjects, wrongConsents)
}

func readWide(listPath, mappingPath string, reg *consent.Register) (imported, error) {
	var in imported
	var mapping consent.Mapping
	err := readInput(mappingPath, func(f io.Reader) error {
		text, err := io.ReadAll(io.LimitReader(f, consent.MaxImportBytes))
		if err != nil {
			return err
		}
		mapping, err = consent.ParseMapping(text)
		return err
	})
	if err != nil {
		return imported{}, err
	}
	err = readInput(listPath, func(f io.Reader) error {
		file, err := consent.ParseWide(f, mapping, reg.Has)
		in.subjects, in.records = file.Onto(reg), file.Records
		in.note(listPath, file.Notes)
		return err
	})
	return in, err
}

// readInput reads one file; what is wrong with it is said with its name.
func readInput(path string, read func(io.Reader) error) error {
	f, err := openInput(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := read(f); err != nil {
		return usageError{fmt.Errorf("%s: %w", path, err)}
	}
	return nil
}

func (in *imported) note(path string, notes []consent.LineError) {
	for _, n := range notes {
		in.notes = append(in.notes, fileNote{path, n})
	}
}

// printImport says what changed.
func (a *app) printImport(reg *consent.Register, c consent.Changes, notes []fileNote, dry bool) error {
	if a.json {
		return json.NewEncoder(a.stdout).Encode(struct {
			Revision uint64          `json:"register_revision"`
			DryRun   bool            `json:"dry_run,omitempty"`
			Changes  consent.Changes `json:"changes"`
			Notes    []fileNote      `json:"notes"`
		}{reg.Revision(), dry, c, nonNil(notes)})
	}
	for _, n := range notes {
		fmt.Fprintf(a.stderr, "consentry: %s: %s\n", n.File, n.LineError)
	}
	for _, n := range c.Notes {
		fmt.Fprintf(a.stderr, "consentry: %s: %s\n", n.Subject, n.Message)
	}
	if c.Subjects.Added.Count > 0 {
		for _, twins := range reg.ZeroTwins() {
			fmt.Fprintf(a.stderr, "consentry: %s and %s differ by zeros at the beginning alone, which spreadsheets drop: are they two subjects?\n", twins[0], twins[1])
		}
	}
	return printChanges(a.stdout, reg, c, dry)
}

// maxListed bounds how many numbers are printed behind a count; --json gives them all.
const maxListed = 12

func printChanges(w io.Writer, reg *consent.Register, c consent.Changes, dry bool) error {
	for _, t := range []struct {
		what  string
		tally consent.Tally
	}{{"subjects", c.Subjects}, {"consents", c.Records}} {
		fmt.Fprintf(w, "%s: %d added, %d changed, %d unchanged\n", t.what, t.tally.Added.Count, t.tally.Changed.Count, t.tally.Unchanged.Count)
		printNumbers(w, "added", t.tally.Added)
		printNumbers(w, "changed", t.tally.Changed)
	}
	end := fmt.Sprintf("register revision %d, %d subjects", reg.Revision(), reg.Len())
	if dry {
		end = "nothing was changed (--dry-run)"
	}
	_, err := fmt.Fprintln(w, end)
	return err
}

func printNumbers(w io.Writer, word string, c consent.Count) {
	if c.Count == 0 {
		return
	}
	fmt.Fprintf(w, "  %s: %s\n", word, someOf(c.Of))
}

// someOf names the first of the numbers, and says how many more there are.
func someOf(list []string) string {
	more := ""
	if n := len(list) - maxListed; n > 0 {
		list, more = list[:maxListed], fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(list, ", ") + more
}
