package pipeline

import "strconv"

// countOf is "1 face needs" or "3 faces need".
func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
