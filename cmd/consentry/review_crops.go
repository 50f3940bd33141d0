package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/consentry/consentry/internal/atomicfile"
	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/internal/redact"
	"github.com/consentry/consentry/internal/review"
	"github.com/consentry/consentry/internal/sandbox"
	"github.com/consentry/consentry/pipeline"
)

// writeCrops writes pictures of the faces that wait into a folder, for the person who decides: they are bare,
// so nobody else on the machine may read them. They are called by the faces' ids.
func (a *app) writeCrops(ctx context.Context, b *bus.Bus, dir string, waiting []review.Face, runs []review.Run) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return usageError{fmt.Errorf("--crops: %w", err)}
	}
	crops, err := cropsOfTracks(ctx, b, waiting)
	if err != nil {
		return err
	}
	if err := a.cropsOfFaces(ctx, crops, waiting, runs); err != nil {
		return err
	}
	faces := 0
	var missing []string
	for _, f := range waiting {
		if len(crops[f.ID]) == 0 {
			missing = append(missing, f.ID)
			continue
		}
		faces++
		if err := writeCropsOf(dir, f, crops[f.ID]); err != nil {
			return usageError{fmt.Errorf("--crops: %w", err)}
		}
	}
	if len(missing) > 0 {
		fmt.Fprintf(a.stderr, "consentry: there is no picture of %s: the file is not where it was, or the run was not done to its end; do the run again\n",
			strings.Join(missing, ", "))
	}
	if faces == 0 || a.json {
		return nil
	}
	_, err = fmt.Fprintf(a.stdout, "pictures of %d of %d faces are in %s; do not pass them on, and delete them once you have decided\n", faces, len(waiting), dir)
	return err
}

// writeCropsOf writes one picture of a photograph's face, or the best moments of a track.
func writeCropsOf(dir string, f review.Face, crops [][]byte) error {
	for i, crop := range crops {
		name := f.ID + ".jpg"
		if f.Film != nil {
			name = fmt.Sprintf("%s-%d.jpg", f.ID, i+1)
		}
		err := atomicfile.Write(filepath.Join(dir, name), 0o600, func(w io.Writer) error {
			_, err := w.Write(crop)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// cropsOfTracks are the bare pictures that were kept of tracks when their films were withheld, by the
// faces' ids.
func cropsOfTracks(ctx context.Context, b *bus.Bus, waiting []review.Face) (map[string][][]byte, error) {
	films := map[string]bool{} // assets
	waits := map[string]bool{} // ids
	for _, f := range waiting {
		if f.Film != nil {
			films[f.Asset], waits[f.ID] = true, true
		}
	}
	crops := map[string][][]byte{}
	if len(films) == 0 {
		return crops, nil
	}
	err := redact.KeptTracks(ctx, b, func(t pipeline.TrackResult) {
		for asset := range films {
			id := pipeline.TrackID(asset, t.At, t.Box)
			if !waits[id] || len(crops[id]) > 0 {
				continue
			}
			for _, p := range t.Pictures {
				if p.Bare {
					crops[id] = append(crops[id], p.JPEG)
				}
			}
		}
	})
	return crops, err
}

// cropsOfFaces cuts the faces of photographs out of their originals, where these still are.
func (a *app) cropsOfFaces(ctx context.Context, crops map[string][][]byte, waiting []review.Face, runs []review.Run) error {
	photographs := map[string][]review.Face{} // by asset
	for _, f := range waiting {
		if f.Film == nil {
			photographs[f.Asset] = append(photographs[f.Asset], f)
		}
	}
	vision, closeVision, err := a.openVision() // it starts when it is needed
	if err != nil {
		return err
	}
	defer closeVision()
	for _, faces := range photographs {
		photograph, err := originalOf(ctx, faces[0], runs)
		if errors.Is(err, intake.ErrNoOriginal) {
			continue
		}
		if err != nil {
			return err
		}
		if err := cutOut(ctx, vision, photograph, faces, crops); err != nil {
			return fmt.Errorf("cutting %s out of its photograph: %w", faces[0].ID, err)
		}
	}
	return nil
}

func cutOut(ctx context.Context, vision *sandbox.Process, photograph []byte, faces []review.Face, crops map[string][][]byte) error {
	ctx, cancel := context.WithTimeout(ctx, defaultTimeOut)
	defer cancel()
	if _, err := vision.Decode(ctx, photograph); err != nil {
		return err
	}
	for _, f := range faces {
		crop, err := vision.Portrait(ctx, f.Box)
		if err != nil {
			return err
		}
		crops[f.ID] = [][]byte{crop}
	}
	return nil
}
