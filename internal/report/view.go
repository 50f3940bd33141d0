package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"image/jpeg"
	"strconv"
)

// sheet is what the template sees of a report.
type sheet struct {
	Report
	CSP        string
	CSS        template.CSS
	ModeWords  string
	Sections   []section
	Faces      faceCount
	Purposes   []string
	AllCleared bool
}

// section holds the assets of one outcome.
type section struct {
	Outcome, Title, Meaning string
	Assets                  []card
}

// card is one asset on the sheet.
type card struct {
	*Asset
	Anchor string
	Faces  []row
	Boxes  []box
	Count  faceCount
	thumb  func() ([]byte, error)
}

// faceCount counts faces by outcome.
type faceCount struct{ Shown, Obscured, Review int }

func (c faceCount) Total() int { return c.Shown + c.Obscured + c.Review }

func (c *faceCount) add(outcome string) {
	switch outcome {
	case Show:
		c.Shown++
	case Obscure:
		c.Obscured++
	default:
		c.Review++
	}
}

// Words says the count as a sentence without its full stop.
func (c faceCount) Words() string {
	switch c.Total() {
	case 0:
		return "no face found"
	case 1:
		return "1 face, " + c.parts()
	default:
		return strconv.Itoa(c.Total()) + " faces: " + c.parts()
	}
}

func (c faceCount) parts() string {
	var s string
	for _, p := range []struct {
		n    int
		word string
	}{{c.Review, c.needs()}, {c.Obscured, outcomeWord(Obscure)}, {c.Shown, outcomeWord(Show)}} {
		if p.n == 0 {
			continue
		}
		if s != "" {
			s += ", "
		}
		if c.Total() > 1 {
			s += strconv.Itoa(p.n) + " "
		}
		s += p.word
	}
	return s
}

func (c faceCount) needs() string {
	if c.Review > 1 {
		return "need a decision"
	}
	return outcomeWord(Review)
}

// row is one face in the table under the picture.
type row struct {
	Number               int
	Outcome, Word        string
	Who, Also, Band, Why string
	Score                string
	Rule, Where          string
	Decide               string // the face's id, where a person decides
}

func newSheet(r Report, thumbs Thumbnails) *sheet {
	s := &sheet{Report: r, ModeWords: modeWords(r.Mode)}
	s.Sections = []section{
		{Outcome: Withheld, Title: "Withheld", Meaning: "Not published. A person has to look at these first."},
		{Outcome: Failed, Title: "Failed", Meaning: "Could not be processed, so nothing was made of them. Treat them as withheld."},
		{Outcome: Released, Title: "Released", Meaning: "Finished, checked and sealed for the purpose named."},
	}
	seen := map[string]bool{}
	for i := range r.Assets {
		a := &r.Assets[i]
		if !seen[a.Purpose] && a.Purpose != "" {
			seen[a.Purpose] = true
			s.Purposes = append(s.Purposes, a.Purpose)
		}
		c := newCard(a, i, thumbs)
		s.Faces.Shown += c.Count.Shown
		s.Faces.Obscured += c.Count.Obscured
		s.Faces.Review += c.Count.Review
		for k := range s.Sections {
			if s.Sections[k].Outcome == a.Outcome {
				s.Sections[k].Assets = append(s.Sections[k].Assets, c)
			}
		}
	}
	s.AllCleared = len(s.Sections[2].Assets) == len(r.Assets)
	return s
}

func newCard(a *Asset, i int, thumbs Thumbnails) card {
	c := card{Asset: a, Anchor: "asset-" + strconv.Itoa(i+1)}
	if thumbs != nil {
		c.thumb = func() ([]byte, error) { return thumbs(i) }
	}
	for n, f := range a.Faces {
		c.Count.add(f.Outcome)
		r := newRow(n+1, f.Outcome, f.Rule, f.Reason, f.Match)
		if f.Outcome == Review {
			r.Decide = f.ID
		}
		c.Faces = append(c.Faces, r)
	}
	for n, t := range a.Tracks {
		c.Count.add(t.Outcome)
		r := newRow(n+1, t.Outcome, t.Rule, t.Reason, t.Match)
		r.Where = fmt.Sprintf("frames %d to %d", t.FirstFrame, t.LastFrame)
		c.Faces = append(c.Faces, r)
	}
	for k := range c.Faces {
		if a.Outcome != Released && c.Faces[k].Outcome != Review {
			c.Faces[k].Word = "would be " + c.Faces[k].Word
		}
	}
	c.Boxes = placeBoxes(a)
	return c
}

func newRow(n int, outcome, rule, reason string, m Match) row {
	r := row{Number: n, Outcome: outcome, Word: outcomeWord(outcome), Rule: rule, Why: reason}
	switch {
	case m.Band == Confident && m.Subject != "":
		r.Who, r.Band = m.Subject, "clear match"
	case m.Band == Unsure && m.Subject != "":
		r.Who, r.Band = "perhaps "+m.Subject, "uncertain match"
		if m.RunnerUp != "" {
			r.Also = "or " + m.RunnerUp
		}
	default:
		r.Who, r.Band = "nobody enrolled", "no match"
	}
	if m.Reason != "" {
		r.Band += ": " + m.Reason
	}
	if m.Score != 0 {
		r.Score = strconv.FormatFloat(m.Score, 'f', 2, 64)
	}
	if r.Why == "" {
		r.Why = defaultWhy(outcome)
	}
	return r
}

func outcomeWord(outcome string) string {
	switch outcome {
	case Show:
		return "shown"
	case Obscure:
		return "obscured"
	default:
		return "needs a decision"
	}
}

func defaultWhy(outcome string) string {
	switch outcome {
	case Show:
		return "The rule allows showing this face."
	case Obscure:
		return "The rule requires hiding this face."
	default:
		return "A person has to decide."
	}
}

func modeWords(mode string) string {
	switch mode {
	case "objectors":
		return "People who may not be shown are looked for and obscured; the policy says what becomes of unknown faces."
	case "cleared":
		return "Only people who may be shown are looked for; everybody else is obscured."
	case "everyone":
		return "Every face is obscured. Nobody is looked for."
	default:
		return ""
	}
}

// Picture is the thumbnail as a data URI, or empty where there is none. It is called by the
// template when the card's turn comes. Anything but a JPEG is an error: it would not be shown.
func (c card) Picture() (template.URL, error) {
	if c.thumb == nil {
		return "", nil
	}
	data, err := c.thumb()
	if err != nil {
		return "", fmt.Errorf("fetching the picture of %s: %w", c.Anchor, err)
	}
	if len(data) == 0 {
		return "", nil
	}
	if _, err := jpeg.DecodeConfig(bytes.NewReader(data)); err != nil {
		return "", fmt.Errorf("the picture of %s is no JPEG: %w", c.Anchor, err)
	}
	return template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(data)), nil
}

// Alt describes the picture to somebody who does not see it.
func (c card) Alt() string {
	if c.Outcome == Released {
		return "The finished picture. " + c.Count.Words() + "."
	}
	return "Preview with every face hidden. " + c.Count.Words() + "."
}

// HasSize says whether there is anything to draw boxes on.
func (c card) HasSize() bool { return c.Width > 0 && c.Height > 0 }

// IsWide gives a picture of many faces the whole width.
func (c card) IsWide() bool { return len(c.Faces) > manyFaces }

// IsVideo lets the template speak of tracks instead of faces.
func (c card) IsVideo() bool { return c.Kind == KindVideo }
