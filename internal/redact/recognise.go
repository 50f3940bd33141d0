package redact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/film"
)

// first is what a first look at a file's bytes tells, whatever the file is called.
type first struct {
	digest string       // SHA-256; empty where the file was not read
	film   bool         // else a photograph
	format media.Format // of a photograph; empty where it has none that we know
}

// unfit is why a file can be neither a photograph nor a film of this run. It is told as it stands.
type unfit struct {
	words string
	err   error
}

func (u *unfit) Error() string { return u.words + " (" + u.err.Error() + ")" }
func (u *unfit) Unwrap() error { return u.err }

// look recognises a file and reads it once for its digest.
func look(ctx context.Context, file intake.File, o Options) (first, error) {
	f, err := file.Open()
	if err != nil {
		return first{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return first{}, err
	}
	seen, err := recognise(f, info.Size(), o)
	if errors.Is(err, media.ErrTooLarge) {
		return seen, err
	}
	digest, digestErr := digestOf(ctx, f)
	seen.digest = digest
	return seen, errors.Join(err, digestErr)
}

// recognise tells films from photographs: what is no picture may be a film, and so may be a GIF.
func recognise(f io.ReaderAt, size int64, o Options) (first, error) {
	head := make([]byte, media.SniffBytes)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return first{}, err
	}
	format, sniffErr := media.Sniff(head[:n])
	if sniffErr != nil || format == media.GIF {
		if _, ok := film.Recognise(f, size); ok {
			return first{film: true}, checkFilmBytes(size, o.FilmLimits.MaxBytes)
		}
	}
	switch {
	case sniffErr == nil:
		return first{format: format}, o.Limits.CheckBytes(size)
	case errors.Is(sniffErr, media.ErrVideo):
		return first{}, &unfit{
			"films of this kind are not taken; MP4, MOV, MKV, WebM, AVI, MPEG-TS and animated GIF are",
			fmt.Errorf("%w: %w", media.ErrUnsupported, sniffErr),
		}
	}
	return first{}, &unfit{"this is not a picture or film that can be read", sniffErr}
}

func checkFilmBytes(size, limit int64) error {
	if size > limit {
		return fmt.Errorf("a film of %d bytes, at most %d allowed: %w", size, limit, media.ErrTooLarge)
	}
	return nil
}

// digestOf reads to the end. A film can be so large that this takes minutes, so it ends with the
// context.
func digestOf(ctx context.Context, r io.Reader) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, until(ctx, r)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

type readerFunc func([]byte) (int, error)

// Read implements io.Reader.
func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// until reads as long as the context is not done.
func until(ctx context.Context, r io.Reader) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return r.Read(p)
	})
}

// isTransportStream is asked of files in folders that are called .ts, as TypeScript is.
func isTransportStream(r io.ReaderAt, size int64) bool {
	container, ok := film.Recognise(r, size)
	return ok && container == "mpegts"
}

// checkFFmpeg says how to mend a set-up that cannot work on films.
func checkFFmpeg() error {
	if _, err := film.FindTools(); err != nil {
		return &SetupError{fmt.Errorf("there are films among the inputs: %w; on Debian and Ubuntu: apt-get install ffmpeg", err)}
	}
	return nil
}
