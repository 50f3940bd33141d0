package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// pages WORD DIR… wants the word in a compressed page of the register in some file below the
// paths, where each counts that can be unpacked, whether the register still knows of it or not.
// With ! it wants the word in none of them, and pages to be there.
func pages(ts *testscript.TestScript, neg bool, args []string) {
	unpacked, found := 0, false
	for _, dir := range args[1:] {
		walk(ts, dir, func(path, _ string) {
			data, err := os.ReadFile(path)
			ts.Check(err)
			for _, page := range gzipped(data) {
				unpacked++
				found = found || bytes.Contains(page, []byte(args[0]))
			}
		})
	}
	if unpacked == 0 {
		ts.Fatalf("there is no page in %v", args[1:])
	}
	if found == neg {
		ts.Fatalf("of %d pages one holds %s: %v", unpacked, args[0], found)
	}
}

// gzipped is what can be unpacked anywhere in the data, cut off or not.
func gzipped(data []byte) [][]byte {
	var list [][]byte
	magic := []byte{0x1f, 0x8b, 0x08}
	for at := bytes.Index(data, magic); at >= 0; {
		if z, err := gzip.NewReader(bytes.NewReader(data[at:])); err == nil {
			z.Multistream(false)
			if page, _ := io.ReadAll(z); len(page) > 0 { // what comes before the damage counts
				list = append(list, page)
			}
		}
		next := bytes.Index(data[at+1:], magic)
		if next < 0 {
			break
		}
		at += 1 + next
	}
	return list
}

// faceid OUT PURPOSE PATH OUTCOME VAR sets the variable to the id of the only face of the asset that
// has this outcome.
func faceID(ts *testscript.TestScript, _ bool, args []string) {
	a := findAsset(ts, args[0], args[1], args[2])
	ids := withOutcome(a, args[3])
	if len(ids) != 1 {
		ts.Fatalf("%s has %d faces to %s of %d, want 1", a.Path, len(ids), args[3], len(a.Faces)+len(a.Tracks))
	}
	ts.Setenv(args[4], ids[0])
}

// meanwhile TEXT CODE PROGRAM ARG… / CODE PROGRAM ARG… starts the first program, stops it where it
// is once it has written the text on standard error, runs the second (with the first's process number in
// $FIRST), and lets the first go on. What stdout and stderr are then is the second's.
func meanwhile(ts *testscript.TestScript, _ bool, args []string) {
	slash := slices.Index(args, "/")
	if slash < 3 || slash+2 >= len(args) {
		ts.Fatalf("usage: meanwhile TEXT CODE PROGRAM ARG… / CODE PROGRAM ARG…")
	}
	first, second := args[1:slash], args[slash+1:]
	env := ts.Value(environment{}).(*testscript.Env)
	program, err := exec.LookPath(first[1])
	ts.Check(err)
	cmd := exec.Command(program, first[2:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), env.Vars
	words, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	lines := bufio.NewScanner(words)
	heard := waitForLine(lines, args[0])
	ts.Check(cmd.Process.Signal(syscall.SIGSTOP))
	ts.Setenv("FIRST", strconv.Itoa(cmd.Process.Pid))
	err = ts.Exec(second[1], second[2:]...)
	ts.Check(cmd.Process.Signal(syscall.SIGCONT))
	for lines.Scan() {
		heard = append(heard, lines.Text())
	}
	ended := cmd.Wait()
	if code := fmt.Sprint(cmd.ProcessState.ExitCode()); code != first[0] {
		ts.Fatalf("the first ended with %v, want %s\n%s", ended, first[0], strings.Join(heard, "\n"))
	}
	wantCode(ts, second[0], err)
}

// waitForLine reads until a line holds the text, or there are no more.
func waitForLine(lines *bufio.Scanner, text string) (heard []string) {
	for lines.Scan() {
		heard = append(heard, lines.Text())
		if strings.Contains(lines.Text(), text) {
			break
		}
	}
	return heard
}

// cells FILE PURPOSE DAY holds a table of presets (columns) and subjects (rows), of cells such as
// show:perse-2.1, against what register list says of each for the purpose on that day.
func cells(ts *testscript.TestScript, _ bool, args []string) {
	lines := strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), "\n")
	for column, preset := range strings.Fields(lines[0])[1:] {
		var rows []listed
		ts.Check(ts.Exec("consentry", "register", "list", "--json", "--preset", preset, "--purpose", args[1], "--on", args[2]))
		ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &rows))
		var want, got []string
		for _, line := range lines[1:] {
			fields := strings.Fields(line)
			want = append(want, fields[0]+" "+fields[1+column])
		}
		for _, r := range rows {
			got = append(got, fmt.Sprintf("%s %s:%s", r.AdmissionNumber, r.Outcome, r.Rule))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			ts.Fatalf("%s on %s by %s:\n%s", args[1], args[2], preset, diff)
		}
	}
}
