package consent

import (
	"fmt"
	"strconv"
)

// yearNumber counts year groups from 0 (R, reception) to 13; ok is false for the empty text and all
// that is no year group.
func yearNumber(text string) (n int, ok bool) {
	if text == "R" {
		return 0, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 1 && n <= 13 && strconv.Itoa(n) == text
}

// holds says whether the year group is known and in the range. No range holds for everybody.
func (r *YearGroups) holds(yearGroup string) bool {
	if r == nil {
		return true
	}
	n, known := yearNumber(yearGroup)
	from, ok1 := yearNumber(r.From)
	to, ok2 := yearNumber(r.To)
	return known && ok1 && ok2 && from <= n && n <= to
}

// holds says whether the age is known and in the range. No range holds for everybody.
func (r *Ages) holds(age int, known bool) bool {
	if r == nil {
		return true
	}
	return known && age >= r.From && (r.To == 0 || age <= r.To)
}

// age is the subject's age in whole years on the day; ok is false where it is not known. Who was
// born on 29 February is a year older on 1 March of the years that have no such day.
func (s *Subject) age(day Date) (years int, ok bool) {
	by, bmd, ok1 := s.Born.split()
	dy, dmd, ok2 := day.split()
	if !ok1 || !ok2 || day.before(s.Born) {
		return 0, false
	}
	years = dy - by
	if dmd < bmd {
		years--
	}
	return years, true
}

// split gives the year, and month and day as they are written.
func (d Date) split() (year int, monthDay string, ok bool) {
	if len(d) != len("2006-01-02") {
		return 0, "", false
	}
	year, err := strconv.Atoi(string(d[:4]))
	return year, string(d[5:]), err == nil
}

// addYears is the same day so many years later, where 29 February becomes the 28th in the years that
// have no such day: a consent rather ends a day early.
func (d Date) addYears(n int) Date {
	year, monthDay, ok := d.split()
	if !ok {
		return d
	}
	year += n
	leap := year%4 == 0 && (year%100 != 0 || year%400 == 0)
	if monthDay == "02-29" && !leap {
		monthDay = "02-28"
	}
	return Date(fmt.Sprintf("%04d-%s", year, monthDay))
}
