package report

import (
	"fmt"
	"math"
	"strconv"
)

// manyTracks is from where on the tracks of one outcome are folded away.
const manyTracks = 12

// reel is a film's tracks on the sheet.
type reel struct {
	Groups  []trackGroup
	LeftOut int  // tracks without a picture
	Any     bool // some track has a picture
	Safe    bool // some track has one in which it is not bare
}

// trackGroup holds the tracks of one outcome. Those that wait for a person come first.
type trackGroup struct {
	Outcome, Title string
	Tracks         []trackRow
}

// Open says whether the group is unfolded: what waits always is.
func (g trackGroup) Open() bool { return g.Outcome == Review || len(g.Tracks) <= manyTracks }

// trackRow is one track on the sheet.
type trackRow struct {
	row
	When        string // such as "0:12.0 – 0:40.4"
	Start, Span string // of the track within the film, as shares of a thousand
	Strip, Bare []shot
}

// shot is one picture of a track.
type shot struct {
	still
	Alt string
	At  string // such as "0:12.0"
}

// onSheet is what the template of a film is given.
type onSheet struct {
	Card *card
	Kept bool // the run outlasts itself, so that a person can decide
}

// On gives the template of a film what it needs.
func (c *card) On(kept bool) onSheet { return onSheet{c, kept} }

// Reel lays out the tracks of a film. It is called by the template when the card's turn comes.
func (c *card) Reel() (reel, error) {
	var out reel
	groups := map[string]*trackGroup{}
	for _, outcome := range []string{Review, Obscure, Show} {
		groups[outcome] = &trackGroup{Outcome: outcome, Title: c.groupTitle(outcome)}
	}
	for n := range c.Tracks {
		t, err := c.trackRow(n)
		if err != nil {
			return reel{}, err
		}
		out.Safe = out.Safe || len(t.Strip) > 0
		if len(t.Strip)+len(t.Bare) > 0 {
			out.Any = true
		} else {
			out.LeftOut++
		}
		g := groups[c.Tracks[n].Outcome]
		g.Tracks = append(g.Tracks, t)
	}
	for _, outcome := range []string{Review, Obscure, Show} {
		if g := groups[outcome]; len(g.Tracks) > 0 {
			out.Groups = append(out.Groups, *g)
		}
	}
	return out, nil
}

func (c *card) groupTitle(outcome string) string {
	switch {
	case outcome == Review:
		return "Needs a decision"
	case c.Outcome != Released:
		return "Would be " + outcomeWord(outcome)
	case outcome == Obscure:
		return "Obscured"
	}
	return "Shown"
}

func (c *card) trackRow(n int) (trackRow, error) {
	t := &c.Tracks[n]
	r := trackRow{row: c.Faces[n], When: clock(t.From) + " – " + clock(t.To)}
	r.Start, r.Span = c.within(t)
	pictures, err := c.picturesOf(n)
	if err != nil {
		return trackRow{}, err
	}
	for _, p := range pictures {
		if p.Bare && t.Outcome != Review {
			continue
		}
		s, err := newShot(p)
		if err != nil {
			return trackRow{}, fmt.Errorf("a picture of track %d of %s: %w", t.ID, c.Anchor, err)
		}
		list := &r.Strip
		if p.Bare {
			list = &r.Bare
		}
		*list = append(*list, s)
	}
	for i := range r.Strip {
		r.Strip[i].Alt = c.stripAlt(t, r.Strip[i].At)
	}
	for i := range r.Bare {
		r.Bare[i].Alt = fmt.Sprintf("The bare face of track %d at %s, for the person who decides.", t.ID, r.Bare[i].At)
	}
	return r, nil
}

func (c *card) stripAlt(t *Track, at string) string {
	switch {
	case c.Outcome != Released:
		return fmt.Sprintf("Track %d at %s, every face hidden.", t.ID, at)
	case t.Outcome == Obscure:
		return fmt.Sprintf("Track %d at %s in the finished film, obscured.", t.ID, at)
	}
	return fmt.Sprintf("Track %d at %s in the finished film.", t.ID, at)
}

func newShot(p Picture) (shot, error) {
	img, err := newStill(p.JPEG)
	return shot{still: img, At: clock(p.At)}, err
}

// within places the track on a line a thousand long that stands for the film. The part that was
// worked on begins at its first frame, wherever its time stamps begin.
func (c *card) within(t *Track) (start, span string) {
	if c.Frames <= 1 {
		return "", ""
	}
	all := float64(c.Frames)
	from := math.Max(0, math.Min(float64(t.FirstFrame), all-1))
	to := math.Max(from, math.Min(float64(t.LastFrame), all-1))
	width := math.Max(8, (to-from+1)/all*1000) // a moment is seen, too
	return tenth(math.Min(from/all*1000, 1000-width)), tenth(width)
}

func tenth(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// clock writes seconds as m:ss.s, or h:mm:ss.s from an hour on.
func clock(seconds float64) string {
	sign := ""
	tenths := int64(math.Round(seconds * 10))
	if tenths < 0 {
		sign, tenths = "−", -tenths
	}
	rest := fmt.Sprintf("%02d.%d", tenths/10%60, tenths%10)
	minutes := tenths / 600
	if minutes < 60 {
		return fmt.Sprintf("%s%d:%s", sign, minutes, rest)
	}
	return fmt.Sprintf("%s%d:%02d:%s", sign, minutes/60, minutes%60, rest)
}
