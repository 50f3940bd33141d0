package consent

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Subject is a pupil or service user. The JSON form is the one that is kept and digested.
type Subject struct {
	AdmissionNumber string   `json:"admission_number"`
	YearGroup       string   `json:"year_group,omitempty"` // R (reception), 1 to 13, or empty: not said
	Class           string   `json:"class,omitempty"`      // the school's own word for it, such as 7B
	Born            Date     `json:"born,omitempty"`
	Joined          Date     `json:"joined,omitempty"`
	Leaves          Date     `json:"leaves,omitempty"`
	Lookalikes      []string `json:"lookalikes,omitempty"` // admission numbers of siblings, twins, doubles; sorted
}

// Record is one thing that one party has said about one subject and one purpose.
type Record struct {
	AdmissionNumber string  `json:"admission_number"`
	Party           Party   `json:"party"`
	Purpose         Purpose `json:"purpose"` // a publication purpose, AnyPurpose, or Biometric
	Decision        Answer  `json:"decision"`
	Date            Date    `json:"date"`                  // counts from this day on
	Expires         Date    `json:"expires,omitempty"`     // the last day on which a grant counts; a refusal stands until it is changed
	RecordedBy      string  `json:"recorded_by,omitempty"` // who wrote it down, in the school's own words
	Evidence        string  `json:"evidence,omitempty"`    // where the signed form is kept
}

// maxText bounds the free cells (class, recorded_by, evidence), in bytes. It leaves room for a long
// reference and keeps a record well below one NATS message.
const maxText = 500

// An admission number becomes part of file names, of keys in the NATS key-value store and of web
// addresses, so it is kept to what is safe in all three: no separators, no dot (which divides NATS
// keys, so that 40.21 would be a part of 40), nothing that a shell or a disk reads as special. It
// needs a digit, which a name does not have. (Perse 6: known by admission number.)
var admissionNumber = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,30}[A-Za-z0-9])?$`)

var (
	errAdmissionNumber = errors.New("must be an admission number: up to 32 letters A-Z, digits, '-' and '_', " +
		"with at least one digit, beginning and ending with a letter or digit " +
		"(it becomes part of file names and keys, and must not be a name)")
	errYearGroup    = errors.New("must be R or a number from 1 to 13, or be left empty")
	errText         = errors.New("must be plain text of at most 500 bytes on one line")
	errOwnLookalike = errors.New("a subject cannot be a lookalike of itself")
	errBorn         = errors.New("must not be later than the day of joining or leaving")
	errLeaves       = errors.New("must not be earlier than the day of joining")
	errExpires      = errors.New("must not be earlier than the record's own date")
	errNoDate       = errors.New("must not be empty")
	errParty        = errors.New("must be one of: pupil, guardian, guardian-1 to guardian-9, placing-authority")
)

// ValidAdmissionNumber says why the text cannot be an admission number, or nil. The error does not
// repeat the text.
func ValidAdmissionNumber(text string) error {
	if !admissionNumber.MatchString(text) || !strings.ContainsAny(text, "0123456789") {
		return errAdmissionNumber
	}
	return nil
}

func validYearGroup(text string) error {
	if text == "" || text == "R" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 13 || strconv.Itoa(n) != text {
		return errYearGroup
	}
	return nil
}

func validParty(p Party) error {
	if !p.Valid() {
		return errParty
	}
	return nil
}

func validText(text string) error {
	if len(text) > maxText || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return errText
	}
	return nil
}

// fault is one thing wrong with a subject or record, and the column it stands in.
type fault struct {
	column string
	err    error
}

// faults keeps those of the given ones that have an error.
func faults(all ...fault) []fault {
	return slices.DeleteFunc(all, func(f fault) bool { return f.err == nil })
}

// check lists what is wrong with the subject on its own, without knowing of others.
func (s Subject) check() []fault {
	found := faults(
		fault{colAdmission, ValidAdmissionNumber(s.AdmissionNumber)},
		fault{colYearGroup, validYearGroup(s.YearGroup)},
		fault{colClass, validText(s.Class)},
		fault{colBorn, s.Born.valid()},
		fault{colJoined, s.Joined.valid()},
		fault{colLeaves, s.Leaves.valid()},
	)
	if s.Joined.before(s.Born) || s.Leaves.before(s.Born) {
		found = append(found, fault{colBorn, errBorn})
	}
	if s.Leaves.before(s.Joined) {
		found = append(found, fault{colLeaves, errLeaves})
	}
	return append(found, s.checkLookalikes()...)
}

func (s Subject) checkLookalikes() []fault {
	var found []fault
	for _, other := range s.Lookalikes {
		err := ValidAdmissionNumber(other)
		if other == s.AdmissionNumber {
			err = errOwnLookalike
		}
		found = append(found, faults(fault{colLookalikes, err})...)
	}
	return found
}

// check lists what is wrong with the record on its own, without knowing of subjects.
func (r Record) check() []fault {
	found := faults(
		fault{colAdmission, ValidAdmissionNumber(r.AdmissionNumber)},
		fault{colParty, validParty(r.Party)},
		fault{colPurpose, oneOf(r.Purpose, recordPurposes())},
		fault{colDecision, oneOf(r.Decision, Answers())},
		fault{colDate, r.Date.valid()},
		fault{colExpires, r.Expires.valid()},
		fault{colRecordedBy, validText(r.RecordedBy)},
		fault{colEvidence, validText(r.Evidence)},
	)
	if r.Date == "" {
		found = append(found, fault{colDate, errNoDate})
	}
	if r.Expires.before(r.Date) {
		found = append(found, fault{colExpires, errExpires})
	}
	return found
}

// grants says whether the record is a yes; whatever else it may hold is a no.
func (r Record) grants() bool { return r.Decision == Granted }

// compareRecords orders records by subject, date, and then by all that they hold, refusals after
// grants, so that the last of a list is the one that stands.
func compareRecords(a, b Record) int {
	return cmp.Or(
		cmp.Compare(a.AdmissionNumber, b.AdmissionNumber),
		cmp.Compare(a.Date, b.Date),
		cmp.Compare(a.Decision, b.Decision), // "granted" < "refused" < "withdrawn"
		cmp.Compare(a.Party, b.Party),
		cmp.Compare(a.Purpose, b.Purpose),
		cmp.Compare(a.Expires, b.Expires),
		cmp.Compare(a.RecordedBy, b.RecordedBy),
		cmp.Compare(a.Evidence, b.Evidence),
	)
}

// oneOf says which words are possible where the given one is none of them.
func oneOf[T ~string](word T, words []T) error {
	if _, ok := parseWord(string(word), words); ok {
		return nil
	}
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = string(w)
	}
	return errors.New("must be one of: " + strings.Join(list, ", "))
}
