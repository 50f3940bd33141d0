package enrolment

import (
	"time"

	"github.com/consentry/consentry/internal/consent"
)

// permit says whether a subject may be enrolled, and if not why.
func permit(reg *consent.Register, subject string, on time.Time) (allowed bool, why string) {
	granted, today := false, consent.DateOf(on)
	for _, r := range reg.Records(subject) {
		switch {
		case r.Purpose != consent.Biometric:
		case r.Decision != consent.Granted:
			return false, "biometric consent " + string(r.Decision) + " by " + string(r.Party) + " on " + string(r.Date)
		case r.Party == consent.Guardian && r.Date <= today && (r.Expires == "" || r.Expires >= today):
			granted = true
		}
	}
	return granted, "no guardian has granted the biometric consent"
}
