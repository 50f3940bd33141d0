package gallery

import (
	"fmt"
	"math"
	"strconv"
)

// Plain says in plain words what was measured and what follows, one sentence or two a line.
func (c Calibration) Plain() []string {
	lines := []string{c.plainMeasured()}
	if c.ImpostorPairs >= ruleOf30 {
		lines = append(lines, c.plainAlike())
	}
	lines = append(lines, c.plainConfident(), c.plainUnsure())
	if c.ImpostorPairs >= ruleOf30 {
		lines = append(lines, fmt.Sprintf("Of 100 faces of people who are not enrolled, %s will be shown to a person, because they look a little like somebody who is.", ofHundred(c.StrangersAsked)))
	}
	if c.GenuinePairs >= ruleOf30 {
		lines = append(lines, fmt.Sprintf("Of 100 pairs of references of one pupil, %s are alike enough for the pupil to be recognised without asking; faces at events are harder.", ofHundred(c.GenuineConfident)))
	}
	if c.Thresholds.Confident > highestScore() {
		lines = append(lines, "No two photographs are that alike: nobody will be recognised without asking. Narrow the gallery to those who attended, or enrol sharper, frontal photographs.")
	}
	return lines
}

func (c Calibration) plainMeasured() string {
	return fmt.Sprintf("%s enrolled with %s. Compared: %s of different pupils, %s of the same pupil.",
		count(c.Subjects, "pupil is", "pupils are"), count(c.References, "reference", "references"),
		count(c.ImpostorPairs, "pair", "pairs"), count(c.GenuinePairs, "pair", "pairs"))
}

func (c Calibration) plainAlike() string {
	how := "about as alike as people of many origins are"
	switch {
	case c.ImpostorMean >= 1:
		how = "much more alike than people of many origins are"
	case c.ImpostorMean >= 0.4:
		how = "more alike than people of many origins are"
	case c.ImpostorMean <= -0.4:
		how = "less alike than people of many origins are"
	}
	return fmt.Sprintf("Different pupils score %.1f on average here, give or take %.1f: %s (0, give or take 1).", c.ImpostorMean, c.ImpostorSD, how)
}

func (c Calibration) plainConfident() string {
	aim := fmt.Sprintf("so that of %s faces of people who are not enrolled one at most is taken for a pupil", thousands(int(math.Round(1/c.Target.FalseConfident))))
	if c.Thresholds.Confident > c.Tail.Score {
		return fmt.Sprintf("A face is surely a pupil from %.1f on, %s. The references alone would allow %.1f, but they are better photographs than those of events, so the safe default stands.", c.Thresholds.Confident, aim, c.Tail.Score)
	}
	how := map[Model]string{
		ModelCounted: "This was counted on the references.",
		ModelNormal:  "That is rarer than can be counted here: it was reckoned from the average and the spread of the pairs.",
		ModelPareto:  "That is rarer than can be counted here: it was reckoned from how the most alike hundredth of the pairs falls off.",
		ModelDefault: "There are too few references to measure it here: it was reckoned from how people of many origins differ.",
	}[c.Tail.Model]
	return fmt.Sprintf("A face is surely a pupil from %.1f on, %s. %s", c.Thresholds.Confident, aim, how)
}

func (c Calibration) plainUnsure() string {
	s := fmt.Sprintf("From %.1f to %.1f a person is asked; below that it is nobody who is enrolled.", c.Thresholds.Unsure, c.Thresholds.Confident)
	kept := strconv.FormatFloat(100*c.Target.GenuineKept, 'f', -1, 64)
	switch {
	case !c.UnsureMeasured:
		return s + fmt.Sprintf(" The lower limit is the safe default: to measure it takes %s or more of %d pupils with two references each.",
			count(int(math.Ceil(genuineBelow/(1-c.Target.GenuineKept))), "pair", "pairs"), genuineSubjects)
	case c.Thresholds.Unsure > c.GenuineQuantile:
		return s + fmt.Sprintf(" To keep %s of 100 pairs of the same pupil the lower limit would have to be %.1f, where nearly every stranger is asked about too: replace the references that do not agree with each other.", kept, c.GenuineQuantile)
	}
	return s + fmt.Sprintf(" At least %s of 100 pairs of photographs of the same pupil lie above the lower limit.", kept)
}

// highestScore is that of a face with itself.
func highestScore() float64 { return fused(dlibScore(0), mobileScore(1)) }

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

// thousands writes a number with commas.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func ofHundred(share float64) string {
	switch p := 100 * share; {
	case p == 0:
		return "none"
	case p < 1:
		return "less than one"
	case p == 100:
		return "all"
	case p > 99:
		return "more than 99"
	default:
		return fmt.Sprintf("about %.0f", p)
	}
}
