package enrolment

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
)

// Card is what there is to say of one subject's references.
type Card struct {
	Subject      string       `json:"subject"`
	References   int          `json:"references"`          // that can be used
	Again        int          `json:"again,omitempty"`     // made by other models: to be enrolled again
	Quality      string       `json:"quality,omitempty"`   // of the best: good or fair
	Newest       consent.Date `json:"newest,omitempty"`    // the day the newest was taken, or where unknown added
	Age          string       `json:"age,omitempty"`       // of the newest, in words
	Old          bool         `json:"old,omitempty"`       // a new photograph is due
	Agreement    string       `json:"agreement,omitempty"` // how alike its references are, in words
	Lowest       float64      `json:"lowest,omitempty"`    // score of the two that are least alike
	Nearest      string       `json:"nearest,omitempty"`   // the subject that looks most like it
	NearestScore float64      `json:"nearest_score,omitempty"`
	Distance     string       `json:"distance,omitempty"` // how near that one is, in words
}

// Cards describes the references of every subject, in order. The gallery must be made of those that
// the same models made. It takes a search for each reference.
func Cards(all []Enrolled, g *gallery.Gallery, models string, today consent.Date, months int) []Card {
	bySubject := map[string][]Enrolled{}
	for _, e := range all {
		bySubject[e.Subject] = append(bySubject[e.Subject], e)
	}
	cards := make([]Card, 0, len(bySubject))
	for subject, es := range bySubject {
		usable := slices.DeleteFunc(slices.Clone(es), func(e Enrolled) bool { return e.Models != models })
		c := Card{Subject: subject, References: len(usable), Again: len(es) - len(usable)}
		if len(usable) > 0 {
			c.describe(usable, today, months)
			c.compare(usable, g)
		}
		cards = append(cards, c)
	}
	slices.SortFunc(cards, func(a, b Card) int { return cmp.Compare(a.Subject, b.Subject) })
	return cards
}

func (c *Card) describe(es []Enrolled, today consent.Date, months int) {
	c.Quality = "fair"
	for _, e := range es {
		if isGood(e.Quality, e.Side) {
			c.Quality = "good"
		}
		c.Newest = max(c.Newest, e.Newest())
	}
	if months == 0 {
		months = DefaultMonths
	}
	c.Age, c.Old = ageInWords(c.Newest, today), olderThan(c.Newest, today, months)
}

// A good reference is one that the describers lose nothing on: blurred until it is less sharp than
// 50 a face still scores 9 with itself, turned by up to 0.35 the portraits match their other photographs
// like frontal ones, and 112 pixels is what the describer looks at.
func isGood(q face.Quality, side float64) bool {
	return side >= 112 && q.Sharpness >= 50 && abs(q.Yaw) <= 0.35 && q.Brightness >= 40 && q.Brightness <= 205
}

func ageInWords(day, today consent.Date) string {
	then, err := time.Parse(time.DateOnly, string(day))
	now, err2 := time.Parse(time.DateOnly, string(today))
	if err != nil || err2 != nil {
		return "unknown"
	}
	switch months := 12*(now.Year()-then.Year()) + int(now.Month()) - int(then.Month()); {
	case months < 1:
		return "this month"
	case months == 1:
		return "a month"
	case months < 24:
		return fmt.Sprintf("%d months", months)
	default:
		return fmt.Sprintf("%d years", months/12)
	}
}

func (c *Card) compare(es []Enrolled, g *gallery.Gallery) {
	limits := g.Thresholds()
	references := make([]gallery.Reference, len(es))
	found := false
	for i, e := range es {
		references[i] = e.Reference()
		other, score, ok := g.Nearest(e.Templates, e.Subject)
		if ok && (!found || score > c.NearestScore) {
			c.Nearest, c.NearestScore, found = other, score, true
		}
	}
	c.Distance = "nobody else is enrolled"
	if found {
		c.Distance = inWords(c.NearestScore, limits, "hard to tell apart", "alike", "not alike")
	}
	lowest, _, pairs := gallery.Spread(references)
	c.Agreement = "only one reference"
	if pairs > 0 {
		c.Lowest = lowest
		c.Agreement = inWords(lowest, limits, "agree well", "agree", "agree little")
	}
}

func inWords(score float64, limits gallery.Thresholds, confident, unsure, below string) string {
	switch {
	case score >= limits.Confident:
		return confident
	case score >= limits.Unsure:
		return unsure
	}
	return below
}
