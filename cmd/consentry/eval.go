package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/consentry/consentry/internal/evaluation"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/sandbox/look"
	"github.com/consentry/consentry/models"
	"github.com/consentry/consentry/models/vision"
)

type measureEval struct {
	People    string       `help:"Labelled photographs, NAME[N].jpg." placeholder:"DIR" type:"path"`
	Crowds    string       `help:"Photographs of groups and crowds; needs --yunet." placeholder:"DIR" type:"path"`
	YuNet     string       `name:"yunet" help:"Weights of the detector that serves as the yardstick." placeholder:"FILE" type:"path"`
	Made      measureFilms `embed:""`
	OnlyFilms bool         `help:"Leave photographs out."`
}

// Run prints what can be measured with what is there.
func (m *measureEval) Run(ctx context.Context, a *app) error {
	if err := a.verifyWithSamples(ctx); err != nil {
		return err
	}
	if !m.OnlyFilms {
		if err := errors.Join(m.detection(ctx, a), m.description(ctx, a)); err != nil {
			return err
		}
	}
	return m.Made.run(ctx, a, m.People)
}

// verifyWithSamples wants the weights and the sample photographs.
func (a *app) verifyWithSamples(ctx context.Context) error {
	weights, samples := a.models.Verify(ctx), a.models.Verify(ctx, a.models.SampleNames()...)
	var lacking, too *models.MissingError
	switch {
	case errors.As(weights, &lacking) && errors.As(samples, &too): // one command fetches both
		return &models.MissingError{Dir: lacking.Dir, Files: slices.Concat(lacking.Files, too.Files)}
	case weights != nil:
		return weights
	}
	return samples
}

func (a *app) samples() string { return filepath.Join(a.models.Dir(), "samples") }

func (a *app) lookModels() look.Models {
	return look.Models{
		Detector:      a.models.Path(models.Detector),
		Landmarks:     a.models.Path(models.Landmarks),
		DlibDir:       a.models.DlibDir(),
		MobileFaceNet: a.models.Path(models.MobileFaceNet),
	}
}

func (m *measureEval) detection(ctx context.Context, a *app) error {
	if m.YuNet == "" {
		fmt.Fprintln(a.stdout, "detection: not measured, as there is no yardstick (--yunet)")
		return nil
	}
	vision.OneThread()
	tested, err := a.finder()
	if err != nil {
		return err
	}
	defer tested.Close()
	sure, err := vision.OpenYuNet(m.YuNet, 0.7, 1)
	if err != nil {
		return err
	}
	defer sure.Close()
	doubtful, err := vision.OpenYuNet(m.YuNet, 0.3, 0.25, 0.5, 1, 2)
	if err != nil {
		return err
	}
	defer doubtful.Close()
	for _, dir := range []string{a.samples(), m.Crowds} {
		if dir == "" {
			continue
		}
		r, err := evaluation.EvaluateDetection(ctx, dir, tested, sure, doubtful)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.stdout, "detection, %s\n%s\n", filepath.Base(dir), r.Table())
	}
	return nil
}

func (m *measureEval) description(ctx context.Context, a *app) error {
	eyes := look.New(a.lookModels(), media.DefaultLimits())
	defer eyes.Close()
	sets := []struct {
		dir  string
		same [][2]evaluation.FaceAt
	}{{a.samples(), sampleKin()}, {m.People, nil}}
	for _, set := range sets {
		if set.dir == "" {
			continue
		}
		faces, err := evaluation.LabelledFaces(ctx, set.dir, described(eyes), set.same...)
		if err != nil {
			return err
		}
		r, err := evaluation.EvaluateDescription(faces, gallery.DefaultThresholds())
		if err != nil {
			return err
		}
		fmt.Fprintf(a.stdout, "description, %s\n", filepath.Base(set.dir))
		if err := r.Print(a.stdout); err != nil {
			return err
		}
	}
	return nil
}

// sampleKin are faces of the sample photographs that are one person, as seen by eye.
func sampleKin() [][2]evaluation.FaceAt {
	return [][2]evaluation.FaceAt{
		{{Photograph: "sample3.jpg", FromLeft: 1}, {Photograph: "sample1.jpg", FromLeft: 2}},
	}
}

// described finds and describes the faces of a file the way that the product does.
func described(eyes *look.Eyes) evaluation.DescribeFile {
	return func(ctx context.Context, path string) ([]face.Face, error) {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if _, err := eyes.Decode(ctx, data); err != nil {
			return nil, err
		}
		faces, err := eyes.Find(ctx)
		if err != nil {
			return nil, err
		}
		return eyes.Describe(ctx, faces)
	}
}
