package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sys/unix"
)

// What callers tell apart. Everything else is a failure without a remedy in code.
var (
	// ErrNotFound: there is no such blob, key, or state.
	ErrNotFound = errors.New("not found")
	// ErrConflict: somebody else wrote first. What this caller wanted to write was not written.
	ErrConflict = errors.New("changed by somebody else")
	// ErrUnavailable: the server did not answer, or refused for want of rights. What was
	// asked for may or may not have happened.
	ErrUnavailable = errors.New("the NATS server is not available")
	// ErrFull: the server has no room left on its disk. Nothing was written; a retry is of no use.
	ErrFull = errors.New("the disk of the NATS server is full")
	// ErrLocked: another process uses the store folder.
	ErrLocked = errors.New("the store folder is in use by another process")
	// ErrTooOld: the server has bugs that lose jobs.
	ErrTooOld = errors.New("the NATS server is too old")
	// ErrAltered: stored bytes are missing or are not what they were.
	ErrAltered = errors.New("stored content was altered or is incomplete")
	// ErrLeaseLost: no heartbeat was sent for so long that another worker may hold the job.
	ErrLeaseLost = errors.New("the lease of the job has run out")
	// ErrExhausted: the job was handed out as often as allowed; it is now a dead letter.
	ErrExhausted = errors.New("the job has no attempts left")
	// ErrInvalid: what was given cannot be a digest, key, kind, job or state.
	ErrInvalid = errors.New("invalid")
)

// wrap says what was being done and which of the errors above it came to.
func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	if kind := classify(err); kind != nil {
		return fmt.Errorf("%s: %w: %w", doing, kind, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// classify finds the error of this package that err stands for, or nil where err already is one
// or is the end of a context.
func classify(err error) error {
	for _, own := range []error{ErrNotFound, ErrConflict, ErrUnavailable, ErrFull, ErrAltered, ErrInvalid, context.Canceled} {
		if errors.Is(err, own) {
			return nil
		}
	}
	if isAny(err, jetstream.ErrKeyNotFound, jetstream.ErrKeyDeleted, jetstream.ErrMsgNotFound, jetstream.ErrObjectNotFound) {
		return ErrNotFound
	}
	if isAny(err, jetstream.ErrInvalidKey, jetstream.ErrStreamMessageExceedsMaximum, nats.ErrMaxPayload) {
		return ErrInvalid
	}
	if isConflict(err) {
		return ErrConflict
	}
	if isFull(err) {
		return ErrFull
	}
	return ErrUnavailable
}

// isFull knows the server's two codes for a limit of storage (insufficient resources, storage
// resources exceeded) and the words of the operating system.
func isFull(err error) bool {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return false
	}
	return api.ErrorCode == 10023 || api.ErrorCode == 10047 || strings.Contains(api.Description, unix.ENOSPC.Error())
}

// isConflict is a look at the code because the client has a name for only one of the two that the
// server uses for a wrong last sequence.
func isConflict(err error) bool {
	if isAny(err, jetstream.ErrKeyExists, jetstream.ErrKeyRevisionMismatch) {
		return true
	}
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

func isAny(err error, targets ...error) bool {
	for _, t := range targets {
		if errors.Is(err, t) {
			return true
		}
	}
	return false
}
