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

func (s *session) source() source {
	if s.galleryChanged.Swap(false) && s.options.ReferencesDir == "" {
		s.enrolled = nil
	}
	return source{vision: s.vision[0], bus: s.bus, known: &s.enrolled}
}

// settle settles in which mode the run can go on, enrols, and makes the orders, one for each
// purpose. It refuses to go on where a pupil who must be obscured could not be recognised, unless
// the user has said what to do then.
func (s source) settle(ctx context.Context, o Options, r rules) ([]pipeline.Order, error) {
	if o.For != "" && o.Mode == pipeline.Objectors {
		o.Mode = pipeline.Cleared // everybody is obscured but for those who are known and may be shown
	}
	if err := r.barUnenrollable(&o); err != nil {
		return nil, err
	}
	e := enrolled{target: gallery.DefaultTarget(), whole: gallery.DefaultThresholds()}
	if o.Mode != pipeline.Everyone {
		var err error
		if e, err = s.enrol(ctx, o, r); err != nil {
			return nil, err
		}
		if err := r.barUnenrolled(&o, e); err != nil {
			return nil, err
		}
	}
	g, err := r.gallery(e)
	if err != nil {
		return nil, err
	}
	orders := make([]pipeline.Order, len(o.Purposes))
	for i, purpose := range o.Purposes {
		orders[i] = pipeline.NewOrder(pipeline.Order{
			Purpose: purpose, Mode: o.Mode, Policy: r.policy, UnknownFace: o.UnknownFace, For: o.For,
			Register: r.register, Gallery: g, Attending: r.attending, Rulings: r.rulings,
			Style: o.Style, Film: o.Film, On: o.Now(), ModelDigest: o.ModelDigest,
		})
	}
	return orders, nil
}

// gallery is made of those who may have been there. How sure a match must be, they say themselves;
// from where on a face is perhaps somebody, everybody who is enrolled says, if they say lower.
func (r rules) gallery(e enrolled) (*gallery.Gallery, error) {
	thresholds := gallery.Calibrate(e.references, e.target).Thresholds
	thresholds.Unsure = min(thresholds.Unsure, e.whole.Unsure)
	g, err := gallery.New(e.references, thresholds)
	if err != nil {
		return nil, fmt.Errorf("making the gallery: %w", err)
	}
	return g, nil
}

// barUnenrollable stops an objectors run, or changes its mode as the user has said, where somebody
// who must be obscured may have been there and may not be enrolled: nothing would recognise them.
// It comes before anything is looked at.
func (r rules) barUnenrollable(o *Options) error {
	if o.Mode != pipeline.Objectors {
		return nil
	}
	var reasons []string
	for _, id := range r.hidden(*o) {
		if permit := consent.MayEnrol(r.register, id, o.Now()); !permit.Allowed {
			reasons = append(reasons, "  "+permit.Text)
		}
	}
	return o.goOn("these must be obscured but may not be enrolled, so they would not be recognised", reasons)
}

// barUnenrolled does the same for those who may be enrolled and are not.
func (r rules) barUnenrolled(o *Options, e enrolled) error {
	if unnamed := e.unnamed(); len(unnamed) > 0 {
		return &UsageError{fmt.Errorf("nothing was processed, as these references cannot be read, or belong to nobody in the register:\n%s", list(unnamed))}
	}
	e.note(o.Progress)
	if has, _ := e.subjects(); o.For != "" && !has[o.For] {
		o.Progress.Note(fmt.Sprintf("%s is not enrolled, and so is not recognised and obscured like everybody else", o.For))
	}
	if o.Mode != pipeline.Objectors { // who is not enrolled is obscured
		return nil
	}
	var reasons []string
	for _, id := range r.unrecognisable(*o, e) {
		reasons = append(reasons, "  "+id+e.why(id))
	}
	return o.goOn("these must be obscured but are not enrolled, so they would not be recognised", reasons)
}

// goOn stops the run for the reasons, if there are any, or changes its mode.
func (o *Options) goOn(what string, reasons []string) error {
	if len(reasons) == 0 {
		return nil
	}
	text := what + ":\n" + strings.Join(reasons, "\n")
	switch o.WhenNotEnrolled {
	case AsCleared, AsEveryone:
		o.Mode = pipeline.Mode(o.WhenNotEnrolled)
		o.Progress.Note(fmt.Sprintf("going on in mode %s, as %s", o.Mode, text))
		return nil
	}
	return &UsageError{&unsafeError{text}}
}

// unsafeError says that somebody who must be obscured would not be recognised.
type unsafeError struct{ text string }

func (e *unsafeError) Error() string {
	return fmt.Sprintf("nothing was processed: %s\n"+
		"Choose: enrol them, where they may be; say who was there (--attending); "+
		"or --when-not-enrolled cleared (show only enrolled pupils who may be shown) "+
		"or everyone (obscure every face)", e.text)
}

// unrecognisable lists the subjects without whom an objectors run is not safe: of those who must be
// obscured the ones whose references were all refused, and, where unknown faces are shown, all
// who have no reference.
func (r rules) unrecognisable(o Options, e enrolled) []string {
	shown := r.unknownFace(o) == consent.Show
	has, refused := e.subjects()
	return slices.DeleteFunc(r.hidden(o), func(id string) bool {
		return has[id] || !refused[id] && !shown
	})
}

// unknownFace is what becomes of a face that matches nobody.
func (r rules) unknownFace(o Options) consent.Outcome {
	return consent.UnknownFace(r.policy, o.UnknownFace).Outcome
}

// Orders reads the rules and enrols as a run with these options does that is given its register and
// its references as files, and returns the orders that it would work by.
func Orders(ctx context.Context, o Options, vision pipeline.Vision) ([]pipeline.Order, error) {
	policy, err := readPolicy(o)
	if err != nil {
		return nil, err
	}
	r, err := readRules(ctx, o, policy, nil, nil)
	if err != nil {
		return nil, err
	}
	var known *enrolled
	return source{vision: vision, known: &known}.settle(ctx, o, r)
}
