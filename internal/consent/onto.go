package consent

import "slices"

// onto fills in from the register what a file has no column for.
func onto(reg *Register, subjects []Subject, columns []string) []Subject {
	list := slices.Clone(subjects)
	for i, s := range list {
		if old, ok := reg.Subject(s.AdmissionNumber); ok {
			list[i] = s.over(old, columns)
		}
	}
	return list
}

// over takes all from the old subject but what the columns say anew.
func (s Subject) over(old Subject, columns []string) Subject {
	for _, column := range columns {
		switch column {
		case colYearGroup:
			old.YearGroup = s.YearGroup
		case colClass:
			old.Class = s.Class
		case colBorn:
			old.Born = s.Born
		case colJoined:
			old.Joined = s.Joined
		case colLeaves:
			old.Leaves = s.Leaves
		case colLookalikes:
			old.Lookalikes = slices.Clone(s.Lookalikes)
		}
	}
	return old
}
