package consent

// hearing is what the parties say of one subject and purpose on one day. The records that it points
// to are not its own and are not changed.
type hearing struct {
	records []Record // of one subject, ordered by compareRecords
	purpose Purpose
	term    term
	voices  [placesOfAll]voice // by Party.place
}

// voice is what one party says. The numbers are places in the records, counted from 1; 0 is none.
type voice struct {
	stands int  // the record that stands
	ended  int  // the latest grant that has run out
	lapsed bool // the party's last word was a grant that has run out, so that nothing stands
	narrow bool // a refusal of this very purpose stands over a later grant of everything
}

// term says which records count on the day.
type term struct {
	day  Date
	gone bool // the subject has left, and consents have lapsed with that
	keep bool // but grants with a last day of their own count until then
}

// Why a record does not count.
const (
	whyLater   = "is dated later"
	whyExpired = "has expired"
	whyLeft    = "lapsed when the subject left"
)

// why says why the record has no say on the day, or nothing. Only grants run out.
func (t term) why(r *Record) string {
	switch {
	case t.day.before(r.Date):
		return whyLater
	case !r.grants():
		return ""
	case r.Expires.before(t.day):
		return whyExpired
	case t.gone && (!t.keep || r.Expires == ""):
		return whyLeft
	}
	return ""
}

// hear finds for each party the record that stands. Of one party the latest record on the purpose
// stands, where a record on [AnyPurpose] speaks of all purposes, with three limits on the side of
// caution: on one date a refusal beats a grant; a grant of everything does not take back the refusal
// of this very purpose; and no earlier grant stands again when a later one has run out.
func (h *hearing) hear(records []Record, purpose Purpose, t term) {
	*h = hearing{records: records, purpose: purpose, term: t}
	var own [placesOfAll]int // the latest record of each party that counts and names the purpose itself
	for i := range records {
		r := &records[i]
		place := r.Party.place()
		if !r.speaksOf(purpose) || place < 0 {
			continue
		}
		switch t.why(r) {
		case whyExpired, whyLeft:
			h.voices[place].ended = i + 1
		case "":
			h.voices[place].stands = i + 1
			if r.Purpose != AnyPurpose {
				own[place] = i + 1
			}
		}
	}
	for place := range h.voices {
		h.settle(&h.voices[place], own[place])
	}
}

// settle applies the limits to what the party said last.
func (h *hearing) settle(v *voice, own int) {
	if v.stands > 0 && own > 0 && h.grantsAt(v.stands) && !h.grantsAt(own) {
		v.stands, v.narrow = own, true
	}
	if v.ended == 0 || v.stands > 0 && !h.grantsAt(v.stands) {
		return
	}
	if v.stands == 0 || h.records[v.ended-1].Date >= h.records[v.stands-1].Date {
		v.stands, v.lapsed = 0, true
	}
}

func (h *hearing) grantsAt(n int) bool { return h.records[n-1].grants() }

// speaksOf says whether the record is about the purpose. AnyPurpose is about publications only: a
// grant of everything is no consent to be enrolled.
func (r *Record) speaksOf(purpose Purpose) bool {
	return r.Purpose == purpose || r.Purpose == AnyPurpose && purpose.IsPublication()
}

// standing lists the grants that stand or, with [Refused], all that is not a grant, in the order of
// the parties.
func (h *hearing) standing(answer Answer) []Record {
	var list []Record
	for _, v := range h.voices {
		if v.stands > 0 && h.grantsAt(v.stands) == (answer == Granted) {
			list = append(list, h.records[v.stands-1])
		}
	}
	return list
}

// ended lists the grants that were a party's last word and have run out.
func (h *hearing) ended() []Record {
	var list []Record
	for _, v := range h.voices {
		if v.lapsed {
			list = append(list, h.records[v.ended-1])
		}
	}
	return list
}

// says is the word of those who speak in the role: [Refused] where one of them has refused, else
// [Granted] where one has agreed, else nothing. With before, it is the word from before the subject
// left: a grant that lapsed with that counts.
func (h *hearing) says(role Party, before bool) Answer {
	first, last := role.place(), role.place()
	if role == Guardian {
		last = placeAuthority - 1
	}
	var word Answer
	for place := first; place >= 0 && place <= last; place++ {
		switch v := &h.voices[place]; {
		case v.stands > 0 && !h.grantsAt(v.stands):
			return Refused
		case v.stands > 0, before && v.lapsed && h.term.why(&h.records[v.ended-1]) == whyLeft:
			word = Granted
		}
	}
	return word
}

// silent says whether nothing stands.
func (h *hearing) silent() bool {
	for _, v := range h.voices {
		if v.stands > 0 {
			return false
		}
	}
	return true
}

// setAside lists all on the purpose that does not stand, oldest first, and why.
func (h *hearing) setAside() []Overrule {
	var list []Overrule
	for i := range h.records {
		r := &h.records[i]
		place := r.Party.place()
		if !r.speaksOf(h.purpose) || place >= 0 && h.voices[place].stands == i+1 {
			continue
		}
		why := "is of a party that nobody knows"
		if place >= 0 {
			why = h.whyAside(r, &h.voices[place])
		}
		list = append(list, Overrule{Record: *r, Why: why})
	}
	return list
}

func (h *hearing) whyAside(r *Record, v *voice) string {
	if why := h.term.why(r); why != "" {
		return why
	}
	if v.stands == 0 {
		return "the same party has spoken later, and what it said then has run out"
	}
	stands := &h.records[v.stands-1]
	switch {
	case v.narrow && r.grants() && stands.Date.before(r.Date):
		return "a refusal of this very purpose stands until this very purpose is granted"
	case r.Date != stands.Date:
		return "the same party has spoken later"
	case r.grants() == stands.grants():
		return "the same party has said the same on the same date"
	}
	return "the same party has said both on the same date, and then the refusal stands"
}
