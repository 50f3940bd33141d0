package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/sandbox"
	"github.com/consentry/consentry/internal/sandbox/look"
)

// lookCommand is the child process: it looks at what it is handed on standard input.
type lookCommand struct {
	MaxBytes  int64 `help:"Largest file."`
	MaxPixels int64 `help:"Largest picture."`

	MaxFilmBytes  int64         `help:"Largest film; 0: as is usual."`
	MaxFilmPixels int64         `help:"Largest frame of a film; 0: as is usual."`
	FilmStall     time.Duration `help:"How long ffmpeg may make no progress; 0: as is usual."`
}

// Run serves until standard input ends.
func (l *lookCommand) Run(ctx context.Context, a *app) error {
	// Faces and templates must not reach a core file.
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("keeping core files away: %w", err)
	}
	eyes := look.New(a.lookModels(), media.Limits{MaxBytes: l.MaxBytes, MaxPixels: l.MaxPixels})
	defer eyes.Close()
	usual := film.DefaultLimits()
	eyes.LimitFilms(film.Limits{
		MaxBytes:  cmp.Or(l.MaxFilmBytes, usual.MaxBytes),
		MaxPixels: cmp.Or(l.MaxFilmPixels, usual.MaxPixels),
		Stall:     cmp.Or(l.FilmStall, usual.Stall),
	})
	return sandbox.Serve(ctx, os.Stdin, os.Stdout, eyes)
}
