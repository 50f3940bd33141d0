package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
)

func render(t *testing.T, r Report, pictures Pictures) string {
	t.Helper()
	var b bytes.Buffer
	if err := Render(&b, r, pictures); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// article cuts one card out of the sheet.
func article(t *testing.T, sheet string, n int) string {
	t.Helper()
	_, rest, ok := strings.Cut(sheet, fmt.Sprintf(`id="asset-%d"`, n))
	card, _, ends := strings.Cut(rest, "</article>")
	if !ok || !ends {
		t.Fatalf("asset %d has no card", n)
	}
	return card
}

// text drops the tags.
func text(s string) string {
	s = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(s, " ")
	return strings.Join(strings.Fields(html.UnescapeString(s)), " ")
}

func TestWithheldComeFirstThenFailedThenReleased(t *testing.T) {
	sheet := render(t, sample(), Pictures{})
	last := -1
	for _, id := range []string{`<h2 id="withheld"`, "asset-3", "asset-5", `<h2 id="failed"`, "asset-2", `<h2 id="released"`, "asset-1", "asset-4"} {
		if !strings.HasPrefix(id, "<") {
			class := map[string]string{"asset-3": Withheld, "asset-5": Withheld + " film wide", "asset-2": Failed, "asset-1": Released, "asset-4": Released}[id]
			id = `<article class="` + class + `" id="` + id + `"`
		}
		at := strings.Index(sheet, id)
		if at <= last {
			t.Errorf("%s at %d, after %d expected", id, at, last)
		}
		last = at
	}
}

func TestHeaderSaysCountsAndWhatToDo(t *testing.T) {
	head, _, _ := strings.Cut(render(t, sample(), Pictures{}), "<main")
	words := text(head)
	for _, want := range []string{
		"Contact sheet for press", "2 withheld", "1 failed", "2 released", "Policy lumen", "Register revision 17",
		"In all pictures: 4 faces: 1 needs a decision, 1 obscured, 2 shown.", "In all films: 2 tracks: 1 needs a decision, 1 obscured.",
		"Withheld, and why event/c.jpg 1 face needs a person's decision event/v.mp4 film 1 track needs a person's decision", "Failed, and why event/b.jpg The file is cut off.", "What to do next", "Publish nothing of what is withheld",
	} {
		if !strings.Contains(words, want) {
			t.Errorf("%q is not in the header: %s", want, words)
		}
	}
	r := sample()
	r.Assets = r.Assets[:1]
	if words := text(render(t, r, Pictures{})); strings.Contains(words, "Publish nothing") || !strings.Contains(words, "Publish only the finished files") {
		t.Error("with everything released the header says:", words)
	}
}

func TestEachFaceSaysWhatWhoAndWhy(t *testing.T) {
	sheet := render(t, sample(), Pictures{})
	for n, wants := range map[int][]string{
		1: {
			"event/a.jpg released", "for press", "1 1 obscured 4021 clear match, score 0.41 The guardian has refused. rule perse-2.5b",
			"2 2 shown nobody enrolled no match: not described", "rule unknown-face", "Finished file: press/event/a.jpg",
		},
		2: {"event/b.jpg failed", "The file is cut off."},
		3: {
			"event/c.jpg withheld", "1 face needs a person's decision", "needs a decision perhaps 4021 or 4188 uncertain match, score 0.30 A person has to decide.",
			"would be shown nobody enrolled",
		},
		4: {"No face was found."},
		5: {
			"film of 0:10.0 · 250 frames", "Needs a decision (1)", "4 4 0:00.8 – 0:01.2 frames 20 to 30 needs a decision perhaps 4021 or 4188 uncertain match, score 0.30",
			"Would be obscured (1)", "3 3 0:00.5 – 0:09.6 frames 12 to 240 would be obscured nobody enrolled", "No pictures of single tracks are kept",
		},
	} {
		got := text(article(t, sheet, n))
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("asset %d: %q is not in %q", n, want, got)
			}
		}
	}
	if got := text(article(t, sheet, 3)); strings.Contains(got, "Finished file") {
		t.Error("a withheld asset speaks of a finished file")
	}
}

