package evaluation

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/evaluation/footage"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/obscure"
	"github.com/consentry/consentry/pipeline"
)

// Studio makes films in a folder and has them watched.
type Studio struct {
	Dir     string            // where films lie while they are measured; each is made once
	FFmpeg  string            // the program
	Cinemas []pipeline.Cinema // each works on one film at a time
}

// path is that of a made film.
func (s *Studio) path(f *footage.Film) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", f.Name, f.Seed, f.Frames()))
	return filepath.Join(s.Dir, hex.EncodeToString(sum[:8])+".mp4")
}

// each does something with every film, on as many at a time as there are cinemas.
func (s *Studio) each(ctx context.Context, films []footage.Film, do func(context.Context, int, pipeline.Cinema) error) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for _, c := range s.Cinemas {
		g.Go(func() error {
			for i := int(next.Add(1)) - 1; i < len(films) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := do(ctx, i, c); err != nil {
					return fmt.Errorf("film %q: %w", films[i].Name, err)
				}
			}
			return ctx.Err()
		})
	}
	return g.Wait()
}

// Watch has all films watched, and makes those that are not there yet.
func (s *Studio) Watch(ctx context.Context, films []footage.Film, o pipeline.WatchOptions) ([]pipeline.Watched, error) {
	all := make([]pipeline.Watched, len(films))
	err := s.each(ctx, films, func(ctx context.Context, i int, c pipeline.Cinema) (err error) {
		path := s.path(&films[i])
		if _, found := os.Stat(path); found != nil {
			if err := films[i].Write(ctx, s.FFmpeg, path); err != nil {
				return err
			}
		}
		all[i], err = c.Watch(ctx, pipeline.Film{Path: path}, o, func(pipeline.Frames) {})
		return err
	})
	return all, err
}

// Cover evaluates how everyone in the films is covered by what was watched.
func Cover(films []footage.Film, watched []pipeline.Watched) ([]*FilmResult, error) {
	results := make([]*FilmResult, len(films))
	for i := range films {
		var err error
		if results[i], err = EvaluateFilm(&films[i], watched[i]); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// Decide takes the films the whole way, the watching left out, and says what became of who is to be obscured and of the others.
func (s *Studio) Decide(ctx context.Context, films []footage.Film, watched []pipeline.Watched, order pipeline.Order, subjects map[string]bool) ([]Decisions, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	all := make([]Decisions, len(films))
	err = s.each(ctx, films, func(ctx context.Context, i int, c pipeline.Cinema) error {
		line := &pipeline.Line{Cinema: recalled{c, watched[i]}, Key: key, Now: time.Now, Step: func(string) {}}
		r, err := s.takeDown(ctx, line, &films[i], order)
		if err != nil {
			return err
		}
		all[i] = EvaluateDecisions(&films[i], watched[i], r, subjects)
		return nil
	})
	return all, err
}

// takeDown takes one film down the line, in a scratch folder of its own.
func (s *Studio) takeDown(ctx context.Context, line *pipeline.Line, f *footage.Film, order pipeline.Order) (pipeline.Result, error) {
	folder, err := os.MkdirTemp(s.Dir, "line-")
	if err != nil {
		return pipeline.Result{}, fmt.Errorf("making a scratch folder: %w", err)
	}
	defer os.RemoveAll(folder)
	original := filepath.Join(folder, "original")
	if err := os.Link(s.path(f), original); err != nil {
		return pipeline.Result{}, fmt.Errorf("laying the film into its folder: %w", err)
	}
	digest, err := digestOf(original)
	if err != nil {
		return pipeline.Result{}, err
	}
	results, err := line.Film(ctx, pipeline.Asset{Digest: digest, Path: original, Folder: folder}, []pipeline.Order{order})
	if err != nil {
		return pipeline.Result{}, err
	}
	return results[0], nil
}

func digestOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("reading a made film: %w", err)
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", fmt.Errorf("reading a made film: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// recalled is a cinema that has watched the film before.
type recalled struct {
	pipeline.Cinema
	watched pipeline.Watched
}

// Watch implements pipeline.Cinema.
func (r recalled) Watch(context.Context, pipeline.Film, pipeline.WatchOptions, func(pipeline.Frames)) (pipeline.Watched, error) {
	return r.watched, nil
}

// Casting says who of a troupe is enrolled, and what was refused for whom.
type Casting struct {
	Order    pipeline.Order
	Subjects map[string]bool // persons who are to be obscured
	Enrolled int             // persons
}

// CastingOf enrols a troupe's references in the objectors mode, where strangers are shown. Every second person may not be shown; the
// others may, and are enrolled only if all is set: else nobody is asked about them.
func CastingOf(t *Troupe, all bool, modelDigest string) (*Casting, error) {
	c := &Casting{Subjects: map[string]bool{}}
	number := map[string]string{}
	var subjects []consent.Subject
	var records []consent.Record
	var references []gallery.Reference
	for i, e := range t.References {
		if _, known := number[e.Person]; !known {
			refused := len(number)%2 == 0
			number[e.Person] = fmt.Sprint(1000 + len(number))
			subjects = append(subjects, consent.Subject{AdmissionNumber: number[e.Person]})
			records = append(records, sayings(number[e.Person], refused)...)
			c.Subjects[e.Person] = refused
		}
		if (all || c.Subjects[e.Person]) && len(e.Templates) > 0 {
			references = append(references, gallery.Reference{Subject: number[e.Person], Digest: fmt.Sprintf("%064x", i), Templates: e.Templates})
		}
	}
	register, err := consent.NewRegister(1, subjects, records)
	if err != nil {
		return nil, fmt.Errorf("making up a register: %w", err)
	}
	enrolled, err := gallery.New(references, gallery.Calibrate(references, gallery.DefaultTarget()).Thresholds)
	if err != nil {
		return nil, fmt.Errorf("enrolling: %w", err)
	}
	policy, err := consent.LoadPreset("perse")
	if err != nil {
		return nil, err
	}
	c.Enrolled = enrolled.Subjects()
	c.Order = pipeline.NewOrder(pipeline.Order{
		Purpose: "website", Mode: pipeline.Objectors, Policy: policy, UnknownFace: consent.Show, Register: register, Gallery: enrolled,
		Style: obscure.SecureBlur, On: time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC), ModelDigest: modelDigest,
		Film: pipeline.FilmOptions{Encoding: film.DefaultEncoding()},
	})
	return c, nil
}

// sayings are a guardian's: to be enrolled, yes; to be on the website, no or yes.
func sayings(number string, refused bool) []consent.Record {
	answer := consent.Granted
	if refused {
		answer = consent.Refused
	}
	date := consent.DateOf(time.Date(2025, 9, 1, 0, 0, 0, 0, time.UTC))
	return []consent.Record{
		{AdmissionNumber: number, Party: consent.Guardian, Purpose: consent.Biometric, Decision: consent.Granted, Date: date},
		{AdmissionNumber: number, Party: consent.Guardian, Purpose: "website", Decision: answer, Date: date},
	}
}
