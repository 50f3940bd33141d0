package bus

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// The kinds of jobs.
const (
	KindImage = "image"
	KindVideo = "video"
)

// JobVersion is the version of Job that this package writes and reads.
const JobVersion = 1

// Job asks for one asset to be made fit for one or more purposes. There is no place in it for a
// file name.
type Job struct {
	Version  int      `json:"version"`         // JobVersion
	Kind     string   `json:"kind"`            // KindImage or KindVideo
	Asset    string   `json:"asset"`           // digest of the original in Quarantine
	Purposes []string `json:"purposes"`        // at least one; their order says nothing
	Order    []byte   `json:"order,omitempty"` // the rest of what is asked for (policy, mode, style …); opaque here
}

// Key names the job: the SHA-256 in hexadecimal of all that it asks for. Two jobs with the same key
// would make the same files, so that only one of them waits at a time. The key is the last token of
// the job's subject and by custom its key in States.
func (j Job) Key() string {
	purposes := slices.Clone(j.Purposes)
	slices.Sort(purposes)
	h := sha256.New()
	for _, part := range append([]string{j.Kind, j.Asset, string(j.Order)}, slices.Compact(purposes)...) {
		fmt.Fprintf(h, "%d:%s", len(part), part) // the length keeps "a"+"bc" apart from "ab"+"c"
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (j Job) subject() string { return "jobs." + j.Kind + "." + j.Key() }

func (j Job) check() error {
	switch {
	case j.Version != JobVersion:
		return fmt.Errorf("%w: job version %d", ErrInvalid, j.Version)
	case !slices.Contains(kinds(), j.Kind):
		return fmt.Errorf("%w: kind of job", ErrInvalid)
	case len(j.Purposes) == 0 || slices.Contains(j.Purposes, ""):
		return fmt.Errorf("%w: a job needs purposes", ErrInvalid)
	}
	return checkDigest(j.Asset)
}

// parseJob reads a message of the queue. The subject must be the one that the content leads to.
func parseJob(subject string, data []byte) (Job, error) {
	var j Job
	if err := decodeStrict(data, &j); err != nil {
		return Job{}, fmt.Errorf("%w: job: %w", ErrInvalid, err)
	}
	if err := j.check(); err != nil {
		return Job{}, err
	}
	if subject != j.subject() {
		return Job{}, fmt.Errorf("%w: the job does not belong to its subject", ErrInvalid)
	}
	return j, nil
}

// Submit puts a job on its queue. added is false where the same job waits or is at work already;
// that is no error. After the job was done or rejected it may be submitted again. Version may be
// left zero.
//
// After ErrUnavailable the job may have been taken or not: submit it again.
func (b *Bus) Submit(ctx context.Context, j Job) (added bool, err error) {
	if j.Version == 0 {
		j.Version = JobVersion
	}
	if err := j.check(); err != nil {
		return false, fmt.Errorf("submit a job: %w", err)
	}
	data, err := json.Marshal(j)
	if err != nil {
		return false, fmt.Errorf("submit a job: %w", err)
	}
	_, err = b.js.Publish(ctx, j.subject(), data)
	if isDuplicate(err) {
		return false, nil
	}
	return err == nil, wrap("submit a job", err)
}

// isDuplicate tells the refusal of a second message on a subject from every other refusal. Code
// 10077 covers all failures to store; only the text tells them apart.
func isDuplicate(err error) bool {
	const (
		streamStoreFailed = 10077
		text              = "maximum messages per subject"
	)
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == streamStoreFailed && strings.Contains(api.Description, text)
}

// decodeStrict refuses unknown fields and trailing bytes: what this version does not understand it
// must not act upon.
func decodeStrict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return errors.New("trailing bytes")
	}
	return nil
}

// checkDigest wants 64 lower-case hexadecimal digits.
func checkDigest(s string) error {
	if len(s) != sha256.Size*2 || strings.Trim(s, "0123456789abcdef") != "" {
		return fmt.Errorf("%w: not a SHA-256 in lower-case hexadecimal", ErrInvalid)
	}
	return nil
}
