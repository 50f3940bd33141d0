package enrolment

import (
	"context"
	"fmt"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
)

// Face enrols one face of a photograph that shows others too, because a person has said whose it
// is: the face is cut out and then goes the way of every reference. The error is a [*Faults] or a
// [*Stranger] where it is not good enough, and the note what there is to say of one that is kept.
func (s Session) Face(ctx context.Context, subject string, photograph []byte, box face.Box) (note string, err error) {
	r, err := s.start(ctx)
	if err != nil {
		return "", err
	}
	if why := mustGo(r.register, subject, r.now); why != "" {
		return "", &Faults{[]string{why}}
	}
	c, err := s.cut(ctx, photograph, box, r.today)
	if err != nil {
		return "", err
	}
	note, err = Admit(c, subject, r.judge.gallery, r.register.Lookalikes(subject))
	if err != nil {
		return "", err
	}
	e := s.enrolled(subject, c, r.today)
	if err := s.Store.Add(ctx, e, c.Portrait); err != nil {
		return "", err
	}
	// Consent that was withdrawn meanwhile is heeded.
	r.stored[e.key()] = e
	gone, err := r.reconcile(ctx)
	if why := gone[subject]; err == nil && why != "" {
		err = &Faults{[]string{why}}
	}
	return note, err
}

// cut cuts the face out of the photograph and examines it.
func (s Session) cut(ctx context.Context, photograph []byte, box face.Box, today consent.Date) (Candidate, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.TimeOut, errTooSlow)
	defer cancel()
	if _, err := s.Looker.Decode(ctx, photograph); err != nil {
		return Candidate{}, err
	}
	crop, err := s.Looker.Portrait(ctx, box)
	if err != nil {
		return Candidate{}, fmt.Errorf("cutting the face out: %w", err)
	}
	return Examine(ctx, crop, s.Looker, today)
}

// enrolled is the record of a candidate that was admitted.
func (s Session) enrolled(subject string, c Candidate, today consent.Date) Enrolled {
	return Enrolled{
		Subject: subject, Digest: c.Digest, Models: s.Models, Templates: c.Templates, Quality: c.Quality,
		Side: c.Side, Box: c.Box, Added: today, Taken: c.Taken,
	}
}
