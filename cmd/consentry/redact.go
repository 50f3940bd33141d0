package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/obscure"
	"github.com/consentry/consentry/internal/redact"
	"github.com/consentry/consentry/pipeline"
)

// defaultTimeOut is ample for 200 megapixels with a hundred faces on a slow machine.
const defaultTimeOut = 3 * time.Minute

type redactCommand struct {
	Paths           []string      `arg:"" name:"path" help:"Photographs and films, or folders of them." type:"path"`
	Purpose         []string      `required:"" help:"What the derivatives are for: ${purposes}. May be given more than once." placeholder:"X"`
	Out             string        `required:"" help:"Folder for the derivatives and the report." placeholder:"DIR" type:"path"`
	Register        string        `help:"Folder with subjects.csv and consents.csv, for this run only. Default: the state's register." placeholder:"DIR" type:"path"`
	References      string        `help:"Folder with reference photographs (4021.jpg, 4021-2.jpg, 4021/any.jpg), for this run only. Default: who is enrolled in the state." placeholder:"DIR" type:"path"`
	Preset          string        `default:"lumen" help:"Image policy: perse, lumen, james, stepping-stones, break, or a YAML file."`
	Mode            string        `enum:"objectors,cleared,everyone" default:"objectors" help:"Who is enrolled: objectors (pupils who may not be shown), cleared (pupils who may be shown; all others are obscured), or everyone (nobody is enrolled, all are obscured)."`
	UnknownFace     string        `enum:"obscure,review,show," default:"" placeholder:"WORD" help:"What becomes of a face that matches nobody: obscure, review or show. Default: the preset's."`
	WhenNotEnrolled string        `enum:"stop,cleared,everyone" default:"stop" help:"What to do when somebody who must be obscured and may have been there is not, or may not be, enrolled: stop, or go on in mode cleared or everyone."`
	Attending       []string      `help:"Who was there: classes, year groups, admission numbers, files of them. Nobody else is looked for." placeholder:"CLASS,YEAR,FILE"`
	For             string        `help:"The subject in whose record the derivatives are kept (purpose learning-journey): shown are this subject, and others only with consent." placeholder:"ID"`
	Style           string        `enum:"secure-blur,solid" default:"secure-blur" help:"How a face is obscured: secure-blur or solid."`
	Workers         int           `help:"Photographs at a time; films come one after the other beside them. Default: one for each processor." placeholder:"N"`
	MaxBytes        int64         `help:"Largest photograph taken, in bytes." default:"${maxbytes}"`
	MaxPixels       int64         `help:"Largest photograph taken, in pixels." default:"${maxpixels}"`
	TimeOut         time.Duration `name:"timeout" help:"Longest time for one photograph, and for a film without progress." default:"${timeout}"`

	Films filmFlags `embed:""`

	inPlaceOf time.Time // when the run was done that is done again, as a person has decided about a face; else zero
}

// Run makes the derivatives and says what became of them.
func (r *redactCommand) Run(ctx context.Context, a *app) error {
	options, err := r.options(a)
	if err != nil {
		return err
	}
	if err := a.models.Verify(ctx); err != nil {
		return err
	}
	progress := newProgress(a.stderr)
	options.Progress = progress
	summary, err := redact.Run(ctx, options)
	progress.finish()
	if err != nil && summary.Report == "" { // nothing was processed
		return kindOf(err)
	}
	err = errors.Join(a.printSummary(summary, err == nil), err)
	if !options.KeepsState() && summary.Withheld > 0 && !a.json {
		fmt.Fprintln(a.stderr, "consentry: no face can be decided about, as nothing of this run is kept; for that, run it with --state DIR")
	}
	if err != nil {
		return err
	}
	return codeOf(summary)
}

// kindOf turns the errors of a run that did nothing into exit codes.
func kindOf(err error) error {
	switch {
	case errors.As(err, new(*redact.UsageError)):
		return usageError{err}
	case errors.As(err, new(*redact.SetupError)):
		return setupError{err}
	}
	return err
}

// codeOf is the exit code of a finished run: what could not be read weighs most, as the user has
// to do something about it.
func codeOf(s redact.Summary) error {
	switch {
	case s.Unreadable > 0:
		return exitCode(exitUsage)
	case s.Failed > 0 || s.Interrupted:
		return exitCode(exitFailed)
	case s.Withheld > 0:
		return exitCode(exitWithheld)
	}
	return nil
}

// printSummary says what became of the run; reported is whether there is a report to open.
func (a *app) printSummary(s redact.Summary, reported bool) error {
	if a.json {
		return json.NewEncoder(a.stdout).Encode(s)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "released %d, withheld %d, failed %d", s.Released, s.Withheld, s.Failed)
	if s.Found > 0 {
		fmt.Fprintf(&text, " (%d found from an earlier run)", s.Found)
	}
	fmt.Fprintln(&text)
	if s.Withheld > 0 {
		fmt.Fprintln(&text, "what is withheld, and why, stands first on the contact sheet")
	}
	if reported {
		fmt.Fprintln(&text, "open", s.Report)
	}
	for _, p := range s.Problems {
		fmt.Fprintln(a.stderr, "consentry:", p)
	}
	if s.Interrupted {
		fmt.Fprintln(a.stderr, "consentry: interrupted; run the same command again to do the rest")
	}
	_, err := io.WriteString(a.stdout, text.String())
	return err
}

