package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/consentry/consentry/internal/clearance"
	"github.com/consentry/consentry/internal/intake"
)

type verifyCommand struct {
	File    string `arg:"" help:"The derivative; its clearance lies beside it." type:"path"`
	Purpose string `required:"" help:"What it is to be published for: ${purposes}." placeholder:"X"`
}

// Run exits with 0 only if this very file is cleared for the purpose.
func (v *verifyCommand) Run(_ context.Context, a *app) error {
	cleared, err := v.check(a)
	if err != nil {
		return err
	}
	if a.json {
		if err := json.NewEncoder(a.stdout).Encode(verdict{Cleared: cleared == nil, Purpose: v.Purpose, Reason: text(cleared)}); err != nil {
			return err
		}
	} else if cleared == nil {
		fmt.Fprintf(a.stdout, "%s: cleared for %s\n", v.File, v.Purpose)
	} else {
		fmt.Fprintf(a.stderr, "consentry: %s: not cleared for %s: %v\n", v.File, v.Purpose, cleared)
	}
	if cleared != nil {
		return exitCode(exitWithheld)
	}
	return nil
}

type verdict struct {
	Cleared bool   `json:"cleared"`
	Purpose string `json:"purpose"`
	Reason  string `json:"reason,omitempty"`
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// check says why the file is not cleared; the second error means that it could not be looked at.
func (v *verifyCommand) check(a *app) (cleared, err error) {
	if _, err := parsePurpose(v.Purpose); err != nil {
		return nil, usageError{err}
	}
	file, err := intake.OpenNamed(v.File)
	if err != nil {
		return nil, usageError{err}
	}
	defer file.Close()
	statement, err := readStatement(v.File + ".clearance.json")
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("no clearance lies beside it"), nil
	}
	if err != nil {
		return nil, usageError{err}
	}
	state, err := a.state()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(state, keyName)
	key, err := clearance.LoadKey(path)
	if err != nil {
		return nil, setupError{fmt.Errorf("%s: %w", path, err)}
	}
	return clearance.Verify(file, statement, v.Purpose, key.Public().(ed25519.PublicKey)), nil
}

// readStatement reads a clearance, and of what is too long to be one no more than tells so.
func readStatement(path string) ([]byte, error) {
	file, err := intake.OpenNamed(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, clearance.MaxFile+1))
}
