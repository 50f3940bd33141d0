// Command consentry obscures, in photographs and films, the pupils who may not be shown.
//
// This package parses the command line, wires the parts together and prints; it decides nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/models"
)

// Exit codes, the same for every command.
const (
	exitOK       = 0 // everything released
	exitUsage    = 2 // wrong usage or unreadable input file
	exitWithheld = 3 // finished, something withheld for a person
	exitFailed   = 4 // finished, something failed and is withheld
	exitSetup    = 5 // set-up missing, nothing done
)

const exitCodes = "Exit status: 0 everything released; 2 wrong usage, or an input that could not be read; " +
	"3 finished, something is withheld for a person; 4 finished, something failed and is withheld; " +
	"5 the set-up is incomplete, nothing was done."

type cli struct {
	State    string `help:"Folder for everything durable. Default: ${state}." placeholder:"DIR" type:"path"`
	Models   string `help:"Folder of the model files. Default: ${models}." placeholder:"DIR" type:"path"`
	NATS     string `name:"nats" help:"Use this NATS server or cluster instead of the embedded one." placeholder:"URL"`
	LogLevel string `help:"How much to log on standard error: debug, info, warn, error." enum:"debug,info,warn,error" default:"warn"`
	JSON     bool   `name:"json" help:"Print results for machines, on standard output."`

	ModelsCommand modelsCommand   `cmd:"" name:"models" help:"Fetch and list the model files."`
	Register      registerCommand `cmd:"" help:"Keep the register of subjects and consents."`
	Enrol         enrolCommand    `cmd:"" help:"Enrol subjects by reference photographs named by admission number."`
	Gallery       galleryCommand  `cmd:"" help:"Set how sure a match must be."`
	Policy        policyCommand   `cmd:"" help:"Show and check image policies."`
	Redact        redactCommand   `cmd:"" help:"Make safe derivatives of photographs and films on this machine."`
	Review        reviewCommand   `cmd:"" help:"Decide about faces that wait for a person."`
	Verify        verifyCommand   `cmd:"" help:"Say whether this very file may be published for a purpose now."`
	Demo          demoCommand     `cmd:"" hidden:"" help:"Run the main job on the sample photographs."`
	Measure       measureCommand  `cmd:"" hidden:"" help:"Measure speed and error rates."`
	SBOM          sbomCommand     `cmd:"" name:"sbom" hidden:"" help:"List what this binary was built from (CycloneDX)."`
	Look          lookCommand     `cmd:"" hidden:"" help:"Look at pictures for a parent process."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program but for signals and the exit.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c cli
	exited := -1 // kong asks to exit after --help
	parser, err := kong.New(&c,
		kong.Name("consentry"),
		kong.Description("Obscures, in photographs and films, the pupils who may not be shown, before anything is published.\n\n"+exitCodes),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.Vars{
			"state": "$XDG_STATE_HOME/consentry", "models": "$XDG_DATA_HOME/consentry/models",
			"maxbytes":  strconv.FormatInt(media.DefaultLimits().MaxBytes, 10),
			"maxpixels": strconv.FormatInt(media.DefaultLimits().MaxPixels, 10),
			"timeout":   defaultTimeOut.String(),
			"purposes":  purposeNames(),
			"crf":       strconv.Itoa(film.DefaultEncoding().CRF), "videopreset": film.DefaultEncoding().Preset,
			"every": strconv.Itoa(defaultEvery), "everymost": strconv.Itoa(mostEvery),
		},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
	if err != nil {
		return conclude(stderr, err)
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		return conclude(stderr, usageError{withHelp(err)})
	}
	app, err := newApp(&c, stdout, stderr)
	if err != nil {
		return conclude(stderr, err)
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	return conclude(stderr, parsed.Run(app))
}

// withHelp adds to what is wrong with a command line where to read how it should be.
func withHelp(err error) error {
	command := "consentry"
	var wrong *kong.ParseError
	if errors.As(err, &wrong) && wrong.Context != nil && wrong.Context.Selected() != nil {
		command = wrong.Context.Selected().FullPath()
	}
	return fmt.Errorf("%w; see %s --help", err, command)
}

// app is what every command needs.
type app struct {
	given  string // --state, or empty
	models *models.Store
	nats   string
	json   bool
	log    *slog.Logger
	stdout io.Writer
	stderr io.Writer
}

func newApp(c *cli, stdout, stderr io.Writer) (*app, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, usageError{err}
	}
	a := &app{
		given: c.State, nats: c.NATS, json: c.JSON, stdout: stdout, stderr: stderr,
		log: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level})),
	}
	dir := c.Models
	if dir == "" {
		var err error
		if dir, err = models.DefaultDir(); err != nil {
			return nil, setupError{err}
		}
	}
	store, err := models.Open(dir)
	if err != nil {
		return nil, setupError{err}
	}
	a.models = store
	return a, nil
}

// state is the folder for everything durable: --state, $XDG_STATE_HOME/consentry, or
// ~/.local/state/consentry.
func (a *app) state() (string, error) {
	if a.given != "" {
		return a.given, nil
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "consentry"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", setupError{fmt.Errorf("no folder for the state: set --state or $XDG_STATE_HOME: %w", err)}
	}
	return filepath.Join(home, ".local", "state", "consentry"), nil
}

// keyName is the file of the key that signs clearances, in the state's folder.
const keyName = "clearance.key"

// usageError is wrong usage or an unreadable input file.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// setupError is a missing part of the set-up.
type setupError struct{ error }

func (e setupError) Unwrap() error { return e.error }

// exitCode ends a command that has said everything already.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// conclude says what went wrong and turns it into the exit code. What has no kind of its own counts
// as failed: fail closed.
func conclude(stderr io.Writer, err error) int {
	var code exitCode
	if err == nil {
		return exitOK
	}
	if errors.As(err, &code) {
		return int(code)
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(stderr, "consentry: interrupted; run the same command again")
		return exitFailed
	}
	fmt.Fprintln(stderr, "consentry:", err)
	switch {
	case errors.As(err, new(setupError)), errors.As(err, new(*models.MissingError)):
		return exitSetup
	case errors.As(err, new(usageError)):
		return exitUsage
	}
	return exitFailed
}
