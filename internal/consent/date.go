package consent

import (
	"cmp"
	"errors"
	"time"
)

// Date is a day of the calendar, written YYYY-MM-DD; the empty Date means that none is given.
// Consents are given and end by the day, so that no time zone can move them. Dates compare as
// strings do.
type Date string

// Years outside of this range are slips of the pen (0204 for 2024): a refusal dated 2924 would
// otherwise wait nine hundred years to take effect.
const (
	firstYear = 1900
	lastYear  = 2199
)

var (
	errDateFormat = errors.New("must be a date of the calendar, written YYYY-MM-DD")
	errDateYear   = errors.New("must be a date between the years 1900 and 2199")
)

// ParseDate reads YYYY-MM-DD and nothing else.
func ParseDate(text string) (Date, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return "", errDateFormat
	}
	if t.Year() < firstYear || t.Year() > lastYear {
		return "", errDateYear
	}
	return Date(text), nil
}

// DateOf is the day that t falls on in t's own location: hand in the school's local time, since a
// consent withdrawn "today" must count from the school's midnight. The zero time and others outside
// of the years 1900 to 2199 have no date.
func DateOf(t time.Time) Date {
	if t.Year() < firstYear || t.Year() > lastYear {
		return ""
	}
	return Date(t.Format(time.DateOnly))
}

// valid says whether the date is empty or well-formed.
func (d Date) valid() error {
	if d == "" {
		return nil
	}
	_, err := ParseDate(string(d))
	return err
}

// before says whether both dates are given and d is the earlier.
func (d Date) before(o Date) bool {
	return d != "" && o != "" && cmp.Less(d, o)
}
