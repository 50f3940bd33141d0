package pipeline

import (
	"context"
	"errors"
	"slices"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/film"
)

// ErrCrashed says that the process which looks at pictures died or stopped answering.
var ErrCrashed = errors.New("the process that looks at the file died")

// Kind says what an error means for the job.
type Kind int

// What is done about an error. There is no kind that releases.
const (
	Hold   Kind = iota // withheld for a person: the default for whatever is not known
	Retry              // tried again, and held once the attempts are used up
	Reject             // can never work: failed, and withheld
)

func isAny(err error, kinds ...error) bool {
	return slices.ContainsFunc(kinds, func(kind error) bool { return errors.Is(err, kind) })
}

// KindOf sorts an error of a step.
func KindOf(err error) Kind {
	switch {
	case isAny(err, film.ErrNoSpace, media.ErrNotScrubbed): // not the file's fault, and no better at once
		return Hold
	case isAny(err, ErrCrashed, context.DeadlineExceeded, film.ErrStalled, film.ErrDied):
		return Retry
	case isAny(err, media.ErrDamaged, media.ErrUnsupported, media.ErrTooLarge, film.ErrNoVideo, film.ErrNoFrames, film.ErrSizeChange):
		return Reject
	}
	return Hold
}
