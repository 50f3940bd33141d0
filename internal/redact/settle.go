package redact

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/pipeline"
)

// settle enrols, settles in which mode the run can go on, and makes the orders, one for each
// purpose. It refuses to go on where a pupil who must be obscured could not be recognised, unless
// the user has said what to do then.
func settle(ctx context.Context, o Options, r rules, vision pipeline.Vision) ([]pipeline.Order, error) {
	mode := o.Mode
	var enrolled enrolment
	if mode != pipeline.Everyone {
		var err error
		if enrolled, err = enrol(ctx, o, r, vision); err != nil {
			return nil, err
		}
		if mode, err = r.safeMode(o, enrolled); err != nil {
			return nil, &UsageError{err}
		}
	}
	g, err := gallery.New(enrolled.references, gallery.DefaultThresholds().Tightened(enrolled.references))
	if err != nil {
		return nil, fmt.Errorf("making the gallery: %w", err)
	}
	orders := make([]pipeline.Order, len(o.Purposes))
	for i, purpose := range o.Purposes {
		orders[i] = pipeline.NewOrder(pipeline.Order{
			Purpose: purpose, Mode: mode, Policy: r.policy, UnknownFace: o.UnknownFace,
			Register: r.register, Gallery: g, Style: o.Style, On: o.Now(), ModelDigest: o.ModelDigest,
		})
	}
	return orders, nil
}

// safeMode is the mode in which the run may go on with those who could be enrolled.
func (r rules) safeMode(o Options, e enrolment) (pipeline.Mode, error) {
	if unnamed := e.unnamed(); len(unnamed) > 0 {
		return "", fmt.Errorf("nothing was processed, as these references cannot be read, or belong to nobody in the register:\n%s", list(unnamed))
	}
	if o.Mode == pipeline.Cleared { // who is not enrolled is obscured
		e.note(o.Progress)
		return o.Mode, nil
	}
	unsafe := r.unrecognisable(o, e)
	if len(unsafe) == 0 {
		e.note(o.Progress)
		return o.Mode, nil
	}
	switch o.WhenNotEnrolled {
	case AsCleared, AsEveryone:
		mode := pipeline.Mode(o.WhenNotEnrolled)
		e.note(o.Progress)
		o.Progress.Note(fmt.Sprintf("going on in mode %s, as these must be obscured but are not enrolled: %s", mode, strings.Join(unsafe, ", ")))
		return mode, nil
	}
	return "", fmt.Errorf("nothing was processed: these must be obscured but are not enrolled, so they would not be recognised: %s%s\n"+
		"Choose: enrol them; say who was there (--attending); or --when-not-enrolled cleared (show only enrolled pupils who may be shown) "+
		"or everyone (obscure every face)", strings.Join(unsafe, ", "), e.why())
}

// unrecognisable lists the subjects without whom an objectors run is not safe: of those who must be
// obscured the ones whose references were all refused, and, where unknown faces are shown, all
// who have no reference.
func (r rules) unrecognisable(o Options, e enrolment) []string {
	refused := map[string]bool{}
	for _, ref := range e.refused {
		refused[ref.subject] = true
	}
	shown := r.unknownFace(o) == consent.Show
	return slices.DeleteFunc(r.hidden(o), func(id string) bool {
		return e.has(id) || !refused[id] && !shown
	})
}

// unknownFace is what becomes of a face that matches nobody.
func (r rules) unknownFace(o Options) consent.Outcome {
	return consent.UnknownFace(r.policy, o.UnknownFace).Outcome
}

func (e enrolment) has(subject string) bool {
	return slices.ContainsFunc(e.references, func(r gallery.Reference) bool { return r.Subject == subject })
}

// unnamed are the files that could not be put to a subject.
func (e enrolment) unnamed() []refusal {
	return slices.DeleteFunc(slices.Clone(e.refused), func(r refusal) bool { return r.subject != "" })
}

// note tells the user which references were left aside.
func (e enrolment) note(p Progress) {
	if len(e.refused) > 0 {
		p.Note("these references were refused:\n" + list(e.refused))
	}
}

func (e enrolment) why() string {
	if len(e.refused) == 0 {
		return ""
	}
	return "\nThese references were refused:\n" + list(e.refused)
}

// Orders reads the rules and enrols as a run with these options does, and returns the orders that
// it would work by.
func Orders(ctx context.Context, o Options, vision pipeline.Vision) ([]pipeline.Order, error) {
	r, err := readRules(o)
	if err != nil {
		return nil, err
	}
	return settle(ctx, o, r, vision)
}