// Not by colour alone: each outcome has a shape of its own, on the picture and in the table.
func TestOutcomesDifferInShape(t *testing.T) {
	sheet := render(t, sample(), Pictures{})
	for n, shapes := range map[int]map[string]int{
		1: {`<rect class="mark obscure"`: 2, `<circle class="mark show"`: 2, `<polygon class="mark review"`: 0},
		3: {`<rect class="mark obscure"`: 0, `<circle class="mark show"`: 2, `<polygon class="mark review"`: 2},
	} {
		card := article(t, sheet, n)
		for shape, want := range shapes {
			if got := strings.Count(card, shape); got != want {
				t.Errorf("asset %d has %d of %s, want %d", n, got, shape, want)
			}
		}
	}
	card := article(t, sheet, 1)
	if !strings.Contains(card, `viewBox="0 0 1920 1280"`) || !strings.Contains(card, `<rect class="frame obscure" x="10" y="20" width="300" height="400"/>`) {
		t.Error("the box is not where the face is:", card)
	}
}

func TestPicturesAreEmbeddedOnce(t *testing.T) {
	r := sample()
	var asked []int
	sheet := render(t, r, Pictures{Asset: func(i int) ([]byte, error) {
		asked = append(asked, i)
		if i == 2 {
			return nil, nil
		}
		return tinyJPEG(t), nil
	}})
	if fmt.Sprint(asked) != "[2 4 1 0 3]" {
		t.Errorf("pictures asked for in the order %v", asked)
	}
	uri := `src="data:image/jpeg;base64,` + base64.StdEncoding.EncodeToString(tinyJPEG(t)) + `"`
	released := article(t, sheet, 1)
	if !strings.Contains(html.UnescapeString(released), uri) || !strings.Contains(released, `alt="The finished picture. 2 faces: 1 obscured, 1 shown."`) {
		t.Error("the released picture is missing or has no description:", released)
	}
	if card := article(t, sheet, 3); strings.Contains(card, "<img") || !strings.Contains(card, `role="img"`) {
		t.Error("without a picture there must be a drawing with a description")
	}
	// Without a size there is nothing to lay boxes over, and the picture of what failed is not shown.
	if card := article(t, sheet, 2); strings.Contains(card, "<img") {
		t.Error("a failed asset without a size shows a picture")
	}
}

func hostile() Report {
	r := sample()
	for i := range r.Assets {
		a := &r.Assets[i]
		a.Path = `x/"><script>alert(1)</script><img src=http://evil.example/x>' onerror='a.jpg`
		a.Reason = "</style><script>alert(2)</script>"
		a.Purpose = `press"><b>`
		if a.Derivative != "" {
			a.Derivative = `press/<iframe src="https://evil.example">`
		}
		for k := range a.Faces {
			a.Faces[k].Match.Subject = "<b>4021</b>"
			a.Faces[k].Rule = "javascript:alert(3)"
			a.Faces[k].Reason = "{{.}} <a href=//evil.example>"
		}
		for k := range a.Tracks {
			a.Tracks[k].Match.Subject = "<b>4021</b>"
			a.Tracks[k].Rule = "javascript:alert(3)"
			a.Tracks[k].Reason = "{{.}} <a href=//evil.example>"
			a.Tracks[k].Face = "<iframe>"
		}
	}
	r.StateKept = true
	r.Policy, r.Mode = "<svg/onload=alert(4)>", "<!--"
	return r
}

func TestHostileTextsStayText(t *testing.T) {
	sheet := render(t, hostile(), everywhere(t))
	for _, tag := range []string{"<script", "<iframe", "<b>4021", "<svg/", "<!--", "<img src=http", "<a href=//", "onerror='"} {
		if strings.Contains(sheet, tag) {
			t.Errorf("%s came through", tag)
		}
	}
	if !strings.Contains(text(article(t, sheet, 1)), `x/"><script>alert(1)</script>`) {
		t.Error("the name is not readable any more")
	}
}

