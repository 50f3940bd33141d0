package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/enrolment"
	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/redact"
	"github.com/consentry/consentry/internal/review"
)

// aftermath is what a decision on a face entails: what it could change is taken away, and the runs
// are done again. What goes wrong with one run is told, and keeps it from none of the others.
type aftermath struct {
	app     *app
	effects []review.Effect
	held    map[string]*redact.Folder // by output folder
	about   string                    // what is decided about, as in "this film"
	failed  bool                      // something is withheld, as it could not be made again
}

func newAftermath(a *app, known review.Known, decisions []decision) aftermath {
	changes := make([]review.Change, len(decisions))
	for i, d := range decisions {
		changes[i] = review.Change{Asset: d.face.Asset, Purposes: d.said.Purposes}
		if d.said.Is != "" || len(d.said.Not) > 0 {
			changes[i].Purposes = nil // who it is holds for all
		}
	}
	m := aftermath{
		app: a, effects: review.Effects(known.Runs, changes...), held: map[string]*redact.Folder{},
		about: aboutOf(decisions), failed: len(known.Damaged) > 0,
	}
	for _, e := range review.Effects(known.Elsewhere, changes...) {
		m.say("%s on %s holds what was made of %s before the decision; decide there as well", e.Run.Out, e.Run.Host, m.about)
	}
	return m
}

func aboutOf(decisions []decision) string {
	first := decisions[0].face
	other := func(d decision) bool { return d.face.Asset != first.Asset }
	switch {
	case slices.ContainsFunc(decisions, other):
		return "these files"
	case first.Film != nil:
		return "this film"
	}
	return "this photograph"
}

// say tells what is left to the user.
func (m *aftermath) say(format string, args ...any) {
	m.failed = true
	fmt.Fprintf(m.app.stderr, "consentry: "+format+"\n", args...)
}

func (m *aftermath) runs() []review.Run {
	runs := make([]review.Run, len(m.effects))
	for i, e := range m.effects {
		runs[i] = e.Run
	}
	return runs
}

// hold keeps runs out of the output folders. It is an error where one is at work in any of them.
func (m *aftermath) hold() error {
	for _, e := range m.effects {
		out := e.Run.Out
		if len(e.Places) == 0 || m.held[out] != nil {
			continue
		}
		folder, err := redact.Hold(out)
		switch {
		case errors.Is(err, redact.ErrBusy):
			return fmt.Errorf("nothing was decided, as %w %s; wait for it", err, out)
		case errors.Is(err, fs.ErrNotExist): // since it was looked at
		case err != nil:
			m.say("%s: nothing could be taken away from it: %v", out, err)
		default:
			m.held[out] = folder
		}
	}
	return nil
}

func (m *aftermath) release() error {
	var err error
	for _, folder := range m.held {
		err = errors.Join(err, folder.Close())
	}
	m.held = nil
	return err
}

// takeBack takes away what the decision could change.
func (m *aftermath) takeBack() {
	for _, e := range m.effects {
		if folder := m.held[e.Run.Out]; folder != nil {
			if _, err := folder.TakeBack(e.Places); err != nil {
				m.say("%s: what was made of %s before the decision still lies there; take it away: %v", e.Run.Out, m.about, err)
			}
		}
	}
}

// runAgain does the runs again; what has not changed is found from before.
func (m *aftermath) runAgain(ctx context.Context) error {
	if len(m.effects) == 0 && !m.app.json {
		fmt.Fprintln(m.app.stdout, "the decision is kept; nothing has to be made again here")
	}
	withheld := false
	redone := map[string][]string{} // places by output folder
	for _, e := range m.effects {
		err := m.app.runAgain(ctx, e.Run)
		var code exitCode
		switch {
		case err == nil || errors.As(err, &code) && code == exitWithheld:
			withheld = withheld || err != nil
		case code != 0: // the run has said what is wrong
			m.say("%s: not all of it could be made again; what is not released was taken away", e.Run.Out)
		default:
			m.say("the decision is kept, and what was made of %s before is taken away. "+
				"It could not be made again, into %s: %v", m.about, e.Run.Out, err)
			m.undo(e, redone[e.Run.Out])
		}
		redone[e.Run.Out] = append(redone[e.Run.Out], slices.Collect(maps.Keys(e.Run.Made()))...)
	}
	switch {
	case m.failed:
		return exitCode(exitFailed)
	case withheld:
		return exitCode(exitWithheld)
	}
	return nil
}

// undo takes away what a run would have written over that could not be done again: earlier ones have
// made it anew, by other rules.
func (m *aftermath) undo(e review.Effect, redone []string) {
	made := e.Run.Made()
	places := slices.DeleteFunc(slices.Clone(redone), func(place string) bool { return !made[place] })
	if len(places) == 0 {
		return
	}
	folder, err := redact.Hold(e.Run.Out)
	if err == nil {
		_, err = folder.TakeBack(places)
		err = errors.Join(err, folder.Close())
	}
	if err != nil {
		m.say("%s: what an earlier run made is in the place of what could not be made again; take it away: %v", e.Run.Out, err)
	}
}

// runAgain does the run as it was done before, by what holds now.
func (a *app) runAgain(ctx context.Context, run review.Run) error {
	var command redactCommand
	if err := json.Unmarshal(run.Command, &command); err != nil {
		return fmt.Errorf("reading how the run was done: %w", err)
	}
	command.inPlaceOf = run.Finished
	return command.Run(ctx, a)
}

// addReference keeps the face as a reference of the subject. Where it is not good enough, or the
// subject may not be enrolled, nothing is decided either: the person decides again without it.
func (a *app) addReference(ctx context.Context, b *bus.Bus, f review.Face, runs []review.Run, subject string) error {
	if f.Film != nil {
		return usageError{fmt.Errorf("nothing was decided: a face of a film cannot be kept as a reference; "+
			"decide without --add-reference, and enrol a photograph of %s", subject)}
	}
	if err := a.models.Verify(ctx); err != nil {
		return err
	}
	photograph, err := originalOf(ctx, f, runs)
	if err != nil {
		return usageError{fmt.Errorf("--add-reference: %w", err)}
	}
	session, closeVision, err := a.enrolmentSession(b, defaultTimeOut)
	if err != nil {
		return err
	}
	defer closeVision()
	note, err := session.Face(ctx, subject, photograph, f.Box)
	if errors.As(err, new(*enrolment.Faults)) || errors.As(err, new(*enrolment.Stranger)) {
		return usageError{fmt.Errorf("nothing was decided, as the face cannot be a reference of %s: %w", subject, err)}
	}
	if err != nil {
		return err
	}
	if note != "" {
		fmt.Fprintln(a.stderr, "consentry:", note)
	}
	if a.json {
		return nil
	}
	_, err = fmt.Fprintf(a.stdout, "kept as a reference of %s\n", subject)
	return err
}

// originalOf reads the photograph that the face is in, from where a run took it.
func originalOf(ctx context.Context, f review.Face, runs []review.Run) ([]byte, error) {
	for _, run := range runs {
		var command redactCommand
		if err := json.Unmarshal(run.Command, &command); err != nil {
			return nil, fmt.Errorf("reading how the run for %s was done: %w", run.Out, err)
		}
		data, err := intake.Original(ctx, command.Paths, command.Out, intake.Options{IsMedia: media.IsMediaName}, f.Path, f.Asset, command.MaxBytes)
		if err == nil {
			return data, nil
		}
	}
	return nil, intake.ErrNoOriginal
}
