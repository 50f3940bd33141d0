package enrolment

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/consentry/consentry/internal/consent"
)

// Removed is a subject of whom everything that was enrolled has been destroyed.
type Removed struct {
	Subject    string // admission number
	References int    // how many
	Reason     string // a sentence, with the record that it rests on
}

// Reconcile destroys the templates and portraits of every subject who may not be enrolled any more
// or is not in the register any more. It goes by the keys alone, so that what cannot be read is
// destroyed as well. It also erases portraits that a killed run left without a template. It is to be
// called after each change of the register and at each start. An error means that something that
// must be destroyed may still be there; what was destroyed is given all the same.
func Reconcile(ctx context.Context, s *Store, reg *consent.Register, on time.Time) ([]Removed, error) {
	keys, err := s.keys(ctx)
	if err != nil {
		return nil, err
	}
	reasons := map[string]string{} // of each subject, empty for who may stay
	for _, k := range keys {
		if _, ok := reasons[k.subject]; !ok {
			reasons[k.subject] = mustGo(reg, k.subject, on)
		}
	}
	templates, err := s.erase(ctx, keys, func(k key) bool { return k.orphan || reasons[k.subject] != "" })
	var removed []Removed
	for _, subject := range slices.Sorted(maps.Keys(templates)) {
		removed = append(removed, Removed{subject, templates[subject], reasons[subject]})
	}
	return removed, err
}

// latest is the day, or a later one on which something about the subject is dated: a clock that runs
// behind the register must not destroy what the next correct one would allow. (Nobody is matched
// who may not be enrolled on the day itself.)
func latest(reg *consent.Register, subject string, on time.Time) time.Time {
	for _, r := range reg.Records(subject) {
		day, err := time.ParseInLocation(time.DateOnly, string(r.Date), on.Location())
		if err == nil && r.Purpose == consent.Biometric && day.After(on) {
			on = day
		}
	}
	return on
}

// mustGo says why nothing of a subject may be kept, or nothing.
func mustGo(reg *consent.Register, subject string, on time.Time) string {
	if !reg.Has(subject) {
		return subject + " is not in the register"
	}
	permit := consent.MayEnrol(reg, subject, on)
	switch {
	case permit.Allowed, consent.MayEnrol(reg, subject, latest(reg, subject, on)).Allowed:
		return ""
	case permit.Text == "":
		return subject + " may not be enrolled"
	}
	return permit.Text
}
