package pipeline

import (
	"fmt"
	"strconv"
	"strings"
)

// countOf is "1 face needs" or "3 faces need".
func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// clock is a moment of a film, such as "0:07", "12:34" or "1:02:03". Fractions of a second are cut off.
func clock(seconds float64) string {
	s := int(max(0, seconds))
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// interval is such as "0:12–0:40". Where it is a few seconds long, tenths are said too: "0:00–0:00" would say nothing.
func interval(from, to float64) string {
	if to-from >= shortest {
		return clock(from) + "–" + clock(to)
	}
	return tenths(from) + "–" + tenths(to)
}

// shortest is the length in seconds from which on tenths do not matter.
const shortest = 3

// tenths is a moment of a film with a tenth of a second, such as "0:07.3".
func tenths(seconds float64) string {
	return fmt.Sprintf("%s.%d", clock(seconds), int(max(0, seconds)*10)%10)
}

// mostListed is how many moments a sentence names.
const mostListed = 8

// listed is "a, b, c", and how many more there are where there are many.
func listed(words []string) string {
	if len(words) <= mostListed {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:mostListed], ", "), len(words)-mostListed)
}
