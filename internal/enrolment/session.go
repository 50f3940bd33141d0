package enrolment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/internal/media"
)

// DefaultMonths is how old a reference may be before a new photograph is asked for (Perse: the
// photographs are retaken each year).
const DefaultMonths = 12

// Session enrols photographs. All fields but those that say otherwise must be set.
type Session struct {
	Looker Looker
	// Register gives the register as it is now. It is asked at the beginning and, where there is a
	// store, again when all is written: consent that was withdrawn in between is heeded.
	Register func(ctx context.Context) (*consent.Register, error)
	Store    *Store // where references are kept; nil keeps them in memory only
	Models   string // digest of the models, hexadecimal
	// Thresholds are those of the gallery that the references are to join.
	Thresholds gallery.Thresholds
	Limits     media.Limits
	TimeOut    time.Duration         // for one photograph
	Now        func() time.Time      // in the school's time
	Months     int                   // how old a reference may be; 0 is DefaultMonths
	Progress   func(done, total int) // nil for none
}

// Refusal is a photograph that was not enrolled.
type Refusal struct {
	Subject string // admission number
	Path    string // of the photograph, for the user alone
	Reason  string
}

// Result is what became of the photographs. Subjects are in order.
type Result struct {
	Added   int
	Already int // were enrolled before, by the same models
	Refused []Refusal
	Notes   []Refusal  // enrolled, but there is something to say of it
	Removed []Removed  // may not be enrolled any more; destroyed
	Again   []Enrolled // made by other models, and not among the photographs given
	// References are all that may be matched against: those of the store and the new ones.
	References []gallery.Reference
}

// Run enrols the photographs. The error is the context's, the register's or the store's; then the
// result says what was done until then, and the same call goes on from there. What is wrong with a
// photograph is in the result.
func (s Session) Run(ctx context.Context, files []intake.ReferenceFile) (Result, error) {
	r, err := s.start(ctx)
	if err != nil {
		return Result{}, err
	}
	lookErr := r.look(ctx, files)
	// What was looked at before an interruption is judged and kept, so that it is not looked at again.
	if err := r.finish(context.WithoutCancel(ctx)); err != nil {
		return r.result, errors.Join(lookErr, err)
	}
	return r.result, lookErr
}

// checkpoint is after how many new references what is admitted so far is written, for the case of
// a kill: some ten seconds' work.
const checkpoint = 50

// run is one call of Session.Run.
type run struct {
	Session
	register *consent.Register
	today    consent.Date
	now      time.Time
	stored   map[string]Enrolled // by key: of these models
	old      map[string]Enrolled // by key: of others
	owners   map[string]string   // the subject of each stored photograph, by digest
	judge    *judge
	fresh    []*fresh // in the order of judge.newcomers
	seen     map[string]bool
	result   Result
}

// fresh is a photograph that was looked at in this run.
type fresh struct {
	file     intake.ReferenceFile
	enrolled Enrolled
	portrait []byte
	newcomer *newcomer
	written  bool
}

func (s Session) start(ctx context.Context) (*run, error) {
	register, err := s.Register(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the register: %w", err)
	}
	r := &run{
		Session: s, register: register, now: s.Now(), stored: map[string]Enrolled{}, old: map[string]Enrolled{},
		owners: map[string]string{}, seen: map[string]bool{},
	}
	r.today = consent.DateOf(r.now)
	var references []gallery.Reference
	if s.Store != nil {
		if references, err = r.load(ctx); err != nil {
			return nil, err
		}
	}
	g, err := gallery.New(references, s.Thresholds)
	if err != nil {
		return nil, fmt.Errorf("making a gallery of the references: %w", err)
	}
	r.judge = newJudge(g, register.Lookalikes)
	return r, nil
}

// load reads what is stored, after what must not be any more has been destroyed.
func (r *run) load(ctx context.Context) ([]gallery.Reference, error) {
	var err error
	if r.result.Removed, err = Reconcile(ctx, r.Store, r.register, r.now); err != nil {
		return nil, err
	}
	all, err := r.Store.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if e.Models == r.Models {
			r.stored[e.key()], r.owners[e.Digest] = e, e.Subject
		} else {
			r.old[e.key()] = e
		}
	}
	references, _ := References(all, r.Models)
	return references, nil
}

// look looks at every photograph.
func (r *run) look(ctx context.Context, files []intake.ReferenceFile) error {
	for i, file := range files {
		r.progress(i, len(files))
		if err := r.photograph(ctx, file); err != nil {
			return err
		}
		if n := len(r.fresh); n > 0 && n%checkpoint == 0 && r.fresh[n-1].file == file {
			if err := r.write(ctx); err != nil {
				return err
			}
		}
	}
	r.progress(len(files), len(files))
	return nil
}

func (r *run) progress(done, total int) {
	if r.Progress != nil {
		r.Progress(done, total)
	}
}

func (r *run) refuse(file intake.ReferenceFile, reason string) {
	r.result.Refused = append(r.result.Refused, Refusal{file.Subject, intake.Display(file.Path), reason})
}

func (r *run) note(file intake.ReferenceFile, text string) {
	if text != "" {
		r.result.Notes = append(r.result.Notes, Refusal{file.Subject, intake.Display(file.Path), text})
	}
}