func (r *redactCommand) options(a *app) (redact.Options, error) {
	purposes, err := r.purposes()
	if err != nil {
		return redact.Options{}, usageError{err}
	}
	if err := errors.Join(r.checkLimits(), checkPreset(r.Preset)); err != nil {
		return redact.Options{}, usageError{err}
	}
	films, err := r.Films.options()
	if err != nil {
		return redact.Options{}, usageError{err}
	}
	if r.Workers == 0 {
		r.Workers = runtime.NumCPU()
	}
	state, err := a.state()
	if err != nil {
		return redact.Options{}, err
	}
	self, err := os.Executable()
	if err != nil {
		return redact.Options{}, setupError{fmt.Errorf("finding the program's own file: %w", err)}
	}
	again, err := r.again()
	if err != nil {
		return redact.Options{}, err
	}
	o := redact.Options{
		Again: again, InPlaceOf: r.inPlaceOf,
		Paths: r.Paths, Purposes: purposes, Out: r.Out,
		RegisterDir: r.Register, ReferencesDir: r.References,
		Preset: r.Preset, Mode: pipeline.Mode(r.Mode), UnknownFace: consent.Outcome(r.UnknownFace),
		WhenNotEnrolled: redact.WhenNotEnrolled(r.WhenNotEnrolled), Attending: r.Attending, For: r.For,
		Style: obscure.Style(r.Style), Workers: r.Workers, TimeOut: r.TimeOut,
		Film: films, DebugTracks: r.Films.DebugTracks,
		Limits: media.Limits{MaxBytes: r.MaxBytes, MaxPixels: r.MaxPixels}, FilmLimits: film.DefaultLimits(),
		WorkDir:     filepath.Join(state, "work"),
		NATSURL:     a.nats,
		KeyPath:     filepath.Join(state, keyName),
		ModelDigest: a.models.Digest(),
		Child:       a.child(self, media.Limits{MaxBytes: r.MaxBytes, MaxPixels: r.MaxPixels}),
		Now:         time.Now,
		Log:         a.log,
	}
	if a.given != "" || r.usesState() || !r.inPlaceOf.IsZero() { // what a person decided is in the state
		o.StateDir = filepath.Join(state, natsFolder)
	} else {
		o.ThrowAwayDir = filepath.Join(state, "runs")
	}
	return o, nil
}

// usesState says whether the run needs the register or the gallery of the state.
func (r *redactCommand) usesState() bool {
	return r.Register == "" && r.References == "" && pipeline.Mode(r.Mode) != pipeline.Everyone
}

// again is the command as the state keeps it, with paths that do not depend on where it is run from.
func (r *redactCommand) again() (json.RawMessage, error) {
	kept := *r
	kept.Attending = slices.Clone(r.Attending)
	for i := range kept.Attending {
		kept.Attending[i] = strings.TrimSpace(kept.Attending[i])
		if err := makeAbsolute(&kept.Attending[i]); err != nil {
			return nil, err
		}
	}
	if err := makeAbsolute(&kept.Preset); err != nil {
		return nil, err
	}
	return json.Marshal(kept)
}

// makeAbsolute makes a word absolute that is a file's name. Presets, classes, year groups and
// admission numbers come first where they are called like a file; so that none of them is taken for
// one, it has an ending or a folder in it and is there.
func makeAbsolute(word *string) (err error) {
	if filepath.Ext(*word) == "" && !strings.ContainsRune(*word, filepath.Separator) {
		return nil
	}
	if info, err := os.Stat(*word); err != nil || !info.Mode().IsRegular() {
		return nil //nolint:nilerr // it is no file, whatever else it is
	}
	*word, err = filepath.Abs(*word)
	return err
}

// checkLimits refuses limits that would let nothing through.
func (r *redactCommand) checkLimits() error {
	switch {
	case r.Workers < 0:
		return fmt.Errorf("--workers %d: at least 1", r.Workers)
	case r.MaxBytes < 1:
		return fmt.Errorf("--max-bytes %d: at least 1", r.MaxBytes)
	case r.MaxPixels < 1:
		return fmt.Errorf("--max-pixels %d: at least 1", r.MaxPixels)
	case r.TimeOut <= 0:
		return fmt.Errorf("--timeout %v: longer than nothing, such as 3m", r.TimeOut)
	}
	return nil
}

// setDefaults fills in what the command line would have.
func (r *redactCommand) setDefaults() {
	limits := media.DefaultLimits()
	r.MaxBytes, r.MaxPixels, r.TimeOut = limits.MaxBytes, limits.MaxPixels, defaultTimeOut
	r.Films = defaultFilmFlags()
}

// purposes reads --purpose, which may be given more than once and hold a list.
func (r *redactCommand) purposes() ([]consent.Purpose, error) {
	var purposes []consent.Purpose
	seen := map[consent.Purpose]bool{}
	for _, text := range r.Purpose {
		p, err := parsePurpose(text)
		if err != nil {
			return nil, err
		}
		if !seen[p] {
			seen[p] = true
			purposes = append(purposes, p)
		}
	}
	return purposes, nil
}

func parsePurpose(text string) (consent.Purpose, error) {
	p := consent.Purpose(text)
	if !p.IsPublication() {
		return "", fmt.Errorf("--purpose %s: there are %s", text, purposeNames())
	}
	return p, nil
}

func purposeNames() string {
	var names []string
	for _, p := range consent.PublicationPurposes() {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}
