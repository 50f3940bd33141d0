package consent

import (
	"fmt"
	"slices"
	"strings"
)

// Against says, in sentences, which records keep the given one of the same subject from standing as
// its party's word: nothing where it stands.
func (reg *Register) Against(r Record) []string {
	var why []string
	for _, other := range reg.Records(r.AdmissionNumber) {
		if other.Party != r.Party || other.Purpose != r.Purpose || other == r {
			continue
		}
		switch {
		case r.Date.before(other.Date):
			why = append(why, fmt.Sprintf("the %s has %s %s on %s, which is later, and stands", other.Party, other.Decision, other.Purpose, other.Date))
		case other.Date == r.Date && r.grants() && !other.grants():
			why = append(why, fmt.Sprintf("the %s has %s %s on the same date, and of the two the refusal stands", other.Party, other.Decision, other.Purpose))
		}
	}
	return why
}

// ZeroTwins lists pairs of admission numbers that differ by zeros at the beginning alone, as 0042
// and 42: a spreadsheet drops them, and a refusal then stands in the register of nobody.
func (reg *Register) ZeroTwins() [][2]string {
	first := map[string]string{}
	var twins [][2]string
	for _, id := range reg.IDs() {
		bare := strings.TrimLeft(id, "0")
		if other, twice := first[bare]; twice {
			twins = append(twins, [2]string{other, id})
			continue
		}
		first[bare] = id
	}
	slices.SortFunc(twins, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	return twins
}
