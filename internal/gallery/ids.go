package gallery

import "slices"

// SubjectIDs lists the admission numbers of who is enrolled, sorted.
func (g *Gallery) SubjectIDs() []string {
	ids := make([]string, len(g.subjects))
	for i, s := range g.subjects {
		ids[i] = s.id
	}
	slices.Sort(ids)
	return ids
}
