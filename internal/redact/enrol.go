package redact

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/enrolment"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/pipeline"
)

// source is where references come from: from files, which vision looks at once, or from the state.
type source struct {
	vision pipeline.Vision
	bus    *bus.Bus   // nil where only files are given
	known  **enrolled // what was made of the files; points at nil before
}

// enrolled is who could be enrolled, and what was wrong with the references of others.
type enrolled struct {
	references []gallery.Reference
	target     gallery.Target
	whole      gallery.Thresholds // what all who are enrolled ask for, whoever was there
	refused    []enrolment.Refusal
	notes      []enrolment.Refusal
}

// enrol gives the references of those who may have been there and may be enrolled today. An error
// means that nothing can be enrolled; what is wrong with single files is in the enrolment.
func (s source) enrol(ctx context.Context, o Options, r rules) (enrolled, error) {
	if *s.known == nil {
		from := s.fromFiles
		if o.ReferencesDir == "" {
			from = s.fromState
		}
		e, err := from(ctx, o, r)
		if err != nil {
			return enrolled{}, err
		}
		e.whole = gallery.Calibrate(e.references, e.target).Thresholds
		*s.known = &e
	}
	e := **s.known
	e.references = slices.DeleteFunc(slices.Clone(e.references), func(ref gallery.Reference) bool {
		return !r.attended(ref.Subject) || !consent.MayEnrol(r.register, ref.Subject, o.Now()).Allowed
	})
	return e, nil
}

// fromFiles looks at every reference photograph of a subject who may have been there.
func (s source) fromFiles(ctx context.Context, o Options, r rules) (enrolled, error) {
	files, problems, err := intake.References(o.ReferencesDir, r.register.Has)
	if err != nil {
		return enrolled{}, &UsageError{fmt.Errorf("reading the references: %w", err)}
	}
	files = slices.DeleteFunc(files, func(f intake.ReferenceFile) bool { return !r.attended(f.Subject) })
	result, err := enrolment.Session{
		Looker:     s.vision,
		Register:   func(context.Context) (*consent.Register, error) { return r.register, nil },
		Models:     o.ModelDigest,
		Thresholds: gallery.DefaultThresholds(),
		Limits:     o.Limits,
		TimeOut:    o.TimeOut,
		Now:        o.Now,
		Months:     referenceMonths(r.policy),
		Progress:   o.Progress.Enrolling,
	}.Run(ctx, files)
	if err != nil {
		return enrolled{}, err
	}
	e := enrolled{references: result.References, target: gallery.DefaultTarget(), refused: result.Refused, notes: result.Notes}
	for _, p := range problems {
		e.refused = append(e.refused, enrolment.Refusal{Reason: p.Error()})
	}
	return e, nil
}

// referenceMonths is how old a reference may be by the policy; 0 where it does not say.
func referenceMonths(p consent.Policy) int {
	if p.Retention == nil {
		return 0
	}
	return p.Retention.ReferenceMonths
}

// fromState takes who is enrolled in the state. What may not be kept any more is destroyed first.
func (s source) fromState(ctx context.Context, o Options, r rules) (enrolled, error) {
	if s.bus == nil || o.StateDir == "" && o.NATSURL == "" {
		return enrolled{}, &UsageError{fmt.Errorf("mode %s needs references: give --references DIR, or use --mode everyone", o.Mode)}
	}
	store := enrolment.New(s.bus.Gallery())
	if o.RegisterDir == "" {
		removed, err := enrolment.Reconcile(ctx, store, r.register, o.Now())
		if err != nil {
			return enrolled{}, fmt.Errorf("destroying templates that may not be kept any more: %w", err)
		}
		for _, gone := range removed {
			o.Progress.Note(fmt.Sprintf("the templates and references of %s are destroyed: %s", gone.Subject, gone.Reason))
		}
	}
	all, err := store.List(ctx)
	if err != nil {
		return enrolled{}, fmt.Errorf("reading the gallery: %w", err)
	}
	target, chosen, err := store.Target(ctx)
	if err != nil {
		return enrolled{}, fmt.Errorf("reading the gallery: %w", err)
	}
	if !chosen {
		target = gallery.DefaultTarget()
	}
	e := enrolled{target: target}
	var again []enrolment.Enrolled
	e.references, again = enrolment.References(all, o.ModelDigest)
	for _, old := range again {
		e.refused = append(e.refused, enrolment.Refusal{Subject: old.Subject, Reason: "made by other models; enrol the photograph again"})
	}
	return e, nil
}

// subjects says who has a reference, and of whom some were refused.
func (e enrolled) subjects() (has, refused map[string]bool) {
	has, refused = map[string]bool{}, map[string]bool{}
	for _, r := range e.references {
		has[r.Subject] = true
	}
	for _, r := range e.refused {
		refused[r.Subject] = true
	}
	return has, refused
}

// unnamed are the files that could not be put to a subject.
func (e enrolled) unnamed() []enrolment.Refusal {
	return slices.DeleteFunc(slices.Clone(e.refused), func(r enrolment.Refusal) bool { return r.Subject != "" })
}

// note tells the user which references were left aside, and what there is to say of the others.
func (e enrolled) note(p Progress) {
	if len(e.refused) > 0 {
		p.Note("these references were refused:\n" + list(e.refused))
	}
	if len(e.notes) > 0 {
		p.Note("of these references there is something to say:\n" + list(e.notes))
	}
}

// why says what was wrong with the subject's references.
func (e enrolled) why(subject string) string {
	var reasons []string
	for _, r := range e.refused {
		if r.Subject == subject {
			reasons = append(reasons, located(r))
		}
	}
	if len(reasons) == 0 {
		return ": no reference"
	}
	return ": " + strings.Join(reasons, "; ")
}

// list joins refusals, a line each.
func list(refused []enrolment.Refusal) string {
	lines := make([]string, len(refused))
	for i, r := range refused {
		lines[i] = "  " + located(r)
	}
	return strings.Join(lines, "\n")
}

func located(r enrolment.Refusal) string {
	if r.Path == "" {
		return r.Reason
	}
	return r.Path + ": " + r.Reason
}
