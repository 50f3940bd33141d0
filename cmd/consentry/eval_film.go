package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/consentry/consentry/internal/evaluation"
	"github.com/consentry/consentry/internal/evaluation/footage"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/sandbox"
	"github.com/consentry/consentry/internal/sandbox/look"
	"github.com/consentry/consentry/models"
	"github.com/consentry/consentry/models/vision"
	"github.com/consentry/consentry/pipeline"
)

type measureFilms struct {
	Films string   `default:"all" enum:"all,few,none" help:"Made films to measure on: all, few or none."`
	Only  []string `help:"Made films of these kinds only." placeholder:"KIND"`
	Every []int    `default:"1,2,3,5,8,12" help:"Intervals at which whole frames are searched."`
	Clip  string   `help:"A real film; every frame is searched for comparison." placeholder:"FILE" type:"path"`
	Keep  string   `help:"Folder in which made films are left." placeholder:"DIR" type:"path"`
}

const (
	filmSeed = 1
	// usual is the interval of the product.
	usual = 3
	// reunions is how many films are made of people of whom there are several photographs.
	reunions = 4
)

// few are the kinds for a short run: one of each sort of trouble.
func few() []string {
	return []string{footage.Pan, footage.Hands, footage.Cuts, footage.Edges, footage.Dance}
}

// run measures films.
func (m *measureFilms) run(ctx context.Context, a *app, people string) error {
	if m.Films == "none" && m.Clip == "" {
		fmt.Fprintln(a.stdout, "films: not measured (--films)")
		return nil
	}
	studio, done, err := m.studio(a)
	if err != nil {
		return err
	}
	defer done()
	if m.Films != "none" {
		if err := m.made(ctx, a, studio, people); err != nil {
			return err
		}
	}
	if m.Clip != "" {
		return m.clip(ctx, a, studio)
	}
	return nil
}

// studio has two child processes, as the machine that figures are stated for has two cores.
func (m *measureFilms) studio(a *app) (*evaluation.Studio, func(), error) {
	tools, err := film.FindTools()
	if err != nil {
		return nil, nil, setupError{err}
	}
	self, err := os.Executable()
	if err != nil {
		return nil, nil, setupError{fmt.Errorf("finding the program's own file: %w", err)}
	}
	dir := m.Keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "consentry-films-"); err != nil {
			return nil, nil, err
		}
	} else if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, err
	}
	studio := &evaluation.Studio{Dir: dir, FFmpeg: tools.FFmpeg}
	var children []*sandbox.Process
	for range 2 {
		child := sandbox.NewProcess(a.child(self, media.DefaultLimits()), a.log)
		children, studio.Cinemas = append(children, child), append(studio.Cinemas, child)
	}
	return studio, func() {
		for _, c := range children {
			c.Close() //nolint:errcheck,gosec // it has told all it had to
		}
		if m.Keep == "" {
			os.RemoveAll(dir) //nolint:errcheck,gosec // below the temporary folder
		}
	}, nil
}

// made measures on films made of stills.
func (m *measureFilms) made(ctx context.Context, a *app, studio *evaluation.Studio, people string) error {
	groups, singles, err := m.troupes(ctx, a, people)
	if err != nil {
		return err
	}
	films := slices.DeleteFunc(footage.Films(&groups.Cast, filmSeed), func(f footage.Film) bool { return !m.wants(f.Kind) })
	watched, err := m.cover(ctx, a, studio, films)
	if err != nil {
		return err
	}
	if err := m.decide(ctx, a, studio, films, watched, groups, false); err != nil {
		return err
	}
	if singles == nil {
		return nil
	}
	films = footage.Reunions(&singles.Cast, reunions, filmSeed)
	if watched, err = studio.Watch(ctx, films, pipeline.WatchOptions{Every: usual, Describe: true}); err != nil {
		return err
	}
	covered, err := evaluation.Cover(films, watched)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "\nmade films of people of whom there are several photographs, everyone covered, every %d frames\n", usual)
	if err := evaluation.PrintFilms(a.stdout, covered); err != nil {
		return err
	}
	return m.decide(ctx, a, studio, films, watched, singles, true)
}