// The sheet must not load anything: every address in it is a data URI or an anchor of its own.
func TestSheetLoadsNothing(t *testing.T) {
	sheet := render(t, hostile(), everywhere(t))
	tags := regexp.MustCompile(`<[a-zA-Z!/][^>]*>`).FindAllString(sheet, -1)
	reference := regexp.MustCompile(`\s(?:src|href|srcset|action|data|poster|xlink:href|style|on\w+)\s*=\s*"([^"]*)"`)
	found := 0
	for _, tag := range tags {
		for _, m := range reference.FindAllStringSubmatch(tag, -1) {
			found++
			if !strings.HasPrefix(m[1], "data:image/jpeg;base64,") && !strings.HasPrefix(m[1], "#") {
				t.Errorf("%s refers to %s", tag, m[1])
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d references looked at", found)
	}
	if strings.Contains(sheetCSS, "url(") || strings.Contains(sheetCSS, "@import") {
		t.Error("the style sheet refers to something")
	}
}

// A style sheet that differs by one byte from its digest in the policy is not applied at all.
func TestPolicyMatchesTheStyleSheet(t *testing.T) {
	sheet := render(t, sample(), Pictures{})
	_, rest, _ := strings.Cut(sheet, "<style>")
	css, _, _ := strings.Cut(rest, "</style>")
	d := sha256.Sum256([]byte(css))
	policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(sheet)
	if policy == nil {
		t.Fatal("no policy")
	}
	got := html.UnescapeString(policy[1])
	if !strings.Contains(got, "'sha256-"+base64.StdEncoding.EncodeToString(d[:])+"'") || !strings.HasPrefix(got, "default-src 'none'; img-src data:;") || strings.Contains(got, "unsafe") {
		t.Errorf("policy is %q", got)
	}
	if strings.Index(sheet, "Content-Security-Policy") > strings.Index(sheet, "<style>") {
		t.Error("the policy comes after what it governs")
	}
}

func TestSheetIsAccessible(t *testing.T) {
	sheet := render(t, sample(), everywhere(t))
	if !strings.Contains(sheet, `<html lang="en">`) || strings.Count(sheet, "<h1") != 1 {
		t.Error("no language, or not one heading")
	}
	for _, img := range regexp.MustCompile(`<img [^>]*>`).FindAllString(sheet, -1) {
		if !regexp.MustCompile(`alt="[^"]+"`).MatchString(img) || !strings.Contains(img, `loading="lazy"`) {
			t.Error("without description, or loaded at once:", img[len(img)-120:])
		}
	}
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(sheet, -1) {
		if ids[m[1]] {
			t.Errorf("id %s is used twice", m[1])
		}
		ids[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(sheet, -1) {
		if !ids[m[1]] {
			t.Errorf("link to %s leads nowhere", m[1])
		}
	}
}

func TestBadgesStayInThePicture(t *testing.T) {
	a := Asset{Width: 640, Height: 480}
	for i := range 150 {
		a.Faces = append(a.Faces, Face{Box: [4]float64{float64(i*37%900) - 100, float64(i*53%700) - 100, 60, -5}, Outcome: Show})
	}
	for _, b := range placeBoxes(&a) {
		if b.CX-b.R < 0 || b.CY-b.R < 0 || b.CX+b.R > 640 || b.CY+b.R > 480 || b.W < 0 || b.H < 0 {
			t.Errorf("badge %d at (%v, %v), box %v × %v", b.Number, b.CX, b.CY, b.W, b.H)
		}
	}
}

func TestNothingToReport(t *testing.T) {
	words := text(render(t, Report{Version: Version}, Pictures{}))
	if !strings.Contains(words, "no picture was found") || !strings.Contains(words, "0 withheld") {
		t.Error(words)
	}
}
