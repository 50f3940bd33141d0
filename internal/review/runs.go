package review

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Run is a run that kept its state, so that it can be done again when a face was decided.
type Run struct {
	Out      string          `json:"out"`     // the output folder, absolute; its report says what waits
	Command  json.RawMessage `json:"command"` // how to do it again, as the command line keeps it
	Finished time.Time       `json:"finished"`
}

// Remember keeps the run in the place of an earlier one with the same output folder. The key is a
// digest, as folders can be called after people.
func (s *Store) Remember(ctx context.Context, r Run) error {
	value, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("writing down a run: %w", err)
	}
	sum := sha256.Sum256([]byte(r.Out))
	_, err = s.runs.Put(ctx, hex.EncodeToString(sum[:]), value)
	return err
}

// Runs lists the runs, the latest first.
func (s *Store) Runs(ctx context.Context) ([]Run, error) {
	var runs []Run
	for change, err := range s.runs.Watch(ctx) {
		if err != nil {
			return nil, fmt.Errorf("reading which runs there were: %w", err)
		}
		if change.CaughtUp {
			break
		}
		if change.Deleted {
			continue
		}
		var r Run
		if err := json.Unmarshal(change.Value, &r); err != nil {
			return nil, fmt.Errorf("reading which runs there were: %w", err)
		}
		runs = append(runs, r)
	}
	slices.SortFunc(runs, func(a, b Run) int {
		return cmp.Or(b.Finished.Compare(a.Finished), cmp.Compare(a.Out, b.Out))
	})
	return runs, nil
}
