package consent

import (
	"fmt"
	"slices"
	"strings"
)

// explain puts a verdict into words, and accounts for every record on the purpose.
func (m *matter) explain(v verdict) Decision {
	d := Decision{Outcome: v.outcome, Rule: v.ground.Rule, Clause: v.ground.Clause, Records: []Record{}}
	refusals, grants := m.heard.standing(Refused), m.heard.standing(Granted)
	for _, part := range []struct {
		records []Record
		used    bool
	}{{refusals, v.refusals}, {grants, v.grants}} {
		if part.used {
			d.Records = append(d.Records, part.records...)
		} else {
			d.Overruled = append(d.Overruled, overrule(part.records, v.against)...)
		}
	}
	d.Overruled = append(d.Overruled, m.heard.setAside()...)
	d.Approval = m.p.approval(m.purpose, v.outcome)
	if v.notice != "" {
		d.Notices = []string{v.notice}
	}
	d.Text = m.words(v, d)
	return m.p.ask(d)
}

// words is the decision in a sentence for whoever asks, a parent for example.
func (m *matter) words(v verdict, d Decision) string {
	var b strings.Builder
	b.Grow(400)
	for _, part := range []string{"subject ", m.subject.AdmissionNumber, " is ", outcomeWord(v.outcome), " for ", string(m.purpose), ": "} {
		b.WriteString(part)
	}
	heard := d.Records
	if len(heard) == 0 {
		heard = m.heard.standing(Granted) // which were not enough
	}
	say(&b, heard)
	if v.but != "" {
		if len(heard) > 0 {
			b.WriteString(", but ")
		}
		b.WriteString(v.but)
	}
	b.WriteString(inBrackets(v.ground))
	for _, notice := range d.Notices {
		b.WriteString("; " + notice)
	}
	if d.Approval != nil {
		fmt.Fprintf(&b, "; before it goes to a third party, this is needed: %s (%s)", d.Approval.By, d.Approval.Rule)
	}
	return b.String()
}

// silence says that nobody has said anything that counts, or whose consent has run out.
func (m *matter) silence() string {
	ended := m.heard.ended()
	if len(ended) == 0 {
		return "nobody has said anything that counts"
	}
	parts := make([]string, len(ended))
	for i := range ended {
		r := &ended[i]
		if r.Expires.before(m.day) {
			parts[i] = fmt.Sprintf("the consent of %s given on %s ended on %s", r.Party, r.Date, r.Expires)
		} else {
			parts[i] = fmt.Sprintf("the consent of %s given on %s lapsed when the subject left on %s", r.Party, r.Date, m.subject.Leaves)
		}
	}
	return strings.Join(parts, " and ")
}

// missing says whose yes is not there.
func (m *matter) missing() string {
	var ways []string
	for _, parties := range m.p.Consent.Needs {
		var lacks []string
		for _, role := range parties {
			if m.heard.says(role, false) != Granted {
				lacks = append(lacks, "of "+roleWord(role))
			}
		}
		if len(lacks) == 0 { // and still not enough: see Consent.PupilIfRecorded
			return "the pupil's own consent is missing; " + m.silence()
		}
		ways = append(ways, strings.Join(lacks, " and "))
	}
	text := "the consent " + strings.Join(ways, " or ") + " is missing"
	if ended := m.heard.ended(); len(ended) > 0 {
		text += "; " + m.silence()
	}
	return text
}

func roleWord(role Party) string {
	switch role {
	case Pupil:
		return "the pupil"
	case Guardian:
		return "a guardian"
	}
	return "the placing authority"
}

// approval is what the policy wants before a picture goes to a third party.
func (p *Policy) approval(purpose Purpose, outcome Outcome) *Approval {
	t := p.ThirdParty
	if t == nil || outcome != Show || !slices.Contains(t.Purposes, purpose) {
		return nil
	}
	return &Approval{By: t.Approval, Rule: t.Rule, Clause: t.Clause}
}

// ask adds who decides to what a person must decide.
func (p *Policy) ask(d Decision) Decision {
	if d.Outcome == Review {
		d.Text += fmt.Sprintf("; ask %s (%s)", p.Doubt.Ask, p.Doubt.Rule)
	}
	return d
}

// cautious is a decision that rests on no policy.
func cautious(outcome Outcome, rule, clause string) Decision {
	return Decision{
		Outcome: outcome, Rule: rule, Clause: clause, Records: []Record{},
		Text: outcomeWord(outcome) + ": " + clause,
	}
}

func noPolicy() Decision {
	return cautious(Obscure, RuleNoPolicy, "the policy does not say all that it must")
}

func inBrackets(g Ground) string { return " (" + g.Rule + ": " + g.Clause + ")" }

func outcomeWord(outcome Outcome) string {
	switch outcome {
	case Show:
		return "shown"
	case Review:
		return "left for a person to decide"
	}
	return "obscured"
}

// say puts records into words: "guardian refused press on 2024-05-01". (Not with fmt, which takes
// most of the time of a decision; there are 50,000 of them to make for a run.)
func say(b *strings.Builder, records []Record) {
	for i := range records {
		r := &records[i]
		what := string(r.Purpose)
		if r.Purpose == AnyPurpose {
			what = "every purpose"
		}
		did := string(r.Decision)
		if r.Decision == Withdrawn {
			did = "withdrew"
		}
		if i > 0 {
			b.WriteString(", ")
		}
		for _, part := range []string{string(r.Party), " ", did, " ", what, " on ", string(r.Date)} {
			b.WriteString(part)
		}
	}
}

func overrule(records []Record, why string) []Overrule {
	var list []Overrule
	for _, r := range records {
		list = append(list, Overrule{Record: r, Why: why})
	}
	return list
}
