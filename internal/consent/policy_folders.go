package consent

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
)

var errPattern = errors.New("must be folders divided by /, each of ACADEMIC-YEAR, YEAR-GROUP and CLASS, " +
	"or several of these with -or- between them, such as ACADEMIC-YEAR/YEAR-GROUP-or-CLASS/")

// The separators that schools write between two years, or between "Year" and its number.
var (
	academicYear = regexp.MustCompile(`^(\d{4})[-_–](\d{2}|\d{4})$`)
	yearGroup    = regexp.MustCompile(`^(?i:(?:year|y)?[ _-]?(?:1[0-3]|[1-9])|(?:year[ _-]?)?r|reception)$`)
	// One or two letters and no more: a longer word after the number could be a child's name.
	className = regexp.MustCompile(`^(?:(?i:year|y)?[ _-]?(?:1[0-3]|[1-9])(?:[ _-]?[A-Za-z]|[A-Z]{2})|R[ _-]?[A-Z])[0-9]?$`)
)

// FolderFits says whether the policy allows a folder of this path, relative to where the pictures are
// kept, with / between its parts. All of the path must fit Folders.Pattern: a folder below it could
// bear a child's name. A policy without a pattern allows every folder.
//
// ACADEMIC-YEAR is written 2025-26, 2025-2026 or 2025_26; YEAR-GROUP R, 7 or "Year 7"; CLASS 7B, 10BX
// or RW.
func (p Policy) FolderFits(rel string) bool {
	if p.Folders == nil || p.Folders.Pattern == "" {
		return true
	}
	pattern, err := parsePattern(p.Folders.Pattern)
	parts := strings.Split(strings.TrimSuffix(rel, "/"), "/")
	if err != nil || len(parts) != len(pattern) {
		return false
	}
	for i, part := range parts {
		if !pattern[i].fits(part) {
			return false
		}
	}
	return true
}

// folderTokens are the ways in which one folder of the path can be named.
type folderTokens []string

func parsePattern(text string) ([]folderTokens, error) {
	var pattern []folderTokens
	for folder := range strings.SplitSeq(strings.TrimSuffix(text, "/"), "/") {
		tokens := strings.Split(folder, "-or-")
		for _, token := range tokens {
			if tokenFits(token) == nil {
				return nil, errPattern
			}
		}
		pattern = append(pattern, tokens)
	}
	return pattern, nil
}

func (tokens folderTokens) fits(part string) bool {
	for _, token := range tokens {
		if tokenFits(token)(part) {
			return true
		}
	}
	return false
}

// tokenFits is what a folder must be like for the token, or nil where there is no such token.
func tokenFits(token string) func(part string) bool {
	switch token {
	case "ACADEMIC-YEAR":
		return isAcademicYear
	case "YEAR-GROUP":
		return yearGroup.MatchString
	case "CLASS":
		return className.MatchString
	}
	return nil
}

// isAcademicYear wants two years that follow each other.
func isAcademicYear(part string) bool {
	m := academicYear.FindStringSubmatch(part)
	if m == nil {
		return false
	}
	first, err := strconv.Atoi(m[1])
	next := strconv.Itoa(first + 1)
	return err == nil && strings.HasSuffix(next, m[2])
}
