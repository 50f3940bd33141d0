package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"image/jpeg"
	"slices"
	"strconv"
)

// sheet is what the template sees of a report.
type sheet struct {
	Report
	CSP        string
	CSS        template.CSS
	ModeWords  string
	Sections   []section
	Faces      faceCount // of photographs
	Tracks     faceCount // of films
	Films      int       // assets that are films
	Bare       int       // pictures on the sheet in which a face is bare
	Purposes   []string
	AllCleared bool
}

// Noun names what the sheet is about.
func (s *sheet) Noun() string {
	switch s.Films {
	case 0:
		return "pictures"
	case len(s.Assets):
		return "films"
	}
	return "pictures and films"
}

// section holds the assets of one outcome.
type section struct {
	Outcome, Title, Meaning string
	Assets                  []*card
}

// card is one asset on the sheet.
type card struct {
	*Asset
	Anchor string
	Faces  []row
	Boxes  []box
	Count  faceCount

	thumb   func() ([]byte, error)
	track   func(n int) ([]Picture, error)
	fetched map[int][]Picture // of the tracks that wait
}

// faceCount counts faces, or tracks, by outcome.
type faceCount struct {
	Shown, Obscured, Review int
	tracks                  bool
}

func (c *faceCount) addAll(o faceCount) {
	c.Shown += o.Shown
	c.Obscured += o.Obscured
	c.Review += o.Review
}

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
	noun := "face"
	if c.tracks {
		noun = "track"
	}
	switch c.Total() {
	case 0:
		return "no face found"
	case 1:
		return "1 " + noun + ", " + c.parts()
	default:
		return strconv.Itoa(c.Total()) + " " + noun + "s: " + c.parts()
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

func newSheet(r Report, pictures Pictures) (*sheet, error) {
	s := &sheet{Report: r, ModeWords: modeWords(r.Mode), Tracks: faceCount{tracks: true}}
	s.Sections = []section{
		{Outcome: Withheld, Title: "Withheld", Meaning: "Not published. A person has to look at these first."},
		{Outcome: Failed, Title: "Failed", Meaning: "Could not be processed, so nothing was made of them. Treat them as withheld."},
		{Outcome: Released, Title: "Released", Meaning: "Finished, checked and sealed for the purpose named."},
	}
	for i := range r.Assets {
		a := &r.Assets[i]
		if a.Purpose != "" && !slices.Contains(s.Purposes, a.Purpose) {
			s.Purposes = append(s.Purposes, a.Purpose)
		}
		c := newCard(a, i, pictures)
		if err := c.fetchWaiting(); err != nil {
			return nil, err
		}
		s.count(c)
		for k := range s.Sections {
			if s.Sections[k].Outcome == a.Outcome {
				s.Sections[k].Assets = append(s.Sections[k].Assets, c)
			}
		}
	}
	s.AllCleared = len(s.Sections[2].Assets) == len(r.Assets)
	return s, nil
}

func (s *sheet) count(c *card) {
	if !c.IsVideo() {
		s.Faces.addAll(c.Count)
		return
	}
	s.Films++
	s.Tracks.addAll(c.Count)
	for _, pictures := range c.fetched {
		for _, p := range pictures {
			if p.Bare {
				s.Bare++
			}
		}
	}
}

func newCard(a *Asset, i int, pictures Pictures) *card {
	c := &card{Asset: a, Anchor: "asset-" + strconv.Itoa(i+1), Count: faceCount{tracks: a.Kind == KindVideo}}
	if pictures.Asset != nil {
		c.thumb = func() ([]byte, error) { return pictures.Asset(i) }
	}
	if pictures.Track != nil {
		c.track = func(n int) ([]Picture, error) { return pictures.Track(i, n) }
	}
	for n, f := range a.Faces {
		c.addRow(newRow(n+1, f.Outcome, f.Rule, f.Reason, f.Match), f.ID)
	}
	for _, t := range a.Tracks {
		r := newRow(t.ID, t.Outcome, t.Rule, t.Reason, t.Match)
		r.Where = fmt.Sprintf("frames %d to %d", t.FirstFrame, t.LastFrame)
		c.addRow(r, t.Face)
	}
	c.Boxes = placeBoxes(a)
	return c
}

// addRow counts a face or track; id is by which a person decides about it.
func (c *card) addRow(r row, id string) {
	c.Count.add(r.Outcome)
	if r.Outcome == Review {
		r.Decide = id
	} else if c.Outcome != Released {
		r.Word = "would be " + r.Word
	}
	c.Faces = append(c.Faces, r)
}

// fetchWaiting gets the pictures of the tracks that wait for a person: the head of the sheet says
// whether any face stands bare below.
func (c *card) fetchWaiting() error {
	for n, t := range c.Tracks {
		if t.Outcome != Review {
			continue
		}
		pictures, err := c.picturesOf(n)
		if err != nil {
			return err
		}
		if c.fetched == nil {
			c.fetched = map[int][]Picture{}
		}
		c.fetched[n] = pictures
	}
	return nil
}

func (c *card) picturesOf(n int) ([]Picture, error) {
	if c.track == nil {
		return nil, nil
	}
	if known, ok := c.fetched[n]; ok {
		return known, nil
	}
	pictures, err := c.track(n)
	if err != nil {
		return nil, fmt.Errorf("fetching the pictures of track %d of %s: %w", c.Tracks[n].ID, c.Anchor, err)
	}
	return pictures, nil
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

// still is a JPEG for the sheet.
type still struct {
	URL           template.URL // a data URI; empty where there is none
	Width, Height int          // pixels
}

// newStill takes nothing but a JPEG: anything else would not be shown.
func newStill(data []byte) (still, error) {
	config, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return still{}, fmt.Errorf("no JPEG: %w", err)
	}
	url := template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(data))
	return still{URL: url, Width: config.Width, Height: config.Height}, nil
}

// Picture is the thumbnail. It is called by the template when the card's turn comes.
func (c *card) Picture() (still, error) {
	if c.thumb == nil {
		return still{}, nil
	}
	data, err := c.thumb()
	if err != nil {
		return still{}, fmt.Errorf("fetching the picture of %s: %w", c.Anchor, err)
	}
	if len(data) == 0 {
		return still{}, nil
	}
	img, err := newStill(data)
	if err != nil {
		return still{}, fmt.Errorf("the picture of %s: %w", c.Anchor, err)
	}
	return img, nil
}

// Alt describes the picture to somebody who does not see it.
func (c *card) Alt() string {
	what := "The finished picture. "
	switch {
	case c.Outcome != Released && c.IsVideo():
		what = "One frame of the film, with every face hidden. "
	case c.Outcome != Released:
		what = "Preview with every face hidden. "
	case c.IsVideo():
		what = "One frame of the finished film. "
	}
	return what + c.Count.Words() + "."
}

// HasSize says whether there is anything to draw boxes on.
func (c *card) HasSize() bool { return c.Width > 0 && c.Height > 0 }

// IsWide gives a picture of many faces, and a film, the whole width.
func (c *card) IsWide() bool { return len(c.Faces) > manyFaces || len(c.Tracks) > 0 }

// IsVideo lets the template speak of tracks instead of faces.
func (c *card) IsVideo() bool { return c.Kind == KindVideo }

// Length is how long the film is; empty where it is not known.
func (c *card) Length() string {
	if c.Frames == 0 {
		return ""
	}
	return clock(c.Seconds)
}

// Waits says whether a person has to decide about something in it.
func (c *card) Waits() bool { return c.Count.Review > 0 }
