package enrolment

import (
	"fmt"
	"time"

	"github.com/consentry/consentry/internal/consent"
)

// old asks for a new photograph where one was taken more than so many months ago; 0 is DefaultMonths.
func old(taken, today consent.Date, months int) string {
	if months == 0 {
		months = DefaultMonths
	}
	if !olderThan(taken, today, months) {
		return ""
	}
	every := fmt.Sprintf("every %d months", months)
	if months == 12 {
		every = "each year (Perse)"
	}
	return fmt.Sprintf("taken on %s, more than %d months ago; a new photograph is asked for %s", taken, months, every)
}

// olderThan is false where a date is not known.
func olderThan(day, today consent.Date, months int) bool {
	then, err := time.Parse(time.DateOnly, string(day))
	now, err2 := time.Parse(time.DateOnly, string(today))
	return err == nil && err2 == nil && then.AddDate(0, months, 0).Before(now)
}
