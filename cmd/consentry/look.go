package main

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/sandbox"
	"github.com/consentry/consentry/internal/sandbox/look"
)

// lookCommand is the child process: it looks at what it is handed on standard input.
type lookCommand struct {
	MaxBytes  int64 `help:"Largest file."`
	MaxPixels int64 `help:"Largest picture."`
}

// Run serves until standard input ends.
func (l *lookCommand) Run(ctx context.Context, a *app) error {
	// Faces and templates must not reach a core file.
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("keeping core files away: %w", err)
	}
	eyes := look.New(a.lookModels(), media.Limits{MaxBytes: l.MaxBytes, MaxPixels: l.MaxPixels})
	defer eyes.Close()
	return sandbox.Serve(ctx, os.Stdin, os.Stdout, eyes)
}
