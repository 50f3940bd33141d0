package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/consentry/consentry/internal/consent"
)

type policyCommand struct {
	Show  policyShow  `cmd:"" help:"Print a preset's file, to copy and edit."`
	Check policyCheck `cmd:"" help:"Say whether a policy file can be used, and what is wrong with it where."`
}

type policyShow struct {
	Name string `arg:"" help:"perse, lumen, james, stepping-stones or break."`
}

// Run prints the preset's file as it is.
func (p *policyShow) Run(a *app) error {
	source, err := consent.PresetSource(p.Name)
	if err != nil {
		return usageError{err}
	}
	if a.json {
		policy, err := consent.ParsePolicy(source)
		if err != nil {
			return err
		}
		return json.NewEncoder(a.stdout).Encode(policy)
	}
	_, err = a.stdout.Write(source)
	return err
}

type policyCheck struct {
	File string `arg:"" help:"A YAML file, or a preset's name."`
}

// Run reads the file as redact would.
func (p *policyCheck) Run(a *app) error {
	policy, err := loadPolicy(p.File)
	if err != nil {
		return err
	}
	if a.json {
		return json.NewEncoder(a.stdout).Encode(map[string]string{"name": policy.Name, "sha256": policy.Digest()})
	}
	_, err = fmt.Fprintf(a.stdout, "%s: a good policy file, named %s\n", p.File, policy.Name)
	return err
}

// loadPolicy reads a preset or a file.
func loadPolicy(nameOrFile string) (consent.Policy, error) {
	policy, err := consent.Load(nameOrFile, func(name string) (io.ReadCloser, error) { return openInput(name) })
	if err != nil {
		return consent.Policy{}, usageError{fmt.Errorf("%s: %w", nameOrFile, err)}
	}
	return policy, nil
}
