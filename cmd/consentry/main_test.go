package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/consentry/consentry/models"
)

// TestMain is also the program itself: the scripts run this test's binary under the name
// consentry, and so does the program when it starts its child process.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"consentry": main})
}

// TestScripts runs the command line as a user does. Each script is one folder with a state of its
// own; the model files are found in the default place below $XDG_DATA_HOME.
func TestScripts(t *testing.T) {
	dir := modelDir(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               func(env *testscript.Env) error { return setUp(env, dir) },
		Condition:           condition,
		Cmds:                commands(),
	})
}

type command = func(ts *testscript.TestScript, neg bool, args []string)

// commands are the scripts' own: makers of inputs, then what is asserted.
func commands() map[string]command {
	return map[string]command{
		"exits": exits, "interrupt": interrupt, "tinydisk": tinyDisk, "expand": expand, "meanwhile": meanwhile,
		"layout": layout, "sample": sample, "crop": crop, "beside": beside, "scale": scale, "soften": soften,
		"plain": plain, "animated": animated, "bomb": bomb, "cut": cut, "flip": flip, "named": named,
		"asset": asset, "jsonhas": jsonHas, "samepixels": samePixels, "onlyregions": onlyRegions,
		"movie": movie, "blot": blot, "sametimes": sameTimes, "samestreams": sameStreams, "streams": streams,
		"covered": covered, "alike": alike,
		"holds": holds, "nowhere": nowhere, "pages": pages, "faceid": faceID, "cells": cells,
	}
}

// modelDir is where the weights and the sample photographs are.
func modelDir(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("CONSENTRY_MODELS"); dir != "" {
		return dir
	}
	dir, err := models.DefaultDir()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func setUp(env *testscript.Env, models string) error {
	data := filepath.Join(env.WorkDir, "data")
	if err := os.MkdirAll(filepath.Join(data, "consentry"), 0o755); err != nil {
		return err
	}
	if err := os.Symlink(models, filepath.Join(data, "consentry", "models")); err != nil {
		return err
	}
	program, err := exec.LookPath("consentry")
	if err != nil {
		return err
	}
	env.Setenv("XDG_DATA_HOME", data)
	env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "state"))
	env.Setenv("MODELS", models)
	env.Setenv("BIN", filepath.Dir(program))
	env.Values[environment{}] = env
	return nil
}

type environment struct{}

// condition knows [root] and [unprivileged-mount].
func condition(name string) (bool, error) {
	switch name {
	case "root":
		return os.Geteuid() == 0, nil
	case "unprivileged-mount":
		return exec.Command("unshare", "-Urm", "mount", "-t", "tmpfs", "none", os.TempDir()).Run() == nil, nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// exits CODE PROGRAM ARG… runs the program and wants this exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG…")
	}
	wantCode(ts, args[0], ts.Exec(args[1], args[2:]...))
}

func wantCode(ts *testscript.TestScript, want string, err error) {
	code := 0
	var failed *exec.ExitError
	switch {
	case errors.As(err, &failed):
		code = failed.ExitCode()
	case err != nil:
		ts.Fatalf("running: %v", err)
	}
	if strconv.Itoa(code) != want {
		ts.Fatalf("exit code %d, want %s", code, want)
	}
}

// interrupt SIGNAL FILE CODE PROGRAM ARG… runs the program, sends the signal once FILE exists (or a file that
// fits the pattern), and wants the exit code; -1 is that of a program that a signal has ended. The signals are INT, KILL,
// and CHILD, which kills not the program but the process that it has started.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: interrupt SIGNAL FILE CODE PROGRAM ARG…")
	}
	env := ts.Value(environment{}).(*testscript.Env)
	program, err := exec.LookPath(args[3])
	ts.Check(err)
	cmd := exec.Command(program, args[4:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), env.Vars
	var out, words strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &words
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	waitFor(ts, ts.MkAbs(args[1]), ended)
	ts.Check(send(args[0], cmd.Process.Pid))
	err = <-ended
	fmt.Fprint(ts.Stdout(), out.String())
	fmt.Fprint(ts.Stderr(), words.String())
	if code := cmd.ProcessState.ExitCode(); strconv.Itoa(code) != args[2] {
		ts.Fatalf("exit code %d (%v), want %s\n%s%s", code, err, args[2], out.String(), words.String())
	}
}

func send(signal string, pid int) error {
	switch signal {
	case "INT":
		return syscall.Kill(pid, syscall.SIGINT)
	case "KILL":
		return syscall.Kill(pid, syscall.SIGKILL)
	}
	children, err := childrenOf(pid)
	if err == nil && len(children) == 0 {
		err = errors.New("the program has no child process")
	}
	for _, child := range children {
		err = errors.Join(err, syscall.Kill(child, syscall.SIGKILL))
	}
	return err
}

func childrenOf(pid int) ([]int, error) {
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil, err
	}
	var children []int
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue // a thread that has ended
		}
		for _, field := range strings.Fields(string(text)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				return nil, err
			}
			children = append(children, child)
		}
	}
	return children, nil
}

// waitFor returns once the file is there; it is a fault if the program ends first.
func waitFor(ts *testscript.TestScript, file string, ended <-chan error) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		select {
		case err := <-ended:
			ts.Fatalf("the program ended (%v) before it could be stopped", err)
		default:
		}
		if found, err := filepath.Glob(file); err == nil && len(found) > 0 {
			return
		}
	}
}

// tinyDisk SIZE DIR CODE PROGRAM ARG… runs the program while DIR is a disk of that size. What was
// on it is in DIR.after afterwards.
func tinyDisk(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: tinydisk SIZE DIR CODE PROGRAM ARG…")
	}
	const script = `mount -t tmpfs -o size="$1" none "$2" || exit 99
disk=$2; shift 2; "$@"; code=$?; cp -a "$disk" "$disk.after"; exit $code`
	wrapped := append([]string{"-Urm", "sh", "-c", script, "sh", args[0], ts.MkAbs(args[1])}, args[3:]...)
	wantCode(ts, args[2], ts.Exec("unshare", wrapped...))
}

// expand FILE… replaces $NAME in the files by the environment's value.
func expand(ts *testscript.TestScript, _ bool, args []string) {
	for _, file := range args {
		text := os.Expand(ts.ReadFile(file), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o644))
	}
}