func (m *measureFilms) wants(kind string) bool {
	if len(m.Only) > 0 {
		return slices.Contains(m.Only, kind)
	}
	return m.Films == "all" || slices.Contains(few(), kind)
}

// troupes reads the stills. The second is nil without photographs of people.
func (m *measureFilms) troupes(ctx context.Context, a *app, people string) (groups, singles *evaluation.Troupe, err error) {
	eyes := look.New(a.lookModels(), media.DefaultLimits())
	defer eyes.Close()
	finder, err := a.finder()
	if err != nil {
		return nil, nil, err
	}
	defer finder.Close()
	if groups, err = evaluation.GroupTroupe(ctx, a.samples(), described(eyes), finder, sampleKin()...); err != nil {
		return nil, nil, err
	}
	if people != "" {
		singles, err = evaluation.SinglesTroupe(ctx, people, described(eyes), finder)
	}
	return groups, singles, err
}

// cover prints how everyone is covered, at every interval, and returns what was watched at the usual one.
func (m *measureFilms) cover(ctx context.Context, a *app, studio *evaluation.Studio, films []footage.Film) ([]pipeline.Watched, error) {
	started := time.Now()
	watched, err := studio.Watch(ctx, films, pipeline.WatchOptions{Every: usual, Describe: true})
	if err != nil {
		return nil, err
	}
	atUsual, err := evaluation.Cover(films, watched)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(a.stdout, "\nmade films of the sample photographs, everyone covered, every %d frames (made and watched in %s)\n",
		usual, time.Since(started).Round(time.Second))
	if err := evaluation.PrintFilms(a.stdout, atUsual); err != nil {
		return nil, err
	}
	var results [][]*evaluation.FilmResult
	for _, every := range m.Every {
		if every == usual {
			results = append(results, atUsual)
			continue
		}
		other, err := studio.Watch(ctx, films, pipeline.WatchOptions{Every: every})
		if err != nil {
			return nil, err
		}
		covered, err := evaluation.Cover(films, other)
		if err != nil {
			return nil, err
		}
		results = append(results, covered)
	}
	fmt.Fprintln(a.stdout, "\nmeasured loss by interval")
	return watched, evaluation.PrintIntervals(a.stdout, m.Every, results)
}

// decide prints what became of who is to be obscured.
func (m *measureFilms) decide(ctx context.Context, a *app, studio *evaluation.Studio, films []footage.Film, watched []pipeline.Watched, t *evaluation.Troupe, another bool) error {
	casting, err := evaluation.CastingOf(t, another, a.models.Digest())
	if err != nil {
		return err
	}
	decided, err := studio.Decide(ctx, films, watched, casting.Order, casting.Subjects)
	if err != nil {
		return err
	}
	from := "the same stills"
	if another {
		from = "other photographs"
	}
	fmt.Fprintf(a.stdout, "\nthe whole way, %d persons enrolled from %s, every second may not be shown\n", casting.Enrolled, from)
	return evaluation.PrintDecisions(a.stdout, decided)
}

// clip measures on a real film.
func (m *measureFilms) clip(ctx context.Context, a *app, studio *evaluation.Studio) error {
	watched, err := studio.Cinemas[0].Watch(ctx, pipeline.Film{Path: m.Clip}, pipeline.WatchOptions{Every: usual}, func(pipeline.Frames) {})
	if err != nil {
		return err
	}
	finder, err := a.finder()
	if err != nil {
		return err
	}
	defer finder.Close()
	r, err := evaluation.EvaluateClip(ctx, studio.FFmpeg, m.Clip, watched, finder)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "\na real clip, every %d frames, against the finder of photographs on every frame\n", usual)
	return r.Print(a.stdout)
}

// finder is the detector of photographs.
func (a *app) finder() (*vision.Finder, error) {
	return vision.OpenFinder(a.models.Path(models.Detector), a.models.Path(models.Landmarks), vision.DefaultOptions())
}