// photograph looks at one. Only the end of the whole run is an error.
func (r *run) photograph(ctx context.Context, file intake.ReferenceFile) error {
	if why := mustGo(r.register, file.Subject, r.now); why != "" {
		r.refuse(file, why)
		return nil
	}
	data, err := read(file, r.Limits)
	if err != nil {
		r.refuse(file, err.Error())
		return nil
	}
	digest := digestOf(data)
	if r.isKnown(file, digest) {
		return nil
	}
	c, err := r.examine(ctx, data)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		r.refuse(file, err.Error())
		return nil
	}
	r.take(file, c)
	return nil
}

// isKnown says that nothing needs to be done about a photograph, since it was enrolled before, was
// given twice, or is that of somebody else.
func (r *run) isKnown(file intake.ReferenceFile, digest string) bool {
	key := templateKey(file.Subject, digest)
	stored, there := r.stored[key]
	owner := r.owners[digest]
	switch {
	case there || r.seen[key]:
		r.result.Already++
		r.note(file, r.age(stored.Taken))
	case owner != "" && owner != file.Subject:
		r.refuse(file, stranger(&newcomer{reference: gallery.Reference{Subject: file.Subject}}, owner, "is the very photograph that is enrolled for %[2]s").Text)
	default:
		r.seen[key] = true
		return false
	}
	return true
}

var errTooSlow = errors.New("looking at it took too long")

// examine bounds the time of one photograph: one over which the decoder does not come to an end
// must not hold up the others.
func (r *run) examine(ctx context.Context, data []byte) (Candidate, error) {
	limited, cancel := context.WithTimeoutCause(ctx, r.TimeOut, errTooSlow)
	defer cancel()
	c, err := Examine(limited, data, r.Looker, r.today)
	if err != nil && limited.Err() != nil {
		err = context.Cause(limited)
	}
	return c, err
}

func read(file intake.ReferenceFile, limits media.Limits) ([]byte, error) {
	if err := limits.CheckBytes(file.Size); err != nil {
		return nil, err
	}
	f, err := file.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limits.MaxBytes))
}

func (r *run) take(file intake.ReferenceFile, c Candidate) {
	e := r.enrolled(file.Subject, c, r.today)
	n := r.judge.add(e.Reference())
	r.fresh = append(r.fresh, &fresh{file: file, enrolled: e, portrait: c.Portrait, newcomer: n})
}

// age asks for a new photograph where this one is old.
func (r *run) age(taken consent.Date) string { return old(taken, r.today, r.Months) }

// write judges what was looked at so far and brings the store to that: what came later may speak
// against what was admitted before.
func (r *run) write(ctx context.Context) error {
	r.judge.judge()
	if r.Store == nil {
		return nil
	}
	for _, f := range r.fresh {
		admitted := f.newcomer.verdict == nil
		if admitted == f.written {
			continue
		}
		var err error
		if admitted {
			err = r.Store.Add(ctx, f.enrolled, f.portrait)
		} else {
			err = r.Store.RemoveReference(ctx, f.enrolled.Subject, f.enrolled.Digest)
		}
		if err != nil {
			return err
		}
		f.written = admitted
	}
	return nil
}

// finish writes what is admitted, and destroys again what was enrolled of those whose consent was
// withdrawn meanwhile.
func (r *run) finish(ctx context.Context) error {
	if err := r.write(ctx); err != nil {
		return err
	}
	gone, err := r.reconcile(ctx)
	if err != nil {
		return err
	}
	for _, f := range r.fresh {
		switch v := f.newcomer.verdict; {
		case gone[f.enrolled.Subject] != "":
			r.refuse(f.file, gone[f.enrolled.Subject])
		case v != nil:
			r.refuse(f.file, v.Text)
		default:
			r.result.Added++
			r.stored[f.enrolled.key()] = f.enrolled
			r.note(f.file, f.newcomer.note)
			r.note(f.file, r.age(f.enrolled.Taken))
		}
		delete(r.old, f.enrolled.key())
	}
	maps.DeleteFunc(r.stored, func(_ string, e Enrolled) bool { return gone[e.Subject] != "" })
	maps.DeleteFunc(r.old, func(_ string, e Enrolled) bool { return gone[e.Subject] != "" })
	r.list()
	return nil
}

// reconcile asks the register again. It gives the reasons by subject.
func (r *run) reconcile(ctx context.Context) (map[string]string, error) {
	if r.Store == nil {
		return nil, nil
	}
	register, err := r.Register(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the register again: %w", err)
	}
	removed, err := Reconcile(ctx, r.Store, register, r.now)
	r.result.Removed = append(r.result.Removed, removed...)
	// Not from what was removed: somebody else may have been quicker.
	gone := map[string]string{}
	for _, e := range r.stored {
		gone[e.Subject] = mustGo(register, e.Subject, r.now)
	}
	for _, f := range r.fresh {
		gone[f.enrolled.Subject] = mustGo(register, f.enrolled.Subject, r.now)
	}
	for _, e := range r.old {
		gone[e.Subject] = mustGo(register, e.Subject, r.now)
	}
	return gone, err
}

func (r *run) list() {
	for _, e := range slices.SortedFunc(maps.Values(r.stored), bySubject) {
		r.result.References = append(r.result.References, e.Reference())
	}
	r.result.Again = slices.SortedFunc(maps.Values(r.old), bySubject)
	bySubjectAndPath := func(a, b Refusal) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Path, b.Path))
	}
	slices.SortStableFunc(r.result.Refused, bySubjectAndPath)
	slices.SortStableFunc(r.result.Notes, bySubjectAndPath)
}
