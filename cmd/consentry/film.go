package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/pipeline"
)

// filmFlags are those of redact that concern films only.
type filmFlags struct {
	VideoCodec  string `enum:"h264,hevc" default:"h264" group:"Films" help:"How films are encoded: h264 or hevc."`
	CRF         int    `name:"crf" default:"${crf}" group:"Films" placeholder:"N" help:"Quality of the encoded film, 0 (largest) to 51 (worst). Default: ${crf}."`
	VideoPreset string `default:"${videopreset}" group:"Films" placeholder:"NAME" help:"The encoder's speed, from ultrafast to veryslow; slower makes smaller files. Default: ${videopreset}."`
	Audio       string `enum:"keep,mute" default:"keep" group:"Films" help:"What becomes of the sound: keep (bit for bit where MP4 can hold it) or mute."`
	From        string `group:"Films" placeholder:"T" help:"Leave out what comes before this time: 12.5, 62s, 1:02, 0:01:02.5."`
	To          string `group:"Films" placeholder:"T" help:"Leave out this time and what comes after it."`
	Every       int    `default:"${every}" group:"Films" placeholder:"N" help:"Look for faces on every Nth frame at least, 1 to ${everymost}. Default: ${every}."`
	DebugTracks bool   `group:"Films" help:"Write beside each film's clearance where each face was on each frame (.tracks.jsonl)."`
}

// How often a frame is searched. What each interval costs in faces is in docs/films.md.
const (
	defaultEvery = 3
	mostEvery    = 12 // half a second at 25 frames a second: the least for which a track is carried on
)

func defaultFilmFlags() filmFlags {
	e := film.DefaultEncoding()
	return filmFlags{VideoCodec: e.Codec, CRF: e.CRF, VideoPreset: e.Preset, Audio: "keep", Every: defaultEvery}
}

// options checks the flags. A run that is done again and was first done by a version without films
// knows none of them.
func (f filmFlags) options() (pipeline.FilmOptions, error) {
	if f.VideoCodec == "" {
		f = defaultFilmFlags()
	}
	part, err := f.part()
	if err != nil {
		return pipeline.FilmOptions{}, err
	}
	switch {
	case f.CRF < 0 || f.CRF > 51:
		return pipeline.FilmOptions{}, fmt.Errorf("--crf %d: 0 to 51", f.CRF)
	case !isVideoPreset(f.VideoPreset):
		return pipeline.FilmOptions{}, fmt.Errorf("--video-preset %s: there are %s", f.VideoPreset, strings.Join(videoPresets(), ", "))
	case f.Every < 1 || f.Every > mostEvery:
		return pipeline.FilmOptions{}, fmt.Errorf("--every %d: 1 to %d", f.Every, mostEvery)
	}
	return pipeline.FilmOptions{
		Part: part, Every: f.Every,
		Encoding: film.Encoding{Codec: f.VideoCodec, CRF: f.CRF, Preset: f.VideoPreset, Mute: f.Audio == "mute"},
	}, nil
}

func (f filmFlags) part() (p film.Part, err error) {
	if f.From != "" {
		if p.From, err = parseMoment(f.From); err != nil {
			return film.Part{}, fmt.Errorf("--from %w", err)
		}
	}
	if f.To == "" {
		return p, nil
	}
	if p.To, err = parseMoment(f.To); err != nil {
		return film.Part{}, fmt.Errorf("--to %w", err)
	}
	if p.To <= p.From {
		return film.Part{}, fmt.Errorf("--to %s: not after the beginning of the part", f.To)
	}
	return p, nil
}

// videoPresets are those of x264 and x265, without placebo, which is of no use.
func videoPresets() []string {
	return []string{"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"}
}

func isVideoPreset(name string) bool { return slices.Contains(videoPresets(), name) }

// checkPreset tells apart the two things that are called a preset.
func checkPreset(policy string) error {
	if isVideoPreset(policy) {
		return fmt.Errorf("--preset %s: --preset is the image policy; for the encoder's speed use --video-preset %s", policy, policy)
	}
	return nil
}

// longestMoment is longer than any film.
const longestMoment = 1000 * time.Hour

// parseMoment reads a time of a film: seconds, minutes and seconds, or hours, minutes and seconds, with
// colons between them (12.5, 1:02, 0:01:02.5), or with units as Go writes them (62s, 1m2s). It is exact to
// the microsecond.
func parseMoment(text string) (time.Duration, error) {
	at, err := parseClock(text)
	if err != nil {
		at, err = time.ParseDuration(text)
	}
	if err != nil || at < 0 || at > longestMoment {
		return 0, fmt.Errorf("%s: a time in the film, such as 12.5, 62s, 1:02 or 0:01:02.5", text)
	}
	return at.Round(time.Microsecond), nil
}

var errNoClock = errors.New("not hours, minutes and seconds")

func parseClock(text string) (time.Duration, error) {
	fields := strings.Split(text, ":")
	if len(fields) > 3 {
		return 0, errNoClock
	}
	total := 0.0
	for i, field := range fields {
		last := i == len(fields)-1
		value, err := strconv.ParseFloat(field, 64)
		if err != nil || strings.Trim(field, "0123456789.") != "" || !last && strings.Contains(field, ".") || i > 0 && value >= 60 {
			return 0, errNoClock
		}
		total = total*60 + value
	}
	if total > longestMoment.Seconds() {
		return 0, errNoClock
	}
	return time.Duration(math.Round(total * float64(time.Second))), nil
}
