package pipeline

import (
	"context"
	"errors"

	"github.com/consentry/consentry/internal/media"
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

// KindOf sorts an error of a step.
func KindOf(err error) Kind {
	switch {
	case errors.Is(err, ErrCrashed), errors.Is(err, context.DeadlineExceeded):
		return Retry
	case errors.Is(err, media.ErrDamaged), errors.Is(err, media.ErrUnsupported), errors.Is(err, media.ErrTooLarge):
		return Reject
	}
	return Hold
}
